"""Updates reach every listener and stream, in order."""

from __future__ import annotations

import asyncio
import gc

import pytest

from client.errors import RealtimeRefusedError
from client.state.updates import BlockChanged, Update
from client.update_feed import UpdateFeed

UPDATES = [BlockChanged("a", True), BlockChanged("b", True)]


async def test_a_stream_yields_updates_from_its_creation_until_the_feed_closes() -> None:
    feed = UpdateFeed()
    feed.publish([BlockChanged("before", True)])
    stream = feed.stream(lambda update: True)
    feed.publish(UPDATES)
    reading = asyncio.create_task(_read(stream.__aiter__()))
    await asyncio.sleep(0)
    feed.close()
    assert await reading == UPDATES


async def _read(stream: object) -> list[Update]:
    return [update async for update in stream]  # type: ignore[attr-defined]


async def test_a_stream_raises_the_error_of_an_ended_session_after_the_waiting_updates() -> None:
    feed = UpdateFeed()
    stream = feed.stream(lambda update: True)
    feed.publish(UPDATES[:1])
    feed.close(RealtimeRefusedError("refused"))
    assert await anext(stream) == UPDATES[0]
    with pytest.raises(RealtimeRefusedError):
        await anext(stream)
    with pytest.raises(RealtimeRefusedError):
        await anext(feed.stream(lambda update: True))


async def test_a_closed_stream_takes_no_more_updates() -> None:
    feed = UpdateFeed()
    async with feed.stream(lambda update: True) as stream:
        pass
    feed.publish(UPDATES)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_dropped_stream_is_not_kept_in_memory() -> None:
    feed = UpdateFeed()
    feed.stream(lambda update: True)
    gc.collect()
    assert not feed._streams


async def test_a_listener_that_raises_does_not_keep_updates_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    feed = UpdateFeed()
    received: list[Update] = []

    def fail(update: Update) -> None:
        raise RuntimeError("a fault of the application")

    feed.add_listener(fail)
    feed.add_listener(received.append)
    feed.publish(UPDATES)
    assert received == UPDATES
    assert "listener failed: BlockChanged" in caplog.text
