"""The processes of one function: one call per process at a time, reused for later calls, with an upper bound."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping

from appsync_events_local.functions.code import TaskRoot
from appsync_events_local.functions.invoker import FunctionUnavailableError, InvocationError, InvocationResult
from appsync_events_local.functions.model import FunctionModel
from appsync_events_local.functions.process import FunctionProcess, ProcessEndedError

_log = logging.getLogger("appsync_events_local.functions")


class FunctionPool:
    """Runs the calls of one function.

    Args:
        model: the function.
        processes: maximum number of concurrent calls; further calls wait.
        extra: environment variables of the processes in addition to the function's own.
    """

    def __init__(self, model: FunctionModel, processes: int, extra: Mapping[str, str]) -> None:
        self.model = model
        self._max_processes = processes
        self._extra = dict(extra)
        self._slots = asyncio.Semaphore(processes)
        self._alive: set[FunctionProcess] = set()
        self._idle: list[FunctionProcess] = []
        self._starting: set[asyncio.Task[FunctionProcess | InvocationResult]] = set()
        self._root: TaskRoot | None = None
        self._preparing = asyncio.Lock()
        self._retiring = False
        self._ended = asyncio.Event()

    async def invoke(self, payload: bytes) -> InvocationResult:
        """Run one call.

        Raises:
            FunctionTimeoutError: the call exceeded the function's timeout; its process was killed.
            FunctionUnavailableError: the function cannot be run here.
        """
        async with self._slots:
            if self._ended.is_set():
                raise self._replaced()
            process = self._idle.pop() if self._idle else await self._started()
            if isinstance(process, InvocationResult):
                return process
            try:
                invocation = await process.invoke(payload)
            except ProcessEndedError as ended:
                _log.warning("%s: the process ended during a call (%s)", self.model.name, ended)
                self._alive.discard(process)
                return _exited(ended)
            except BaseException:
                self._alive.discard(process)
                raise
            await self._keep(process)
            return invocation

    async def retire(self) -> None:
        """Wait for the calls that are in progress or waiting, then `close`; later calls fail and may be retried."""
        self._retiring = True
        await self.end_idle()
        for _ in range(self._max_processes):
            await self._slots.acquire()
        await self.close()
        for _ in range(self._max_processes):
            self._slots.release()

    async def end_idle(self) -> None:
        """End the idle processes."""
        while self._idle:
            await self._end(self._idle.pop())

    async def close(self) -> None:
        """Kill every process and delete unpacked code; calls in progress fail."""
        self._ended.set()
        while self._alive or self._starting:
            for process in list(self._alive):
                await self._end(process)
            await asyncio.gather(*self._starting, return_exceptions=True)
        self._idle.clear()
        if self._root is not None:
            await asyncio.to_thread(self._root.remove)

    async def _started(self) -> FunctionProcess | InvocationResult:
        """Return a new process, or the error result if its handler cannot be loaded.

        A start is never cancelled half way: when its caller is cancelled, the process is kept for the next call.
        """
        caller_cancelled = asyncio.Event()
        task = asyncio.create_task(self._start(caller_cancelled))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller_cancelled.set()
            raise

    async def _start(self, caller_cancelled: asyncio.Event) -> FunctionProcess | InvocationResult:
        try:
            process = await self._new()
            self._alive.add(process)
            if self._ended.is_set():
                await self._end(process)
                raise self._replaced()
            failure = await self._loaded(process)
        except InvocationError as error:
            if not caller_cancelled.is_set():
                raise
            _log.warning("start failed after its caller was cancelled: %s", error)
            return InvocationResult(b"")
        if failure is None and caller_cancelled.is_set():
            await self._keep(process)
        return process if failure is None else failure

    async def _new(self) -> FunctionProcess:
        if self.model.language is None:
            raise FunctionUnavailableError(
                self.model.name,
                f"the runtime {self.model.runtime!r} is not supported; Python and Node.js are. Set --lambda-endpoint "
                "to a service that runs it",
            )
        async with self._preparing:
            if self._root is None:
                self._root = await asyncio.to_thread(TaskRoot.prepare, self.model)
        return await FunctionProcess.start(self.model, self._root.path, self._extra)

    async def _loaded(self, process: FunctionProcess) -> InvocationResult | None:
        """Wait until a new process has loaded its handler; return the error result if it cannot."""
        try:
            error = await process.ready()
        except ProcessEndedError as ended:
            self._alive.discard(process)
            return _exited(ended)
        except InvocationError:
            self._alive.discard(process)
            raise
        if error is None:
            return None
        await self._end(process)
        return InvocationResult(json.dumps(error).encode(), "Unhandled")

    async def _keep(self, process: FunctionProcess) -> None:
        """Keep a process for later calls, unless enough of them are idle."""
        if self._retiring or self._ended.is_set() or len(self._idle) >= self._max_processes:
            await self._end(process)
        else:
            self._idle.append(process)

    async def _end(self, process: FunctionProcess) -> None:
        await process.kill()
        self._alive.discard(process)

    def _replaced(self) -> FunctionUnavailableError:
        return FunctionUnavailableError(self.model.name, "the function was replaced or removed; try again")


def _exited(ended: ProcessEndedError) -> InvocationResult:
    status = ended.status or 0
    reason = f"signal: {-status}" if status < 0 else f"exit status {status}"
    error = {"errorType": "Runtime.ExitError", "errorMessage": f"Runtime exited with error: {reason}"}
    return InvocationResult(json.dumps(error).encode(), "Unhandled")
