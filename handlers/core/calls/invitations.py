"""Checks a request to initiate a call against profiles, blocks and the group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from contract import limits
from contract.calls.models import CallType, MediaType
from contract.calls.requests import InitiateCall
from contract.models import Conversation
from handlers.core.conversations.ports import BlockReader, StoredConversation, UserDirectory
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import ForbiddenError, InvalidRequestError, NotFoundError


class CallGroups(Protocol):
    """The conversations port of calls: reads the members of a group."""

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read one conversation, consistently."""
        ...


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A call that may be initiated.

    Args:
        called: full names by user id, without the caller.
        hidden_from: the called users who have blocked the caller, or from whom the group is hidden.
    """

    call_type: CallType
    media_type: MediaType
    caller_name: str
    called: Mapping[str, str]
    conversation_id: str | None = None
    hidden_from: frozenset[str] = frozenset()


class Invitations(msgspec.Struct, frozen=True):
    """Creates invitations from requests."""

    directory: UserDirectory
    blocks: BlockReader
    conversations: CallGroups

    def invite(self, caller: str, request: InitiateCall) -> Invitation:
        """Return the call that a request may initiate.

        Raises:
            InvalidRequestError: the fields contradict each other, or name only the caller or a user outside the group.
            ForbiddenError: the caller has blocked the user, or is not a member of the group.
            NotFoundError: no such user or conversation.
        """
        media_type = _media_type(request)
        if _is_group(request):
            return self._to_group(caller, request, media_type)
        return self._to_user(caller, request.recipientId or "", media_type)

    def _to_user(self, caller: str, user_id: str, media_type: MediaType) -> Invitation:
        if user_id == caller:
            raise InvalidRequestError("you cannot call yourself", field="recipientId")
        names, blocks = both(
            lambda: self.directory.names([caller, user_id]), lambda: self.blocks.between(caller, user_id)
        )
        if user_id not in names:
            raise NotFoundError("no such user", field="recipientId")
        if blocks[caller, user_id]:
            raise ForbiddenError("you have blocked this user; unblock first")
        return Invitation(
            call_type="DIRECT",
            media_type=media_type,
            caller_name=_own_name(names, caller),
            called={user_id: names[user_id]},
            hidden_from=frozenset({user_id}) if blocks[user_id, caller] else frozenset(),
        )

    def _to_group(self, caller: str, request: InitiateCall, media_type: MediaType) -> Invitation:
        stored = self.conversations.get(request.conversationId or "")
        if stored is None:
            raise NotFoundError("no such conversation", field="conversationId")
        if caller in stored.hidden_members:
            raise ForbiddenError("you are not a participant of this conversation")
        called = _called(caller, stored.conversation, request.participantIds)
        names = self.directory.names([caller, *called])
        present = {user_id: names[user_id] for user_id in called if user_id in names}
        if not present:
            raise InvalidRequestError("no other member of the group can be called", field="participantIds")
        return Invitation(
            call_type="GROUP",
            media_type=media_type,
            caller_name=_own_name(names, caller),
            called=present,
            conversation_id=stored.conversation.conversationId,
            hidden_from=frozenset(present.keys() & stored.hidden_members.keys()),
        )


def _own_name(names: Mapping[str, str], caller: str) -> str:
    if caller not in names:
        raise ForbiddenError("you have no profile yet: read your own profile first")
    return names[caller]


def _is_group(request: InitiateCall) -> bool:
    """Return whether the request is for a group call.

    Raises:
        InvalidRequestError: recipient, conversation, participants and callType contradict each other.
    """
    grouped = request.conversationId is not None
    if grouped == (request.recipientId is not None):
        raise InvalidRequestError(
            "send either recipientId, to call one user, or conversationId, to call a group", field="recipientId"
        )
    if request.participantIds is not None and not grouped:
        raise InvalidRequestError("participantIds needs the conversationId of a group", field="participantIds")
    if request.callType is not None and (request.callType == "GROUP") != grouped:
        wanted = "GROUP needs conversationId" if not grouped else f"{request.callType} needs recipientId"
        raise InvalidRequestError(wanted, field="callType")
    return grouped


def _media_type(request: InitiateCall) -> MediaType:
    legacy: MediaType | None = request.callType if request.callType in ("AUDIO", "VIDEO") else None
    if legacy is not None and request.mediaType not in (None, legacy):
        raise InvalidRequestError(f"callType {legacy} and mediaType {request.mediaType} differ", field="mediaType")
    return legacy or request.mediaType or "AUDIO"


def _called(caller: str, group: Conversation, wanted: list[str] | None) -> list[str]:
    """Return the users whom a group call rings.

    Raises:
        ForbiddenError: the caller is not a member.
        InvalidRequestError: the conversation is direct, a user is not in the group, or none or too many would be
            called.
    """
    if caller not in group.participants:
        raise ForbiddenError("you are not a participant of this conversation")
    if group.type == "DM":
        raise InvalidRequestError(
            "use recipientId to call the other user of a direct conversation", field="conversationId"
        )
    named = group.participants if wanted is None else wanted
    outside = sorted(set(named) - set(group.participants))
    if outside:
        raise InvalidRequestError(f"not in this group: {', '.join(outside)}", field="participantIds")
    called = [user_id for user_id in dict.fromkeys(named) if user_id != caller]
    if not called:
        raise InvalidRequestError("participantIds must contain at least one other user", field="participantIds")
    if len(called) >= limits.CALL_PARTICIPANTS_MAX:
        most = limits.CALL_PARTICIPANTS_MAX - 1
        raise InvalidRequestError(f"at most {most} others can be called: send participantIds", field="participantIds")
    return called
