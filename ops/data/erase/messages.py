"""Erases the person's messages: each becomes a tombstone that keeps its sequence number.

A tombstone is made as the product deletes a message: with a change number and an event, so that every client learns of
it, also one that is offline. What the product keeps of a deleted message, and the person wrote, is removed after that.
"""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import Any, Final

from contract import channels, events, tables
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.dynamodb.messages.change_counter import DynamoChangeCounter
from handlers.adapters.dynamodb.messages.change_store import ChangeTables, DynamoMessageChangeStore
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.messages.sequence_counter import DynamoSequenceCounter
from handlers.core.delivery.outbox import is_send_record, outbox_record
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import ChangeReservation
from handlers.core.messages.ports import ChangeKind, MessageChange, MessageWriteStatus
from handlers.core.messages.rules import StoredMessage, tombstone
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from ops.data.erase.person import FANOUT, FORMER, Person, WorkList
from ops.data.restore.admission import CONTENT
from ops.data.table_access import key_of
from ops.errors import CommandError

_LEFT: Final = " OR ".join(["#deleted = :false", *(f"attribute_exists(#{name})" for name in CONTENT)])


class MessageErasure:
    """Erases messages of one person."""

    def __init__(self, person: Person) -> None:
        self._person = person
        table, client = person.table, person.client
        self._conversations = DynamoConversationReader(client, table(tables.CONVERSATIONS), ConversationCache())
        self._changes = DynamoChangeCounter(
            client,
            counters=table(tables.CONVERSATION_COUNTERS),
            conversations=table(tables.CONVERSATIONS),
            changes=table(tables.MESSAGE_CHANGES),
        )
        self._store = DynamoMessageChangeStore(
            client,
            ChangeTables(
                conversations=table(tables.CONVERSATIONS),
                members=table(tables.CONVERSATION_MEMBERS),
                messages=table(tables.MESSAGES),
                message_changes=table(tables.MESSAGE_CHANGES),
                outbox=table(tables.OUTBOX),
            ),
        )

    @cached_property
    def _direct_messages(self) -> DynamoDirectMessages:
        table = self._person.table
        return DynamoDirectMessages(
            self._person.client,
            conversations=table(tables.CONVERSATIONS),
            members=table(tables.CONVERSATION_MEMBERS),
            messages=table(tables.MESSAGES),
            outbox=table(tables.OUTBOX),
        )

    @cached_property
    def _numbers(self) -> DynamoSequenceCounter:
        table = self._person.table
        return DynamoSequenceCounter(
            self._person.client,
            self._direct_messages,
            counters=table(tables.CONVERSATION_COUNTERS),
            conversations=table(tables.CONVERSATIONS),
            messages=table(tables.MESSAGES),
        )

    def stored(self) -> WorkList:
        """Yield the erasure of each message that has content of the person.

        The table has no index by sender: it is scanned, also for conversations that the person has left.
        """
        condition = f"senderId = :user AND ({_LEFT})"
        found = self._person.live.scan(tables.MESSAGES, condition, user=self._person.user_id, false=False)
        for item in found:
            yield partial(self._erase, item)

    def pending(self) -> WorkList:
        """Yield the removal of each stored event with a message of the person.

        The event of a direct message is what accepts it: the message is stored first, and erased by `stored`.
        """
        for item in self._person.live.scan(
            tables.OUTBOX,
            "contains(#event, :user) OR contains(eventId, :key)",
            user=self._person.user_id,
            key=f"#{self._person.user_id}#",
        ):
            if is_send_record(item["eventId"]):
                if f"#{self._person.user_id}#" in item["eventId"]:
                    yield partial(self._remove_send, item["eventId"])
            elif "event" in item and _author(item["event"]) == self._person.user_id:
                yield partial(self._person.live.delete, tables.OUTBOX, {"eventId": item["eventId"]})

    def _remove_send(self, event_id: str) -> None:
        self._direct_messages.complete(event_id)
        self._person.live.delete(tables.OUTBOX, {"eventId": event_id})

    def _erase(self, item: dict[str, Any]) -> None:
        stored = StoredMessage.of(item)
        if not stored.message.deleted:
            self._delete(stored)
        self._person.live.update(
            tables.MESSAGES,
            key_of(tables.MESSAGES, item),
            "SET #deleted = :true REMOVE " + ", ".join(f"#{name}" for name in CONTENT),
            "senderId = :user",
            user=self._person.user_id,
            true=True,
        )

    def _delete(self, stored: StoredMessage) -> None:
        """Delete a message as the product does, for a sender who may have left; nothing without a conversation."""
        reservation: ChangeReservation | None = None
        try:
            for _ in attempts(self._person.clock):
                conversation = self._conversations.read(stored.message.conversationId)
                if conversation is None:
                    return
                if reservation is None:
                    reserved = self._changes.reserve(conversation, self._person.clock.now())
                    if not isinstance(reserved, ChangeReservation):
                        if conversation.is_group:
                            self._numbers.align(conversation)
                        continue
                    reservation = reserved
                change = self._change(conversation, stored, reservation.change)
                status = self._store.apply(change).status
                if status is MessageWriteStatus.STORED:
                    self._changes.settle(reservation)
                    reservation = None
                    self._store.show(change)
                    return
                if status is MessageWriteStatus.DELETED:
                    return
                if status is MessageWriteStatus.NUMBER_VOIDED:
                    self._changes.void(reservation)
                    reservation = None
        finally:
            if reservation is not None:
                self._changes.void(reservation)
        raise CommandError(f"message {stored.message.messageId} changes all the time. Run the erasure again.")

    def _change(self, conversation: ConversationState, stored: StoredMessage, number: int) -> MessageChange:
        message, now, user_id = tombstone(stored.message), self._person.clock.now(), self._person.user_id
        event = events.MessageDeleted(
            eventId=self._person.ids.new(),
            timestamp=to_iso(now),
            data=events.MessageDeletedData(
                conversationId=conversation.conversation_id,
                messageId=message.messageId,
                seq=message.seq,
                change=number,
                deletedBy=user_id,
                deletedAt=to_iso(now),
            ),
        )
        gone = stored.hidden_from | {user_id}
        recipients = [each for each in conversation.participants if each not in gone]
        audience = None if stored.hidden_from else conversation.conversation_id
        return MessageChange(
            kind=ChangeKind.DELETE,
            conversation=conversation,
            message=message,
            hidden_from=stored.hidden_from,
            change=number,
            changed_by=user_id,
            changed_at=to_iso(now),
            record=outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=FANOUT, audience=audience),
            now=now,
            has_membership=False,
        )


def _author(event: str) -> str | None:
    """Return the user whose content a stored event has: a message, a profile, or a caller's name; None without any."""
    content = json.loads(event)
    data = content["data"]
    match content["type"]:
        case "MESSAGE_SENT":
            author = data["senderId"]
        case "MESSAGE_UPDATED":
            author = data["message"]["senderId"]
        case "USER_UPDATED":
            author = None if data["user"]["fullName"] == FORMER else data["user"]["userId"]
        case "INCOMING_CALL":
            author = data["callerId"]
        case _:
            author = None
    return None if author is None else str(author)
