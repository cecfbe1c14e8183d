"""Fan-out: one event, serialised once, to everybody who is subscribed.

A delivery is three byte strings queued on the receiver's outbox: frame header, the subscription's prefix, the event's
suffix. Outboxes are written once per turn of the event loop, in order, straight to their transports; the kernel and
the transport's own buffer are the send queue. A receiver that lets more than its bound pile up there is cut off, so a
slow one costs the others nothing and memory stays bounded.
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
    """The part of `asyncio.Transport` that an outbox writes to."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...
    def abort(self) -> None: ...


class Flusher:
    """Writes every outbox that has something to send, once per turn of the event loop."""

    def __init__(self) -> None:
        self._dirty: list[Outbox] = []

    def mark(self, outbox: "Outbox") -> None:
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(outbox)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for outbox in dirty:
            outbox.flush()


class Outbox:
    """What waits to be sent to one connection.

    Args:
        transport: where to; everything written here is whole WebSocket frames, so they never interleave with others.
        flusher: shared by all connections of the service.
        max_unsent_bytes: above which the connection is cut.
        name: of the connection, for the log.
    """

    def __init__(self, transport: Transport, flusher: Flusher, max_unsent_bytes: int, name: str) -> None:
        self._transport = transport
        self._flusher = flusher
        self._max_unsent_bytes = max_unsent_bytes
        self._name = name
        self._parts: list[bytes] = []

    def send(self, parts: Sequence[bytes]) -> None:
        """Queue bytes that together are whole frames."""
        if not self._parts:
            self._flusher.mark(self)
        self._parts += parts

    def send_text(self, text: str) -> None:
        """Queue one text frame."""
        payload = as_utf8(text)
        self.send((text_frame_header(len(payload)), payload))

    def flush(self) -> None:
        """Hand everything that waits to the transport."""
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
            _log.warning("%s does not read: %d bytes unsent, connection cut", self._name, unsent)
            transport.abort()

    def cut(self) -> None:
        """Break the connection without a closing handshake; what waits is lost."""
        self._parts.clear()
        self._transport.abort()


class Subscription:
    """One live subscription: whose, under which id, to what."""

    __slots__ = ("channel", "id", "outbox", "owner", "prefix")

    def __init__(self, owner: object, id: str, channel: Channel, outbox: Outbox) -> None:
        self.owner = owner
        self.id = id
        self.channel = channel
        self.outbox = outbox
        self.prefix = data_prefix(id)


class Broker:
    """The live subscriptions of one API."""

    def __init__(self) -> None:
        self._index: SubscriptionIndex[Subscription] = SubscriptionIndex()
        self._all: dict[tuple[int, str], Subscription] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, subscription: Subscription) -> None:
        self._all[id(subscription.owner), subscription.id] = subscription
        self._index.add(subscription.channel, subscription)

    def remove(self, owner: object, subscription_id: str) -> None:
        """Remove a subscription; nothing happens if it is gone already."""
        subscription = self._all.pop((id(owner), subscription_id), None)
        if subscription is not None:
            self._index.remove(subscription.channel, subscription)

    def channels(self) -> dict[str, int]:
        """How many subscriptions there are to each channel or wildcard."""
        counts: dict[str, int] = {}
        for subscription in self._all.values():
            counts[subscription.channel.path] = counts.get(subscription.channel.path, 0) + 1
        return counts

    def of_namespace(self, name: str) -> list[Subscription]:
        """The live subscriptions whose channel is in this namespace."""
        return [s for s in self._all.values() if s.channel.namespace == name]

    def broadcast(self, channel: Channel, events: Sequence[str], intercept: "DeliveryInterceptor | None" = None) -> int:
        """Deliver each event (one JSON text) to every subscription that covers the channel.

        Args:
            channel: what was published to.
            events: JSON texts, in the order in which every receiver gets them.
            intercept: if given, decides about each delivery (fault switches).

        Returns:
            How many deliveries were queued.
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
            send = subscription.outbox.send
            for header, suffix in frames:
                if intercept is None:
                    send((header, prefix, suffix))
                else:
                    intercept(subscription, partial(send, (header, prefix, suffix)))
            receivers += 1
        return receivers * len(suffixes)


DeliveryInterceptor = Callable[[Subscription, Callable[[], None]], None]
"""Given a subscription and what delivers to it; delivers now, later, or never."""
