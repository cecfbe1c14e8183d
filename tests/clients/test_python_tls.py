"""The Python client over https and wss, with the certificate that the service makes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest
from appsync_events import ApiKey, Backoff, EventsClient, UnreachableError
from appsync_events_local.http import tls
from service_harness.standalone import standalone
from service_harness.templates import KEY, api, namespace, write_template


async def test_python_client_connects_over_tls_only_with_the_given_certificate(tmp_path: Path) -> None:
    template = write_template(tmp_path, {"Api": api(), "Key": KEY, "Open": namespace("open")})
    trusted = ssl.create_default_context(cafile=tls.self_signed_in(tmp_path).certificate)
    async with standalone("--template", template, "--tls", "--state", tmp_path) as running:
        address, key = running.endpoints[0], ApiKey(running.keys[0])
        assert address.startswith("https://")
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as http,
            EventsClient(address, key, http=http) as client,
            client.stream("/open/a") as events,
        ):
            await client.publish("/open/a", ["over wss"])
            await client.publish_http("/open/a", ["over https"])
            assert [await asyncio.wait_for(anext(events), 20) for _ in range(2)] == ["over wss", "over https"]
        async with EventsClient(address, key, backoff=Backoff(base=0.01, cap=0.02)) as untrusting:
            with pytest.raises(UnreachableError, match="certificate verify failed"):
                await untrusting.publish_http("/open/a", [1])
