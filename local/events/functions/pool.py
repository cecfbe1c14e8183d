"""The processes of one function: one call each at a time, kept for the next, and never more than a bound."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping

from local.events.functions.code import TaskRoot
from local.events.functions.invoker import FunctionUnavailableError, Invocation
from local.events.functions.model import FunctionModel
from local.events.functions.process import FunctionProcess, ProcessEndedError

_log = logging.getLogger("local.events.functions")


class FunctionPool:
    """Runs the calls of one function.

    Args:
        model: the function.
        processes: calls that may be under way at once; further ones wait.
        extra: variables of the processes beside the function's own.
    """

    def __init__(self, model: FunctionModel, processes: int, extra: Mapping[str, str]) -> None:
        self.model = model
        self._extra = dict(extra)
        self._slots = asyncio.Semaphore(processes)
        self._idle: list[FunctionProcess] = []
        self._busy: set[FunctionProcess] = set()
        self._root: TaskRoot | None = None
        self._preparing = asyncio.Lock()
        self._closed = asyncio.Event()

    async def invoke(self, payload: bytes) -> Invocation:
        """Run one call.

        Raises:
            FunctionTimeoutError: it took too long; its process was killed.
            FunctionUnavailableError: it cannot be run here.
        """
        async with self._slots:
            if self._closed.is_set():
                raise FunctionUnavailableError(self.model.name, "it was replaced or removed; try again")
            process = self._idle.pop() if self._idle else None
            if process is None:
                process = await self._started()
                failure = await self._ready(process)
                if failure is not None:
                    return failure
            self._busy.add(process)
            try:
                invocation = await process.invoke(payload)
            except ProcessEndedError as ended:
                _log.warning("%s: its process ended during a call (%s)", self.model.name, ended)
                return _exited(ended)
            finally:
                self._busy.discard(process)
            if self._closed.is_set():
                await process.kill()
            else:
                self._idle.append(process)
            return invocation

    async def close(self) -> None:
        """Kill every process and forget unpacked code; calls under way fail."""
        self._closed.set()
        for process in [*self._idle, *self._busy]:
            await process.kill()
        self._idle.clear()
        if self._root is not None:
            await asyncio.to_thread(self._root.remove)

    async def _started(self) -> FunctionProcess:
        if self.model.language is None:
            raise FunctionUnavailableError(
                self.model.name,
                f"the runtime {self.model.runtime!r} is not run here; Python and Node.js are. Give --lambda-endpoint "
                "for a service that runs it",
            )
        async with self._preparing:
            if self._root is None:
                self._root = await asyncio.to_thread(TaskRoot.prepare, self.model)
        return await FunctionProcess.start(self.model, self._root.path, self._extra)

    async def _ready(self, process: FunctionProcess) -> Invocation | None:
        """Wait until a new process is loaded; what to answer if it cannot be."""
        self._busy.add(process)
        try:
            error = await process.ready()
        except ProcessEndedError as ended:
            return _exited(ended)
        finally:
            self._busy.discard(process)
        if error is None:
            return None
        await process.kill()
        return Invocation(json.dumps(error).encode(), "Unhandled")


def _exited(ended: ProcessEndedError) -> Invocation:
    status = ended.status or 0
    reason = f"signal: {-status}" if status < 0 else f"exit status {status}"
    error = {"errorType": "Runtime.ExitError", "errorMessage": f"Runtime exited with error: {reason}"}
    return Invocation(json.dumps(error).encode(), "Unhandled")
