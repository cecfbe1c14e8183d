"""What the routes answer: one success envelope, one error envelope."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from contract.calls.models import CallView
from contract.models import Conversation, ConversationView, Member, Message, Profile, PublicUser
from contract.requests import ErrorCode


class Success(msgspec.Struct, kw_only=True):
    """The base of every answer with a status below 400."""

    success: bool = True


class ErrorBody(msgspec.Struct, kw_only=True):
    """`code` is for programs, `message` for people; `field` names the offending field of the request, if one is."""

    code: ErrorCode
    message: str
    field: str | None = None


class Failure(msgspec.Struct, kw_only=True):
    """Every answer with a status from 400 on. `call` is there only where a call's state is why: the call as it is
    now, where the caller takes part in it.
    """

    error: ErrorBody
    success: bool = False
    call: CallView | UnsetType = UNSET


class Delivery(msgspec.Struct, kw_only=True):
    """How far an accepted event has come: `delivered` recipients published to, `pending` ones in the queue."""

    delivered: int
    pending: int


class Sent(Success):
    """The stored message and its delivery; `duplicate` says that the tempId was accepted before: then `message` is
    the first one and `delivery` is all zero, since the first request delivers it.
    """

    messageId: str
    tempId: str | None
    message: Message
    delivery: Delivery
    duplicate: bool = False


class Done(Success):
    """Accepted; there is nothing to say."""


class ReadDone(Success):
    """How far the caller has now read."""

    conversationId: str
    lastReadSeq: int
    unreadCount: int


class Changed(Success):
    """The message as it is now, and the number of the change."""

    message: Message
    change: int


class HistoryPage(Success):
    """Messages, newest first for a page and oldest first for a gap.

    `nextCursor` is null on the last page. `changed` holds messages edited or deleted since `afterChange`.
    `reload` says that the gap cannot be filled: drop what you have and load the newest page.
    """

    conversationId: str
    messages: list[Message]
    latestSeq: int
    latestChange: int
    nextCursor: str | None = None
    changed: list[Message] = msgspec.field(default_factory=list)
    reload: bool = False


class ConversationPage(Success):
    """The caller's conversations; `nextCursor` is null on the last page."""

    conversations: list[ConversationView]
    nextCursor: str | None = None


class ConversationAnswer(Success):
    """One conversation as the caller sees it, with its members (the first 100 of a large group)."""

    conversation: ConversationView
    members: list[Member]


class DirectAnswer(Success):
    """The direct conversation and the other user; `created` says whether it is new."""

    conversation: ConversationView
    otherUser: PublicUser
    created: bool


class GroupAnswer(Success):
    """The group as it is now."""

    conversation: Conversation


class MeAnswer(Success):
    """The caller's own profile."""

    user: Profile


class UserAnswer(Success):
    """The public part of somebody's profile."""

    user: PublicUser
    isOwnProfile: bool
    isBlocked: bool


class UserPage(Success):
    """Users found."""

    users: list[PublicUser]


class BlockPage(Success):
    """The users whom the caller has blocked."""

    userIds: list[str]
