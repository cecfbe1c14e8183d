"""The rules for members and admins of a group, as pure functions.

Invariants: every admin is a participant; no participant occurs twice; a group with participants has an admin;
participants are in the order in which they joined; each change increases the version by one. Participants for whom the
group is hidden (`ports.HiddenMember`) are treated like the others, so that the block does not show; but none of them
becomes admin when the last other admin leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from contract.models import Conversation, Role
from handlers.core.shared.errors import ConflictError, ForbiddenError, NotFoundError


def require_participant(conversation: Conversation, user_id: str) -> None:
    """Refuse a user who is not a participant.

    Raises:
        ForbiddenError: the user is not a participant.
    """
    if user_id not in conversation.participants:
        raise ForbiddenError("you are not a participant of this conversation")


def require_group_admin(conversation: Conversation, user_id: str) -> None:
    """Refuse a user who may not change the group.

    Raises:
        ForbiddenError: the user is not a participant, or not an admin.
        ConflictError: the conversation is direct.
    """
    require_participant(conversation, user_id)
    if conversation.type == "DM":
        raise ConflictError("a direct conversation cannot be changed")
    if user_id not in conversation.admins:
        raise ForbiddenError("only admins of the group may change it")


def non_members(conversation: Conversation, user_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the users who are not participants, each once, in the order given."""
    known = set(conversation.participants)
    return tuple(user_id for user_id in dict.fromkeys(user_ids) if user_id not in known)


def with_members(conversation: Conversation, user_ids: Sequence[str], now: str) -> Conversation:
    """Return the group with new participants at the end of the list."""
    participants = [*conversation.participants, *user_ids]
    return _changed(conversation, now, participants, conversation.admins or participants[:1])


def without_member(conversation: Conversation, user_id: str, now: str, hidden: Collection[str] = ()) -> Conversation:
    """Return the group without a member; if no admin remains, the member who joined first becomes admin.

    Args:
        hidden: participants for whom the group is hidden.

    Raises:
        NotFoundError: the user is not a member.
    """
    if user_id not in conversation.participants:
        raise NotFoundError("userId is not a member of this group", field="userId")
    left = [each for each in conversation.participants if each != user_id]
    admins = [each for each in conversation.admins if each != user_id]
    if all(each in hidden for each in admins):
        admins += [each for each in left if each not in hidden][:1] or left[:1]
    return _changed(conversation, now, left, list(dict.fromkeys(admins)))


def with_role(conversation: Conversation, user_id: str, role: Role, now: str) -> Conversation:
    """Return the group with a member in a role; the same object where the member already has the role.

    Raises:
        NotFoundError: the user is not a member.
        ConflictError: the group would be left without an admin.
    """
    if user_id not in conversation.participants:
        raise NotFoundError("userId is not a member of this group", field="userId")
    if (role == "ADMIN") == (user_id in conversation.admins):
        return conversation
    if role == "ADMIN":
        return _changed(conversation, now, conversation.participants, [*conversation.admins, user_id])
    admins = [each for each in conversation.admins if each != user_id]
    if not admins:
        raise ConflictError("the group would have no admin: make another member an admin first")
    return _changed(conversation, now, conversation.participants, admins)


def changed_roles(before: Conversation, after: Conversation) -> dict[str, Role]:
    """Return the new role of each member whose role a change set, among the members before and after it."""
    stayed = set(before.participants) & set(after.participants)
    return {
        user_id: "ADMIN" if user_id in after.admins else "MEMBER"
        for user_id in after.participants
        if user_id in stayed and (user_id in before.admins) != (user_id in after.admins)
    }


def _changed(conversation: Conversation, now: str, participants: list[str], admins: list[str]) -> Conversation:
    return replace(
        conversation,
        participants=participants,
        admins=admins,
        version=conversation.version + 1,
        updatedAt=now,
    )
