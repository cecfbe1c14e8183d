"""Fan-out: delivers an event, serialised once, to every matching subscription.

A delivery is three byte strings in the send buffer of the receiver's connection: frame header, the subscription's
prefix, the event's suffix. Send buffers are written to their transports once per iteration of the event loop, in order.
A connection whose transport has more unsent bytes than allowed is closed; so a slow client does not delay others, and
memory is bounded.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from appsync_events_local.protocol.channels import Channel, SubscriptionIndex
from appsync_events_local.protocol.frames import as_utf8, data_prefix, data_suffix, text_frame_header

MAX_UNSENT_BYTES: Final = 4 * 1024 * 1024

_log = logging.getLogger(__name__)


class Transport(Protocol):
    """The part of `asyncio.Transport` that a send buffer uses."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


class Flusher:
    """Writes every non-empty send buffer, once per iteration of the event loop."""

    def __init__(self) -> None:
        self._dirty: list[SendBuffer] = []

    def mark(self, send_buffer: "SendBuffer") -> None:
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(send_buffer)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for send_buffer in dirty:
            send_buffer.flush()


class SendBuffer:
    """The frames that wait to be sent on one connection.

    Args:
        transport: transport of the connection; only whole WebSocket frames are written to it.
        flusher: shared by all connections of the service.
        max_unsent_bytes: limit of unsent bytes; beyond it the connection is aborted.
        name: name of the connection, for the log.
    """

    def __init__(self, transport: Transport, flusher: Flusher, max_unsent_bytes: int, name: str) -> None:
        self._transport = transport
        self._flusher = flusher
        self._max_unsent_bytes = max_unsent_bytes
        self._name = name
        self._parts: list[bytes] = []

    def send(self, parts: Sequence[bytes]) -> None:
        """Queue byte strings that together are whole frames."""
        if not self._parts:
            self._flusher.mark(self)
        self._parts += parts

    def send_text(self, text: str) -> None:
        """Queue one text frame."""
        payload = as_utf8(text)
        self.send((text_frame_header(len(payload)), payload))

    def flush(self) -> None:
        """Write all queued bytes to the transport."""
        if not self._parts:
            return
        data = b"".join(self._parts)
        self._parts.clear()
        transport = self._transport
        if transport.is_closing():
            return
        transport.write(data)
        unsent = transport.get_write_buffer_size()
        if unsent > self._max_unsent_bytes:
            _log.warning("%s aborted: the client does not read, %d bytes unsent", self._name, unsent)
            transport.abort()

    def abort(self) -> None:
        """Abort the connection without a closing handshake; queued frames are lost."""
        self._parts.clear()
        self._transport.abort()


class Subscription:
    """One active subscription: its connection, id and channel."""

    __slots__ = ("channel", "id", "owner", "prefix", "send_buffer")

    def __init__(self, owner: object, id: str, channel: Channel, send_buffer: SendBuffer) -> None:
        self.owner = owner
        self.id = id
        self.channel = channel
        self.send_buffer = send_buffer
        self.prefix = data_prefix(id)


class Broker:
    """The active subscriptions of one API."""

    def __init__(self) -> None:
        self._index: SubscriptionIndex[Subscription] = SubscriptionIndex()
        self._all: dict[tuple[int, str], Subscription] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, subscription: Subscription) -> None:
        self._all[id(subscription.owner), subscription.id] = subscription
        self._index.add(subscription.channel, subscription)

    def remove(self, owner: object, subscription_id: str) -> None:
        """Remove a subscription; does nothing if it does not exist."""
        subscription = self._all.pop((id(owner), subscription_id), None)
        if subscription is not None:
            self._index.remove(subscription.channel, subscription)

    def channels(self) -> dict[str, int]:
        """Return the number of subscriptions per channel or wildcard."""
        counts: dict[str, int] = {}
        for subscription in self._all.values():
            counts[subscription.channel.path] = counts.get(subscription.channel.path, 0) + 1
        return counts

    def of_namespace(self, name: str) -> list[Subscription]:
        """Return the active subscriptions whose channel is in this namespace."""
        return [s for s in self._all.values() if s.channel.namespace == name]

    def broadcast(self, channel: Channel, events: Sequence[str], intercept: "DeliveryInterceptor | None" = None) -> int:
        """Deliver each event (one JSON text) to every subscription that covers the channel.

        Args:
            channel: the channel of the publish.
            events: JSON texts, in the order of delivery.
            intercept: if given, called for each delivery (fault rules).

        Returns:
            The number of queued deliveries.
        """
        suffixes = [data_suffix(event) for event in events]
        framed: dict[int, list[tuple[bytes, bytes]]] = {}
        receivers = 0
        for subscription in self._index.subscribers(channel):
            prefix = subscription.prefix
            frames = framed.get(len(prefix))
            if frames is None:
                frames = [(text_frame_header(len(prefix) + len(suffix)), suffix) for suffix in suffixes]
                framed[len(prefix)] = frames
            send = subscription.send_buffer.send
            for header, suffix in frames:
                if intercept is None:
                    send((header, prefix, suffix))
                else:
                    intercept(subscription, partial(send, (header, prefix, suffix)))
            receivers += 1
        return receivers * len(suffixes)


DeliveryInterceptor = Callable[[Subscription, Callable[[], None]], None]
"""Called with a subscription and a function that delivers to it; calls that function now, later, or never."""
