"""Unmodified clients of other authors against the service: ob-appsync-events-request and wscat."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from appsync_events import ApiKey, EventsClient
from appsync_events_local.model.auth_providers import AuthMode
from botocore.credentials import Credentials
from service_harness.every_mode import EveryMode
from service_harness.running import FOREIGN_SIGNER, SESSION_SIGNER, SIGNER, SUBPROTOCOL, header_protocol, signed_headers

from tests.clients.conftest import Node
from tests.clients.other_clients import ObRequest, wscat

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTTP_HOST = "events.test"
"""The host that the API is registered with."""


@pytest.mark.parametrize("signer", [SIGNER, SESSION_SIGNER], ids=["keys", "session"])
async def test_ob_appsync_events_request_publishes_as_iam(
    api: EveryMode, node: Node, tmp_path: Path, signer: Credentials
) -> None:
    publish = ob_request(api, node, tmp_path, signer)
    async with EventsClient(api.endpoint, ApiKey(api.service.key)) as client, client.stream("/open/ob/*") as events:
        published = await publish("/open/ob/a", [{"text": "ü€😀"}, "two", 3])
        assert published["status"] == 200
        assert [item["index"] for item in published["body"]["successful"]] == [0, 1, 2]
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(3)] == [{"text": "ü€😀"}, "two", 3]


async def test_ob_appsync_events_request_is_refused_as_aws_refuses_it(
    api: EveryMode, node: Node, tmp_path: Path
) -> None:
    publish = ob_request(api, node, tmp_path, SIGNER)
    failed = (await publish("/open/ob", ["x" * 250_000]))["body"]["failed"]
    assert [item["code"] for item in failed] == ["EventTooLargeException"]
    refused = await ob_request(api, node, tmp_path, FOREIGN_SIGNER)("/open/ob", [1])
    assert (refused["status"], refused["body"]["errors"][0]["errorType"]) == (401, "UnauthorizedException")


def ob_request(api: EveryMode, node: Node, folder: Path, signer: Credentials) -> ObRequest:
    port = api.service.host.rpartition(":")[2]
    address = f"http://{HTTP_HOST}:{port}/event"
    return ObRequest(address, node, folder / "events.json", signer.access_key, signer.secret_key, signer.token)


@pytest.mark.parametrize(
    ("mode", "way"), [*((mode, "subprotocol") for mode in AuthMode), (AuthMode.COGNITO, "headers")]
)
async def test_wscat_subscribes_and_publishes_in_every_mode(api: EveryMode, mode: AuthMode, way: str) -> None:
    """Connect credentials as a subprotocol, as documented, or as HTTP headers, like AWS's Swift client."""
    channel, events = "/open/wscat", ['"ü€😀"', "2"]
    connect = authorization(api, mode, {})
    url, offered = f"ws://{api.service.host}/event/realtime", ["-s", SUBPROTOCOL]
    if way == "subprotocol":
        offered += ["-s", header_protocol(connect)]
    else:
        offered += [part for name, value in connect.items() for part in ("-H", f"{name}:{value}")]
    own = authorization(api, mode, {"channel": channel})
    subscribe = {"type": "subscribe", "id": "s", "channel": channel, "authorization": own}
    own = authorization(api, mode, {"channel": channel, "events": events})
    publish = {"type": "publish", "id": "p", "channel": channel, "events": events, "authorization": own}
    acknowledged = {"type": "connection_ack", "connectionTimeoutMs": 300_000}
    async with wscat(url, offered, {"type": "connection_init"}, subscribe) as received:
        assert [await received(), await received()] == [acknowledged, {"type": "subscribe_success", "id": "s"}]
        async with wscat(url, offered, {"type": "connection_init"}, publish) as answered:
            assert await answered() == acknowledged
            published = await answered()
        assert (published["type"], published["id"], published["failed"]) == ("publish_success", "p", [])
        assert [await received(), await received()] == [{"type": "data", "id": "s", "event": event} for event in events]


def authorization(api: EveryMode, mode: AuthMode, body: dict[str, Any]) -> dict[str, str]:
    """Credentials whose signature covers `body`."""
    given = api.credentials()[mode]
    if mode is AuthMode.IAM:
        return signed_headers(api.endpoint, json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), given)
    return {"host": api.service.host, "x-api-key" if mode is AuthMode.API_KEY else "Authorization": given}
