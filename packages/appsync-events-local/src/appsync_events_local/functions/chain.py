"""Combines several invokers: the first one that has the function invokes it."""

from __future__ import annotations

from collections.abc import Sequence

from appsync_events_local.functions.invoker import FunctionInvoker, InvocationResult, UnknownFunctionError


class InvokerChain:
    """Tries invokers in their order until one has the function."""

    def __init__(self, invokers: Sequence[FunctionInvoker]) -> None:
        self._invokers = invokers

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """See `FunctionInvoker.invoke`."""
        reasons = []
        for invoker in self._invokers:
            try:
                return await invoker.invoke(function, payload, asynchronous=asynchronous)
            except UnknownFunctionError as error:
                reasons.append(error.message)
        text = "; ".join(reasons) or "there is no --lambda-endpoint, and no template with functions is served"
        raise UnknownFunctionError(function, text)
