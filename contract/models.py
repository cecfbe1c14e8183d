"""The models of messages, conversations and users in responses and events."""

from __future__ import annotations

from typing import Literal

import msgspec

MessageType = Literal["TEXT", "AUDIO", "IMAGE", "VIDEO", "FILE"]
ConversationType = Literal["DM", "GROUP"]
Role = Literal["ADMIN", "MEMBER"]
Year = Literal["Freshman", "Sophomore", "Junior", "Senior", "Graduate"]


class Message(msgspec.Struct, kw_only=True):
    """A message. `seq` is its sequence number: gap-free, from 1 within the conversation (null on messages of the old
    application). `timestamp` is the sort key: an ISO date that increases with `seq`. A deleted message keeps its
    sequence number and loses content and media. `readBy` lists the other participants who have read it (empty in
    conversations with more participants than the fan-out limit). `fileSize` is in bytes, `duration` in seconds.
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
    """The newest message, for the list: `preview` is the beginning of its content, or null where it has none."""

    messageId: str
    senderId: str
    type: MessageType
    timestamp: str
    seq: int
    preview: str | None = None
    deleted: bool = False


class Conversation(msgspec.Struct, kw_only=True):
    """A conversation, equal for all participants. `version` increases with each change of name, members or roles
    (in a DM it is always 1). `latestSeq` is the sequence number of the newest message, `latestChange` the change
    number of the newest edit or deletion. `channel` is the group's present channel for direct channel messaging, where
    the environment has it: it changes whenever a member leaves or is removed (null in a DM, and in groups of the old
    application until their first message).
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
    channel: str | None = None


class Member(msgspec.Struct, kw_only=True):
    """A participant with role and read mark: messages up to the sequence number `lastReadSeq` are read."""

    userId: str
    role: Role
    joinedAt: str
    lastReadSeq: int = 0


class PublicUser(msgspec.Struct, kw_only=True):
    """The public profile: visible to every signed-in user, without the e-mail address."""

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
    """A conversation with what is specific to the caller: names and unread count.

    In a DM `name` is the other participant's full name. `participantNames` maps user ids to full names (in a group
    of at most the first 20 participants).
    """

    unreadCount: int = 0
    lastReadSeq: int = 0
    participantNames: dict[str, str] = msgspec.field(default_factory=dict)
