"""Which call gets which process of a function.

Upstream: every concurrent call of a function gets a process of its own, without a bound, and the first idle one is
taken although it may have died. A burst of calls, or the calls after many processes died at once, then start dozens of
interpreters, which slow each other down, which makes more calls concurrent. AWS has the machines for that.

Here a call takes an idle process that is alive. Where there is none, a new one is started, but only as many at a time
as there are processors: they share those. Other calls wait in their order, and take what becomes idle first or start
the next process. Calls that wait for something else, as for a slow answer of DynamoDB, occupy a process each; so there
may be many, or a few slow calls would stop all others. While the emulator's event loop is late, calls do not wait for
something else but for the processors, and more processes would only make all of them slower, until they give up
and repeat their requests; then there are no more than twice as many of a function as there are processors.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ministack import app as ministack_app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.workers.loop_delay import LoopDelay

_LOGGER = logging.getLogger("local.workers")

CEILING: Final = 16
"""Processes of one function. Each takes about 20 MB beside what all share."""
CEILING_WHILE_LATE: Final = max(4, 2 * (os.cpu_count() or 1))
"""Processes of one function while the event loop is late."""
LATE_SECONDS: Final = 0.1
"""Delay of the event loop from which it counts as late; functions wait two seconds for an answer of DynamoDB."""
STARTS: Final = max(2, os.cpu_count() or 1)
"""Processes that start at the same time, of all functions together."""
WAIT_SECONDS: Final = 25.0
"""Longest wait for a process; then the call is throttled, as upstream does at its own ceiling."""
_LOOK_AGAIN_SECONDS: Final = 1.0

Leased = tuple[Any, str]


class Turns:
    """Shares out the processes of all functions.

    Args:
        ceiling: processes of one function.
        starts: processes that start at the same time.
        wait_seconds: longest wait of a call.
        delay: how late the event loop is.
    """

    def __init__(
        self,
        ceiling: int = CEILING,
        starts: int = STARTS,
        wait_seconds: float = WAIT_SECONDS,
        delay: LoopDelay | None = None,
    ) -> None:
        self._delay = delay or LoopDelay()
        self._ceiling, self._starts, self._wait_seconds = ceiling, starts, wait_seconds
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[threading.Event]] = {}
        self._starting: set[int] = set()

    def install(self) -> None:
        """Take the place of upstream's leasing, and see each start end."""
        spawn, invoke = lambda_runtime.Worker._spawn, lambda_runtime.Worker.invoke
        turns = self

        def spawn_and_note(worker: Any, *arguments: Any, **options: Any) -> Any:
            try:
                return spawn(worker, *arguments, **options)
            finally:
                turns.started(worker)

        def invoke_alone(worker: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
            try:
                result: dict[str, Any] = invoke(worker, event, request_id, **options)
            except Exception as error:
                # Upstream would end every process of the function, also those in the middle of other calls.
                _LOGGER.warning("a process of %s did not start: %s", worker.func_name, error)
                return {"status": "error", "error": str(error), "log": "", "cold_start": True}
            return result

        lambda_runtime.Worker._spawn, lambda_runtime.Worker.invoke = spawn_and_note, invoke_alone
        lambda_svc.acquire_worker = lambda_runtime.acquire_worker = self.acquire
        lambda_svc.release_worker = lambda_runtime.release_worker = self.release

    def acquire(
        self,
        name: str,
        config: dict[str, Any],
        code: bytes,
        qualifier: str = "$LATEST",
        max_concurrency: int | None = None,
    ) -> Leased:
        """Lease a process: `(worker, "reused" or "spawn")`, or `(None, "func_cap")` after the longest wait."""
        key = lambda_runtime._worker_key(name, config, qualifier)
        make = _maker(name, config, code)
        if not self._delay.watching and ministack_app._MAIN_LOOP is not None:
            self._delay.watch(ministack_app._MAIN_LOOP)
        deadline = time.monotonic() + self._wait_seconds
        turn = threading.Event()
        with self._lock:
            waiting = self._waiting.setdefault(key, deque())
            if not waiting:
                leased = self._lease(key, make, max_concurrency or self._ceiling)
                if leased is not None:
                    return leased
            waiting.append(turn)
        while True:
            turn.wait(min(_LOOK_AGAIN_SECONDS, max(0.0, deadline - time.monotonic())))
            with self._lock:
                turn.clear()
                first = waiting[0] is turn
                leased = self._lease(key, make, max_concurrency or self._ceiling) if first else None
                if leased is not None or time.monotonic() >= deadline:
                    waiting.remove(turn)
                    self._call_first(key)
                    return leased or (None, "func_cap")

    def release(self, worker: Any) -> None:
        """Give a process back."""
        if worker is None:
            return
        with self._lock:
            with lambda_runtime._lock:
                worker.in_use = False
            self._starting.discard(id(worker))
            # A place for a start may be what the first call of another function waits for.
            self._call_all()

    def started(self, worker: Any) -> None:
        """Note that a process has started, or failed to."""
        with self._lock:
            self._starting.discard(id(worker))
            self._call_all()

    def _lease(self, key: str, make: Callable[[], Any], ceiling: int) -> Leased | None:
        with lambda_runtime._lock:
            workers = lambda_runtime._workers.setdefault(key, [])
            idle = [worker for worker in workers if not worker.in_use]
            alive = next((worker for worker in idle if _alive(worker)), None)
            if self._delay.seconds >= LATE_SECONDS:
                ceiling = min(ceiling, CEILING_WHILE_LATE)
            if alive is None and (len(self._starting) >= self._starts or len(workers) - len(idle) >= ceiling):
                return None
            worker = alive or next(iter(idle), None)
            if worker is None:
                worker = make()
                workers.append(worker)
            worker.in_use, worker.last_used = True, time.time()
        if alive is None:
            self._starting.add(id(worker))
            return worker, "spawn"
        return worker, "reused"

    def _call_first(self, key: str) -> None:
        waiting = self._waiting.get(key)
        if waiting:
            waiting[0].set()

    def _call_all(self) -> None:
        for waiting in self._waiting.values():
            if waiting:
                waiting[0].set()


def _alive(worker: Any) -> bool:
    process = worker._proc
    return process is not None and process.poll() is None


def _maker(name: str, config: dict[str, Any], code: bytes) -> Callable[[], Any]:
    def make() -> Any:
        return lambda_runtime._worker_class_for(config)(name, config, code)

    return make
