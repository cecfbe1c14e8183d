"""Groups: create, rename, add and remove members, roles, leave.

Every change is one conditional write on the group's version: two admins who change it at once both get their change,
one after the other, and never half of it. Everybody concerned gets an event that is stored in the same write.
A member who is added sees the whole history; what was said before does not count as unread.
"""

from __future__ import annotations

from collections.abc import Callable

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
    ConversationStore,
    Directory,
    GroupChange,
    GroupRecord,
    Membership,
    NewConversation,
)
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import both, each
from handlers.core.shared.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage


class Created(msgspec.Struct, frozen=True):
    """A group, and whether this request made it."""

    conversation: Conversation
    created: bool


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """The operations on groups."""

    conversations: ConversationStore
    directory: Directory
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    events: ConversationEvents

    def create(self, caller: str, request: CreateGroup) -> Created:
        """Create a group with the caller as its admin; a repeated `tempId` returns the first group.

        Raises:
            InvalidRequestError: no other member, a blank name, or more members than `maxMembers`.
            NotFoundError: a member does not exist.
            ConflictError: somebody is in too many conversations; or the caller has left the group of this tempId.
        """
        name = _name(request.name)
        members = [user_id for user_id in dict.fromkeys(request.memberIds) if user_id != caller]
        if not members:
            raise InvalidRequestError("name somebody besides yourself", field="memberIds")
        if request.maxMembers and len(members) + 1 > request.maxMembers:
            raise InvalidRequestError("the group would start with more members than this", field="maxMembers")
        conversation_id = group_id(caller, request.tempId) if request.tempId else self.ids.new()
        with stage("read"):
            earlier = self._earlier(conversation_id, caller) if request.tempId else None
            if earlier is None:
                self._require_users(members, "memberIds")
                self._require_room([caller, *members])
        creation = self._creation(conversation_id, caller, members, replace(request, name=name))
        for _ in attempts(self.clock):
            if earlier is not None:
                return Created(earlier, created=False)
            with stage("write"):
                stored = self.conversations.create(creation)
            if stored:
                self._dispatch(creation.outbox)
                return Created(creation.conversation, created=True)
            earlier = self._earlier(conversation_id, caller)
        raise UnavailableError("the group is being made just now; try again")

    def update(self, caller: str, conversation_id: str, request: UpdateGroup) -> Conversation:
        """Change name, description or avatar; an absent field stays, null clears.

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
        """Add users; those who are members already stay as they are.

        Raises:
            NotFoundError: no such group or user.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, the group would be too large, or somebody is in too many.
        """
        checked: set[str] = set()

        def change(before: Conversation) -> GroupChange | None:
            membership.require_group_admin(before, caller)
            added = membership.newcomers(before, user_ids)
            if not added:
                return None
            unchecked = [user_id for user_id in added if user_id not in checked]
            group, _ = both(
                lambda: self.conversations.group(conversation_id), lambda: self._require_users(unchecked, "userIds")
            )
            self._require_room(unchecked)
            checked.update(unchecked)
            largest = (group.max_members if group else 0) or limits.GROUP_MEMBERS_MAX
            if len(before.participants) + len(added) > largest:
                raise ConflictError(f"the group may have {largest} members at most", field="userIds")
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
            NotFoundError: no such group or member.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the caller must use `leave`.
        """

        def change(before: Conversation) -> GroupChange:
            membership.require_group_admin(before, caller)
            if user_id == caller:
                raise ConflictError("to go yourself, leave the group", field="userId")
            return self._departure(before, user_id, caller)

        return self._apply(conversation_id, change)

    def leave(self, caller: str, conversation_id: str) -> None:
        """Leave a group; when its last admin leaves, the longest-standing member becomes admin.

        Raises:
            NotFoundError: no such conversation.
            ForbiddenError: the caller is not a participant.
            ConflictError: the conversation is direct.
        """

        def change(before: Conversation) -> GroupChange:
            membership.require_participant(before, caller)
            if before.type == "DM":
                raise ConflictError("a direct conversation cannot be left; you can block the other user")
            return self._departure(before, caller, caller)

        self._apply(conversation_id, change)

    def set_role(self, caller: str, conversation_id: str, user_id: str, role: Role) -> Conversation:
        """Make a member an admin, or an admin a member.

        Raises:
            NotFoundError: no such group or member.
            ForbiddenError: the caller is not an admin of the group.
            ConflictError: the conversation is direct, or the group would be left without an admin.
        """

        def change(before: Conversation) -> GroupChange | None:
            membership.require_group_admin(before, caller)
            after = membership.with_role(before, user_id, role, to_iso(self.clock.now()))
            if after is before:
                return None
            return GroupChange(
                before=before,
                after=after,
                roles=membership.promoted(before, after),
                counted=False,
                outbox=(self.events.updated(after, caller, after.participants),),
            )

        return self._apply(conversation_id, change)

    def _apply(self, conversation_id: str, decide: Callable[[Conversation], GroupChange | None]) -> Conversation:
        """Read, decide and write until nobody else was faster, then deliver; no change is an answer, too."""
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
        raise UnavailableError("too many others change this group just now; nothing was stored; try again")

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
            roles=membership.promoted(before, after),
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
            raise ConflictError("this tempId made a group that you have left", field="tempId")
        return stored.public()

    def _require_users(self, user_ids: list[str], field: str) -> None:
        known = self.directory.names(user_ids) if user_ids else {}
        missing = [user_id for user_id in user_ids if user_id not in known]
        if missing:
            raise NotFoundError(f"no such user: {', '.join(missing)}", field=field)

    def _require_room(self, user_ids: list[str]) -> None:
        """Keep everybody within the number of conversations that one list can order; approximate in a race."""
        counts = each(self.conversations.count_memberships, user_ids)
        for user_id, count in zip(user_ids, counts, strict=True):
            if count >= limits.CONVERSATIONS_PER_USER:
                raise ConflictError(f"the user {user_id} is in too many conversations")

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
        raise InvalidRequestError("the name is blank", field="name")
    return name
