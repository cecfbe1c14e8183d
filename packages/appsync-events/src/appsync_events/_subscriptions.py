"""Every subscription of a client: asked for on each connection, told of what arrives and of what may be missing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from appsync_events import _protocol
from appsync_events._auth import Auth, Renewal
from appsync_events._backoff import Backoff
from appsync_events._connection import Connection
from appsync_events._endpoint import Endpoint
from appsync_events._errors import ConnectionLostError, EventsError, SubscriptionRefusedError
from appsync_events._operations import socket_operation
from appsync_events._results import Gap, GapReason
from appsync_events._subscription import Subscription

_log = logging.getLogger(__name__)
_ATTEMPTS: Final = 3
_AT_ONCE: Final = 10
"""How many subscriptions wait for their answer at once when a connection is new."""
# Answers that a repetition cannot change; everything else counts as a passing fault of the server.
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
    """The subscriptions that a client wants.

    Args:
        endpoint: of the Event API.
        auth: credentials of those that bring none of their own.
        backoff: waits between tries.
    """

    def __init__(self, endpoint: Endpoint, auth: Auth, backoff: Backoff) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._backoff = backoff
        self._wanted: dict[str, Subscription] = {}

    def add(self, subscription: Subscription) -> None:
        """Want a subscription from now on."""
        self._wanted[subscription.id] = subscription

    def discard(self, subscription: Subscription) -> None:
        """Want it no longer."""
        self._wanted.pop(subscription.id, None)

    async def establish(self, subscription: Subscription, connection: Connection) -> None:
        """Subscribe on a connection, unless that was done.

        Raises:
            SubscriptionRefusedError: a subscription that was live before is refused now; it is given up. The first
                refusal of a new one is told through `settled` alone.
            ConnectionLostError: the connection ended, or the server goes on failing.
            CredentialsError: there are no credentials.
        """
        if subscription.sent_on is connection:
            return
        subscription.sent_on = connection
        body = _protocol.subscribe_body(subscription.channel)
        renewal = Renewal(subscription.auth or self._auth, socket_operation(self._endpoint, body))
        await renewal.first()
        error = await self._tried(subscription, connection, renewal)
        if error is None:
            return
        if subscription.settled.done() and not _final(error):
            raise ConnectionLostError(str(error), error.reasons)
        self.discard(subscription)
        if subscription.settled.done():
            raise error
        settle(subscription, error)

    async def _tried(
        self, subscription: Subscription, connection: Connection, renewal: Renewal
    ) -> SubscriptionRefusedError | None:
        """Ask until the answer is yes, a final no, or the patience ends; return what was refused last."""
        attempt = 0
        while True:
            frame = _protocol.subscribe_frame(subscription.id, subscription.channel, renewal.authorization)
            answer = await connection.ask(subscription.id, frame)
            if isinstance(answer, _protocol.Subscribed):
                return None
            error = SubscriptionRefusedError(
                f"subscribing to {subscription.channel} was refused", tuple(getattr(answer, "reasons", ()))
            )
            if error.unauthorized and await renewal.renew():
                continue
            attempt += 1
            if _final(error) or attempt == _ATTEMPTS:
                return error
            await asyncio.sleep(self._backoff.delay(attempt - 1))

    async def restore(self, connection: Connection) -> None:
        """Subscribe to everything on a new connection, several at once: until then events are missed.

        A refusal ends only its own subscription.

        Raises:
            ConnectionLostError, CredentialsError: the connection is of no use.
        """
        waiting = list(self._wanted.values())[::-1]

        async def work() -> None:
            while waiting:
                subscription = waiting.pop()
                try:
                    await self.establish(subscription, connection)
                except SubscriptionRefusedError as error:
                    call(subscription.on_refused, error)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(waiting))):
                    group.create_task(work())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def take(self, frame: _protocol.Frame, connection: Connection) -> None:
        """Hand a frame of the server to the subscription that it is for, or to whoever waits for it."""
        subscription = self._wanted.get(getattr(frame, "id", None) or "")
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
            if subscription is None:  # given up before the answer came
                connection.tell(_protocol.unsubscribe_frame(frame.id))
            else:
                _live(subscription)
        connection.answered(frame)

    def lose(self) -> None:
        """Note that no connection carries them."""
        for subscription in self._wanted.values():
            subscription.live = False

    def end(self, cause: EventsError, *, refused: bool) -> None:
        """Forget all of them.

        Args:
            cause: what those get who still wait to be subscribed.
            refused: whether the API is the one who ended them; then the others are told.
        """
        self.lose()
        ended, self._wanted = list(self._wanted.values()), {}
        for subscription in ended:
            if not subscription.settled.done():
                settle(subscription, cause)
            elif refused:
                call(subscription.on_refused, cause)


def settle(subscription: Subscription, error: EventsError) -> None:
    """Give an error to whoever waits to be subscribed; somebody who no longer waits need not read it."""
    subscription.settled.set_exception(error)
    subscription.settled.exception()


def call(callback: Callable[..., None] | None, *arguments: Any) -> None:
    """Call back; an owner's mistake must not end everybody's connection."""
    if callback is None:
        return
    try:
        callback(*arguments)
    except Exception:
        _log.exception("a callback of the Events client failed")


def _live(subscription: Subscription) -> None:
    """Tell that a subscription is acknowledged.

    While the frame is taken, so that no event of this connection can come before its owner knows.
    """
    subscription.live = True
    if subscription.settled.done():
        call(subscription.on_gap, Gap(GapReason.RECONNECTED))
    call(subscription.on_live)
    if not subscription.settled.done():
        subscription.settled.set_result(None)


def _final(error: EventsError) -> bool:
    return any(reason.type in _FINAL_REASONS for reason in error.reasons)
