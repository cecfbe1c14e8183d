"""The AppSync Events WebSocket protocol as a state machine: frames in, effects out; no sockets, no clock, no waiting.

The owner of a `Connection` passes it received frames and the results of effects, and carries out effects in their
order. Times are seconds of any monotonic clock. The order of checks is: syntax, namespace, credentials, duplicate id,
limits, handler.

Source: AppSync Events: "Understanding the Event API WebSocket protocol"; for undocumented points see `assumptions`.
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
    """The connection of one client.

    Args:
        has_namespace: returns whether the API has a channel namespace of this name.
        now: the time at which the socket opened.
        keep_alive_seconds: interval of `ka` frames.
        lifetime_seconds: longest duration of the connection.
        publishes_per_second: limit of publishes of the connection.
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
        self._held_frames: list[str] = []
        self._subscriptions: dict[str, Channel] = {}
        self._pending: set[str] = set()
        self._unanswered: Counter[str] = Counter()
        self._publishes_per_second = publishes_per_second
        self._publish_budget = TokenBucket(publishes_per_second, publishes_per_second)

    @property
    def subscriptions(self) -> Mapping[str, Channel]:
        """The active subscriptions, by the client's id."""
        return self._subscriptions

    @property
    def closed(self) -> bool:
        return self._phase is _Phase.CLOSED

    def next_deadline(self) -> float:
        """Return the time at which `tick` must be called next."""
        return self._ends_at if self._next_keep_alive is None else min(self._ends_at, self._next_keep_alive)

    def tick(self, now: float) -> list[Effect]:
        """Send a keep-alive if it is due, or close a connection that has reached its lifetime (24 hours)."""
        if self._phase is _Phase.CLOSED:
            return []
        if now >= self._ends_at:
            return self._close(assumptions.LIFETIME_CLOSE_CODE.value, "connection lifetime reached")
        if self._next_keep_alive is None or now < self._next_keep_alive:
            return []
        self._next_keep_alive = now + self._keep_alive_seconds
        return [Send(frames.KEEP_ALIVE)]

    def receive(self, text: str, now: float) -> list[Effect]:
        """Process a received text frame."""
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
        """Process a received binary frame; the protocol has none, so it is answered by an error."""
        return [] if self.closed else [unsupported(None)]

    def connect_accepted(self, now: float) -> list[Effect]:
        """The connect credentials are valid: acknowledge, and process the frames held until now."""
        if self._phase is not _Phase.AUTHORIZING:
            return []
        self._phase = _Phase.READY
        self._next_keep_alive = now + self._keep_alive_seconds
        effects: list[Effect] = [Send(frames.CONNECTION_ACK)] if self._acknowledge else []
        held, self._held_frames = self._held_frames, []
        for text in held:
            effects += self.receive(text, now)
        return effects

    def connect_refused(self, refusal: Refusal) -> list[Effect]:
        """The connect credentials are not valid: send connection_error and close."""
        if self._phase is not _Phase.AUTHORIZING:
            return []
        closing = self._close(assumptions.REFUSED_CONNECT_CLOSE_CODE.value, refusal.error_type)
        return [connection_error(refusal), *closing]

    def authorized(self, operation: Operation, identity: Identity) -> list[Effect]:
        """The operation's credentials are valid: check duplicate ids and limits, then run the handler."""
        if self.closed:
            return []
        operation.identity = identity
        if operation.kind == "publish":
            return [CallPublish(operation)]
        if operation.id in self._subscriptions or operation.id in self._pending:
            message = f"Duplicated operation id {operation.id}"
            return self.refused(operation, Refusal(DUPLICATED_OPERATION, message, 400))
        if len(self._subscriptions) + len(self._pending) >= limits.SUBSCRIPTIONS_PER_CONNECTION:
            message = f"Max number of {limits.SUBSCRIPTIONS_PER_CONNECTION} subscriptions reached"
            return self.refused(operation, Refusal(MAX_SUBSCRIPTIONS, message, 400))
        self._pending.add(operation.id)
        return [CallSubscribe(operation)]

    def subscribed(self, operation: Operation) -> list[Effect]:
        """onSubscribe allowed the subscription. The answer is sent before any event of the subscription."""
        self._pending.discard(operation.id)
        self._answered(operation)
        if self.closed:
            return []
        self._subscriptions[operation.id] = operation.channel
        return [Send(frames.success("subscribe", operation.id)), AddSubscription(operation.id, operation.channel)]

    def subscribe_failed(self, operation: Operation, refusal: Refusal) -> list[Effect]:
        """onSubscribe refused the subscription, or failed."""
        self._pending.discard(operation.id)
        return self.refused(operation, refusal)

    def published(self, operation: Operation, result: Mapping[str, Any]) -> list[Effect]:
        """The publish has been processed; `result` holds `successful` and `failed`."""
        return [] if self.closed else [Send(frames.success("publish", operation.id, **result))]

    def refused(self, operation: Operation, refusal: Refusal) -> list[Effect]:
        """The operation is refused: a subscribe before its handler has run, a publish at any point."""
        self._answered(operation)
        return [] if self.closed else [failure(operation.kind, operation.id, operation.channel.path, refusal)]

    def abandon(self, operation: Operation) -> None:
        """The operation ends without an answer (because of a fault rule)."""
        self._pending.discard(operation.id)
        self._answered(operation)

    def drop_subscriptions(self, ids: Iterable[str]) -> None:
        """Forget subscriptions that the service has removed, e.g. with their namespace."""
        for id in ids:
            self._subscriptions.pop(id, None)

    def end(self, code: int, reason: str) -> list[Effect]:
        """Close the connection, because the service ends it or the client has disconnected."""
        return [] if self.closed else self._close(code, reason)

    def _init(self) -> list[Effect]:
        self._acknowledge = True
        if self._phase is _Phase.READY:
            return [Send(frames.CONNECTION_ACK)]
        return self._authorize_connect()

    def _hold(self, text: str) -> list[Effect]:
        if len(self._held_frames) >= limits.SUBSCRIPTIONS_PER_CONNECTION:
            return self._close(assumptions.REFUSED_CONNECT_CLOSE_CODE.value, "too many frames before connection_ack")
        self._held_frames.append(text)
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
            self._unanswered[id] += 1
        return [Authorize(Operation(kind, id, channel, text, authorization, frame.get("events")))]

    def _answered(self, operation: Operation) -> None:
        if operation.kind == "subscribe":
            self._unanswered -= Counter((operation.id,))

    def _unsubscribe(self, frame: Mapping[str, Any]) -> list[Effect]:
        id = text_or_none(frame.get("id"))
        try:
            check_id(id)
        except Refusal as refusal:
            return [failure("unsubscribe", id, None, refusal)]
        assert id is not None, "checked above"
        channel = self._subscriptions.pop(id, None)
        if channel is None and self._unanswered[id] > 0:
            return []
        if channel is None:
            unknown = Refusal(UNKNOWN_OPERATION, f"Unknown operation id {id}", 400)
            return [failure("unsubscribe", id, None, unknown)]
        return [RemoveSubscription(id, channel), Send(frames.success("unsubscribe", id))]

    def _close(self, code: int, reason: str) -> list[Effect]:
        self._phase = _Phase.CLOSED
        removed: list[Effect] = [RemoveSubscription(id, channel) for id, channel in self._subscriptions.items()]
        self._subscriptions.clear()
        self._held_frames.clear()
        return [*removed, Close(code, reason)]


def unknown_namespace(channel: Channel) -> Refusal:
    """Return the refusal for a channel whose namespace does not exist."""
    message = f"Channel namespace {channel.namespace} does not exist"
    return Refusal(NOT_FOUND, message, assumptions.UNKNOWN_NAMESPACE_STATUS.value)
