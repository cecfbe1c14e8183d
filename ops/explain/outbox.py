"""The outbox record of a message: where it is found, and which recipients it still has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from contract import limits, tables
from contract.correlation import FIELD
from contract.outbox_keys import due_shards, send_record_id, slice_number
from ops.explain.sources import Sources

_PENDING_MAX: Final = 500
"""Most records of one shard of the sweep's list that are examined."""


class Record(msgspec.Struct, frozen=True):
    """The outbox record of an event.

    Args:
        item: the record as stored.
    """

    item: dict[str, Any]

    @property
    def event_id(self) -> str:
        """Return its key."""
        return str(self.item["eventId"])

    @property
    def correlation_id(self) -> str | None:
        """Return the correlation id of the request that stored it."""
        return self.item.get(FIELD)

    @property
    def pending(self) -> bool:
        """Return whether a recipient does not have the event; an emptied record of a direct message has none."""
        return "event" in self.item

    @property
    def given_up(self) -> bool:
        """Return whether no sweep offers the event any more."""
        return self.pending and "shard" not in self.item

    @property
    def attempts(self) -> int:
        """Return how often the sweep has offered the event."""
        return int(self.item.get("attempts") or 0)

    def data(self) -> dict[str, Any]:
        """Return the data of the event; empty of an emptied record."""
        return dict(json.loads(self.item["event"])["data"]) if self.pending else {}

    def slice_of(self, user_id: str) -> int | None:
        """Return the slice of a user; None where the event has no slices of an audience."""
        slices = self.item.get("slices")
        return slice_number(user_id, slices) if slices else None

    def lacks(self, user_id: str) -> bool:
        """Return whether a recipient may not have the event yet."""
        if not self.pending:
            return False
        slices = self.item.get("pendingSlices")
        if slices is None:
            return user_id in self.item["recipients"]
        number = self.slice_of(user_id)
        if number is None:
            return user_id in self.item["recipients"]
        left = (self.item.get("left") or {}).get(str(number))
        return number in slices and (left is None or user_id in left)


def of_direct_message(sources: Sources, message: dict[str, Any]) -> Record | None:
    """Return the record that accepted a direct message; None after its time to live.

    Args:
        message: the item of the table Messages, or the data of the event.
    """
    temp_id = message.get("tempId") or message["messageId"]
    key = send_record_id(message["conversationId"], message["senderId"], temp_id)
    return by_id(sources, key)


def by_id(sources: Sources, event_id: str) -> Record | None:
    """Read a record by its key."""
    item = sources.tables.item(tables.OUTBOX, eventId=event_id)
    return None if item is None else Record(item)


def of_message(sources: Sources, message_id: str, known: Iterable[str]) -> Record | None:
    """Return the record that still has recipients of the event by which a message was sent.

    Records have no index by message. Examined are those that log lines or dead letters name, and the sweep's list.

    Args:
        message_id: the message.
        known: keys of records to examine first.
    """
    examined: set[str] = set()
    for event_id in known:
        examined.add(event_id)
        record = by_id(sources, event_id)
        if record is not None and _sends(record, message_id):
            return record
    index = tables.OUTBOX.index("ByDue")
    for shard in due_shards():
        for key in sources.tables.query_index(tables.OUTBOX, index, shard, most=_PENDING_MAX):
            record = None if key["eventId"] in examined else by_id(sources, key["eventId"])
            if record is not None and _sends(record, message_id):
                return record
    return None


def _sends(record: Record, message_id: str) -> bool:
    if not record.pending:
        return False
    event = json.loads(record.item["event"])
    return bool(event["type"] == "MESSAGE_SENT") and event["data"].get("messageId") == message_id


def describe(record: Record) -> str:
    """Return the state of a record in whole sentences."""
    if not record.pending:
        return "The delivery record is settled: the event was published to every recipient."
    item = record.item
    if item.get("pendingSlices") is not None:
        numbers = ", ".join(str(each) for each in sorted(item["pendingSlices"]))
        rest = f"slices {numbers} of {item.get('slices') or 'several'} are not published yet"
    else:
        rest = f"{len(item['recipients'])} recipients do not have the event yet"
    if record.given_up:
        return f"The delivery was given up after {record.attempts} sweeps, and {rest}. No function repeats it."
    tries = f"The sweep has offered it {record.attempts} of {limits.DELIVERY_ATTEMPTS_MAX} times"
    return f"The delivery record is pending: {rest}. {tries}, and does so again at {item.get('dueAt')}."
