"""The interface through which the service invokes Lambda functions, its result and its errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class InvocationResult:
    """The result of one invocation.

    Attributes:
        payload: JSON text that the function returned, or its error object if `function_error` is set; empty after an
            asynchronous invocation.
        function_error: `Unhandled` or `Handled` when the function itself failed, `None` when it returned.
    """

    payload: bytes
    function_error: str | None = None


class InvocationError(Exception):
    """A function could not be invoked, or its result is unknown.

    Attributes:
        function: ARN or name, as requested.
        message: text for the log.
    """

    def __init__(self, function: str, message: str) -> None:
        super().__init__(f"function {function}: {message}")
        self.function = function
        self.message = message


class UnknownFunctionError(InvocationError):
    """The function does not exist. Nothing ran."""


class FunctionTimeoutError(InvocationError):
    """The function exceeded its time limit. It may have had its effects."""


class FunctionUnavailableError(InvocationError):
    """The function cannot be reached, is throttled, or refuses the call; a retry may succeed."""


class FunctionInvoker(Protocol):
    """Invokes functions."""

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool) -> InvocationResult:
        """Invoke one function.

        Args:
            function: its ARN (with or without a qualifier) or its name.
            payload: JSON text of the event.
            asynchronous: whether to return as soon as the event is accepted, without the function's result.

        Raises:
            UnknownFunctionError: the function does not exist.
            FunctionTimeoutError: the function exceeded its time limit.
            FunctionUnavailableError: the function could not be invoked.
        """


def name_of(function: str) -> str:
    """Return the plain name of a function: the last part of its ARN without a qualifier, or the name itself.

    Args:
        function: `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`, an API Gateway invocation path that
            holds such an ARN, or `<name>[:<qualifier>]`.
    """
    _, marker, rest = function.rpartition(":function:")
    return (rest if marker else function).split("/", 1)[0].split(":", 1)[0]


def error_message(invocation: InvocationResult) -> str:
    """Return the message of the error that a function raised."""
    try:
        error = json.loads(invocation.payload)
    except ValueError:
        error = None
    if isinstance(error, dict) and isinstance(error.get("errorMessage"), str):
        return str(error["errorMessage"])
    return invocation.payload.decode(errors="replace") or "the function failed"
