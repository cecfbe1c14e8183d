"""Requests of the HTTP API as a route function gets them, and its responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.adapters.system import SystemClock
from handlers.core.users.accounts import Accounts, ActiveAccounts


def http_event(
    route: str,
    caller: str | None,
    body: Any = None,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    token: str = "",
    **changes: Any,
) -> dict[str, Any]:
    """Return an HTTP API event (payload format 2.0) as the JWT authorizer passes it on.

    Args:
        route: the route key.
        caller: user id; None for a request without an authorizer.
        body: sent as JSON; text is sent as it is.
        token: the access token; a made-up one by default.
        changes: top-level fields to replace.
    """
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "headers": {"content-type": "application/json", "authorization": f"Bearer {token or 'token'}"},
        "requestContext": {"requestId": "request-1"},
        "isBase64Encoded": False,
    }
    if caller is not None:
        claims = {"sub": caller, "token_use": "access"}
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if path:
        event["pathParameters"] = path
    if query:
        event["queryStringParameters"] = query
    return {**event, **changes}


@dataclass(frozen=True)
class Response:
    """An HTTP response of a function."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Response:
        """Return the response that a route function returned to API Gateway; record it from 500 on."""
        response = cls(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
        if response.status >= 500:
            server_errors.append(response)
        return response


server_errors: list[Response] = []
"""The responses of 500 and above since the present test began, whatever its helpers make of them."""


class ActiveOnly(Accounts):
    """Accounts of which none is disabled."""

    def is_disabled(self, user_id: str) -> bool:
        return False


def all_active() -> ActiveAccounts:
    """Return a check that every account passes."""
    return ActiveAccounts(ActiveOnly(), SystemClock())
