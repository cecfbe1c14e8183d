"""Blocking a user: no direct message or call of theirs arrives any more, and they cannot tell.

The block stands in its own row and, where the two have a direct conversation, in that conversation, which each send
rests on: both are written at once, and each of them only if the other is still as it was read.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from contract import channels, events, limits
from handlers.core.conversations.ids import direct_id
from handlers.core.conversations.ports import ConversationRows, Directory, StoredConversation
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
    """Blocks and unblocks."""

    blocks: BlockStore
    conversations: ConversationRows
    directory: Directory
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def block(self, caller: str, user_id: str) -> None:
        """Block a user; whoever is blocked already stays so.

        Raises:
            InvalidRequestError: the user is the caller.
            NotFoundError: no such user.
            ConflictError: the caller has blocked too many.
        """
        self._change(caller, user_id, stands=True)

    def unblock(self, caller: str, user_id: str) -> None:
        """Unblock a user; what was sent meanwhile stays hidden.

        Raises:
            InvalidRequestError: the user is the caller.
            NotFoundError: no such user.
        """
        self._change(caller, user_id, stands=False)

    def listed(self, caller: str) -> list[str]:
        """Return the users whom the caller has blocked."""
        with stage("read"):
            return self.blocks.blocked_by(caller)

    def _change(self, caller: str, user_id: str, *, stands: bool) -> None:
        if user_id == caller:
            raise InvalidRequestError("name somebody besides yourself", field="userId")
        conversation_id = direct_id(caller, user_id)
        for _ in attempts(self.clock):
            with stage("read"):
                before, known, names = three(
                    lambda: self.blocks.between(caller, user_id)[caller, user_id],
                    lambda: self.conversations.get(conversation_id),
                    lambda: self.directory.names([user_id]),
                )
                if user_id not in names and not (before and not stands):
                    raise NotFoundError("no such user", field="userId")
                if before == stands:
                    return
                reveal = not stands and self._is_hidden(conversation_id, caller)
            if stands and self.blocks.count(caller) >= limits.BLOCKS_PER_USER:
                raise ConflictError("you have blocked too many users")
            change = self._decided(caller, user_id, stands, known, reveal)
            with stage("write"):
                done = self.blocks.change(change)
            if done:
                for record in change.outbox:
                    self.dispatcher.dispatch(record)
                return
        raise UnavailableError("this conversation changes too often just now; nothing was stored; try again")

    def _is_hidden(self, conversation_id: str, user_id: str) -> bool:
        row = self.conversations.members(conversation_id, [user_id]).get(user_id)
        return row is not None and row.hidden

    def _decided(
        self, caller: str, user_id: str, stands: bool, known: StoredConversation | None, reveal: bool
    ) -> BlockChange:
        millis = self.clock.now()
        now = to_iso(millis)
        kind = events.UserBlocked if stands else events.UserUnblocked
        block = kind(eventId=self.ids.new(), timestamp=now, data=events.BlockData(userId=user_id))
        outbox = [self._record(channels.USERS, block, caller, millis)]
        if reveal and known is not None:
            outbox.append(self._record(channels.CHATS, self._revealed(known, now), caller, millis))
        return BlockChange(
            who=caller,
            whom=user_id,
            stands=stands,
            conversation_id=direct_id(caller, user_id),
            known=known,
            reveal=reveal,
            now=now,
            outbox=tuple(outbox),
        )

    def _revealed(self, known: StoredConversation, now: str) -> events.ConversationCreated:
        """The conversation comes into the caller's list, without the messages: all of them are hidden."""
        conversation = replace(known.public(), lastMessage=None, lastMessageAt=None)
        data = events.ConversationData(conversation=conversation, changedBy=conversation.createdBy)
        return events.ConversationCreated(eventId=self.ids.new(), timestamp=now, data=data)

    def _record(self, namespace: channels.Namespace, event: events.Event, caller: str, now: int) -> OutboxRecord:
        return outbox_record(namespace, event, [caller], now=now, fanout_limit=self.fanout_limit)
