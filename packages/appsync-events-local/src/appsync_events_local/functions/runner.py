"""Runs the functions of the served templates on this machine, in processes of their own.

A function's processes start with its first call, stay for the next ones, and end with the service or when the function
changes. Their output goes to the service's log. Memory is not limited, and layers are not laid under the code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from appsync_events_local.functions.invoker import (
    FunctionUnavailableError,
    InvocationError,
    InvocationResult,
    UnknownFunctionError,
    name_of,
)
from appsync_events_local.functions.model import FunctionModel
from appsync_events_local.functions.pool import FunctionPool

PROCESSES_PER_FUNCTION: Final = 4
REQUEST_BYTES: Final = 6 * 1024 * 1024
ASYNCHRONOUS_REQUEST_BYTES: Final = 1024 * 1024
RESPONSE_BYTES: Final = 6 * 1024 * 1024
ASYNCHRONOUS_CALLS: Final = 1000
"""Events that may wait for a function; more are refused, as memory is not endless."""

_log = logging.getLogger("appsync_events_local.functions")


class FunctionRunner:
    """A `FunctionInvoker` over functions that run here.

    Args:
        functions: to begin with.
        processes: of one function at once; further calls wait.
        environment: variables of every function beside its own, such as `AWS_ENDPOINT_URL`.
    """

    def __init__(
        self,
        functions: Iterable[FunctionModel] = (),
        *,
        processes: int = PROCESSES_PER_FUNCTION,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._processes = processes
        self._environment = dict(environment or {})
        self._pools = {model.name: self._pool(model) for model in functions}
        self._background: set[asyncio.Task[None]] = set()
        self._leaving: dict[asyncio.Task[None], FunctionPool] = {}

    @property
    def functions(self) -> list[FunctionModel]:
        """What can be invoked."""
        return [pool.model for pool in self._pools.values()]

    async def replace(self, functions: Iterable[FunctionModel]) -> None:
        """Serve these functions instead; the processes of those that are gone or changed end after their calls.

        Code that changed inside the same folder does not show here: name such a function in `restart`.
        """
        wanted = {model.name: model for model in functions}
        leaving = [name for name, pool in self._pools.items() if wanted.get(name) != pool.model]
        ended = [self._pools.pop(name) for name in leaving]
        for name, model in wanted.items():
            self._pools.setdefault(name, self._pool(model))
        for pool in ended:
            await self._retire(pool)

    async def restart(self, name: str) -> None:
        """End a function's processes, so that its next call loads the code anew; nothing happens if it is unknown."""
        pool = self._pools.get(name)
        if pool is not None:
            self._pools[name] = self._pool(pool.model)
            await self._retire(pool)

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """See `FunctionInvoker.invoke`. A failed asynchronous call is logged; it is not tried again."""
        pool = self._pools.get(name_of(function))
        if pool is None:
            raise UnknownFunctionError(function, "no served template has it")
        most = ASYNCHRONOUS_REQUEST_BYTES if asynchronous else REQUEST_BYTES
        if len(payload) > most:
            raise FunctionUnavailableError(function, f"the event has {len(payload)} bytes; {most} are allowed")
        if not asynchronous:
            return _bounded(await pool.invoke(payload))
        if len(self._background) >= ASYNCHRONOUS_CALLS:
            raise FunctionUnavailableError(function, f"{ASYNCHRONOUS_CALLS} asynchronous calls are waiting already")
        task = asyncio.create_task(self._in_background(pool, payload))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return InvocationResult(b"")

    async def close(self) -> None:
        """End every process."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for task in list(self._leaving):
            task.cancel()
        for pool in [*self._pools.values(), *self._leaving.values()]:
            await pool.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _retire(self, pool: FunctionPool) -> None:
        await pool.end_idle()
        task = asyncio.create_task(pool.retire())
        self._leaving[task] = pool
        task.add_done_callback(self._leaving.pop)

    def _pool(self, model: FunctionModel) -> FunctionPool:
        return FunctionPool(model, self._processes, self._environment)

    async def _in_background(self, pool: FunctionPool, payload: bytes) -> None:
        try:
            invocation = await pool.invoke(payload)
        except InvocationError as error:
            _log.error("asynchronous call failed: %s", error)
            return
        if invocation.function_error is not None:
            text = invocation.payload.decode(errors="replace")
            _log.error("asynchronous call of %s failed: %s", pool.model.name, text)


def _bounded(invocation: InvocationResult) -> InvocationResult:
    size = len(invocation.payload)
    if size <= RESPONSE_BYTES:
        return invocation
    error = (
        '{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size exceeded maximum '
        f'allowed payload size ({RESPONSE_BYTES} bytes)."}}'
    )
    return InvocationResult(error.encode(), "Unhandled")
