"""Short handler calls run on the event loop and long ones in a thread; the outcome is the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from appsync_events_local.runtime.engine import Engine
from appsync_events_local.runtime.outcomes import Crashed, Limits, Returned

CODE = """
export function onPublish(ctx) {
  console.log('seen');
  let n = 0;
  for (const a of ctx.events) { for (const b of ctx.events) { n += 1; } }
  return n;
}
export function onSubscribe(ctx) {
  return ctx.stash;
}
"""
SHORT: dict[str, Any] = {"events": [1, 2, 3], "stash": {}}
LONG: dict[str, Any] = {"events": list(range(900)), "stash": {}}


@pytest.fixture
def engine() -> Iterator[Engine]:
    loaded = Engine.load(CODE, Limits())
    yield loaded
    loaded.release_thread()
    loaded.close()


async def turns_while(engine: Engine, context: dict[str, Any]) -> tuple[Any, int]:
    """The outcome of a call, and how often other tasks ran during it."""
    turns = 0

    async def other_tasks() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(other_tasks())
    await asyncio.sleep(0)
    before = turns
    outcome = await engine.call("onPublish", None, context)
    beside.cancel()
    return outcome, turns - before


async def test_short_call_returns_without_yielding_to_the_event_loop(engine: Engine) -> None:
    assert await turns_while(engine, SHORT) == (Returned(9), 0)


async def test_long_call_yields_to_the_event_loop_and_returns(engine: Engine) -> None:
    outcome, turns = await turns_while(engine, LONG)
    assert outcome == Returned(900 * 900)
    assert turns > 0


async def test_restarted_call_logs_every_line_once(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "appsync_events_local.handlers.namespace_handlers"):
        await engine.call("onPublish", None, LONG)
    assert [record.getMessage() for record in caplog.records if "seen" in record.getMessage()] == [
        "onPublish of namespace ?: seen"
    ]


async def test_function_runs_in_a_thread_after_one_long_call_and_other_functions_do_not(
    engine: Engine,
) -> None:
    await engine.call("onPublish", None, LONG)
    outcome, turns = await turns_while(engine, SHORT)
    assert outcome == Returned(9)
    assert turns > 0
    assert await engine.call("onSubscribe", None, SHORT) == Returned({})


async def test_endless_call_is_stopped_at_the_time_limit_of_the_handler() -> None:
    engine = Engine.load(CODE, Limits(seconds=0.1, loop_iterations=10**9))
    started = time.process_time()
    outcome = await engine.call("onPublish", None, {"events": list(range(100_000)), "stash": {}})
    assert isinstance(outcome, Crashed)
    assert outcome.message == "onPublish ran longer than 0.1 s"
    assert time.process_time() - started >= 0.1
    engine.release_thread()
    await asyncio.to_thread(engine.close)


async def test_engine_can_be_called_from_another_thread(engine: Engine) -> None:
    assert await engine.call("onPublish", None, SHORT) == Returned(9)
    assert await asyncio.to_thread(asyncio.run, engine.call("onPublish", None, SHORT)) == Returned(9)
