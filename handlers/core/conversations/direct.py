"""Finds or creates the direct conversation of two users.

Its id is derived from the two user ids, so two users have at most one. One that the old application created, under an
id that it derived in another way, is used on. If the other user has blocked the caller, a new
conversation is hidden from that user until the block is removed. The response is the same with and without a block.
"""

from __future__ import annotations

import msgspec

from contract import limits
from contract.models import Conversation, PublicUser
from contract.responses import DirectAnswer
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.ids import direct_id, old_direct_id
from handlers.core.conversations.ports import (
    BlockReader,
    ConversationStore,
    Membership,
    NewConversation,
    StoredConversation,
    UserDirectory,
)
from handlers.core.conversations.views import conversation_view, participant_view
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage


class DirectConversations(msgspec.Struct, frozen=True, kw_only=True):
    """Finds or creates direct conversations."""

    conversations: ConversationStore
    directory: UserDirectory
    blocks: BlockReader
    dispatcher: Dispatcher
    clock: Clock
    events: ConversationEvents

    def open(self, caller: str, user_id: str) -> DirectAnswer:
        """Find or create the conversation of the caller and another user.

        Raises:
            InvalidRequestError: the other user is the caller.
            NotFoundError: the other user does not exist.
            ConflictError: the caller is in too many conversations.
            UnavailableError: concurrent changes of the conversation prevented every attempt.
        """
        if user_id == caller:
            raise InvalidRequestError("userId must be another user", field="userId")
        conversation_id = direct_id(caller, user_id)
        with stage("read"):
            users, stored = both(
                lambda: self.directory.users([caller, user_id]),
                lambda: self._stored(old_direct_id(caller, user_id), conversation_id),
            )
        other = users.get(user_id)
        if other is None:
            raise NotFoundError("no such user", field="userId")
        names = {each.userId: each.fullName for each in users.values()}
        for _ in attempts(self.clock):
            if stored is not None:
                return self._response(stored, caller, other, names, created=False)
            with stage("read"):
                creation = self._creation(conversation_id, caller, user_id)
            with stage("write"):
                done = self.conversations.create(creation)
            if done:
                for record in creation.outbox:
                    self.dispatcher.dispatch(record)
                stored = StoredConversation(creation.conversation, creation.blocked_by)
                return self._response(stored, caller, other, names, created=True)
            stored = self.conversations.get(conversation_id)
        raise UnavailableError("too many concurrent changes of this conversation; nothing was stored; try again")

    def _stored(self, *conversation_ids: str) -> StoredConversation | None:
        """Read the first of some conversations that exists, consistently."""
        found = self.conversations.get_many(conversation_ids)
        return next((found[each] for each in conversation_ids if each in found), None)

    def _creation(self, conversation_id: str, caller: str, user_id: str) -> NewConversation:
        blocks, count = both(
            lambda: self.blocks.between(caller, user_id), lambda: self.conversations.count_memberships(caller)
        )
        if count >= limits.CONVERSATIONS_PER_USER:
            raise ConflictError(f"you are in {limits.CONVERSATIONS_PER_USER} conversations, the largest number allowed")
        blocked_by = frozenset(blocker for (blocker, _), active in blocks.items() if active)
        now = to_iso(self.clock.now())
        conversation = Conversation(
            conversationId=conversation_id,
            type="DM",
            participants=[caller, user_id],
            admins=[],
            createdBy=caller,
            createdAt=now,
            updatedAt=now,
            version=1,
        )
        hidden = user_id in blocked_by
        record = self.events.created(conversation, caller, [caller] if hidden else [caller, user_id])
        return NewConversation(
            conversation=conversation,
            members=(
                _member(conversation, caller, hidden=False),
                _member(conversation, user_id, hidden=hidden),
            ),
            blocked_by=blocked_by,
            blocks=blocks,
            outbox=(record,),
        )

    def _response(
        self, stored: StoredConversation, caller: str, other: PublicUser, names: dict[str, str], *, created: bool
    ) -> DirectAnswer:
        membership = None
        if not created:
            with stage("read"):
                membership = self.conversations.members(stored.conversation.conversationId, [caller]).get(caller)
        visible = participant_view(self.conversations, stored, membership, caller)
        return DirectAnswer(conversation=conversation_view(visible, caller, names), otherUser=other, created=created)


def _member(conversation: Conversation, user_id: str, *, hidden: bool) -> Membership:
    return Membership(
        user_id=user_id,
        conversation_id=conversation.conversationId,
        role="MEMBER",
        type="DM",
        joined_at=conversation.createdAt,
        hidden=hidden,
    )
