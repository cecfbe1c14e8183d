"""Creates and changes groups: name, members, roles.

Every change is one transaction, conditional on the group's version. Concurrent changes are applied one after the other,
each completely. The events of a change are stored in the same transaction. A new member can read the whole history;
older messages do not count as unread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from contract import limits
from contract.models import Conversation, Role
from contract.requests import CreateGroup, UpdateGroup
from handlers.core.conversations import membership
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.ids import group_id
from handlers.core.conversations.ports import (
    BlockReader,
    ConversationStore,
    GroupChange,
    GroupRecord,
    Membership,
    NewConversation,
    UserDirectory,
)
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import both, each
from handlers.core.shared.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.rates import UserRates
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage


class CreatedGroup(msgspec.Struct, frozen=True):
    """A group; `created` is true where this request created it, false where an earlier one with the same tempId did."""

    conversation: Conversation
    created: bool


class GroupManager(msgspec.Struct, frozen=True, kw_only=True):
    """Creates and changes groups."""

    conversations: ConversationStore
    directory: UserDirectory
    blocks: BlockReader
    rates: UserRates
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    events: ConversationEvents

    def create(self, caller: str, request: CreateGroup) -> CreatedGroup:
        """Create a group with the caller as its admin; a repeated `tempId` returns the first group.

        Raises:
            InvalidRequestError: no other member, a blank name, or more members than `maxMembers`.
            NotFoundError: a member does not exist.
            ConflictError: a member cannot be added at present (`_require_available`), the caller is in too many
                conversations, or has left the group of this tempId.
        """
        name = _name(request.name)
        members = [user_id for user_id in dict.fromkeys(request.memberIds) if user_id != caller]
        if not members:
            raise InvalidRequestError("memberIds must contain at least one other user", field="memberIds")
        if request.maxMembers and len(members) + 1 > request.maxMembers:
            raise InvalidRequestError(
                f"maxMembers must be 0 or at least {len(members) + 1}, the number of members of the new group",
                field="maxMembers",
            )
        conversation_id = group_id(caller, request.tempId) if request.tempId else self.ids.new()
        with stage("read"):
            earlier = self._earlier(conversation_id, caller) if request.tempId else None
            if earlier is None:
                self._require_users(members, "memberIds")
                self._require_free_membership(caller)
                self._require_available(caller, members)
        creation = self._creation(conversation_id, caller, members, replace(request, name=name))
        for _ in attempts(self.clock):
            if earlier is not None:
                return CreatedGroup(earlier, created=False)
            with stage("write"):
                stored = self.conversations.create(creation)
            if stored:
                self._dispatch(creation.outbox)
                return CreatedGroup(creation.conversation, created=True)
            earlier = self._earlier(conversation_id, caller)
        raise UnavailableError("too many concurrent requests create this group; try again")

    def update(self, caller: str, conversation_id: str, request: UpdateGroup) -> Conversation:
        """Change name, description or avatar. An absent field is not changed; null clears it.

        Raises:
            NotFoundError, ForbiddenError, ConflictError: as `membership.require_group_admin`.
            InvalidRequestError: a blank name.
        """
        fields = {
            field: getattr(request, field) or None
            for field in ("name", "description", "avatar")
            if getattr(request, field) is not UNSET
        }
        if "name" in fields:
            fields["name"] = _name(fields["name"] or "")

        def change(before: Conversation) -> GroupChange | None:
            membership.require_group_admin(before, caller)
            if all(getattr(before, field) == value for field, value in fields.items()):
                return None
            now = to_iso(self.clock.now())
            after = replace(before, **fields, version=before.version + 1, updatedAt=now)
            return GroupChange(
                before=before,
                after=after,
                counted=False,
                outbox=(self.events.updated(after, caller, after.participants),),
            )

        return self._apply(conversation_id, change)

    def add(self, caller: str, conversation_id: str, user_ids: list[str]) -> Conversation:
        """Add users; users who are already members are not changed.

        Raises:
            NotFoundError: the group or a user does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, the group would have too many members, or a user cannot be added
                at present (`_require_available`).
        """
        checked: set[str] = set()

        def change(before: Conversation) -> GroupChange | None:
            membership.require_group_admin(before, caller)
            added = membership.non_members(before, user_ids)
            if not added:
                return None
            unchecked = [user_id for user_id in added if user_id not in checked]
            group, _ = both(
                lambda: self.conversations.group(conversation_id), lambda: self._require_users(unchecked, "userIds")
            )
            self._require_available(caller, unchecked)
            checked.update(unchecked)
            largest = (group.max_members if group else 0) or limits.GROUP_MEMBERS_MAX
            if len(before.participants) + len(added) > largest:
                raise ConflictError(
                    f"the group may have at most {largest} members; it has {len(before.participants)}", field="userIds"
                )
            now = to_iso(self.clock.now())
            after = membership.with_members(before, added, now)
            return GroupChange(
                before=before,
                after=after,
                joined=tuple(_member(after, user_id, now, before.latestSeq) for user_id in added),
                outbox=(
                    self.events.created(after, caller, list(added)),
                    self.events.updated(after, caller, before.participants),
                ),
            )

        return self._apply(conversation_id, change)

    def remove(self, caller: str, conversation_id: str, user_id: str) -> Conversation:
        """Remove a member.

        Raises:
            NotFoundError: the group or the member does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the caller must use `leave`.
        """

        def change(before: Conversation) -> GroupChange:
            membership.require_group_admin(before, caller)
            if user_id == caller:
                raise ConflictError("userId must be another member; use leaveGroup to leave the group", field="userId")
            return self._departure(before, user_id, caller)

        return self._apply(conversation_id, change)

    def leave(self, caller: str, conversation_id: str) -> None:
        """Leave a group; after its last admin the member who joined first becomes admin.

        Raises:
            NotFoundError: the conversation does not exist.
            ForbiddenError: the caller is not a participant.
            ConflictError: the conversation is direct.
        """

        def change(before: Conversation) -> GroupChange:
            membership.require_participant(before, caller)
            if before.type == "DM":
                raise ConflictError("a direct conversation cannot be left; block the other user instead")
            return self._departure(before, caller, caller)

        self._apply(conversation_id, change)

    def set_role(self, caller: str, conversation_id: str, user_id: str, role: Role) -> Conversation:
        """Set the role of a member.

        Raises:
            NotFoundError: the group or the member does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the group would have no admin.
        """

        def change(before: Conversation) -> GroupChange | None:
            membership.require_group_admin(before, caller)
            after = membership.with_role(before, user_id, role, to_iso(self.clock.now()))
            if after is before:
                return None
            return GroupChange(
                before=before,
                after=after,
                roles=membership.changed_roles(before, after),
                counted=False,
                outbox=(self.events.updated(after, caller, after.participants),),
            )

        return self._apply(conversation_id, change)

    def _apply(self, conversation_id: str, decide: Callable[[Conversation], GroupChange | None]) -> Conversation:
        """Read, decide and write, again after a concurrent change; then publish the events of the change.

        Args:
            decide: returns the change of the conversation as read; None where there is nothing to change.
        """
        for _ in attempts(self.clock):
            with stage("read"):
                stored = self.conversations.get(conversation_id)
                if stored is None:
                    raise NotFoundError("no such conversation", field="conversationId")
                change = decide(stored.conversation)
            if change is None:
                return stored.public()
            with stage("write"):
                done = self.conversations.change(change)
            if done:
                self._dispatch(change.outbox)
                return change.after
        raise UnavailableError("too many concurrent changes of this group; nothing was stored; try again")

    def _departure(self, before: Conversation, user_id: str, caller: str) -> GroupChange:
        now = to_iso(self.clock.now())
        after = membership.without_member(before, user_id, now)
        outbox = [self.events.removed(after, caller, user_id)]
        if after.participants:
            outbox.append(self.events.updated(after, caller, after.participants))
        return GroupChange(
            before=before,
            after=after,
            left=(user_id,),
            roles=membership.changed_roles(before, after),
            outbox=tuple(outbox),
        )

    def _creation(self, conversation_id: str, caller: str, members: list[str], request: CreateGroup) -> NewConversation:
        now = to_iso(self.clock.now())
        conversation = Conversation(
            conversationId=conversation_id,
            type="GROUP",
            participants=[caller, *members],
            admins=[caller],
            createdBy=caller,
            createdAt=now,
            updatedAt=now,
            version=1,
            name=request.name,
            description=request.description or None,
            avatar=request.avatar,
        )
        return NewConversation(
            conversation=conversation,
            members=tuple(_member(conversation, user_id, now, 0) for user_id in conversation.participants),
            group=GroupRecord(
                group_id=conversation_id,
                created_at=now,
                member_count=len(conversation.participants),
                class_code=request.classCode,
                semester=request.semester,
                tags=tuple(dict.fromkeys(request.tags)),
                is_public=request.isPublic,
                require_approval=request.requireApproval,
                max_members=request.maxMembers,
            ),
            outbox=(self.events.created(conversation, caller, conversation.participants),),
        )

    def _earlier(self, conversation_id: str, caller: str) -> Conversation | None:
        stored = self.conversations.get(conversation_id)
        if stored is None:
            return None
        if caller not in stored.conversation.participants:
            raise ConflictError("tempId belongs to a group that you have left", field="tempId")
        return stored.public()

    def _require_users(self, user_ids: list[str], field: str) -> None:
        known = self.directory.names(user_ids) if user_ids else {}
        missing = [user_id for user_id in user_ids if user_id not in known]
        if missing:
            raise NotFoundError(f"{field} contains unknown users: {', '.join(missing)}", field=field)

    def _require_free_membership(self, caller: str) -> None:
        most = limits.CONVERSATIONS_PER_USER
        if self.conversations.count_memberships(caller) >= most:
            raise ConflictError(f"you are in {most} conversations, the largest number allowed")

    def _require_available(self, caller: str, user_ids: list[str]) -> None:
        """Refuse users whom the caller cannot add at present.

        They are in too many conversations, the caller has added them to too many groups today, or they have blocked the
        caller. The refusal is the same, so that it does not show a block. Concurrent additions may exceed the number of
        conversations slightly.
        """
        blockers = self.blocks.blockers(caller, user_ids) if user_ids else ()
        counts = each(self.conversations.count_memberships, user_ids)
        allowed = each(partial(self.rates.allows, caller, limits.INVITATION_RATE), user_ids)
        for user_id, count, is_allowed in zip(user_ids, counts, allowed, strict=True):
            if user_id in blockers or count >= limits.CONVERSATIONS_PER_USER or not is_allowed:
                raise ConflictError(f"the user {user_id} cannot be added at present")

    def _dispatch(self, outbox: tuple[OutboxRecord, ...]) -> None:
        for record in outbox:
            self.dispatcher.dispatch(record)


def _member(conversation: Conversation, user_id: str, now: str, last_read_seq: int) -> Membership:
    return Membership(
        user_id=user_id,
        conversation_id=conversation.conversationId,
        role="ADMIN" if user_id in conversation.admins else "MEMBER",
        type="GROUP",
        joined_at=now,
        last_read_seq=last_read_seq,
    )


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise InvalidRequestError("name must not be blank", field="name")
    return name
