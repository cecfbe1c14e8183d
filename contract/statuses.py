"""Every status of a refusal with its code and meaning: the one map that routes, documents and clients share."""

from __future__ import annotations

from typing import Final

from contract.requests import ErrorCode

STATUSES: Final[dict[int, tuple[ErrorCode, str]]] = {
    400: ("INVALID_REQUEST", "the request is not valid; `field` names the field where one is at fault"),
    401: ("UNAUTHENTICATED", "no access token, or one that is not valid (an ID token is not accepted)"),
    403: ("FORBIDDEN", "the caller may not do this"),
    404: ("NOT_FOUND", "there is no such thing"),
    409: ("CONFLICT", "the state of things does not allow it"),
    413: ("TOO_LARGE", "the body is too large"),
    429: ("TOO_MANY_REQUESTS", "too many requests; the header Retry-After says how many seconds to wait"),
    500: ("INTERNAL", "a defect or an outage; the request id leads to the details in the log"),
    503: (
        "UNAVAILABLE",
        "the service is overloaded or does not answer; try again, with the same tempId if there is one",
    ),
}
EVERYWHERE: Final = (400, 401, 429, 500, 503)
"""Statuses that every route may answer."""
