"""All subscriptions of a client: subscribes them on each connection, and dispatches frames to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from appsync_events import _protocol
from appsync_events._auth import Auth, OperationCredentials
from appsync_events._backoff import Backoff
from appsync_events._endpoint import Endpoint
from appsync_events._errors import ConnectionLostError, EventsError, SubscriptionRefusedError
from appsync_events._gaps import Gap, GapReason
from appsync_events._operations import socket_operation
from appsync_events._socket.connection import Connection
from appsync_events._socket.subscription import Subscription

_log = logging.getLogger(__name__)
_ATTEMPTS: Final = 3
_CONCURRENT_REQUESTS: Final = 10
"""How many `subscribe` frames wait for their answers at the same time on a new connection."""
# Errors that a retry cannot change; every other error counts as a transient fault of the API.
_FINAL_REASONS: Final = frozenset(
    {
        "Unauthorized",
        "UnauthorizedException",
        "BadRequestException",
        "NotFoundException",
        "MaxSubscriptionsReachedError",
    }
)


class Subscriptions:
    """The registered subscriptions of a client.

    Args:
        endpoint: of the Event API.
        auth: credentials of subscriptions without their own.
        backoff: waits between attempts.
        acknowledge_seconds: longest wait for the answer to a `subscribe` frame.
    """

    def __init__(self, endpoint: Endpoint, auth: Auth, backoff: Backoff, acknowledge_seconds: float) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._backoff = backoff
        self._acknowledge_seconds = acknowledge_seconds
        self._registered: dict[str, Subscription] = {}

    def add(self, subscription: Subscription) -> None:
        """Register a subscription: every new connection subscribes it."""
        self._registered[subscription.id] = subscription

    def discard(self, subscription: Subscription) -> None:
        """Remove a subscription; its events are no longer dispatched."""
        self._registered.pop(subscription.id, None)

    async def establish(self, subscription: Subscription, connection: Connection) -> None:
        """Subscribe on a connection, unless `subscribe` was already sent on it.

        Raises:
            SubscriptionRefusedError: the API refuses a subscription that was live before; it is removed. The refusal
                of a new subscription is reported only through `_settled`.
            ConnectionLostError: the connection ended, or the API keeps failing.
            CredentialsError: no credentials are available.
        """
        if subscription._sent_on is connection:
            return
        subscription._sent_on = connection
        body = _protocol.subscribe_body(subscription.channel)
        credentials = OperationCredentials(subscription.auth or self._auth, socket_operation(self._endpoint, body))
        await credentials.load()
        error = await self._request(subscription, connection, credentials)
        if error is None:
            return
        if subscription._settled.done() and not _final(error):
            raise ConnectionLostError(str(error), error.reasons)
        self.discard(subscription)
        if subscription._settled.done():
            raise error
        settle(subscription, error)

    async def _request(
        self, subscription: Subscription, connection: Connection, credentials: OperationCredentials
    ) -> SubscriptionRefusedError | None:
        """Send `subscribe` until the API accepts, refuses for good, or all attempts failed; return the last error."""
        attempt = 0
        while True:
            frame = _protocol.subscribe_frame(subscription.id, subscription.channel, credentials.authorization)
            answer = await connection.request(subscription.id, frame, self._acknowledge_seconds)
            if isinstance(answer, _protocol.Subscribed):
                return None
            error = SubscriptionRefusedError(
                f"the Event API refused the subscription to {subscription.channel}",
                tuple(getattr(answer, "reasons", ())),
            )
            if error.unauthorized and await credentials.renew():
                continue
            attempt += 1
            if _final(error) or attempt == _ATTEMPTS:
                return error
            await asyncio.sleep(self._backoff.delay(attempt - 1))

    async def restore(self, connection: Connection) -> None:
        """Subscribe all registered subscriptions on a new connection.

        Several requests run at once, since events are missed until then. A refusal ends only its own subscription.

        Raises:
            ConnectionLostError, CredentialsError: the subscriptions cannot be restored on this connection.
        """
        waiting = list(self._registered.values())[::-1]

        async def work() -> None:
            while waiting:
                subscription = waiting.pop()
                try:
                    await self.establish(subscription, connection)
                except SubscriptionRefusedError as error:
                    call(subscription.on_refused, error)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_CONCURRENT_REQUESTS, len(waiting))):
                    group.create_task(work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def dispatch(self, frame: _protocol.Frame, connection: Connection) -> None:
        """Hand a frame of the API to its subscription, or to the request that waits for it."""
        subscription = self._registered.get(getattr(frame, "id", None) or "")
        if isinstance(frame, _protocol.Data):
            if subscription is not None:
                for event in frame.events:
                    call(subscription.on_event, event)
            return
        if isinstance(frame, _protocol.BroadcastFailed):
            if subscription is not None:
                call(subscription.on_gap, Gap(GapReason.NOT_DELIVERED, 1))
            return
        if isinstance(frame, _protocol.Subscribed):
            if subscription is None:  # it was cancelled before the answer came
                connection.send_in_background(_protocol.unsubscribe_frame(frame.id))
            else:
                _acknowledge(subscription)
        connection.resolve(frame)

    def mark_lost(self) -> None:
        """Mark all subscriptions as not live, since their connection ended."""
        for subscription in self._registered.values():
            subscription.live = False

    def end(self, cause: EventsError, *, refused: bool) -> None:
        """Remove all subscriptions.

        Args:
            cause: the error for subscriptions that still wait for their first acknowledgement.
            refused: whether the API ended them; then `on_refused` of the other subscriptions is called.
        """
        self.mark_lost()
        ended, self._registered = list(self._registered.values()), {}
        for subscription in ended:
            if not subscription._settled.done():
                settle(subscription, cause)
            elif refused:
                call(subscription.on_refused, cause)


def settle(subscription: Subscription, error: EventsError) -> None:
    """Fail the wait for the first acknowledgement; without a waiter, asyncio must not log the error as unretrieved."""
    subscription._settled.set_exception(error)
    subscription._settled.exception()


def call(callback: Callable[..., None] | None, *arguments: Any) -> None:
    """Call a callback of the application and log its exception, which must not end the shared connection."""
    if callback is None:
        return
    try:
        callback(*arguments)
    except Exception:
        _log.exception("a callback of the Events client raised")


def _acknowledge(subscription: Subscription) -> None:
    """Mark a subscription as live and call its callbacks.

    This happens while the frame is dispatched, so that the callbacks run before any event of this connection.
    """
    subscription.live = True
    if subscription._settled.done():
        call(subscription.on_gap, Gap(GapReason.RECONNECTED))
    call(subscription.on_live)
    if not subscription._settled.done():
        subscription._settled.set_result(None)


def _final(error: EventsError) -> bool:
    return any(reason.type in _FINAL_REASONS for reason in error.reasons)
