"""Blocks and unblocks users. Direct messages and calls of a blocked user do not reach the blocker.

A blocked user gets the same responses as before. A block is stored as an item of its own and, where the two users have
a direct conversation, in that conversation, whose version every send checks. One transaction writes both, conditional
on the block and the conversation as they were read.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from contract import channels, events, limits
from handlers.core.conversations.ids import direct_id
from handlers.core.conversations.ports import ConversationRows, StoredConversation, UserDirectory
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import three
from handlers.core.shared.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage
from handlers.core.users.ports import BlockChange, BlockStore


class UserBlocks(msgspec.Struct, frozen=True, kw_only=True):
    """Blocks and unblocks users."""

    blocks: BlockStore
    conversations: ConversationRows
    directory: UserDirectory
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def block(self, caller: str, user_id: str) -> None:
        """Block a user; a repeated request changes nothing.

        Raises:
            InvalidRequestError: the user is the caller.
            NotFoundError: the user does not exist.
            ConflictError: the caller has blocked too many users.
        """
        self._change(caller, user_id, active=True)

    def unblock(self, caller: str, user_id: str) -> None:
        """Unblock a user; messages sent during the block remain hidden.

        Raises:
            InvalidRequestError: the user is the caller.
            NotFoundError: the user does not exist and is not blocked.
        """
        self._change(caller, user_id, active=False)

    def blocked_by(self, caller: str) -> list[str]:
        """Return the users whom the caller has blocked."""
        with stage("read"):
            return self.blocks.blocked_by(caller)

    def _change(self, caller: str, user_id: str, *, active: bool) -> None:
        if user_id == caller:
            raise InvalidRequestError("userId must be another user", field="userId")
        conversation_id = direct_id(caller, user_id)
        for _ in attempts(self.clock):
            with stage("read"):
                before, conversation, names = three(
                    lambda: self.blocks.between(caller, user_id)[caller, user_id],
                    lambda: self.conversations.get(conversation_id),
                    lambda: self.directory.names([user_id]),
                )
                if user_id not in names and not (before and not active):
                    raise NotFoundError("no such user", field="userId")
                if before == active:
                    return
                reveal = not active and self._is_hidden(conversation_id, caller)
            if active and self.blocks.count(caller) >= limits.BLOCKS_PER_USER:
                raise ConflictError(f"you have blocked {limits.BLOCKS_PER_USER} users, the largest number allowed")
            change = self._block_change(caller, user_id, active, conversation, reveal)
            with stage("write"):
                done = self.blocks.change(change)
            if done:
                for record in change.outbox:
                    self.dispatcher.dispatch(record)
                return
        raise UnavailableError("too many concurrent changes of the conversation; nothing was stored; try again")

    def _is_hidden(self, conversation_id: str, user_id: str) -> bool:
        membership = self.conversations.members(conversation_id, [user_id]).get(user_id)
        return membership is not None and membership.hidden

    def _block_change(
        self, caller: str, user_id: str, active: bool, conversation: StoredConversation | None, reveal: bool
    ) -> BlockChange:
        millis = self.clock.now()
        now = to_iso(millis)
        event_type = events.UserBlocked if active else events.UserUnblocked
        block = event_type(eventId=self.ids.new(), timestamp=now, data=events.BlockData(userId=user_id))
        outbox = [self._record(channels.USERS, block, caller, millis)]
        if reveal and conversation is not None:
            outbox.append(self._record(channels.CHATS, self._revealed(conversation, now), caller, millis))
        return BlockChange(
            blocker=caller,
            blocked=user_id,
            active=active,
            conversation_id=direct_id(caller, user_id),
            conversation=conversation,
            reveal=reveal,
            now=now,
            outbox=tuple(outbox),
        )

    def _revealed(self, stored: StoredConversation, now: str) -> events.ConversationCreated:
        """Return the event for the caller's list, without the newest message: all messages so far are hidden."""
        conversation = replace(stored.public(), lastMessage=None, lastMessageAt=None)
        data = events.ConversationData(conversation=conversation, changedBy=conversation.createdBy)
        return events.ConversationCreated(eventId=self.ids.new(), timestamp=now, data=data)

    def _record(self, namespace: channels.Namespace, event: events.Event, caller: str, now: int) -> OutboxRecord:
        return outbox_record(namespace, event, [caller], now=now, fanout_limit=self.fanout_limit)
