"""Runs the functions of the served templates in local processes.

A function's processes start with its first call, are reused for later calls, and end with the service or when the
function changes. Their output is written to the service's log. Memory is not limited, and layers are not supported.
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
"""Asynchronous calls that may be in progress or waiting; further calls are refused, to bound memory."""

_log = logging.getLogger("appsync_events_local.functions")


class FunctionRunner:
    """A `FunctionInvoker` for functions that run locally.

    Args:
        functions: the functions at start.
        processes: maximum number of processes per function; further calls wait.
        environment: environment variables of every function in addition to its own, such as `AWS_ENDPOINT_URL`.
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
        self._retiring: dict[asyncio.Task[None], FunctionPool] = {}

    @property
    def functions(self) -> list[FunctionModel]:
        """The functions that can be invoked."""
        return [pool.model for pool in self._pools.values()]

    async def replace(self, functions: Iterable[FunctionModel]) -> None:
        """Replace the functions. Processes of removed or changed functions end after their calls.

        A change of code inside the same folder is not detected; use `restart` for such a function.
        """
        wanted = {model.name: model for model in functions}
        removed = [name for name, pool in self._pools.items() if wanted.get(name) != pool.model]
        ended = [self._pools.pop(name) for name in removed]
        for name, model in wanted.items():
            self._pools.setdefault(name, self._pool(model))
        for pool in ended:
            await self._retire(pool)

    async def restart(self, name: str) -> None:
        """End a function's processes, so that its next call loads the code again; ignores an unknown function."""
        pool = self._pools.get(name)
        if pool is not None:
            self._pools[name] = self._pool(pool.model)
            await self._retire(pool)

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """See `FunctionInvoker.invoke`. A failed asynchronous call is logged and not retried."""
        pool = self._pools.get(name_of(function))
        if pool is None:
            raise UnknownFunctionError(function, "it is not in a served template")
        limit = ASYNCHRONOUS_REQUEST_BYTES if asynchronous else REQUEST_BYTES
        if len(payload) > limit:
            raise FunctionUnavailableError(function, f"the event has {len(payload)} bytes; {limit} are allowed")
        if not asynchronous:
            return _bounded(await pool.invoke(payload))
        if len(self._background) >= ASYNCHRONOUS_CALLS:
            raise FunctionUnavailableError(function, f"{ASYNCHRONOUS_CALLS} asynchronous calls are waiting already")
        task = asyncio.create_task(self._in_background(pool, payload))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return InvocationResult(b"")

    async def close(self) -> None:
        """End all processes."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for task in list(self._retiring):
            task.cancel()
        for pool in [*self._pools.values(), *self._retiring.values()]:
            await pool.close()
        await asyncio.gather(*self._retiring, return_exceptions=True)

    async def _retire(self, pool: FunctionPool) -> None:
        await pool.end_idle()
        task = asyncio.create_task(pool.retire())
        self._retiring[task] = pool
        task.add_done_callback(self._retiring.pop)

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
