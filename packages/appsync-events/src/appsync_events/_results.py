"""What became of published events, and of events that should have been received."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any

from appsync_events._errors import EventsFailedError


@dataclass(frozen=True)
class Accepted:
    """An event that the API broadcasts: its place in the list that was published, and the id that the API gave it."""

    index: int
    identifier: str


@dataclass(frozen=True)
class Failed:
    """An event that the API turned away: too large, or failed by the namespace's handler."""

    index: int
    identifier: str
    code: str
    message: str


@dataclass(frozen=True)
class PublishResult:
    """What became of a list of events; every index counts from 0 in the list as it was given.

    Attributes:
        count: how many events were published.
        successful: those that are broadcast.
        failed: those that are not, and why.
    """

    count: int
    successful: tuple[Accepted, ...]
    failed: tuple[Failed, ...]

    @property
    def dropped(self) -> tuple[int, ...]:
        """Indices of events that the namespace's handler left out: neither broadcast nor failed."""
        told = {event.index for event in self.successful} | {event.index for event in self.failed}
        return tuple(index for index in range(self.count) if index not in told)

    def raise_for_failed(self) -> None:
        """Do nothing where no event failed.

        Raises:
            EventsFailedError: some did.
        """
        if self.failed:
            raise EventsFailedError(self)

    def __add__(self, later: PublishResult) -> PublishResult:
        return PublishResult(
            self.count + later.count,
            self.successful + tuple(replace(event, index=event.index + self.count) for event in later.successful),
            self.failed + tuple(replace(event, index=event.index + self.count) for event in later.failed),
        )


NOTHING = PublishResult(0, (), ())
"""The result of publishing nothing."""


class GapReason(enum.Enum):
    """Why events of a subscription are missing, or may be."""

    RECONNECTED = "the connection was lost; whatever was published until it came back is missing"
    NOT_DELIVERED = "the Event API said that it could not deliver an event"
    SLOW_CONSUMER = "events came faster than they were taken, and the oldest were given up"


@dataclass(frozen=True)
class Gap:
    """A place in a subscription where events are missing, or may be: the API keeps none, so ask your own store.

    Attributes:
        reason: why.
        lost: how many, where that is known.
    """

    reason: GapReason
    lost: int | None = None


def accepted(entries: Any) -> tuple[Accepted, ...]:
    """Read `successful` of an answer (AppSync Events: publish events via HTTP)."""
    return tuple(Accepted(int(entry.get("index", 0)), str(entry["identifier"])) for entry in entries or ())


def failed(entries: Any) -> tuple[Failed, ...]:
    """Read `failed` of an answer; `code` and `message` are also understood under their names in AWS's Swift client."""
    return tuple(
        Failed(
            int(entry.get("index", 0)),
            str(entry.get("identifier") or ""),
            str(entry.get("code") or entry.get("errorType") or entry.get("errorCode") or "Unknown"),
            str(entry.get("message") or entry.get("errorMessage") or ""),
        )
        for entry in entries or ()
    )
