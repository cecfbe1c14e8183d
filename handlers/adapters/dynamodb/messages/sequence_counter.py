"""The counters of groups: the table ConversationCounters. See `handlers.core.messages.numbering`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

from handlers.adapters.dynamodb.client import error_code, reading, writing
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.message_finder import message_key
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import Counter, Refusal, Reservation, SequenceCounter
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.timestamps import from_iso, to_iso

_RESERVE_TRIES: Final = 4
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.02
"""A little longer than a transaction on the counter: a change of the group, or a batch of the direct channel."""


class DynamoSequenceCounter(SequenceCounter):
    """Reserves numbers by single updates, which never conflict with each other. The arguments are table names."""

    def __init__(self, client: Any, *, counters: str, conversations: str, messages: str) -> None:
        self._client = client
        self._counters = counters
        self._conversations = conversations
        self._messages = messages

    def reserve(self, conversation: ConversationState, now: int) -> Reservation | Refusal:
        reservation_id = f"{now}-{secrets.token_hex(5)}"
        for _ in range(_RESERVE_TRIES):
            try:
                return self._reserve(conversation, reservation_id, now)
            except _ConflictError:
                return Refusal.CONTENDED
            except _ConditionFailedError as failed:
                counter = failed.item
            except OutcomeUnknownError:
                continue  # repeated under the same id, which reserves one number only
            if "latestSeq" not in counter:
                self._create(conversation.conversation_id)
            elif reservation_id in counter["pendingSeq"]:
                return next(each for each in _counter(counter).pending if each.reservation_id == reservation_id)
            elif counter["version"] != conversation.version:
                return Refusal.CHANGED
            else:
                now = 0
        return Refusal.CONTENDED

    def _reserve(self, conversation: ConversationState, reservation_id: str, now: int) -> Reservation:
        """Reserve with the present time, or with the next millisecond after the last one where `now` is 0."""
        at = ":now" if now else "lastTimestampMs + :one"
        conditions = ["attribute_exists(latestSeq)", "attribute_not_exists(pendingSeq.#r)", "version = :version"]
        if now:
            conditions.append("lastTimestampMs < :now")
        request = {
            "TableName": self._counters,
            "Key": to_item({"conversationId": conversation.conversation_id}),
            "UpdateExpression": (
                f"SET latestSeq = latestSeq + :one, lastTimestampMs = {at}, "
                f"pendingSeq.#r = latestSeq + :one, pendingAt.#r = {at}"
            ),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {"#r": reservation_id},
            "ExpressionAttributeValues": to_item(
                {":one": 1, ":version": conversation.version, ":now": now or None},
            ),
            "ReturnValues": "UPDATED_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with _updating():
            counter = from_item(self._client.update_item(**request)["Attributes"])
        return Reservation(
            conversation_id=conversation.conversation_id,
            reservation_id=reservation_id,
            seq=counter["latestSeq"],
            timestamp=counter["lastTimestampMs"],
            reserved_at=_reserved_at(reservation_id),
        )

    def align(self, conversation: ConversationState) -> None:
        key = conversation_key(conversation.conversation_id)
        version = to_item({":version": conversation.version})
        check = {
            "TableName": self._conversations,
            "Key": key,
            "ConditionExpression": unchanged("version", conversation.version, ":version"),
            "ExpressionAttributeValues": version,
        }
        update = {
            "TableName": self._counters,
            "Key": key,
            "UpdateExpression": "SET version = :version",
            "ExpressionAttributeValues": version,
        }
        commit(self._client, [{"ConditionCheck": check}, {"Update": update}], "the counter")

    def settle(self, reservation: Reservation) -> None:
        self._end(reservation, to_iso(reservation.timestamp))

    def void(self, reservation: Reservation) -> None:
        timestamp = to_iso(reservation.timestamp)
        placeholder = {
            "conversationId": reservation.conversation_id,
            "timestamp": timestamp,
            "messageId": f"void-{reservation.reservation_id}",
            "senderId": "",
            "type": "TEXT",
            "seq": reservation.seq,
            "readBy": [],
            "reactions": {},
            "deleted": True,
            "voided": True,
            "createdAt": timestamp,
        }
        stored: dict[str, Any] | None = None
        try:
            with _updating():
                self._client.put_item(
                    TableName=self._messages,
                    Item=to_item(placeholder),
                    ConditionExpression="attribute_not_exists(conversationId)",
                )
        except _ConflictError:
            return  # the message is being stored at this moment
        except _ConditionFailedError:
            with reading("the message"):
                key = message_key(reservation.conversation_id, timestamp)
                answer = self._client.get_item(TableName=self._messages, Key=key, ConsistentRead=True)
            stored = from_item(answer.get("Item") or {})
        self._end(reservation, timestamp if stored and not stored.get("voided") else None)

    def read(self, conversation_id: str) -> Counter:
        for _ in range(2):
            item = self._item(conversation_id)
            if item is not None and "latestSeq" in item:
                return _counter(item)
            self._create(conversation_id)
        return _counter(self._item(conversation_id) or {})

    def _item(self, conversation_id: str) -> dict[str, Any] | None:
        return get_item(self._client, self._counters, {"conversationId": conversation_id}, "the counter")

    def _create(self, conversation_id: str) -> None:
        """Create the counter of a group that has none, from the numbers in the conversation."""
        key = {"conversationId": conversation_id}
        conversation = get_item(self._client, self._conversations, key, "the conversation") or {}
        at = conversation.get("lastMessageAt")
        request: dict[str, Any] = {
            "TableName": self._counters,
            "Key": to_item(key),
            **counter_creation(
                version=conversation.get("version") or 0,
                latest_seq=conversation.get("latestSeq") or 0,
                last_timestamp=from_iso(at) if at else 0,
                last_message_at=at if conversation.get("lastMessage") else None,
            ),
        }
        for _ in range(_TRIES):
            try:
                with _updating():
                    self._client.update_item(**request)
                return
            except _ConflictError:
                time.sleep(_PAUSE_SECONDS)

    def _end(self, reservation: Reservation, stored_at: str | None) -> None:
        """Remove a reservation, and move the newest stored message on."""
        request: dict[str, Any] = {
            "TableName": self._counters,
            "Key": to_item({"conversationId": reservation.conversation_id}),
            "UpdateExpression": "REMOVE pendingSeq.#r, pendingAt.#r",
            "ConditionExpression": "attribute_exists(pendingSeq)",
            "ExpressionAttributeNames": {"#r": reservation.reservation_id},
        }
        newest = {
            **request,
            "UpdateExpression": "SET lastMessageAt = :at REMOVE pendingSeq.#r, pendingAt.#r",
            "ConditionExpression": (
                "attribute_exists(pendingSeq) AND (attribute_not_exists(lastMessageAt) OR lastMessageAt < :at)"
            ),
            "ExpressionAttributeValues": to_item({":at": stored_at}),
        }
        use = newest if stored_at else request
        for _ in range(_TRIES):
            try:
                with _updating():
                    self._client.update_item(**use)
                return
            except _ConditionFailedError:
                if use is request:
                    return
                use = request
            except _ConflictError:
                time.sleep(_PAUSE_SECONDS)


def counter_creation(
    *, version: int, latest_seq: int, last_timestamp: int, last_message_at: str | None
) -> dict[str, Any]:
    """Return the expressions of an update that creates a counter; they change nothing of one that exists."""
    values = {
        "version": version,
        "latestSeq": latest_seq,
        "lastTimestampMs": last_timestamp,
        "pendingSeq": {},
        "pendingAt": {},
        **({"lastMessageAt": last_message_at} if last_message_at else {}),
    }
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in values.items()}),
    }


class _ConflictError(Exception):
    """A transaction was in progress on the item; nothing was written."""


class _ConditionFailedError(Exception):
    """The condition failed; `item` is the stored item where the request asked for it."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__()
        self.item = item


@contextmanager
def _updating() -> Iterator[None]:
    try:
        with writing("the number"):
            yield
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise _ConditionFailedError(from_item(error.response.get("Item") or {})) from error
    except UnavailableError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and error_code(cause) == "TransactionConflictException":
            raise _ConflictError from error
        raise


def _reserved_at(reservation_id: str) -> int:
    return int(reservation_id.partition("-")[0])


def _counter(item: dict[str, Any]) -> Counter:
    times = item.get("pendingAt") or {}
    return Counter(
        latest_seq=item.get("latestSeq") or 0,
        last_timestamp=item.get("lastTimestampMs") or 0,
        pending=tuple(
            Reservation(
                conversation_id=item["conversationId"],
                reservation_id=reservation_id,
                seq=seq,
                timestamp=times[reservation_id],
                reserved_at=_reserved_at(reservation_id),
            )
            for reservation_id, seq in (item.get("pendingSeq") or {}).items()
        ),
        last_message_at=item.get("lastMessageAt"),
        receipts_due_at=item.get("receiptsDueAt") or 0,
    )
