"""The response models of the routes: one success envelope, one error envelope."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from contract.calls.models import CallView
from contract.models import Conversation, ConversationView, Member, Message, Profile, PublicUser
from contract.requests import ErrorCode


class Success(msgspec.Struct, kw_only=True):
    """The base of every response with a status below 400."""

    success: bool = True


class ErrorBody(msgspec.Struct, kw_only=True):
    """`code` is for programs, `message` for people. `field` names the wrong field of the request, or is null."""

    code: ErrorCode
    message: str
    field: str | None = None


class Failure(msgspec.Struct, kw_only=True):
    """Every response with a status of 400 or above. `call` is present only where the state of a call causes the error
    and the caller is a participant: it is the call in its present state.
    """

    error: ErrorBody
    success: bool = False
    call: CallView | UnsetType = UNSET


class Delivery(msgspec.Struct, kw_only=True):
    """The delivery of an event: number of recipients `delivered` (published) and `pending` (still in the queue)."""

    delivered: int
    pending: int


class Sent(Success):
    """The stored message and its delivery. `duplicate` is true where the `tempId` was accepted before: then `message`
    is the message stored first, and both numbers of `delivery` are 0, since the first request delivers it.
    """

    messageId: str
    tempId: str | None
    message: Message
    delivery: Delivery
    duplicate: bool = False


class Done(Success):
    """The request succeeded; the response has no further fields."""


class ReadDone(Success):
    """The caller's read mark and unread count after the request."""

    conversationId: str
    lastReadSeq: int
    unreadCount: int


class Changed(Success):
    """The message after the change, and the change number."""

    message: Message
    change: int


class HistoryPage(Success):
    """Messages: newest first in a page, oldest first in a gap response.

    A page may hold fewer messages than `limit`, even none; `nextCursor` is null on the last page. `changed` holds the
    messages edited or deleted since `afterChange`. `reload` is true where the gap cannot be filled: the client discards
    its messages and loads the newest page.
    """

    conversationId: str
    messages: list[Message]
    latestSeq: int
    latestChange: int
    nextCursor: str | None = None
    changed: list[Message] = msgspec.field(default_factory=list)
    reload: bool = False


class ConversationPage(Success):
    """A page of the caller's conversations, perhaps fewer than `limit`; `nextCursor` is null on the last page."""

    conversations: list[ConversationView]
    nextCursor: str | None = None


class ConversationAnswer(Success):
    """One conversation for the caller, with its members (of a group at most the first 100)."""

    conversation: ConversationView
    members: list[Member]


class DirectAnswer(Success):
    """The direct conversation and the other user; `created` is true where this request created it."""

    conversation: ConversationView
    otherUser: PublicUser
    created: bool


class GroupAnswer(Success):
    """The group after the request."""

    conversation: Conversation


class MeAnswer(Success):
    """The caller's own profile."""

    user: Profile


class UserAnswer(Success):
    """A user's public profile."""

    user: PublicUser
    isOwnProfile: bool
    isBlocked: bool


class UserPage(Success):
    """The users found."""

    users: list[PublicUser]


class BlockPage(Success):
    """The users whom the caller has blocked."""

    userIds: list[str]
