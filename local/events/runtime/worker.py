"""One thread beside the event loop, for work that must not stop it and belongs to one thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")
Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]
Done = tuple["asyncio.Future[Any]", Any, BaseException | None]

LONGEST_SILENCE_SECONDS: Final = 0.005
"""Results wait for those behind them in the same batch no longer than that, plus one job."""


class Worker:
    """Runs functions one after the other on a thread of its own.

    What is asked in one turn of the event loop goes to the thread as one batch, and the results come back as one:
    handing over costs more than a short job, above all while another thread is busy.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: list[Job] = []

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what the function returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._hand_over, loop)
        self._waiting.append((future, function, arguments))
        return await future

    def run_at_once(self, function: Callable[[], T]) -> T:
        """The same for a caller that may wait, without an event loop."""
        return self._pool.submit(function).result()

    def close(self, last: Callable[[], object]) -> None:
        """Run what was handed over, then `last`, and end the thread. Waits for it."""
        self._pool.submit(last)
        self._pool.shutdown(wait=True)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs, self._waiting = self._waiting, []
        try:
            self._pool.submit(_work, loop, jobs)
        except RuntimeError as error:  # the thread has ended meanwhile
            _deliver([(future, None, error) for future, _, _ in jobs])


def _work(loop: asyncio.AbstractEventLoop, jobs: list[Job]) -> None:
    results: list[Done] = []
    since = time.monotonic()
    for future, function, arguments in jobs:
        if future.cancelled():
            continue
        try:
            results.append((future, function(*arguments), None))
        except BaseException as error:
            results.append((future, None, error))
        if time.monotonic() - since > LONGEST_SILENCE_SECONDS:
            loop.call_soon_threadsafe(_deliver, results)
            results, since = [], time.monotonic()
    if results:
        loop.call_soon_threadsafe(_deliver, results)


def _deliver(results: list[Done]) -> None:
    for future, value, error in results:
        if future.done():  # whoever asked has stopped waiting
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
