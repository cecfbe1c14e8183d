"""What the API returns: the shapes of messages, conversations and users, as clients see them."""

from __future__ import annotations

from typing import Literal

import msgspec

MessageType = Literal["TEXT", "AUDIO", "IMAGE", "VIDEO", "FILE"]
ConversationType = Literal["DM", "GROUP"]
Role = Literal["ADMIN", "MEMBER"]
Year = Literal["Freshman", "Sophomore", "Junior", "Senior", "Graduate"]


class Message(msgspec.Struct, kw_only=True):
    """A message. `seq` counts the conversation's messages from 1 without a hole (null on messages of the old
    application); `timestamp` is the sort key: an ISO date that grows with `seq`. A deleted message keeps its
    place and loses content and media. `readBy` lists the other participants who have read it (left empty in
    conversations above the fan-out limit). `fileSize` is in bytes, `duration` in seconds.
    """

    messageId: str
    conversationId: str
    senderId: str
    timestamp: str
    type: MessageType
    seq: int | None = None
    content: str | None = None
    mediaUrl: str | None = None
    fileName: str | None = None
    fileSize: int | None = None
    duration: float | None = None
    replyTo: str | None = None
    readBy: list[str] = msgspec.field(default_factory=list)
    reactions: dict[str, list[str]] = msgspec.field(default_factory=dict)
    deleted: bool = False
    createdAt: str | None = None
    editedAt: str | None = None


class LastMessage(msgspec.Struct, kw_only=True):
    """The newest message as a list shows it: `preview` is its beginning, or null where the type says it all."""

    messageId: str
    senderId: str
    type: MessageType
    timestamp: str
    seq: int
    preview: str | None = None
    deleted: bool = False


class Conversation(msgspec.Struct, kw_only=True):
    """A conversation as every participant sees it. `version` grows with each change of name, members or roles
    (of a DM it is always 1); `latestSeq` is the newest message's number and `latestChange` the newest edit's or
    deletion's.
    """

    conversationId: str
    type: ConversationType
    participants: list[str]
    admins: list[str]
    createdBy: str
    createdAt: str
    updatedAt: str
    version: int
    latestSeq: int = 0
    latestChange: int = 0
    name: str | None = None
    description: str | None = None
    avatar: str | None = None
    lastMessageAt: str | None = None
    lastMessage: LastMessage | None = None


class Member(msgspec.Struct, kw_only=True):
    """A participant as the conversation's page shows it; `lastReadSeq` is how far that user has read."""

    userId: str
    role: Role
    joinedAt: str
    lastReadSeq: int = 0


class PublicUser(msgspec.Struct, kw_only=True):
    """What any signed-in user may see of another: never the e-mail address."""

    userId: str
    firstName: str
    lastName: str
    fullName: str
    profilePicture: str | None = None
    major: str | None = None
    year: Year | None = None
    bio: str | None = None
    interests: list[str] = msgspec.field(default_factory=list)
    portfolioUrl: str | None = None


class Profile(PublicUser, kw_only=True):
    """A user's own profile."""

    email: str
    emailVerified: bool
    createdAt: str
    updatedAt: str


class ConversationView(Conversation, kw_only=True):
    """A conversation as one participant sees it in the list: with the names to show and what is unread.

    For a DM `name` is the other participant's name. `participantNames` maps user ids to full names (of at most
    the first 20 participants of a large group).
    """

    unreadCount: int = 0
    lastReadSeq: int = 0
    participantNames: dict[str, str] = msgspec.field(default_factory=dict)
