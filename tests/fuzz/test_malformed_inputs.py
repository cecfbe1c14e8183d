"""The Events service answers malformed input of every kind, and nothing of it remains."""

import asyncio
import json
import logging
from collections import Counter
from random import Random
from urllib.parse import urlsplit

import pytest
from service_harness.running import API, KEY, TOKEN, Running

from bench.events_service.process import NAMESPACES
from bench.events_service.websocket import frame
from tests.fuzz.attack import attack
from tests.fuzz.inputs import Inputs

INPUTS = 2_000
SECONDS = 30.0


async def activity(service: Running) -> tuple[int, int]:
    api = (await service.registered("GET", "apis"))["apis"][API]
    return api["connections"], sum(api["subscriptions"].values())


async def test_malformed_inputs_leave_no_connection_task_or_error(
    service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name, code in NAMESPACES.items():
        await service.namespace(name, code)
    tasks = len(asyncio.all_tasks())
    report = await attack(urlsplit(service.url).port or 0, INPUTS, seed=1, key=KEY, seconds=SECONDS)
    assert report.findings == []
    assert {kind for kind, count in report.inputs.items() if count} == {
        "message", "malformed frame", "upgrade", "publish"
    }  # fmt: skip
    for _ in range(200):
        left = (*await activity(service), max(0, len(asyncio.all_tasks()) - tasks - 2))
        if left == (0, 0, 0):
            break
        await asyncio.sleep(0.05)
    assert left == (0, 0, 0), "connections, subscriptions and tasks"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    socket = await service.connect()
    assert (await socket.subscribe("/plain/a"))["type"] == "subscribe_success"


def test_inputs_are_the_same_for_the_same_seed() -> None:
    def made(seed: int) -> list[bytes]:
        inputs = Inputs(Random(seed), "127.0.0.1:1", KEY)
        return [make() for _ in range(50) for make in (inputs.valid_frames, inputs.upgrade, inputs.publish)]

    assert made(3) == made(3)
    assert made(3) != made(4)


def test_messages_are_both_valid_publishes_and_others() -> None:
    inputs = Inputs(Random(0), "127.0.0.1:1", KEY)
    kinds = Counter(b'"type": "publish"' in inputs.message() for _ in range(500))
    assert kinds[True] > 50
    assert kinds[False] > 50


@pytest.mark.parametrize("length", [0, 5, 125, 126, 65_535, 65_536])
def test_frame_has_a_masked_payload_and_its_length(length: int) -> None:
    payload = b"x" * length
    made = frame(payload, mask=b"\1\2\3\4")
    assert len(made) == length + 6 + (0 if length < 126 else 2 if length < 65_536 else 8)
    key = b"\1\2\3\4"
    assert bytes(byte ^ key[place % 4] for place, byte in enumerate(made[-length:] if length else b"")) == payload


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Expect", "\ud800"), ("Sec-WebSocket-Key", "\ud800"), ("Sec-WebSocket-Version", "\ud800"),
        ("Sec-WebSocket-Key", "é"), ("Host", "\ud800"), ("Upgrade", "\ud800"), ("Expect", "something-else"),
    ],
)  # fmt: skip
async def test_header_that_is_not_text_is_a_client_error(service: Running, name: str, value: str) -> None:
    port = urlsplit(service.url).port
    for path in ("/event/realtime", "/event", "/nowhere", "/_status", "/_control/health", "/v2/apis"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {path} HTTP/1.1\r\nHost: {service.host}\r\nConnection: close\r\n{name}: {value}\r\n\r\n"
        writer.write(request.encode("utf-8", "surrogatepass"))
        status = (await reader.read()).split(b" ")[1]
        assert status.startswith(b"4") or (value.isascii() and status == b"200")
        writer.close()


async def test_expect_100_continue_is_answered(service: Running) -> None:
    body = b'{"channel":"/open/a","events":["1"]}'
    headers = {"x-api-key": KEY, "expect": "100-continue"}
    async with service.session.post(service.event_url, data=body, headers=headers) as answer:
        assert answer.status == 200


async def test_unknown_path_and_method_are_in_the_error(service: Running) -> None:
    async with service.session.get(f"{service.url}/nowhere") as answer:
        assert (answer.status, (await answer.json())["errors"][0]["errorType"]) == (404, "NotFoundException")
    async with service.session.put(service.event_url) as answer:
        message = (await answer.json())["errors"][0]["message"]
        assert (answer.status, message) == (405, "PUT is not allowed; allowed are OPTIONS, POST")


async def test_request_that_is_not_http_is_logged_as_one_warning(
    service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(service.url).port)
    writer.write(b"GET /event HTTP/1.1\r\nno header\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    (record,) = [record for record in caplog.records if record.name == "aiohttp.server"]
    assert record.levelno == logging.WARNING
    assert "not HTTP" in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize("path", ["/event", "/v2/apis/x", "/_control/apis/x"])
async def test_client_disconnect_during_a_request_is_not_an_error(
    service: Running, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO)
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(service.url).port)
    head = f"POST {path} HTTP/1.1\r\nHost: {service.host}\r\nContent-Length: 100\r\nx-local-control: {TOKEN}\r\n\r\n{{"
    writer.write(head.replace("POST", "PUT" if "control" in path else "POST").encode())
    await asyncio.sleep(0.1)
    writer.transport.abort()
    for _ in range(100):
        if "client disconnected" in caplog.text:
            break
        await asyncio.sleep(0.02)
    assert "client disconnected" in caplog.text
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


async def test_status_page_shows_text_without_utf8_form(service: Running) -> None:
    socket = await service.connect()
    lone = json.dumps(
        {"type": "subscribe", "id": "s", "channel": "/open/\ud800", "authorization": socket.authorization}
    )
    await socket.raw.send_str(lone)
    assert (await socket.receive())["type"] == "subscribe_error"
    async with service.session.get(f"{service.url}/_status") as answer:
        assert answer.status == 200
        assert "/open/?" in await answer.text()
