"""The definition of one route of the HTTP API."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from contract import requests
from contract.limits import RateLimit

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Domain = Literal["messages", "conversations", "users", "calls"]


class Route(msgspec.Struct, frozen=True):
    """One route: a method and a path of the HTTP API.

    Args:
        domain: the function that serves the route, `handlers/entry/{domain}.py`.
        operation: unique name; also the name of the operation in that module.
        method, path: as in the HTTP API's route key; `{name}` is a path parameter.
        summary: one sentence for the documents.
        request: the model of the body, or of the query string where `query` is true.
        response: the model of a successful response.
        status: the statuses of a successful response; the first is the default.
        query: the request is in the query string instead of the body.
        refusals: statuses of errors with their causes, besides those that every route may return
            (`contract.statuses.COMMON`).
        rate: the rate limit per user, if the route has one.
        guide: the line of the migration guide that defines the route, if one does.
    """

    domain: Domain
    operation: str
    method: Method
    path: str
    summary: str
    request: type[requests.Request]
    response: type[Any]
    status: tuple[int, ...] = (200,)
    query: bool = False
    refusals: tuple[tuple[int, str], ...] = ()
    rate: RateLimit | None = None
    guide: str | None = None

    @property
    def key(self) -> str:
        """Return the HTTP API's route key, for example `POST /api/messages/send`."""
        return f"{self.method} {self.path}"
