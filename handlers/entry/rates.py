"""Counts the routes' uses against the rate limits of `contract.routes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from contract.route import Route
from contract.routes import ROUTES
from handlers.core.shared.rates import UserRates
from handlers.entry.http import ApiRequest, Operation

_COUNTED_BY_THE_USE_CASE: Final = frozenset({"sendMessage", "setTyping", "markRead", "searchUsers", "initiateCall"})
"""They count in the write that they make anyway, or concurrently with their reads."""
_ROUTES: Final[Mapping[str, Route]] = {route.operation: route for route in ROUTES}


def limited(operations: Mapping[str, Operation], rates: Callable[[], UserRates]) -> dict[str, Operation]:
    """Return the operations, each of which first counts against the rate limit of its route, if it has one."""
    return {name: _limited(name, operation, rates) for name, operation in operations.items()}


def _limited(name: str, operation: Operation, rates: Callable[[], UserRates]) -> Operation:
    # An operation without a route is reported by `http.route_handler`, which compares both lists.
    rate = _ROUTES[name].rate if name in _ROUTES else None
    if rate is None or name in _COUNTED_BY_THE_USE_CASE:
        return operation

    def call(request: ApiRequest[Any]) -> Any:
        rates().require(request.caller.user_id, rate)
        return operation(request)

    return call
