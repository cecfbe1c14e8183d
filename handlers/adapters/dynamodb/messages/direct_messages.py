"""Accepts and completes direct messages. See `handlers.core.messages.numbering`.

One write accepts a message: that of its outbox record, which contains it and has the key of its sender and tempId. The
item in the table Messages, the sender's read mark and the conversation's newest message follow; if the request cannot
write them, the next reader of the history or the delivery does.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from contract import events, limits
from contract.models import Message
from contract.outbox_keys import SEND_PREFIX, send_record_id
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.messages.conditional import ConditionFailedError, ConflictError, conditional
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.messages.message_items import ABSENT, message_item
from handlers.adapters.dynamodb.messages.reservations import end_reservation
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import TransactionCancelledError, transact
from handlers.core.delivery.ports import DirectMessages
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import Reservation, send_key
from handlers.core.messages.ports import MessageWriteStatus, NewMessage
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import OutcomeUnknownError
from handlers.core.shared.timestamps import from_iso, to_iso

_ALL_OLD: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_TRIES: Final = 2
_FIRST_ACCEPTED: Final = "attribute_not_exists(eventId) OR (attribute_exists(voided) AND NOT contains(voided, :seq))"
"""The tempId is not used, and the message's number has no placeholder."""


class DynamoDirectMessages(DirectMessages):
    """Accepts direct messages by their outbox records. The arguments besides the client are table names."""

    def __init__(self, client: Any, *, conversations: str, members: str, messages: str, outbox: str) -> None:
        self._client = client
        self._conversations = conversations
        self._members = members
        self._messages = messages
        self._outbox = outbox

    # Accepting

    def record_put(self, new: NewMessage) -> dict[str, Any]:
        """Return the Put that accepts a message."""
        put: dict[str, Any] = outbox_put(self._outbox, new.record)["Put"]
        message = new.message
        added = {"conversationId": message.conversationId, "timestamp": message.timestamp}
        return {
            **put,
            "Item": {**put["Item"], **to_item({**added, "hiddenFrom": new.hidden_from or None})},
            "ConditionExpression": _FIRST_ACCEPTED,
            "ExpressionAttributeValues": to_item({":seq": message.seq}),
            **_ALL_OLD,
        }

    def accept(self, new: NewMessage) -> MessageWriteStatus:
        """Accept a message under its reserved number.

        Raises:
            UnavailableError: throttled; nothing was written.
            OutcomeUnknownError: DynamoDB did not respond, or responded with a server error, each time.
        """
        if new.hidden_from:
            return self._accept_hidden(new)
        put = self.record_put(new)
        for attempt in range(_TRIES):
            try:
                with conditional("the message"):
                    self._client.put_item(**put)
                return MessageWriteStatus.STORED
            except ConflictError:
                return MessageWriteStatus.CONTENDED
            except ConditionFailedError as failed:
                return accept_status(failed.item, new)
            except OutcomeUnknownError:  # repeated: the record then shows whether it is this message's
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _accept_hidden(self, new: NewMessage) -> MessageWriteStatus:
        """Accept a message together with the note that its recipient has hidden messages."""
        hidden = [
            {"Update": member_update(self._members, new.conversation, user_id, {"hasHidden": True})}
            for user_id in sorted(new.hidden_from)
        ]
        try:
            transact(self._client, [{"Put": self.record_put(new)}, *hidden], str(uuid.uuid4()), "the message")
        except TransactionCancelledError as cancelled:
            accepting = cancelled.reasons[0]
            if accepting.condition_failed:
                return accept_status(accepting.item or {}, new)
            return MessageWriteStatus.CONTENDED
        return MessageWriteStatus.STORED

    # Completing

    def store(self, message: Message, temp_id: str | None, hidden_from: frozenset[str]) -> None:
        """Store an accepted message in the table Messages; nothing if it is stored."""
        put = {
            "TableName": self._messages,
            "Item": message_item(message, temp_id, hidden_from),
            "ConditionExpression": ABSENT,
        }
        write_single(lambda: self._client.put_item(**put), "the message")

    def mark_read(self, conversation: ConversationState, message: Message) -> None:
        """Mark the conversation as read by the message's sender up to the message. Its participants never change."""
        update = member_update(self._members, conversation, message.senderId, {"lastReadSeq": message.seq})
        update["ConditionExpression"] = "attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq"
        write_single(lambda: self._client.update_item(**update), "the read mark")

    def settle(self, reservation: Reservation, message: Message) -> None:
        """Show the message in the conversation, and end its reservation."""
        end_reservation(self._client, self._conversations, reservation, message.timestamp, message)

    def complete(self, event_id: str) -> None:
        record = get_item(self._client, self._outbox, {"eventId": event_id}, "the message")
        if record is not None:
            self._complete(record)

    def _complete(self, record: dict[str, Any]) -> None:
        """Do what is left of an accepted message; nothing of an emptied record, whose message is complete."""
        accepted = accepted_message(record)
        if accepted is None:
            return
        message, temp_id, hidden_from = accepted
        key = {"conversationId": message.conversationId}
        conversation = get_item(self._client, self._conversations, key, "the conversation")
        if conversation is None:
            return
        self.store(message, temp_id, hidden_from)
        self.mark_read(ConversationState.of(conversation), message)
        reservation = Reservation(
            conversation_id=message.conversationId,
            reservation_id=send_key(message.senderId, temp_id, message.messageId),
            seq=message.seq or 0,
            timestamp=from_iso(message.timestamp),
            reserved_at=0,
            is_direct=True,
        )
        self.settle(reservation, message)

    # Finding and excluding

    def find(self, sender_id: str, conversation_id: str, temp_id: str) -> StoredMessage | None:
        """Return the message that was accepted with a tempId; None where there is none."""
        key = {"eventId": send_record_id(conversation_id, sender_id, temp_id)}
        record = get_item(self._client, self._outbox, key, "the tempId")
        if record is None or "timestamp" not in record:
            return None
        accepted = accepted_message(record)
        if accepted is not None:
            self._complete(record)
        key = {"conversationId": conversation_id, "timestamp": record["timestamp"]}
        message = get_item(self._client, self._messages, key, "the message")
        return None if message is None else StoredMessage.of(message)

    def exclude(self, reservation: Reservation) -> bool:
        """Exclude that a message is accepted under a reserved number; complete the one that is accepted.

        Returns:
            Whether the number has no message.

        Raises:
            ConflictError: it is being accepted at this moment.
        """
        event_id = f"{SEND_PREFIX}{reservation.conversation_id}#{reservation.reservation_id}"
        expires = reservation.timestamp // 1000 + limits.IDEMPOTENCY_RETENTION_HOURS * 3600
        try:
            with conditional("the number"):
                self._client.update_item(
                    TableName=self._outbox,
                    Key=to_item({"eventId": event_id}),
                    UpdateExpression="SET expiresAt = :expires ADD voided :seq",
                    ConditionExpression="attribute_not_exists(eventId) OR attribute_exists(voided)",
                    ExpressionAttributeValues=to_item({":expires": expires, ":seq": frozenset({reservation.seq})}),
                    **_ALL_OLD,
                )
        except ConditionFailedError as failed:
            if failed.item.get("timestamp") != to_iso(reservation.timestamp):
                return True  # the tempId was accepted under another number
            self._complete(failed.item)
            return False
        return True


def accept_status(record: dict[str, Any], new: NewMessage) -> MessageWriteStatus:
    """Return why a message was not accepted, from the stored record of its tempId."""
    if "timestamp" not in record:
        return MessageWriteStatus.TIMESTAMP_TAKEN
    accepted = accepted_message(record)
    if accepted is not None and accepted[0].messageId == new.message.messageId:
        return MessageWriteStatus.STORED
    return MessageWriteStatus.DUPLICATE


def accepted_message(record: dict[str, Any]) -> tuple[Message, str | None, frozenset[str]] | None:
    """Return the message of a record, its tempId and from whom it is hidden; None of an emptied record."""
    if "event" not in record:
        return None
    sent = msgspec.json.decode(record["event"], type=events.MessageSent).data
    fields = {name: getattr(sent, name) for name in Message.__struct_fields__}
    return Message(**fields), sent.tempId, frozenset(record.get("hiddenFrom") or ())
