"""The result of a publish, per event, and the error for a result with failed events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from appsync_events._error_base import EventsError, Reason


@dataclass(frozen=True)
class Accepted:
    """An event that the API broadcasts.

    Attributes:
        index: its position in the published list.
        identifier: the id that the API assigned.
    """

    index: int
    identifier: str


@dataclass(frozen=True)
class Failed:
    """An event that the API rejected: too large, or failed by the namespace's handler.

    Attributes:
        index: its position in the published list.
        identifier: the id that the API assigned; empty if it assigned none.
        code: the API's error code, for example `EventTooLargeException`.
        message: the API's error message.
    """

    index: int
    identifier: str
    code: str
    message: str


@dataclass(frozen=True)
class PublishResult:
    """The result of publishing a list of events. Indices count from 0 in the list that was passed to `publish`.

    Attributes:
        count: how many events were published.
        successful: the events that are broadcast.
        failed: the events that are not, with their errors.
    """

    count: int
    successful: tuple[Accepted, ...]
    failed: tuple[Failed, ...]

    @property
    def dropped(self) -> tuple[int, ...]:
        """Indices of the events that the namespace's handler filtered out: neither broadcast nor failed."""
        reported = {event.index for event in self.successful} | {event.index for event in self.failed}
        return tuple(index for index in range(self.count) if index not in reported)

    def raise_for_failed(self) -> None:
        """Raise if any event failed.

        Raises:
            EventsFailedError: at least one event failed.
        """
        if self.failed:
            raise EventsFailedError(self)

    def __add__(self, later: PublishResult) -> PublishResult:
        """Return the result of this publish followed by a later one, with continued indices."""
        return PublishResult(
            self.count + later.count,
            self.successful + tuple(replace(event, index=event.index + self.count) for event in later.successful),
            self.failed + tuple(replace(event, index=event.index + self.count) for event in later.failed),
        )


class EventsFailedError(EventsError):
    """The API accepted a publish, but rejected some of its events.

    Args:
        result: the result of the publish; its `failed` has the rejected events.
    """

    result: PublishResult

    def __init__(self, result: PublishResult) -> None:
        reasons = tuple(Reason(failed.code, failed.message) for failed in result.failed)
        super().__init__(f"{len(result.failed)} of {result.count} events failed", reasons)
        self.result = result


NOTHING = PublishResult(0, (), ())
"""The result of publishing an empty list."""


def accepted(entries: Any) -> tuple[Accepted, ...]:
    """Read `successful` of a response (AppSync Events: publish events via HTTP)."""
    return tuple(Accepted(int(entry.get("index", 0)), str(entry["identifier"])) for entry in entries or ())


def failed(entries: Any) -> tuple[Failed, ...]:
    """Read `failed` of a response; `code` and `message` are also read under their names in AWS's Swift client."""
    return tuple(
        Failed(
            int(entry.get("index", 0)),
            str(entry.get("identifier") or ""),
            str(entry.get("code") or entry.get("errorType") or entry.get("errorCode") or "Unknown"),
            str(entry.get("message") or entry.get("errorMessage") or ""),
        )
        for entry in entries or ()
    )
