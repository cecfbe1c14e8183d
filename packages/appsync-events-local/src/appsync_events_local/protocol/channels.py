"""Channels: their grammar, and the index of subscriptions by channel.

A wildcard is the whole last segment of a subscription and matches one or more segments at any depth.
Source: AppSync Events: "Channel namespaces" and "Understanding the Event API WebSocket protocol".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, TypeVar

from appsync_events_local import assumptions
from appsync_events_local.errors import BAD_REQUEST, Refusal
from appsync_events_local.limits import CHANNEL_SEGMENTS, SEGMENT_CHARACTERS

INVALID_CHANNEL: Final = "Invalid Channel Format"
WILDCARD: Final = "*"
_SEGMENT: Final = rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{SEGMENT_CHARACTERS - 2}}}[A-Za-z0-9])?"
_NAME: Final = re.compile(_SEGMENT)

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Channel:
    """A valid channel, or a valid wildcard of a subscription.

    Attributes:
        segments: without empty ones; the last one is `*` in a wildcard.
        path: `/` + segments joined by `/`, as handlers see it.
    """

    segments: tuple[str, ...]
    path: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", "/" + "/".join(self.segments))

    @property
    def namespace(self) -> str:
        return self.segments[0]

    @property
    def wildcard(self) -> bool:
        return self.segments[-1] == WILDCARD

    def covers(self, other: "Channel") -> bool:
        """Return whether a subscription to this channel receives events published to `other`."""
        if not self.wildcard:
            return self.segments == other.segments
        prefix = self.segments[:-1]
        longer = len(other.segments) >= len(self.segments) or assumptions.WILDCARD_SELF.value
        return longer and other.segments[: len(prefix)] == prefix


def is_namespace_name(text: str) -> bool:
    """Return whether `text` is a valid name of a channel namespace (one channel segment)."""
    return _NAME.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def parse_channel(text: str) -> Channel:
    """Parse the channel of a publish.

    Raises:
        Refusal: `text` is not a channel; a wildcard is not one.
    """
    channel = _parse(text)
    if channel.wildcard:
        raise _invalid()
    return channel


@lru_cache(maxsize=8192)
def parse_subscription(text: str) -> Channel:
    """Parse the channel or wildcard of a subscription.

    Raises:
        Refusal: `text` is neither, or is a wildcard over all namespaces.
    """
    return _parse(text)


def _parse(text: str) -> Channel:
    body = text.removeprefix("/").removesuffix("/")
    segments = tuple(body.split("/"))
    if len(segments) > CHANNEL_SEGMENTS:
        raise _invalid()
    named = segments[:-1] if len(segments) > 1 and segments[-1] == WILDCARD else segments
    if not all(_NAME.fullmatch(segment) for segment in named):
        raise _invalid()
    return Channel(segments)


def _invalid() -> Refusal:
    return Refusal(BAD_REQUEST, INVALID_CHANNEL, assumptions.BAD_CHANNEL_STATUS.value)


class SubscriptionIndex(Generic[K]):
    """Subscriptions by channel. Finding the subscriptions that match a channel takes one look-up per segment.

    A key is any hashable value that identifies one subscription; a key is added at most once per channel.
    """

    def __init__(self) -> None:
        self._exact: dict[tuple[str, ...], dict[K, None]] = {}
        self._below: dict[tuple[str, ...], dict[K, None]] = {}

    def add(self, channel: Channel, key: K) -> None:
        table, at = self._place(channel)
        table.setdefault(at, {})[key] = None

    def remove(self, channel: Channel, key: K) -> None:
        """Remove the key; does nothing if it is not in the index."""
        table, at = self._place(channel)
        keys = table.get(at)
        if keys is None:
            return
        keys.pop(key, None)
        if not keys:
            del table[at]

    def subscribers(self, channel: Channel) -> Iterator[K]:
        """Yield every key whose channel covers the given one, once per subscription."""
        segments = channel.segments
        yield from self._exact.get(segments, ())
        longest = len(segments) + (1 if assumptions.WILDCARD_SELF.value else 0)
        if self._below:
            for depth in range(1, longest):
                yield from self._below.get(segments[:depth], ())

    def _place(self, channel: Channel) -> tuple[dict[tuple[str, ...], dict[K, None]], tuple[str, ...]]:
        if channel.wildcard:
            return self._below, channel.segments[:-1]
        return self._exact, channel.segments
