"""The counters of conversations: of groups in ConversationCounters, of direct conversations in Conversations.

See `handlers.core.messages.numbering`.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from contract.models import Message
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.conditional import ConditionFailedError, ConflictError, conditional
from handlers.adapters.dynamodb.messages.counter_items import counter_change, create_counter
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.messages.member_keys import member_key
from handlers.adapters.dynamodb.messages.message_finder import message_key
from handlers.adapters.dynamodb.messages.message_items import ABSENT, placeholder_item
from handlers.adapters.dynamodb.messages.reservations import end_reservation
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import Counter, Refusal, Reservation, SequenceCounter, pending_changes
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.timestamps import to_iso

_RESERVE_TRIES: Final = 4


class DynamoSequenceCounter(SequenceCounter):
    """Reserves numbers by single updates, which never conflict with each other.

    Args:
        client: the DynamoDB client.
        direct_messages: accepts the messages of direct conversations.
        counters, conversations, messages: names of tables.
    """

    def __init__(
        self, client: Any, direct_messages: DynamoDirectMessages, *, counters: str, conversations: str, messages: str
    ) -> None:
        self._client = client
        self._direct_messages = direct_messages
        self._counters = counters
        self._conversations = conversations
        self._messages = messages

    def reserve(self, conversation: ConversationState, now: int, send_key: str) -> Reservation | Refusal:
        reservation_id = new_id(now) if conversation.is_group else send_key
        for _ in range(_RESERVE_TRIES):
            try:
                return self._reserve(conversation, reservation_id, now)
            except ConflictError:
                return Refusal.CONTENDED
            except ConditionFailedError as failed:
                counter = failed.item
            except OutcomeUnknownError:
                continue  # repeated under the same id, which reserves one number only
            if not counter and not conversation.is_group:
                return Refusal.CHANGED
            if "pendingSeq" not in counter:
                create_counter(self._client, self._counters, self._conversations, conversation)
            elif reservation_id in counter["pendingSeq"]:
                pending = _counter(counter, is_direct=not conversation.is_group).pending
                return next(each for each in pending if each.reservation_id == reservation_id)
            elif (counter.get("version") or 0) != conversation.version:
                return Refusal.CHANGED
            else:
                now = 0
        return Refusal.CONTENDED

    def _table(self, *, is_direct: bool) -> str:
        return self._conversations if is_direct else self._counters

    def _reserve(self, conversation: ConversationState, reservation_id: str, now: int) -> Reservation:
        """Reserve with the present time, or with the next millisecond after the last one where `now` is 0."""
        is_direct = not conversation.is_group
        at = ":now" if now else "lastTimestampMs + :one"
        conditions = [
            "attribute_exists(pendingSeq)",
            "attribute_not_exists(pendingSeq.#r)",
            unchanged("version", conversation.version, ":version"),
        ]
        if now:
            conditions.append("lastTimestampMs < :now")
        request = _reservation(conversation.conversation_id, reservation_id, at, " AND ".join(conditions))
        with conditional("the number"):
            answer = self._client.update_item(
                TableName=self._table(is_direct=is_direct),
                **request,
                ExpressionAttributeValues=to_item({":one": 1, ":version": conversation.version, ":now": now or None}),
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        counter = from_item(answer["Attributes"])
        return _reserved(conversation.conversation_id, reservation_id, counter, is_direct=is_direct)

    def reserve_unread(self, conversation_id: str, sender_id: str, now: int) -> tuple[Reservation, int] | None:
        reservation_id = new_id(now)
        condition = "contains(memberKeys, :member) AND lastTimestampMs < :now"
        request = _reservation(conversation_id, reservation_id, ":now", condition)
        try:
            with conditional("the number"):
                answer = self._client.update_item(
                    TableName=self._counters,
                    **request,
                    ExpressionAttributeValues=to_item({":one": 1, ":now": now, ":member": member_key(sender_id)}),
                    ReturnValues="ALL_NEW",
                )
        except (ConditionFailedError, ConflictError, UnavailableError, OutcomeUnknownError):
            return None  # the send reserves again, after the read
        counter = from_item(answer["Attributes"])
        return _reserved(conversation_id, reservation_id, counter, is_direct=False), counter["version"]

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
            **counter_change(conversation.version, conversation.participants),
        }
        commit(self._client, [{"ConditionCheck": check}, {"Update": update}], "the counter")

    def settle(self, reservation: Reservation, message: Message) -> None:
        if reservation.is_direct:
            self._direct_messages.settle(reservation, message)
        else:
            self._end(reservation, message.timestamp)

    def void(self, reservation: Reservation) -> None:
        timestamp = to_iso(reservation.timestamp)
        try:
            if reservation.is_direct and not self._direct_messages.exclude(reservation):
                self._end(reservation, None)
                return
            stored_at = None if self._put_placeholder(reservation, timestamp) else timestamp
        except ConflictError:
            return  # the message is being stored at this moment
        self._end(reservation, stored_at)

    def _put_placeholder(self, reservation: Reservation, timestamp: str) -> bool:
        """Store a placeholder; return False where the message is stored."""
        item = placeholder_item(reservation.conversation_id, timestamp, reservation.seq)
        try:
            with conditional("the placeholder"):
                self._client.put_item(TableName=self._messages, Item=item, ConditionExpression=ABSENT)
        except ConditionFailedError:
            with reading("the message"):
                key = message_key(reservation.conversation_id, timestamp)
                answer = self._client.get_item(TableName=self._messages, Key=key, ConsistentRead=True)
            stored = from_item(answer.get("Item") or {})
            return not stored or bool(stored.get("voided"))
        return True

    def _end(self, reservation: Reservation, stored_at: str | None) -> None:
        end_reservation(self._client, self._table(is_direct=reservation.is_direct), reservation, stored_at)

    def read(self, conversation: ConversationState) -> Counter:
        if not conversation.is_group:
            return Counter.of_direct(ConversationState.of(self._item(conversation) or {}))
        for _ in range(2):
            item = self._item(conversation)
            if item is not None and "latestSeq" in item:
                return _counter(item)
            create_counter(self._client, self._counters, self._conversations, conversation)
        return _counter(self._item(conversation) or {})

    def _item(self, conversation: ConversationState) -> dict[str, Any] | None:
        table = self._table(is_direct=not conversation.is_group)
        return get_item(self._client, table, {"conversationId": conversation.conversation_id}, "the counter")


def new_id(now: int) -> str:
    """Return the id of a new reservation, which begins with its time."""
    return f"{now}-{secrets.token_hex(5)}"


def _reservation(conversation_id: str, reservation_id: str, at: str, condition: str) -> dict[str, Any]:
    """Return the parameters of an update that reserves the next number, with the timestamp that `at` evaluates to."""
    return {
        "Key": conversation_key(conversation_id),
        "UpdateExpression": (
            f"SET latestSeq = latestSeq + :one, lastTimestampMs = {at}, "
            f"pendingSeq.#r = latestSeq + :one, pendingAt.#r = {at}"
        ),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#r": reservation_id},
    }


def _reserved(conversation_id: str, reservation_id: str, counter: dict[str, Any], *, is_direct: bool) -> Reservation:
    return Reservation(
        conversation_id=conversation_id,
        reservation_id=reservation_id,
        seq=counter["latestSeq"],
        timestamp=counter["lastTimestampMs"],
        reserved_at=_reserved_at(reservation_id, counter["lastTimestampMs"], is_direct=is_direct),
        is_direct=is_direct,
    )


def _reserved_at(reservation_id: str, timestamp: int, *, is_direct: bool) -> int:
    return timestamp if is_direct else int(reservation_id.partition("-")[0])


def _counter(item: dict[str, Any], *, is_direct: bool = False) -> Counter:
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
                reserved_at=_reserved_at(reservation_id, times[reservation_id], is_direct=is_direct),
                is_direct=is_direct,
            )
            for reservation_id, seq in (item.get("pendingSeq") or {}).items()
        ),
        receipts_due_at=item.get("receiptsDueAt") or 0,
        latest_change=item.get("latestChange"),
        pending_changes=pending_changes(
            item.get("conversationId", ""), item.get("pendingChange") or {}, is_direct=is_direct
        ),
    )
