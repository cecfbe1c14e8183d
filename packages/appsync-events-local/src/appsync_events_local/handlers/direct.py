"""Direct handlers: a Lambda function takes the place of a handler's code.

Sources: AppSync Events: "Direct data source integrations using Lambda", and the event models of Powertools.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from appsync_events_local import limits
from appsync_events_local.functions.invoker import FunctionInvoker, InvocationError, InvocationResult, error_message
from appsync_events_local.handlers.invocations import (
    HandlerFailed,
    HandlerRefused,
    Incoming,
    Invocation,
    Outgoing,
    context_of,
    outgoing_from,
)
from appsync_events_local.model.api import InvokeType
from appsync_events_local.protocol.frames import encode
from appsync_events_local.strict_json import parse

_log = logging.getLogger("appsync_events_local.handlers.namespace_handlers")


class DirectHandler:
    """One handler whose behavior is DIRECT.

    Args:
        function: ARN of the function.
        invoker: invokes the function.
        invoke_type: whether the result is awaited; with EVENT, events are broadcast unchanged and subscriptions
            allowed.
    """

    def __init__(self, function: str, invoker: FunctionInvoker, invoke_type: InvokeType) -> None:
        self._function = function
        self._invoker = invoker
        self._asynchronous = invoke_type is InvokeType.EVENT

    async def publish(self, operation: Invocation, events: Sequence[Incoming]) -> list[Outgoing]:
        """Invoke the function for a batch of events.

        Returns:
            The events to broadcast. Events above the size limit are left out, as AWS drops them without an error.

        Raises:
            HandlerFailed: the function failed, returned an `error`, or returned something other than a list of events.
        """
        event = _event(operation, "PUBLISH", [{"id": item.id, "payload": item.payload} for item in events])
        if self._asynchronous:
            await self._start(event)
            return [Outgoing(item.id, item.payload) for item in events]
        answer = await self._result_of(event)
        if answer is None:
            return []
        if not isinstance(answer, dict):
            raise HandlerFailed(f"function {self._function} returned neither null nor {{events, error}}")
        if answer.get("error") is not None:
            raise HandlerFailed(f"function {self._function} returned the error: {answer['error']}")
        outgoing = outgoing_from(answer.get("events"), {item.id for item in events})
        return [item for item in outgoing if not self._too_large(item)]

    async def subscribe(self, operation: Invocation) -> None:
        """Invoke the function for a subscription; returning means that it is allowed.

        Raises:
            HandlerRefused: the function returned an `error`.
            HandlerFailed: the function failed, or returned an invalid value.
        """
        event = _event(operation, "SUBSCRIBE", None)
        if self._asynchronous:
            await self._start(event)
            return
        answer = await self._result_of(event)
        if answer is None:
            return
        if not isinstance(answer, dict):
            raise HandlerFailed(f"function {self._function} returned neither null nor {{error}}")
        if answer.get("error") is not None:
            raise HandlerRefused("", str(answer["error"]))

    async def _result_of(self, event: bytes) -> Any:
        invocation = await self._invoked(event)
        if invocation.function_error is not None:
            raise HandlerFailed(f"function {self._function} failed: {error_message(invocation)}")
        try:
            return parse(invocation.payload.decode()) if invocation.payload else None
        except ValueError as error:
            raise HandlerFailed(f"function {self._function} returned something that is not JSON: {error}") from error

    async def _invoked(self, event: bytes) -> InvocationResult:
        try:
            return await self._invoker.invoke(self._function, event, asynchronous=False)
        except InvocationError as error:
            raise HandlerFailed(str(error)) from error

    async def _start(self, event: bytes) -> None:
        try:
            await self._invoker.invoke(self._function, event, asynchronous=True)
        except InvocationError as error:
            _log.error("asynchronous direct handler not invoked; the operation continues: %s", error)

    def _too_large(self, item: Outgoing) -> bool:
        if item.error is not None:
            return False
        size = len(encode(item.payload).encode("utf-8", "surrogatepass"))
        if size <= limits.EVENT_BYTES:
            return False
        _log.warning("event %s of function %s was dropped: %d bytes", item.id, self._function, size)
        return True


def _event(operation: Invocation, name: Any, events: list[dict[str, Any]] | None) -> bytes:
    """Return the event of the function, as JSON text."""
    context = context_of(operation, name)
    return json.dumps(context | {"prev": None, "outErrors": [], "events": events}).encode()
