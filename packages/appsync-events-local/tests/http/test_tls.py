"""https and wss with the service's own certificate, for clients that trust it and clients that do not."""

import asyncio
import json
import ssl
from pathlib import Path

import aiohttp
import pytest
from appsync_events_local.http import tls
from service_harness.running import transport_of
from service_harness.standalone import standalone
from service_harness.templates import KEY, api, namespace, write_template


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


async def test_a_client_that_trusts_the_certificate_publishes_and_subscribes(tmp_path: Path) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace()})
    trusted = tls.self_signed_in(tmp_path).certificate
    connector = aiohttp.TCPConnector(ssl=trusting(trusted))
    async with standalone("--template", file, "--tls", "--state", tmp_path, connector=connector) as running:
        assert running.endpoints[0].startswith("https://localhost:")
        assert f"NODE_EXTRA_CA_CERTS={trusted}" in running.announced
        socket = await running.subscribed("/default/*")
        assert (await running.post("default/x", '"hello"'))[0] == 200
        assert (await socket.receive())["event"] == '"hello"'
        async with aiohttp.ClientSession() as untrusting:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await untrusting.get(running.endpoints[0])


async def test_given_certificate_is_used(tmp_path: Path) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace()})
    own = tls.self_signed_in(tmp_path)
    connector = aiohttp.TCPConnector(ssl=trusting(own.certificate))
    given = ("--tls-certificate", own.certificate, "--tls-key", own.key)
    async with standalone("--template", file, *given, connector=connector) as running:
        assert (await running.post("default/x", "1"))[0] == 200
        assert "NODE_EXTRA_CA_CERTS" not in running.announced


def test_certificate_is_reused_and_its_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = tls.self_signed_in(tmp_path)
    content = first.certificate.read_bytes()
    assert tls.self_signed_in(tmp_path).certificate.read_bytes() == content
    assert first.key.stat().st_mode & 0o777 == 0o600


async def test_client_that_does_not_read_is_disconnected_over_tls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write_template(tmp_path, {"Api": api(), "Key": KEY, "Space": namespace()})
    connector = aiohttp.TCPConnector(ssl=trusting(tls.self_signed_in(tmp_path).certificate))
    given = ("--template", file, "--tls", "--state", tmp_path, "--max-unsent-bytes", "300000")
    async with standalone(*given, connector=connector) as running:
        slow = await running.subscribed("/default/*")
        transport = transport_of(slow)
        transport.pause_reading()
        async with asyncio.timeout(30):
            while "does not read" not in caplog.text:
                assert (await running.post("default/x", json.dumps("x" * 200_000)))[0] == 200
        transport.abort()
