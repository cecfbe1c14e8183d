"""One run of the canary: signs in, sends, receives, reads history, places a call and cancels it.

The recipient's newest messages are read before the send, as a client does that opens a conversation. A function that
Lambda has to start first is therefore measured in that step, not in the delivery time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal

import msgspec

from contract import canary, channels
from handlers.core.canary.ports import (
    CanaryError,
    CanaryUsers,
    ChatRoutes,
    Connection,
    CredentialStore,
    Event,
    Session,
    SignIn,
    Subscriber,
)
from handlers.core.shared.ports import Clock, Ids

Step = Literal[
    "credentials", "sign_in", "connect", "subscribe", "open", "send", "receive", "history", "call", "ring", "cancel"
]
STEPS: Final[tuple[Step, ...]] = (
    "credentials",
    "sign_in",
    "connect",
    "subscribe",
    "open",
    "send",
    "receive",
    "history",
    "call",
    "ring",
    "cancel",
)
"""The steps in their order; a run ends at the first one that fails."""


class CanaryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one run.

    Args:
        steps: milliseconds of each step that was tried.
        delivery_ms: from the start of the send request to the receipt; None where the message was not received.
        failed_step: the step that failed; None after a healthy run.
        error: why it failed.
    """

    steps: Mapping[Step, int]
    delivery_ms: int | None = None
    failed_step: Step | None = None
    error: str | None = None

    @property
    def is_good(self) -> bool:
        """Return whether the run meets the service level objective."""
        delivered = self.delivery_ms is not None and self.delivery_ms <= canary.DELIVERY_OBJECTIVE_MS
        return self.failed_step is None and delivered


class _StepFailedError(Exception):
    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """Runs the steps against the deployed environment."""

    credentials: CredentialStore
    identity: SignIn
    routes: ChatRoutes
    subscriber: Subscriber
    clock: Clock
    ids: Ids

    def run(self) -> CanaryReport:
        """Run every step, up to the first one that fails."""
        attempt = _Attempt(self)
        try:
            attempt.run()
        except _StepFailedError as failed:
            error = failed.__cause__
            text = str(error) if isinstance(error, CanaryError) else f"{type(error).__name__}: {error}"
            return attempt.report(failed_step=failed.step, error=text)
        finally:
            attempt.close()
        return attempt.report()


class _Attempt:
    """The state of one run."""

    def __init__(self, canary_: Canary) -> None:
        self._canary = canary_
        self._clock = canary_.clock
        self._steps: dict[Step, int] = {}
        self._delivery_ms: int | None = None
        self._connection: Connection | None = None

    def report(self, *, failed_step: Step | None = None, error: str | None = None) -> CanaryReport:
        """Return what was measured."""
        return CanaryReport(steps=self._steps, delivery_ms=self._delivery_ms, failed_step=failed_step, error=error)

    def run(self) -> None:
        """Run the steps."""
        sender, recipient = self._signed_in()
        connection = self._subscribed(recipient)
        self._message(sender, recipient, connection)
        self._call(sender, connection)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def _signed_in(self) -> tuple[Session, Session]:
        with self._step("credentials"):
            users: CanaryUsers = self._canary.credentials.read()
        with self._step("sign_in"):
            identity = self._canary.identity
            return identity.sign_in(users.sender), identity.sign_in(users.recipient)

    def _subscribed(self, recipient: Session) -> Connection:
        with self._step("connect"):
            connection = self._connection = self._canary.subscriber.connect(recipient)
        with self._step("subscribe"):
            for namespace in (channels.CHATS, channels.USERS):
                connection.subscribe(channels.channel(namespace, recipient.user_id))
        return connection

    def _message(self, sender: Session, recipient: Session, connection: Connection) -> None:
        routes = self._canary.routes
        with self._step("open"):
            routes.newest_messages(recipient, canary.DIRECT_ID)
        started = self._clock.now()
        with self._step("send"):
            temp_id = self._canary.ids.new()
            message_id = routes.send(sender, canary.DIRECT_ID, temp_id, f"canary {temp_id}")
        with self._step("receive"):
            received = connection.wait_for(_is("MESSAGE_SENT", "messageId", message_id))
            self._delivery_ms = max(0, received - started)
        with self._step("history"):
            if message_id not in routes.newest_messages(recipient, canary.DIRECT_ID):
                raise CanaryError(f"the newest page of history does not contain the message {message_id}")

    def _call(self, sender: Session, connection: Connection) -> None:
        routes = self._canary.routes
        with self._step("call"):
            session_id = routes.initiate_call(sender, canary.GROUP_ID, self._canary.ids.new())
        try:
            with self._step("ring"):
                connection.wait_for(_is("INCOMING_CALL", "sessionId", session_id))
        except _StepFailedError:
            self._cancel_quietly(sender, session_id)
            raise
        with self._step("cancel"):
            routes.cancel_call(sender, session_id)
            connection.wait_for(_is("CALL_CANCELLED", "sessionId", session_id))

    def _cancel_quietly(self, sender: Session, session_id: str) -> None:
        """Cancel a call whose event was not received; without it the call would ring until its timeout."""
        try:
            self._canary.routes.cancel_call(sender, session_id)
        except CanaryError:
            return

    @contextmanager
    def _step(self, step: Step) -> Iterator[None]:
        start = self._clock.now()
        try:
            yield
        except Exception as error:
            raise _StepFailedError(step) from error
        finally:
            self._steps[step] = self._clock.now() - start


def _is(kind: str, field: str, value: str) -> Callable[[Event], bool]:
    """Return a test for events of one type about one message or call."""

    def matches(event: Event) -> bool:
        return event.get("type") == kind and (event.get("data") or {}).get(field) == value

    return matches
