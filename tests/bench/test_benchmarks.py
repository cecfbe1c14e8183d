"""The Events service's benchmarks are run by hand; what can be known without running them is held here."""

from __future__ import annotations

import asyncio
import importlib
import json

import pytest

from bench.__main__ import BENCHMARKS
from bench.fanout_client import Crowd, event
from bench.fanout_servers import Dialect, EventsDialect, SocketIoDialect, socket_io
from bench.websocket import frame, payload_of


@pytest.mark.parametrize("name", ["fanout", "slow", "idle", "fuzz"])
def test_each_is_listed_and_knows_its_rounds(name: str) -> None:
    assert name in BENCHMARKS
    module = importlib.import_module(f"bench.{name}")
    assert module.ROUNDS >= 1
    assert callable(module.run)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_servers_frame_is_read_whole_or_not_at_all(size: int) -> None:
    payload = b"x" * size
    sent = frame(payload, mask=None)
    assert payload_of(sent + b"more") == (payload, b"more")
    assert [payload_of(sent[:cut]) for cut in (0, 1, len(sent) - 1) if cut < len(sent)][-1] is None


@pytest.mark.parametrize(
    "dialect", [EventsDialect("e", 1, 1, "plain"), SocketIoDialect("s", 1, 1)], ids=["events", "socket.io"]
)
def test_both_servers_are_asked_to_deliver_the_same_event(dialect: Dialect) -> None:
    published = event(7)
    assert json.loads(published)["n"] == "00000007"
    assert len(event(7)) == len(event(12_345_678))
    assert published.replace(b'"', b"") in dialect.publishing(published).replace(b"\\", b"").replace(b'"', b"")


async def test_the_baseline_is_what_its_clients_expect() -> None:

    with socket_io() as dialect:
        async with asyncio.timeout(60):
            crowd = await Crowd.gather(dialect, 2)
        assert crowd.bytes_each > len(event(0))
        crowd.disperse()
        await asyncio.sleep(0)
