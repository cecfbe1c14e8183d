"""Sizes of requests and responses of functions."""

from __future__ import annotations

import json
from typing import Any, Final

REQUEST_BYTES: Final = 6 * 1024 * 1024
"""Largest request of a synchronous invocation (Lambda quotas: MB there are 1,024 KB)."""
ASYNCHRONOUS_REQUEST_BYTES: Final = 1024 * 1024
"""Largest request of an asynchronous invocation; 256 KB until January 2026 (Lambda quotas)."""
RESPONSE_BYTES: Final = 6_291_556
"""Largest response, as Lambda's own message states it."""

Result = dict[str, Any]


def largest_request(invocation_type: str) -> int:
    """Return the limit for a type of invocation: `Event` is asynchronous."""
    return ASYNCHRONOUS_REQUEST_BYTES if invocation_type.lower() == "event" else REQUEST_BYTES


def request_refusal(invocation_type: str, size: int) -> str | None:
    """Return the message that an Invoke request of this size is refused with, or None."""
    limit = largest_request(invocation_type)
    return f"Request must be smaller than {limit} bytes for the InvokeFunction operation" if size > limit else None


def json_bytes(payload: Any) -> int:
    """Return the size of a payload as Lambda's runtime for Python 3.12 and later writes it: UTF-8, nothing escaped."""
    if isinstance(payload, bytes):
        return len(payload)
    return len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def too_large_request(size: int) -> Result:
    """Return the result of an invocation that a service makes with a request of this size."""
    return _failure("RequestTooLargeException", request_refusal("RequestResponse", size) or "")


def limited(result: Result) -> Result:
    """Return the result of an invocation, or the failure that Lambda makes of it when its response is too large."""
    if result.get("error") or json_bytes(result.get("body")) <= RESPONSE_BYTES:
        return result
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
    return {**_failure("Function.ResponseSizeTooLarge", message), "log": result.get("log", "")}


def _failure(kind: str, message: str) -> Result:
    return {
        "body": {"errorType": kind, "errorMessage": message},
        "error": True,
        "function_error": "Unhandled",
        "log": "",
    }
