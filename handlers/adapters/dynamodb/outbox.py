"""Stores and reads records of the Outbox table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from contract import limits, tables
from contract.correlation import FIELD
from contract.outbox_keys import due_shard
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import from_item, to_item, to_value
from handlers.adapters.dynamodb.due_index import due_items
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.delivery.outbox import is_send_record
from handlers.core.delivery.ports import Outbox, OutboxRecord
from handlers.core.shared.timestamps import from_iso, to_iso

_INDEX = tables.OUTBOX.index("ByDue")
_SHARD = {"#shard": _INDEX.partition.name}
"""The name is a reserved word (Amazon DynamoDB: reserved words)."""
_DELIVERY: Final = ("namespace", "event", "recipients", "createdAt", "dueAt", "shard", "attempts", "hiddenFrom")
"""Attributes of a direct message's record that only its delivery needs."""


def outbox_put(table: str, record: OutboxRecord) -> dict[str, Any]:
    """Return the action that stores a record, for the transaction of the change that the event describes."""
    item = to_item(
        {
            "eventId": record.event_id,
            "namespace": record.namespace,
            "event": record.event,
            "recipients": [] if record.audience else list(record.recipients),
            "audience": record.audience,
            "slices": record.slices or None,
            "left": {} if record.pending_slices else None,
            "pendingSlices": record.pending_slices,
            "createdAt": to_iso(record.created_at),
            "dueAt": to_iso(record.due_at),
            "shard": due_shard(record.event_id),
            "attempts": record.attempts,
            "validUntil": None if record.valid_until is None else to_iso(record.valid_until),
            FIELD: record.correlation_id,
            "expiresAt": record.created_at // 1000 + limits.OUTBOX_RETENTION_DAYS * 86_400,
        }
    )
    return {"Put": {"TableName": table, "Item": item}}


def _record(item: dict[str, Any]) -> OutboxRecord:
    slices, valid_until = item.get("pendingSlices"), item.get("validUntil")
    return OutboxRecord(
        event_id=item["eventId"],
        namespace=item["namespace"],
        event=item["event"],
        recipients=tuple(item["recipients"]),
        created_at=from_iso(item["createdAt"]),
        due_at=from_iso(item["dueAt"]),
        pending_slices=None if slices is None else frozenset(slices),
        audience=item.get("audience"),
        slices=item.get("slices") or 0,
        left={int(number): tuple(left) for number, left in (item.get("left") or {}).items()},
        attempts=item["attempts"],
        valid_until=None if valid_until is None else from_iso(valid_until),
        correlation_id=item.get(FIELD),
    )


class DynamoOutbox(Outbox):
    """Reads, updates and deletes outbox records."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, event_id: str) -> OutboxRecord | None:
        item = get_item(self._client, self._table, {"eventId": event_id}, "the event")
        return _record(item) if item and "event" in item else None

    def delete(self, event_id: str) -> None:
        if is_send_record(event_id):
            self._empty(event_id)
            return
        request = {"TableName": self._table, "Key": self._key(event_id)}
        write_single(lambda: self._client.delete_item(**request), "the event")

    def _empty(self, event_id: str) -> None:
        """Remove the event from the record of a direct message, which goes on recording the tempId."""
        shorter = limits.OUTBOX_RETENTION_DAYS * 86_400 - limits.IDEMPOTENCY_RETENTION_HOURS * 3600
        emptied = [f"#{name}" for name in _DELIVERY]
        self._update(
            event_id,
            f"SET expiresAt = expiresAt - :shorter REMOVE {', '.join(emptied)}",
            "attribute_exists(#event)",
            {":shorter": shorter},
            {f"#{name}": name for name in _DELIVERY},
        )

    def keep_only(self, event_id: str, recipients: Sequence[str]) -> None:
        self._update(event_id, "SET recipients = :left", "attribute_exists(eventId)", {":left": list(recipients)})

    def keep_in_slice(self, event_id: str, number: int, recipients: Sequence[str]) -> None:
        self._update(
            event_id,
            "SET #left.#number = :left",
            "attribute_exists(#left) AND contains(pendingSlices, :number)",
            {":left": list(recipients), ":number": number},
            {"#left": "left", "#number": str(number)},
        )

    def finish_slice(self, event_id: str, number: int) -> None:
        # The last slice is removed by deleting the record: without slices it would be published to all recipients.
        done = {":done": frozenset({number})}
        if self._update(event_id, "DELETE pendingSlices :done", "size(pendingSlices) > :one", {**done, ":one": 1}):
            return
        request = {
            "TableName": self._table,
            "Key": self._key(event_id),
            "ConditionExpression": "pendingSlices = :done",
            "ExpressionAttributeValues": {":done": to_value(frozenset({number}))},
        }
        write_single(lambda: self._client.delete_item(**request), "the event")

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        for item in due_items(self._client, _INDEX, self._table, now, "the due events"):
            yield item["eventId"], from_iso(item["dueAt"])

    def claim(self, event_id: str, due_at: int, next_due_at: int) -> OutboxRecord | None:
        values = {":old": to_iso(due_at), ":next": to_iso(next_due_at), ":one": 1}
        after = self._update(event_id, "SET dueAt = :next ADD attempts :one", "dueAt = :old", values)
        return _record(after) if after else None

    def give_up(self, event_id: str) -> None:
        self._update(event_id, "REMOVE #shard", "attribute_exists(eventId)", {}, _SHARD)

    @staticmethod
    def _key(event_id: str) -> dict[str, Any]:
        return {"eventId": to_value(event_id)}

    def _update(
        self,
        event_id: str,
        change: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """Update a record on a condition and return the updated record; None where the condition fails."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(event_id),
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ReturnValues": "ALL_NEW",
        }
        if names:
            request["ExpressionAttributeNames"] = names
        if values:
            request["ExpressionAttributeValues"] = to_item(values)
        written = write_single(lambda: self._client.update_item(**request), "the event")
        return None if written is None else from_item(written["Attributes"])
