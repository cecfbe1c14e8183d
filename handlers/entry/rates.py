"""Counts the routes' uses against the rate limits of `contract.routes`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from contract.limits import RateLimit
from contract.responses import GroupAnswer, Sent
from contract.route import Route
from contract.routes import ROUTES
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.rates import UserRates, uses
from handlers.entry.http import ApiRequest, Operation, Reply

_log = logging.getLogger(__name__)

_COUNTED_BY_THE_USE_CASE: Final = frozenset(
    {"sendMessage", "setTyping", "markRead", "editMessage", "deleteMessage", "searchUsers", "initiateCall"}
)
"""They count in the write that they make anyway, or concurrently with their reads."""
_ROUTES: Final[Mapping[str, Route]] = {route.operation: route for route in ROUTES}


def limited(operations: Mapping[str, Operation], rates: Callable[[], UserRates]) -> dict[str, Operation]:
    """Return the operations, each of which counts against the rate limit of its route, if it has one.

    It counts once before it runs, and, where its event has many recipients, further times after that.
    """
    return {name: _limited(name, operation, rates) for name, operation in operations.items()}


def _limited(name: str, operation: Operation, rates: Callable[[], UserRates]) -> Operation:
    # An operation without a route is reported by `http.route_handler`, which compares both lists.
    rate = _ROUTES[name].rate if name in _ROUTES else None
    if rate is None:
        return operation

    def call(request: ApiRequest[Any]) -> Any:
        user_id = request.caller.user_id
        if name not in _COUNTED_BY_THE_USE_CASE:
            rates().require(user_id, rate)
        response = operation(request)
        further = uses(_recipients(response)) - 1
        if further:
            _charge(rates(), user_id, rate, further)
        return response

    return call


def _recipients(response: Any) -> int:
    """Return to how many users the event of a message or of a group's change is published."""
    if isinstance(response, Sent):
        return response.delivery.delivered + response.delivery.pending
    body = response.body if isinstance(response, Reply) else response
    return len(body.conversation.participants) if isinstance(body, GroupAnswer) else 0


def _charge(rates: UserRates, user_id: str, rate: RateLimit, further: int) -> None:
    """Count further uses of a request that has succeeded; a failure must not make it look as if it had not."""
    try:
        rates.charge(user_id, rate, further)
    except (UnavailableError, OutcomeUnknownError) as error:
        _log.warning("%d uses of %s were not counted: %s", further, rate.action, error)
