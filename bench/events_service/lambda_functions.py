"""Calls of Lambda functions that the Events service runs itself: first, later and concurrent calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from appsync_events_local.functions.model import FunctionModel, InlineCode
from appsync_events_local.functions.runner import PROCESSES_PER_FUNCTION, FunctionRunner

ROUNDS = 500
COLD_STARTS = 5
EVENT = b'{"events": [{"id": "1", "payload": {"text": "hello"}}]}'
CODE = {
    "python3.13": "def handler(event, context):\n    return {'events': event['events']}\n",
    "nodejs24.x": "exports.handler = async (event) => ({ events: event.events });\n",
}


def run(rounds: int) -> Iterator[str]:
    """Measure both languages.

    Args:
        rounds: calls of a started process.
    """
    yield f"Lambda functions in separate processes, {rounds} calls each"
    yield f"{'runtime':<12}{'first call':>14}{'later, p50':>14}{'p99':>12}{f'{PROCESSES_PER_FUNCTION} at once':>18}"
    for runtime, code in CODE.items():
        first, later, rate = asyncio.run(_measure(runtime, code, rounds))
        p99 = sorted(later)[int(len(later) * 0.99) - 1]
        yield (
            f"{runtime:<12}{first * 1e3:>11.0f} ms{median(later) * 1e3:>11.2f} ms{p99 * 1e3:>9.2f} ms{rate:>14,.0f} /s"
        )


async def _measure(runtime: str, code: str, rounds: int) -> tuple[float, list[float], float]:
    model = FunctionModel("f", "arn:aws:lambda:us-east-1:0:function:f", runtime, "index.handler", InlineCode(code))
    runner = FunctionRunner([model])
    try:
        first = []
        for _ in range(COLD_STARTS):
            await runner.restart("f")
            first.append(await _call(runner))
        later = [await _call(runner) for _ in range(rounds)]
        await asyncio.gather(*(_call(runner) for _ in range(PROCESSES_PER_FUNCTION)))
        start = time.perf_counter()
        await asyncio.gather(*(_call(runner) for _ in range(rounds)))
        return median(first), later, rounds / (time.perf_counter() - start)
    finally:
        await runner.close()


async def _call(runner: FunctionRunner) -> float:
    start = time.perf_counter()
    invocation = await runner.invoke("f", EVENT, asynchronous=False)
    if invocation.function_error is not None:
        raise RuntimeError(invocation.payload.decode())
    return time.perf_counter() - start
