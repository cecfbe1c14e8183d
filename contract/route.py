"""What a route of the HTTP API is."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from contract import requests
from contract.limits import RateLimit

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Domain = Literal["messages", "conversations", "users", "calls"]


class Route(msgspec.Struct, frozen=True):
    """One route.

    Args:
        domain: the function that serves it, `handlers/entry/{domain}.py`.
        operation: its name, unique; also the name of the function's operation.
        method, path: as in the HTTP API's route key; `{name}` is a path parameter.
        summary: one sentence for the documents.
        request: the model of the body, or of the query string where `query` is true.
        response: the model of the answer.
        status: the status of success.
        refusals: what can go wrong besides 400, 401, 429 of the API's own throttle and 500: status to meaning.
        rate: the limit per user, if the route has one.
        guide: where the migration guide defines the route, if it does.
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
