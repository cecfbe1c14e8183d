"""The statuses of error responses, each with its code and meaning. Routes, documents and clients read this map."""

from __future__ import annotations

from typing import Final

from contract.requests import ErrorCode

STATUSES: Final[dict[int, tuple[ErrorCode, str]]] = {
    400: ("INVALID_REQUEST", "the request is not valid; `field` names the wrong field, or is null"),
    401: ("UNAUTHENTICATED", "the access token is missing or not valid (an ID token is not accepted)"),
    403: ("FORBIDDEN", "the caller may not do this"),
    404: ("NOT_FOUND", "the resource does not exist"),
    409: ("CONFLICT", "the present state of the resource does not allow the request"),
    413: ("TOO_LARGE", "the body is too large"),
    429: ("TOO_MANY_REQUESTS", "too many requests; the header Retry-After gives the seconds to wait"),
    500: ("INTERNAL", "a defect or an outage; the log has the details under the request id"),
    503: (
        "UNAVAILABLE",
        "the service is overloaded or does not respond; repeat the request, with the same tempId if it has one",
    ),
}
COMMON: Final = (400, 401, 429, 500, 503)
"""Statuses that every route may return."""
