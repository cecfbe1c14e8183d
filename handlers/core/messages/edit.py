"""Editing and deleting: numbered within the conversation, so that who was offline can ask for what was missed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from contract import channels, events
from contract.models import Message
from contract.requests import EditMessage
from contract.responses import Changed
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages import lookup as finding
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ChangeKind, ChangeStore, MessageChange, MessageWriteStatus
from handlers.core.messages.rules import StoredMessage, edited, tombstone
from handlers.core.shared import concurrency
from handlers.core.shared.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_Plan = Callable[[ConversationState, StoredMessage, int], MessageChange]


class MessageEditor(msgspec.Struct, frozen=True):
    """Edits and deletes messages.

    Args:
        fanout_limit: most recipients published to within the request.
    """

    store: ChangeStore
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def edit(self, user_id: str, message_id: str, request: EditMessage) -> Changed:
        """Replace the content of one's own message: its text, or the caption of its media (blank: none).

        Who has blocked the sender meanwhile does not see the edited message any more: otherwise an old message
        would carry new words past the block.

        Raises:
            InvalidRequestError: a text would be blank.
            NotFoundError: no such conversation or message.
            ForbiddenError: not the sender, not a participant, or the sender has blocked the other participant.
            ConflictError: the message is deleted.
            UnavailableError: too many changes at once; nothing was stored.
        """
        state, found = self._find(user_id, message_id, request.conversationId)
        if found.message.senderId != user_id:
            raise ForbiddenError("only its sender may edit a message")
        if found.message.deleted:
            raise ConflictError("the message is deleted")
        event_id = self.ids.new()

        def plan(known: ConversationState, current: StoredMessage, now: int) -> MessageChange:
            known.require_unblocked_by(user_id)
            return self._edit(known, current, request.content, event_id, now)

        changed = self._apply(user_id, state, found, plan)
        if isinstance(changed, StoredMessage):
            raise ConflictError("the message is deleted")
        return changed

    def delete(self, user_id: str, message_id: str, conversation_id: str) -> Changed:
        """Delete a message: its content goes, its place in the sequence stays. Repeating it answers the same.

        Raises:
            NotFoundError: no such conversation or message.
            ForbiddenError: neither the sender nor an admin of the group, or not a participant.
            UnavailableError: too many changes at once; nothing was stored.
        """
        state, found = self._find(user_id, message_id, conversation_id)
        event_id = self.ids.new()

        def plan(known: ConversationState, current: StoredMessage, now: int) -> MessageChange:
            if user_id != current.message.senderId and not (known.is_group and user_id in known.admins):
                raise ForbiddenError("only its sender or an admin of the group may delete a message")
            return self._delete(known, current, user_id, event_id, now)

        plan(state, found, self.clock.now())
        if found.message.deleted:
            return _deleted_before(found, state)
        changed = self._apply(user_id, state, found, plan)
        return _deleted_before(changed, state) if isinstance(changed, StoredMessage) else changed

    def _find(self, user_id: str, message_id: str, conversation_id: str) -> tuple[ConversationState, StoredMessage]:
        with stage("read"):
            lookup = partial(finding.message, self.store, self.clock, message_id, conversation_id, user_id, "messageId")
            looking = concurrency.start(lookup)
            state = finding.conversation(self.store, conversation_id, user_id)
            return state, looking.result()

    def _apply(
        self, user_id: str, state: ConversationState | None, found: StoredMessage, plan: _Plan
    ) -> Changed | StoredMessage:
        """Store a change and deliver it; return the message itself where it has been deleted meanwhile."""
        with stage("store"):
            for _ in attempts(self.clock):
                if state is None:
                    raise NotFoundError("no such conversation", field="conversationId")
                state.require_participant(user_id)
                change = plan(state, found, self.clock.now())
                outcome = self.store.apply(change)
                if outcome.verdict is MessageWriteStatus.STORED:
                    break
                if outcome.verdict is MessageWriteStatus.CONFLICT:
                    state = outcome.state
                elif outcome.verdict is MessageWriteStatus.DELETED:
                    if outcome.message is None:
                        raise NotFoundError("no such message in this conversation", field="messageId")
                    return outcome.message
            else:
                raise UnavailableError("too many changes at once; nothing was stored; try again")
        self.dispatcher.dispatch(change.record)
        return Changed(message=change.message, change=change.change)

    def _edit(
        self, known: ConversationState, current: StoredMessage, content: str, event_id: str, now: int
    ) -> MessageChange:
        at = to_iso(now)
        message = edited(current.message, content, at)
        number = known.latest_change + 1
        hidden_from = current.hidden_from | known.hidden_from(message.senderId)
        event = events.MessageUpdated(
            eventId=event_id,
            timestamp=at,
            data=events.MessageUpdatedData(
                conversationId=known.conversation_id,
                messageId=message.messageId,
                change=number,
                updatedBy=message.senderId,
                message=message,
            ),
        )
        record = self._record(known, event, hidden_from, now)
        return _change(ChangeKind.EDIT, known, message, hidden_from, number, message.senderId, record, now)

    def _delete(
        self, known: ConversationState, current: StoredMessage, user_id: str, event_id: str, now: int
    ) -> MessageChange:
        at = to_iso(now)
        message = tombstone(current.message)
        number = known.latest_change + 1
        event = events.MessageDeleted(
            eventId=event_id,
            timestamp=at,
            data=events.MessageDeletedData(
                conversationId=known.conversation_id,
                messageId=message.messageId,
                seq=message.seq,
                change=number,
                deletedBy=user_id,
                deletedAt=at,
            ),
        )
        record = self._record(known, event, current.hidden_from, now)
        return _change(ChangeKind.DELETE, known, message, current.hidden_from, number, user_id, record, now)

    def _record(
        self,
        known: ConversationState,
        event: events.MessageUpdated | events.MessageDeleted,
        hidden_from: frozenset[str],
        now: int,
    ) -> OutboxRecord:
        recipients = [each for each in known.participants if each not in hidden_from]
        return outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=self.fanout_limit)


def _change(
    kind: ChangeKind,
    known: ConversationState,
    message: Message,
    hidden_from: frozenset[str],
    number: int,
    changed_by: str,
    record: OutboxRecord,
    now: int,
) -> MessageChange:
    return MessageChange(
        kind=kind,
        known=known,
        message=message,
        hidden_from=hidden_from,
        change=number,
        changed_by=changed_by,
        changed_at=to_iso(now),
        record=record,
        now=now,
    )


def _deleted_before(stored: StoredMessage, state: ConversationState) -> Changed:
    """Return the answer to a repeated deletion; the old application's deletions have no number of their own."""
    number = state.latest_change if stored.deleted_change is None else stored.deleted_change
    return Changed(message=stored.message, change=number)
