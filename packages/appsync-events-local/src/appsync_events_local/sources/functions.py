"""The Lambda data source: executes `{operation: 'Invoke', invocationType, payload}`.

The error types are those observed for resolvers with a Lambda data source: `Lambda:Unhandled` for every exception of
the function. Source: "AppSync Events: JavaScript function reference for Lambda".
"""

from __future__ import annotations

import json
from typing import Any, Final

from appsync_events_local.functions.invoker import (
    FunctionInvoker,
    FunctionTimeoutError,
    InvocationError,
    InvocationResult,
    UnknownFunctionError,
    error_message,
)
from appsync_events_local.sources.data_source import DataSourceError
from appsync_events_local.sources.deadline import deadline

INVOCATION_TYPES: Final = ("RequestResponse", "Event")


class LambdaDataSource:
    """An `AWS_LAMBDA` data source: one function.

    Args:
        function: its ARN.
        invoker: invokes the function.
    """

    def __init__(self, function: str, invoker: FunctionInvoker) -> None:
        self._function = function
        self._invoker = invoker

    async def execute(self, request: dict[str, Any]) -> Any:
        """Invoke the function.

        Returns:
            The function's return value; `None` after an asynchronous invocation.

        Raises:
            DataSourceError: the request is malformed, or the function failed or could not be invoked.
        """
        kind = _invocation_type(request)
        payload = json.dumps(request.get("payload")).encode()
        try:
            async with deadline("Lambda"):
                invocation = await self._invoker.invoke(self._function, payload, asynchronous=kind == "Event")
        except FunctionTimeoutError as error:
            raise DataSourceError("Lambda:Unhandled", error.message) from error
        except UnknownFunctionError as error:
            raise DataSourceError("Lambda:ResourceNotFoundException", str(error)) from error
        except InvocationError as error:
            raise DataSourceError("Lambda:ServiceException", str(error)) from error
        if invocation.function_error is not None:
            raise DataSourceError("Lambda:Unhandled", error_message(invocation))
        return parsed(invocation)


def parsed(invocation: InvocationResult) -> Any:
    """Return the value that a function returned; `None` without a payload.

    Raises:
        DataSourceError: it is not JSON.
    """
    try:
        return json.loads(invocation.payload) if invocation.payload else None
    except ValueError as error:
        raise DataSourceError("Lambda:ServiceException", f"the function's answer is not JSON: {error}") from error


def _invocation_type(request: dict[str, Any]) -> str:
    if request.get("operation") != "Invoke":
        text = f"operation {request.get('operation')!r} does not exist; a Lambda data source has 'Invoke'"
        raise DataSourceError("Lambda:ValidationException", text)
    kind = request.get("invocationType") or "RequestResponse"
    if kind not in INVOCATION_TYPES:
        text = f"invocationType {kind!r} is not one of {', '.join(INVOCATION_TYPES)}"
        raise DataSourceError("Lambda:ValidationException", text)
    return str(kind)
