"""Threads in virtual time: a sleep costs no real time, so that figures do not depend on the machine.

One thread runs at a time. When all of them sleep, the clock moves on to the first wake-up.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import Any

_POLL_SECONDS = 0.0005


class VirtualTime:
    """A clock and the threads that sleep by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._mutex = threading.Lock()
        self._running = 0
        self._number = 0
        self._sleeping: list[tuple[float, int, threading.Event]] = []

    def sleep(self, seconds: float) -> None:
        """Sleep in a thread that `run` or `start` has started."""
        wake = threading.Event()
        with self._mutex:
            self._number += 1
            heapq.heappush(self._sleeping, (self.now + max(0.0, seconds), self._number, wake))
            self._running -= 1
            self._wake_next()
        wake.wait()

    def run(self, calls: list[tuple[float, Callable[[], None]]]) -> None:
        """Run calls, each after its delay in seconds, until all have returned."""
        threads = [self._thread(call, delay) for delay, call in calls]
        with self._mutex:
            self._wake_next()
        for thread in threads:
            thread.join()

    def start(self, call: Callable[[], Any]) -> VirtualFuture:
        """Start a call from a running thread."""
        future = VirtualFuture(self)
        self._thread(lambda: future.complete(call), 0.0)
        return future

    def _thread(self, call: Callable[[], None], delay: float) -> threading.Thread:
        wake = threading.Event()

        def body() -> None:
            wake.wait()
            try:
                call()
            finally:
                with self._mutex:
                    self._running -= 1
                    self._wake_next()

        thread = threading.Thread(target=body, daemon=True)
        with self._mutex:
            self._number += 1
            heapq.heappush(self._sleeping, (self.now + delay, self._number, wake))
        thread.start()
        return thread

    def _wake_next(self) -> None:
        if self._running == 0 and self._sleeping:
            self.now, _, wake = heapq.heappop(self._sleeping)
            self._running += 1
            wake.set()


class VirtualFuture:
    """The result of a call on another thread of virtual time."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None

    def complete(self, call: Callable[[], Any]) -> None:
        """Make the call and keep what it returns or raises."""
        try:
            self._value = call()
        except BaseException as error:
            self._error = error
        self._done = True

    def result(self) -> Any:
        """Wait for the call, in virtual time."""
        while not self._done:
            self._time.sleep(_POLL_SECONDS)
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> bool:
        """Return False: a call that has started is not cancelled."""
        return False
