"""Fan-out: every subscriber receives every event once and in order; a client that does not read delays no other."""

import asyncio
import json
from pathlib import Path

import pytest
from appsync_events_local.protocol.channels import parse_channel, parse_subscription
from appsync_events_local.protocol.frames import data_prefix, data_suffix, text_frame_header
from appsync_events_local.publish.broker import Broker, Flusher, SendBuffer, Subscription
from hypothesis import given, settings
from hypothesis import strategies as st
from service_harness.frames import frames
from service_harness.running import API, UserPool, running, transport_of


class Sink:
    """A transport that records its writes; with `stuck`, its buffer is never emptied."""

    def __init__(self, stuck: bool = False) -> None:
        self.stuck = stuck
        self.writes: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.writes)) if self.stuck else 0

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


@settings(deadline=None)
@given(st.text(), st.from_regex(r"[a-zA-Z0-9_+-]{1,128}", fullmatch=True))
def test_delivery_is_one_valid_frame_with_the_event_as_a_string(event: str, id: str) -> None:
    prefix, suffix = data_prefix(id), data_suffix(event)
    (frame,) = frames(text_frame_header(len(prefix) + len(suffix)) + prefix + suffix)
    assert json.loads(frame) == {"type": "data", "id": id, "event": event}


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_a_frame_header_states_the_length_in_its_shortest_form(length: int) -> None:
    header = text_frame_header(length)
    assert frames(header + b"x" * length) == ["x" * length]
    assert len(header) == (2 if length < 126 else 4 if length < 65536 else 10)


async def test_a_publish_is_one_write_for_each_receiver() -> None:
    flusher, broker, sinks = Flusher(), Broker(), [Sink(), Sink()]
    for number, sink in enumerate(sinks):
        outbox = SendBuffer(sink, flusher, 1000, "test")
        broker.add(Subscription(sink, f"s{number}", parse_subscription("/a/*"), outbox))
    assert broker.broadcast(parse_channel("/a/b"), ["1", "2", "3"]) == 6
    await asyncio.sleep(0)
    for number, sink in enumerate(sinks):
        (written,) = sink.writes
        assert [json.loads(frame)["event"] for frame in frames(written)] == ["1", "2", "3"]
        assert {json.loads(frame)["id"] for frame in frames(written)} == {f"s{number}"}


async def test_receiver_that_does_not_read_is_disconnected_at_the_limit_and_others_are_served() -> None:
    flusher, broker, stuck, good = Flusher(), Broker(), Sink(stuck=True), Sink()
    for sink in (stuck, good):
        broker.add(Subscription(sink, "s", parse_subscription("/a/*"), SendBuffer(sink, flusher, 500, "test")))
    for _ in range(50):
        broker.broadcast(parse_channel("/a/b"), [json.dumps("x" * 50)])
        await asyncio.sleep(0)
    assert stuck.aborted
    assert sum(map(len, stuck.writes)) < 700
    assert sum(len(frames(write)) for write in good.writes) == 50
    assert not good.aborted


async def test_client_that_stops_reading_is_disconnected_without_delaying_others(
    tmp_path: Path, pool: UserPool
) -> None:
    async with running(tmp_path, pool, max_unsent_bytes=100_000) as service:
        slow, fast = await service.connect(), await service.connect()
        for socket in (slow, fast):
            assert (await socket.subscribe("/open/*"))["type"] == "subscribe_success"
        transport_of(slow).pause_reading()
        event = json.dumps("x" * 200_000)
        received = 0
        while (await service.registered("GET", "apis"))["apis"][API]["connections"] == 2:
            assert (await service.post("open/a", event))[0] == 200
            assert json.loads((await fast.receive())["event"]) == "x" * 200_000
            received += 1
        assert received < 200
        assert (await service.post("open/a", "1"))[0] == 200
        assert (await fast.receive())["event"] == "1"


async def test_every_subscriber_receives_every_event_once_in_order(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool) as service:
        sockets = [await service.connect() for _ in range(10)]
        for number, socket in enumerate(sockets):
            await socket.subscribe("/open/*" if number % 2 else "/open/team", id="x" * (number + 1))
        sent = [str(number) for number in range(100)]
        for start in range(0, len(sent), 5):
            assert (await service.post("open/team", *sent[start : start + 5]))[0] == 200
        for socket in sockets:
            assert [(await socket.receive())["event"] for _ in sent] == sent
