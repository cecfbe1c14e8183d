"""Clients that others wrote, unmodified: they find what they expect of AWS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from appsync_events import ApiKey, EventsClient
from local.events.providers import AuthMode
from tests.clients.conftest import NODE, Node
from tests.events_service.every_mode import EveryMode
from tests.events_service.harness import (
    FOREIGN_SIGNER,
    REGION,
    SESSION_SIGNER,
    SIGNER,
    SUBPROTOCOL,
    header_protocol,
    signed_headers,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
WSCAT = Path(__file__).parents[2] / "node_modules/wscat/bin/wscat"
HTTP_HOST = "events.test"
"""The host that the API is registered with."""


@pytest.mark.parametrize("signer", [SIGNER, SESSION_SIGNER], ids=["keys", "session"])
async def test_ob_appsync_events_request_publishes_as_iam(
    api: EveryMode, node: Node, tmp_path: Path, signer: Credentials
) -> None:
    publish = ObRequest(api, node, tmp_path / "events.json", signer)
    async with EventsClient(api.endpoint, ApiKey(api.service.key)) as client, client.stream("/open/ob/*") as events:
        published = await publish("/open/ob/a", [{"text": "ü€😀"}, "two", 3])
        assert published["status"] == 200
        assert [item["index"] for item in published["body"]["successful"]] == [0, 1, 2]
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(3)] == [{"text": "ü€😀"}, "two", 3]


async def test_ob_appsync_events_request_is_refused_as_aws_refuses_it(
    api: EveryMode, node: Node, tmp_path: Path
) -> None:
    publish = ObRequest(api, node, tmp_path / "events.json", SIGNER)
    failed = (await publish("/open/ob", ["x" * 250_000]))["body"]["failed"]
    assert [item["code"] for item in failed] == ["EventTooLargeException"]
    refused = await ObRequest(api, node, tmp_path / "events.json", FOREIGN_SIGNER)("/open/ob", [1])
    assert (refused["status"], refused["body"]["errors"][0]["errorType"]) == (401, "UnauthorizedException")


@dataclass(frozen=True)
class ObRequest:
    """Publishes with ob-appsync-events-request."""

    api: EveryMode
    node: Node
    file: Path
    signer: Credentials

    async def __call__(self, channel: str, events: list[Any]) -> dict[str, Any]:
        self.file.write_text(json.dumps(events))
        port = self.api.service.host.rpartition(":")[2]
        arguments = (f"http://{HTTP_HOST}/event", port, REGION, channel, str(self.file))
        credentials = {
            "AWS_ACCESS_KEY_ID": self.signer.access_key,
            "AWS_SECRET_ACCESS_KEY": self.signer.secret_key,
            "AWS_SESSION_TOKEN": self.signer.token or "",
        }
        answer: dict[str, Any] = json.loads((await self.node("ob_request.mjs", *arguments, **credentials))[-1])
        return answer


@pytest.mark.parametrize("way", ["subprotocol", "headers"])
@pytest.mark.parametrize("mode", AuthMode)
async def test_wscat_speaks_the_protocol_by_hand(api: EveryMode, mode: AuthMode, way: str) -> None:
    """Credentials of the connection as a subprotocol, as documented, or as HTTP headers, as AWS's Swift client does."""
    channel, events = "/open/wscat", ['"ü€😀"', "2"]
    connect = authorization(api, mode, {})
    offered = ["-s", SUBPROTOCOL]
    if way == "subprotocol":
        offered += ["-s", header_protocol(connect)]
    else:
        offered += [part for name, value in connect.items() for part in ("-H", f"{name}:{value}")]
    own = authorization(api, mode, {"channel": channel})
    subscribe = {"type": "subscribe", "id": "s", "channel": channel, "authorization": own}
    own = authorization(api, mode, {"channel": channel, "events": events})
    publish = {"type": "publish", "id": "p", "channel": channel, "events": events, "authorization": own}
    acknowledged = {"type": "connection_ack", "connectionTimeoutMs": 300_000}
    async with wscat(api, offered, {"type": "connection_init"}, subscribe) as heard:
        assert [await heard(), await heard()] == [acknowledged, {"type": "subscribe_success", "id": "s"}]
        async with wscat(api, offered, {"type": "connection_init"}, publish) as answered:
            assert await answered() == acknowledged
            published = await answered()
        assert (published["type"], published["id"], published["failed"]) == ("publish_success", "p", [])
        assert [await heard(), await heard()] == [{"type": "data", "id": "s", "event": event} for event in events]


def authorization(api: EveryMode, mode: AuthMode, body: dict[str, Any]) -> dict[str, str]:
    """Credentials for what is signed as `body`."""
    given = api.credentials()[mode]
    if mode is AuthMode.IAM:
        return signed_headers(api.endpoint, json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), given)
    return {"host": api.service.host, "x-api-key" if mode is AuthMode.API_KEY else "Authorization": given}


@asynccontextmanager
async def wscat(
    api: EveryMode, offered: list[str], *frames: dict[str, Any]
) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    """Run wscat, which sends the frames; gives what reads one that it prints."""
    url = f"ws://{api.service.host}/event/realtime"
    said = [part for frame in frames for part in ("-x", json.dumps(frame))]
    process = await asyncio.create_subprocess_exec(
        NODE, str(WSCAT), "-c", url, *offered, *said, "-w", "-1", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed = process.stdout
    assert printed is not None

    async def frame() -> dict[str, Any]:
        line = await asyncio.wait_for(printed.readline(), 20)
        received: dict[str, Any] = json.loads(line)
        return received

    try:
        yield frame
    finally:
        process.kill()
        await process.wait()
