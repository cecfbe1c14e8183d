"""Edits and deletes messages. Each change has a change number, so that a client that was offline can request it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from contract import channels, events
from contract.limits import CHANGE_RATE
from contract.models import Message
from contract.requests import EditMessage
from contract.responses import Changed
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.numbering import ChangeCounter, ChangeReservation, Refusal, SequenceCounter
from handlers.core.messages.ports import (
    ChangeKind,
    ConversationReader,
    MessageChange,
    MessageChangeStore,
    MessageFinder,
    MessageWriteStatus,
)
from handlers.core.messages.rules import StoredMessage, edited, tombstone
from handlers.core.shared import concurrency
from handlers.core.shared.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.rates import UserRates, uses
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)
_Plan = Callable[[ConversationState, StoredMessage, int, int], MessageChange]
"""Makes the change of a message, from its change number and the time; raises where the change is not allowed."""


class _Draft:
    """What the attempts of one change have so far."""

    def __init__(self, conversation: ConversationState) -> None:
        self.conversation: ConversationState | None = conversation
        self.reservation: ChangeReservation | None = None
        self.has_membership = True


class MessageEditor(msgspec.Struct, frozen=True, kw_only=True):
    """Edits and deletes messages.

    Args:
        fanout_limit: most recipients published to within the request.
    """

    conversations: ConversationReader
    messages: MessageFinder
    store: MessageChangeStore
    counter: SequenceCounter
    changes: ChangeCounter
    dispatcher: Dispatcher
    rates: UserRates
    clock: Clock
    ids: Ids
    fanout_limit: int

    def edit(self, user_id: str, message_id: str, request: EditMessage) -> Changed:
        """Replace the content of the user's own message: its text, or the caption of its media (blank: none).

        A participant who has blocked the sender since no longer sees the edited message: otherwise an edit of an
        old message could pass the block.

        Raises:
            InvalidRequestError: a text would be blank.
            NotFoundError: no such conversation or message.
            ForbiddenError: the user is not the sender or not a participant, or has blocked the other participant.
            ConflictError: the message is deleted.
            TooManyRequestsError: the user's rate limit is used up; it counts more in a large group.
            UnavailableError: too many changes at once; nothing was stored.
        """
        conversation, found = self._find(user_id, message_id, request.conversationId)
        if found.message.senderId != user_id:
            raise ForbiddenError("only the sender of a message may edit it")
        if found.message.deleted:
            raise ConflictError("the message is deleted")
        event_id = self.ids.new()

        def plan(conversation: ConversationState, message: StoredMessage, number: int, now: int) -> MessageChange:
            conversation.require_not_blocker(user_id)
            return self._edit(conversation, message, request.content, event_id, number, now)

        changed = self._apply(user_id, conversation, found, plan)
        if isinstance(changed, StoredMessage):
            raise ConflictError("the message is deleted")
        return changed

    def delete(self, user_id: str, message_id: str, conversation_id: str) -> Changed:
        """Delete a message: its content is removed, its sequence number stays. A repeated deletion returns the same.

        Raises:
            NotFoundError: no such conversation or message.
            ForbiddenError: the user is neither the sender nor an admin of the group, or not a participant.
            TooManyRequestsError: as for an edit.
            UnavailableError: too many changes at once; nothing was stored.
        """
        conversation, found = self._find(user_id, message_id, conversation_id)
        event_id = self.ids.new()

        def plan(conversation: ConversationState, message: StoredMessage, number: int, now: int) -> MessageChange:
            is_admin = conversation.is_group and user_id in conversation.admins
            if user_id != message.message.senderId and not is_admin:
                raise ForbiddenError("only the sender of a message or an admin of the group may delete it")
            return self._delete(conversation, message, user_id, event_id, number, now)

        plan(conversation, found, 0, self.clock.now())
        if found.message.deleted:
            return _repeated_deletion(found, conversation)
        changed = self._apply(user_id, conversation, found, plan)
        return _repeated_deletion(changed, conversation) if isinstance(changed, StoredMessage) else changed

    def _find(self, user_id: str, message_id: str, conversation_id: str) -> tuple[ConversationState, StoredMessage]:
        with stage("read"):
            find = partial(lookup.message, self.messages, message_id, conversation_id, user_id, "messageId")
            found = concurrency.start(find)
            conversation = lookup.conversation(self.conversations, conversation_id, user_id)
            self.rates.require(user_id, CHANGE_RATE, uses=uses(len(conversation.participants)))
            return conversation, found.result()

    def _apply(
        self, user_id: str, conversation: ConversationState, found: StoredMessage, plan: _Plan
    ) -> Changed | StoredMessage:
        """Store a change and deliver its event; return the stored message where it has been deleted since the read."""
        draft = _Draft(conversation)
        with stage("store"):
            try:
                for _ in attempts(self.clock):
                    stored = self._try(user_id, found, plan, draft)
                    if stored is not None:
                        break
                else:
                    raise UnavailableError("too many changes at once; nothing was stored; try again")
            finally:
                self._void(draft)
        if isinstance(stored, StoredMessage):
            return stored
        change, reservation = stored
        settling = concurrency.start(partial(self._settle, change, reservation))
        self.dispatcher.dispatch(change.record)
        settling.result()
        return Changed(message=change.message, change=change.change)

    def _try(
        self, user_id: str, found: StoredMessage, plan: _Plan, draft: _Draft
    ) -> tuple[MessageChange, ChangeReservation] | StoredMessage | None:
        """Make one attempt; return None where a further attempt may succeed."""
        conversation, now = draft.conversation, self.clock.now()
        if conversation is None:
            raise NotFoundError("no such conversation", field="conversationId")
        conversation.require_participant(user_id)
        plan(conversation, found, 0, now)  # what is refused needs no number
        if draft.reservation is None:
            reserved = self.changes.reserve(conversation, now)
            if isinstance(reserved, Refusal):
                if reserved is Refusal.CHANGED:
                    draft.conversation = self._read_again(conversation)
                return None
            draft.reservation = reserved
        change = replace(plan(conversation, found, draft.reservation.change, now), has_membership=draft.has_membership)
        result = self.store.apply(change)
        match result.status:
            case MessageWriteStatus.STORED:
                reservation, draft.reservation = draft.reservation, None
                return change, reservation
            case MessageWriteStatus.DELETED:
                if result.message is None:
                    raise NotFoundError("no such message in this conversation", field="messageId")
                return result.message
            case MessageWriteStatus.NUMBER_VOIDED:
                self._void(draft)
            case MessageWriteStatus.NO_MEMBER:
                draft.has_membership = False
                draft.conversation = self.conversations.read(conversation.conversation_id)
            case MessageWriteStatus.CONFLICT:
                draft.conversation = self.conversations.read(conversation.conversation_id)
        return None

    def _read_again(self, known: ConversationState) -> ConversationState | None:
        """Read a conversation that the counter says has changed; correct the counter if it has not."""
        present = self.conversations.read(known.conversation_id)
        if present is not None and present.is_group and present.version == known.version:
            self.counter.align(present)
        return present

    def _settle(self, change: MessageChange, reservation: ChangeReservation) -> None:
        try:
            self.changes.settle(reservation)
        except Exception:
            _log.exception("settling change number %d failed; a reader will settle it", reservation.change)
        try:
            self.store.show(change)
        except (UnavailableError, OutcomeUnknownError) as error:
            _log.info("the conversation does not show change number %d: %s", reservation.change, error)

    def _void(self, draft: _Draft) -> None:
        """Give up a change number that is not used. If this fails, a reader voids it."""
        reservation, draft.reservation = draft.reservation, None
        if reservation is None:
            return
        try:
            self.changes.void(reservation)
        except Exception:
            _log.exception("voiding change number %d failed; a reader will void it", reservation.change)

    def _edit(
        self, conversation: ConversationState, stored: StoredMessage, content: str, event_id: str, number: int, now: int
    ) -> MessageChange:
        at = to_iso(now)
        message = edited(stored.message, content, at)
        hidden_from = stored.hidden_from | conversation.hidden_from(message.senderId)
        event = events.MessageUpdated(
            eventId=event_id,
            timestamp=at,
            data=events.MessageUpdatedData(
                conversationId=conversation.conversation_id,
                messageId=message.messageId,
                change=number,
                updatedBy=message.senderId,
                message=message,
            ),
        )
        record = self._record(conversation, event, hidden_from, now)
        return _change(ChangeKind.EDIT, conversation, message, hidden_from, number, message.senderId, record, now)

    def _delete(
        self, conversation: ConversationState, stored: StoredMessage, user_id: str, event_id: str, number: int, now: int
    ) -> MessageChange:
        at = to_iso(now)
        message = tombstone(stored.message)
        event = events.MessageDeleted(
            eventId=event_id,
            timestamp=at,
            data=events.MessageDeletedData(
                conversationId=conversation.conversation_id,
                messageId=message.messageId,
                seq=message.seq,
                change=number,
                deletedBy=user_id,
                deletedAt=at,
            ),
        )
        record = self._record(conversation, event, stored.hidden_from, now)
        return _change(ChangeKind.DELETE, conversation, message, stored.hidden_from, number, user_id, record, now)

    def _record(
        self,
        conversation: ConversationState,
        event: events.MessageUpdated | events.MessageDeleted,
        hidden_from: frozenset[str],
        now: int,
    ) -> OutboxRecord:
        recipients = [each for each in conversation.participants if each not in hidden_from]
        return outbox_record(
            channels.CHATS,
            event,
            recipients,
            now=now,
            fanout_limit=self.fanout_limit,
            audience=None if hidden_from else conversation.conversation_id,
        )


def _change(
    kind: ChangeKind,
    conversation: ConversationState,
    message: Message,
    hidden_from: frozenset[str],
    number: int,
    changed_by: str,
    record: OutboxRecord,
    now: int,
) -> MessageChange:
    return MessageChange(
        kind=kind,
        conversation=conversation,
        message=message,
        hidden_from=hidden_from,
        change=number,
        changed_by=changed_by,
        changed_at=to_iso(now),
        record=record,
        now=now,
    )


def _repeated_deletion(stored: StoredMessage, conversation: ConversationState) -> Changed:
    """Return the result of a repeated deletion. Deletions by the old application have no change number."""
    number = conversation.latest_change if stored.deleted_change is None else stored.deleted_change
    return Changed(message=stored.message, change=number)
