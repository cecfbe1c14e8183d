"""The AppSync Events WebSocket protocol as a state machine: frames in, effects out. No socket, no clock, no wait.

The owner of a `Connection` feeds it what arrives and what it decided, and carries out the effects in their order.
Times are seconds of any monotonic clock. Checks come in this order: syntax, namespace, credentials, duplicate id,
limits, handler.

Source: AppSync Events: "Understanding the Event API WebSocket protocol"; undocumented points are in `choices`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any

from appsync_events_local import assumptions, limits
from appsync_events_local.errors import (
    DUPLICATED_OPERATION,
    LIMIT_EXCEEDED,
    MAX_SUBSCRIPTIONS,
    NOT_FOUND,
    UNKNOWN_OPERATION,
    Refusal,
)
from appsync_events_local.protocol import frames
from appsync_events_local.protocol.channels import Channel, parse_channel, parse_subscription
from appsync_events_local.protocol.effects import (
    AddSubscription,
    Authorize,
    AuthorizeConnect,
    CallPublish,
    CallSubscribe,
    Close,
    Effect,
    Identity,
    Operation,
    RemoveSubscription,
    Send,
)
from appsync_events_local.protocol.error_frames import connection_error, failure, unsupported
from appsync_events_local.protocol.frame_parsing import check_id, frame_of, operation_fields, text_or_none
from appsync_events_local.protocol.token_bucket import TokenBucket


class _Phase(Enum):
    NEW = auto()
    AUTHORIZING = auto()
    READY = auto()
    CLOSED = auto()


class Connection:
    """One client's connection.

    Args:
        has_namespace: whether the API has a channel namespace of this name now.
        now: the time at which the socket opened.
        keep_alive_seconds: between two `ka` frames.
        lifetime_seconds: after which the connection is ended.
        publishes_per_second: that the connection may send.
    """

    def __init__(
        self,
        has_namespace: Callable[[str], bool],
        now: float,
        *,
        keep_alive_seconds: float = limits.KEEP_ALIVE_SECONDS,
        lifetime_seconds: float = limits.CONNECTION_LIFETIME_SECONDS,
        publishes_per_second: int = limits.PUBLISHES_PER_SECOND_PER_CONNECTION,
    ) -> None:
        self._has_namespace = has_namespace
        self._keep_alive_seconds = keep_alive_seconds
        self._phase = _Phase.NEW
        self._ends_at = now + lifetime_seconds
        self._next_keep_alive: float | None = None
        self._acknowledge = False
        self._early: list[str] = []
        self._live: dict[str, Channel] = {}
        self._pending: set[str] = set()
        self._asked: Counter[str] = Counter()
        self._publishes_per_second = publishes_per_second
        self._publish_budget = TokenBucket(publishes_per_second, publishes_per_second)

    @property
    def subscriptions(self) -> Mapping[str, Channel]:
        """The live subscriptions, by the client's id."""
        return self._live

    @property
    def closed(self) -> bool:
        return self._phase is _Phase.CLOSED

    def next_deadline(self) -> float:
        """When `tick` has something to do, at the latest."""
        return self._ends_at if self._next_keep_alive is None else min(self._ends_at, self._next_keep_alive)

    def tick(self, now: float) -> list[Effect]:
        """Time has passed: keep alive, or end a connection that has lived its 24 hours."""
        if self._phase is _Phase.CLOSED:
            return []
        if now >= self._ends_at:
            return self._close(assumptions.LIFETIME_CLOSE_CODE.value, "connection lifetime reached")
        if self._next_keep_alive is None or now < self._next_keep_alive:
            return []
        self._next_keep_alive = now + self._keep_alive_seconds
        return [Send(frames.KEEP_ALIVE)]

    def receive(self, text: str, now: float) -> list[Effect]:
        """A text frame arrived."""
        if self._phase is _Phase.CLOSED:
            return []
        frame = frame_of(text)
        if frame is None:
            return [unsupported(None)]
        if frame.get("type") == "connection_init":
            return self._init()
        if self._phase is not _Phase.READY:
            return self._hold(text)
        return self._dispatch(frame, now)

    def receive_binary(self) -> list[Effect]:
        """A binary frame arrived; the protocol has none."""
        return [] if self.closed else [unsupported(None)]

    def connect_accepted(self, now: float) -> list[Effect]:
        """The connect credentials are good."""
        if self._phase is not _Phase.AUTHORIZING:
            return []
        self._phase = _Phase.READY
        self._next_keep_alive = now + self._keep_alive_seconds
        effects: list[Effect] = [Send(frames.CONNECTION_ACK)] if self._acknowledge else []
        early, self._early = self._early, []
        for text in early:
            effects += self.receive(text, now)
        return effects

    def connect_refused(self, refusal: Refusal) -> list[Effect]:
        """The connect credentials are not good: say so and close."""
        if self._phase is not _Phase.AUTHORIZING:
            return []
        closing = self._close(assumptions.REFUSED_CONNECT_CLOSE_CODE.value, refusal.error_type)
        return [connection_error(refusal), *closing]

    def authorized(self, operation: Operation, identity: Identity) -> list[Effect]:
        """The operation's credentials are good."""
        if self.closed:
            return []
        operation.identity = identity
        if operation.kind == "publish":
            return [CallPublish(operation)]
        if operation.id in self._live or operation.id in self._pending:
            message = f"Duplicated operation id {operation.id}"
            return self.refused(operation, Refusal(DUPLICATED_OPERATION, message, 400))
        if len(self._live) + len(self._pending) >= limits.SUBSCRIPTIONS_PER_CONNECTION:
            message = f"Max number of {limits.SUBSCRIPTIONS_PER_CONNECTION} subscriptions reached"
            return self.refused(operation, Refusal(MAX_SUBSCRIPTIONS, message, 400))
        self._pending.add(operation.id)
        return [CallSubscribe(operation)]

    def subscribed(self, operation: Operation) -> list[Effect]:
        """onSubscribe allowed it. The answer goes out before any event can."""
        self._pending.discard(operation.id)
        self._answered(operation)
        if self.closed:
            return []
        self._live[operation.id] = operation.channel
        return [Send(frames.success("subscribe", operation.id)), AddSubscription(operation.id, operation.channel)]

    def subscribe_failed(self, operation: Operation, refusal: Refusal) -> list[Effect]:
        """onSubscribe refused it, or something on the way to it failed."""
        self._pending.discard(operation.id)
        return self.refused(operation, refusal)

    def published(self, operation: Operation, result: Mapping[str, Any]) -> list[Effect]:
        """The publish was processed; `result` holds `successful` and `failed`."""
        return [] if self.closed else [Send(frames.success("publish", operation.id, **result))]

    def refused(self, operation: Operation, refusal: Refusal) -> list[Effect]:
        """The operation is refused before its handler (subscribe), or at any point (publish)."""
        self._answered(operation)
        return [] if self.closed else [failure(operation.kind, operation.id, operation.channel.path, refusal)]

    def abandon(self, operation: Operation) -> None:
        """The operation ends without an answer (a fault that somebody asked for)."""
        self._pending.discard(operation.id)
        self._answered(operation)

    def drop_subscriptions(self, ids: Iterable[str]) -> None:
        """The service removed these subscriptions itself, e.g. with their namespace."""
        for id in ids:
            self._live.pop(id, None)

    def end(self, code: int, reason: str) -> list[Effect]:
        """The service ends the connection, or the client has gone."""
        return [] if self.closed else self._close(code, reason)

    def _init(self) -> list[Effect]:
        self._acknowledge = True
        if self._phase is _Phase.READY:
            return [Send(frames.CONNECTION_ACK)]
        return self._authorize_connect()

    def _hold(self, text: str) -> list[Effect]:
        if len(self._early) >= limits.SUBSCRIPTIONS_PER_CONNECTION:
            return self._close(assumptions.REFUSED_CONNECT_CLOSE_CODE.value, "too many frames before connection_ack")
        self._early.append(text)
        return self._authorize_connect()

    def _authorize_connect(self) -> list[Effect]:
        if self._phase is not _Phase.NEW:
            return []
        self._phase = _Phase.AUTHORIZING
        return [AuthorizeConnect()]

    def _dispatch(self, frame: Mapping[str, Any], now: float) -> list[Effect]:
        match frame.get("type"):
            case "subscribe":
                return self._operation("subscribe", frame, parse_subscription)
            case "publish":
                return self._publish(frame, now)
            case "unsubscribe":
                return self._unsubscribe(frame)
            case _:
                return [unsupported(text_or_none(frame.get("id")))]

    def _publish(self, frame: Mapping[str, Any], now: float) -> list[Effect]:
        effects = self._operation("publish", frame, parse_channel)
        if isinstance(effects[0], Authorize) and not self._publish_budget.take(now):
            message = f"More than {self._publishes_per_second} publish requests per second"
            refusal = Refusal(LIMIT_EXCEEDED, message, 429)
            return self.refused(effects[0].operation, refusal)
        return effects

    def _operation(self, kind: str, frame: Mapping[str, Any], parse_target: Callable[[str], Channel]) -> list[Effect]:
        id = text_or_none(frame.get("id"))
        try:
            check_id(id)
            text, authorization = operation_fields(frame)
            channel = parse_target(text)
            if not self._has_namespace(channel.namespace):
                raise unknown_namespace(channel)
        except Refusal as refusal:
            return [failure(kind, id, text_or_none(frame.get("channel")), refusal)]
        assert id is not None, "checked above"
        if kind == "subscribe":
            self._asked[id] += 1
        return [Authorize(Operation(kind, id, channel, text, authorization, frame.get("events")))]

    def _answered(self, operation: Operation) -> None:
        if operation.kind == "subscribe":
            self._asked -= Counter((operation.id,))

    def _unsubscribe(self, frame: Mapping[str, Any]) -> list[Effect]:
        id = text_or_none(frame.get("id"))
        try:
            check_id(id)
        except Refusal as refusal:
            return [failure("unsubscribe", id, None, refusal)]
        assert id is not None, "checked above"
        channel = self._live.pop(id, None)
        if channel is None and self._asked[id] > 0:
            return []
        if channel is None:
            unknown = Refusal(UNKNOWN_OPERATION, f"Unknown operation id {id}", 400)
            return [failure("unsubscribe", id, None, unknown)]
        return [RemoveSubscription(id, channel), Send(frames.success("unsubscribe", id))]

    def _close(self, code: int, reason: str) -> list[Effect]:
        self._phase = _Phase.CLOSED
        removed: list[Effect] = [RemoveSubscription(id, channel) for id, channel in self._live.items()]
        self._live.clear()
        self._early.clear()
        return [*removed, Close(code, reason)]


def unknown_namespace(channel: Channel) -> Refusal:
    """The answer for a channel whose namespace the API does not have."""
    message = f"Channel namespace {channel.namespace} does not exist"
    return Refusal(NOT_FOUND, message, assumptions.UNKNOWN_NAMESPACE_STATUS.value)
