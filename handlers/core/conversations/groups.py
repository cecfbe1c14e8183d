"""Creates and changes groups: name, members, roles.

Every change is one transaction, conditional on the group's version. Concurrent changes are applied one after the other,
each completely. The events of a change are stored in the same transaction. A new member can read the whole history;
older messages do not count as unread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from contract import channels, limits
from contract.models import Conversation, Role
from contract.requests import CreateGroup, UpdateGroup
from handlers.core.conversations import membership
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.ids import group_id
from handlers.core.conversations.invitations import GroupInvitations, Invited
from handlers.core.conversations.ports import (
    ConversationStore,
    GroupChange,
    GroupRecord,
    HiddenMember,
    Membership,
    NewConversation,
    StoredConversation,
)
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock, Ids
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
    invitations: GroupInvitations
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    events: ConversationEvents

    def create(self, caller: str, request: CreateGroup) -> CreatedGroup:
        """Create a group with the caller as its admin; a repeated `tempId` returns the first group.

        Raises:
            InvalidRequestError: no other member, a blank name, or more members than `maxMembers`.
            NotFoundError: a member does not exist.
            ConflictError: a member cannot be added at present (`GroupInvitations`), the caller is in too many
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
                self.invitations.require_users(members, "memberIds")
                self.invitations.require_free_membership(caller)
                self.invitations.require_available(caller, members)
        for _ in attempts(self.clock):
            if earlier is not None:
                return CreatedGroup(earlier, created=False)
            with stage("read"):
                invited = self.invitations.invited(caller, members)
            creation = self._creation(conversation_id, caller, members, invited, replace(request, name=name))
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

        def change(stored: StoredConversation) -> GroupChange | None:
            before = stored.conversation
            membership.require_group_admin(before, caller)
            if all(getattr(before, field) == value for field, value in fields.items()):
                return None
            now = to_iso(self.clock.now())
            after = replace(before, **fields, version=before.version + 1, updatedAt=now)
            return GroupChange(
                before=before,
                after=after,
                hidden_members=stored.hidden_members,
                counted=False,
                outbox=(self.events.updated(after, caller, stored.members),),
            )

        return self._apply(caller, conversation_id, change)

    def add(self, caller: str, conversation_id: str, user_ids: list[str]) -> Conversation:
        """Add users; users who are already members are not changed.

        Raises:
            NotFoundError: the group or a user does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, the group would have too many members, or a user cannot be added
                at present (`GroupInvitations`).
        """
        checked: set[str] = set()

        def change(stored: StoredConversation) -> GroupChange | None:
            before = stored.conversation
            membership.require_group_admin(before, caller)
            added = membership.non_members(before, user_ids)
            if not added:
                return None
            unchecked = [user_id for user_id in added if user_id not in checked]
            group, _ = both(
                lambda: self.conversations.group(conversation_id),
                lambda: self.invitations.require_users(unchecked, "userIds"),
            )
            self.invitations.require_available(caller, unchecked)
            checked.update(unchecked)
            largest = (group.max_members if group else 0) or limits.GROUP_MEMBERS_MAX
            if len(before.participants) + len(added) > largest:
                raise ConflictError(
                    f"the group may have at most {largest} members; it has {len(before.participants)}", field="userIds"
                )
            invited = self.invitations.invited(caller, added)
            joined = [user_id for user_id in added if user_id not in invited.blockers]
            now = to_iso(self.clock.now())
            after = membership.with_members(before, added, now)
            outbox = [self.events.updated(after, caller, stored.members, to_all=False)]
            if joined:
                outbox.insert(0, self.events.created(after, caller, joined))
            return GroupChange(
                before=before,
                after=after,
                joined=tuple(_member(after, user_id, now, before.latestSeq) for user_id in joined),
                hidden_members={
                    **stored.hidden_members,
                    **_hidden(invited, added, now, before.latestSeq),
                },
                blocked_version=invited.blocked_version,
                outbox=tuple(outbox),
            )

        return self._apply(caller, conversation_id, change)

    def remove(self, caller: str, conversation_id: str, user_id: str) -> Conversation:
        """Remove a member.

        Raises:
            NotFoundError: the group or the member does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the caller must use `leave`.
        """

        def change(stored: StoredConversation) -> GroupChange:
            membership.require_group_admin(stored.conversation, caller)
            if user_id == caller:
                raise ConflictError("userId must be another member; use leaveGroup to leave the group", field="userId")
            return self._departure(stored, user_id, caller)

        return self._apply(caller, conversation_id, change)

    def leave(self, caller: str, conversation_id: str) -> None:
        """Leave a group; after its last admin the member who joined first becomes admin.

        Raises:
            NotFoundError: the conversation does not exist.
            ForbiddenError: the caller is not a participant.
            ConflictError: the conversation is direct.
        """

        def change(stored: StoredConversation) -> GroupChange:
            membership.require_participant(stored.conversation, caller)
            if stored.conversation.type == "DM":
                raise ConflictError("a direct conversation cannot be left; block the other user instead")
            return self._departure(stored, caller, caller)

        self._apply(caller, conversation_id, change)

    def set_role(self, caller: str, conversation_id: str, user_id: str, role: Role) -> Conversation:
        """Set the role of a member.

        Raises:
            NotFoundError: the group or the member does not exist.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the group would have no admin.
        """

        def change(stored: StoredConversation) -> GroupChange | None:
            before = stored.conversation
            membership.require_group_admin(before, caller)
            after = membership.with_role(before, user_id, role, to_iso(self.clock.now()))
            if after is before:
                return None
            return GroupChange(
                before=before,
                after=after,
                roles=_stored_roles(stored, after),
                hidden_members=stored.hidden_members,
                counted=False,
                outbox=(self.events.updated(after, caller, stored.members),),
            )

        return self._apply(caller, conversation_id, change)

    def _apply(
        self, caller: str, conversation_id: str, decide: Callable[[StoredConversation], GroupChange | None]
    ) -> Conversation:
        """Read, decide and write, again after a concurrent change; then publish the events of the change.

        Args:
            decide: returns the change of the conversation as read; None where there is nothing to change.

        Raises:
            ForbiddenError: the group is hidden from the caller, who gets the answer of a user who is no participant.
        """
        for _ in attempts(self.clock):
            with stage("read"):
                stored = self.conversations.get(conversation_id)
                if stored is None:
                    raise NotFoundError("no such conversation", field="conversationId")
                if caller in stored.hidden_members:
                    raise ForbiddenError("you are not a participant of this conversation")
                change = decide(stored)
            if change is None:
                return stored.public()
            with stage("write"):
                done = self.conversations.change(change)
            if done:
                self._dispatch(change.outbox)
                return change.after
        raise UnavailableError("too many concurrent changes of this group; nothing was stored; try again")

    def _departure(self, stored: StoredConversation, user_id: str, caller: str) -> GroupChange:
        """Return the change by which a member leaves: the group gets a new channel, which only the others receive."""
        before = stored.conversation
        now, epoch = to_iso(self.clock.now()), self.ids.new()
        after = membership.without_member(before, user_id, now, stored.hidden_members)
        after = replace(after, channel=channels.channel(channels.CONVERSATIONS, after.conversationId, epoch))
        remaining = [each for each in stored.members if each != user_id]
        outbox = [] if user_id in stored.hidden_members else [self.events.removed(after, caller, user_id)]
        if remaining:
            outbox.append(self.events.updated(after, caller, remaining))
        return GroupChange(
            before=before,
            after=after,
            left=(user_id,),
            roles=_stored_roles(stored, after),
            hidden_members={each: hidden for each, hidden in stored.hidden_members.items() if each != user_id},
            channel_epoch=epoch,
            outbox=tuple(outbox),
        )

    def _creation(
        self, conversation_id: str, caller: str, members: list[str], invited: Invited, request: CreateGroup
    ) -> NewConversation:
        now, epoch = to_iso(self.clock.now()), self.ids.new()
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
            channel=channels.channel(channels.CONVERSATIONS, conversation_id, epoch),
        )
        joined = [user_id for user_id in conversation.participants if user_id not in invited.blockers]
        return NewConversation(
            conversation=conversation,
            members=tuple(_member(conversation, user_id, now, 0) for user_id in joined),
            hidden_members=_hidden(invited, members, now, 0),
            blocked_version=invited.blocked_version,
            channel_epoch=epoch,
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
            outbox=(self.events.created(conversation, caller, joined),),
        )

    def _earlier(self, conversation_id: str, caller: str) -> Conversation | None:
        stored = self.conversations.get(conversation_id)
        if stored is None:
            return None
        if caller not in stored.members:
            raise ConflictError("tempId belongs to a group that you have left", field="tempId")
        return stored.public()

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


def _hidden(invited: Invited, user_ids: Sequence[str], now: str, last_read_seq: int) -> dict[str, HiddenMember]:
    """Return the hidden members among users who are added, with what a member would have."""
    member = HiddenMember(joined_at=now, last_read_seq=last_read_seq)
    return {user_id: member for user_id in user_ids if user_id in invited.blockers}


def _stored_roles(stored: StoredConversation, after: Conversation) -> dict[str, Role]:
    """Return the changed roles of members; hidden members have no item to store one in."""
    changed = membership.changed_roles(stored.conversation, after)
    return {user_id: role for user_id, role in changed.items() if user_id not in stored.hidden_members}


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise InvalidRequestError("name must not be blank", field="name")
    return name
