"""What the routes accept. Unknown fields are refused; lengths come from `limits`; ids are plain strings.

The guide's redundant identity fields (`senderId`) stay valid, and are refused with 403 when they contradict the
token. Rules that one field cannot state (which fields a message type needs) stand in `handlers.core.messages`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from contract import limits
from contract.models import MessageType, Role, Year

Id = Annotated[str, Meta(min_length=1, max_length=limits.ID_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+(?!\n)$")]
TempId = Annotated[str, Meta(min_length=1, max_length=limits.TEMP_ID_CHARACTERS, pattern=r"^[A-Za-z0-9._:-]+(?!\n)$")]
Content = Annotated[str, Meta(max_length=limits.CONTENT_CHARACTERS)]
Url = Annotated[str, Meta(max_length=limits.MEDIA_URL_CHARACTERS, pattern=r"^https://[^\s]+(?!\n)$")]
Ids = Annotated[list[Id], Meta(min_length=1, max_length=limits.MEMBERS_PER_REQUEST)]
Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARACTERS)]
OptionalName = Annotated[str, Meta(max_length=limits.NAME_CHARACTERS)]
GroupName = Annotated[str, Meta(min_length=1, max_length=limits.GROUP_NAME_CHARACTERS)]
Description = Annotated[str, Meta(max_length=limits.DESCRIPTION_CHARACTERS)]
Tags = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=limits.TAG_CHARACTERS)]],
    Meta(max_length=limits.TAGS_MAX),
]
Interests = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=limits.INTEREST_CHARACTERS)]],
    Meta(max_length=limits.INTERESTS_MAX),
]


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The base of every request: unknown fields are refused."""


class SendMessage(Request):
    """Send a message. A repeated `tempId` in the same conversation answers with the first result."""

    conversationId: Id
    content: Content | None = None
    type: MessageType = "TEXT"
    tempId: TempId | None = None
    senderId: Id | None = None
    mediaUrl: Url | None = None
    fileName: Annotated[str, Meta(min_length=1, max_length=limits.FILE_NAME_CHARACTERS)] | None = None
    fileSize: Annotated[int, Meta(ge=1, le=limits.FILE_SIZE_BYTES)] | None = None
    duration: Annotated[float, Meta(gt=0, le=limits.DURATION_SECONDS)] | None = None
    replyTo: Id | None = None


class Typing(Request):
    """Tell the other participants that the caller started or stopped typing."""

    conversationId: Id
    isTyping: bool


class MarkRead(Request):
    """Mark everything up to and including `seq` (or the message `messageId`) as read; one of the two."""

    conversationId: Id
    seq: Annotated[int, Meta(ge=1)] | None = None
    messageId: Id | None = None


class EditMessage(Request):
    """Replace the content of one of the caller's own messages."""

    conversationId: Id
    content: Content


class DeleteMessage(Request):
    """Delete one of the caller's own messages (a group's admin may delete anybody's). Comes as a query string."""

    conversationId: Id


class History(Request):
    """A page of history, or the answer to a gap. Comes as a query string.

    `before` (a message's timestamp) or `cursor` (from the previous page) page backwards. `afterSeq` asks for
    every message after that number, below `beforeSeq` if given; `afterChange` for every edit and deletion after
    that number. A gap too wide to fill answers `reload: true`.
    """

    limit: Annotated[int, Meta(ge=1, le=limits.HISTORY_PAGE_MAX)] = limits.HISTORY_PAGE
    before: Annotated[str, Meta(max_length=40)] | None = None
    cursor: Annotated[str, Meta(max_length=1024)] | None = None
    afterSeq: Annotated[int, Meta(ge=0)] | None = None
    beforeSeq: Annotated[int, Meta(ge=1)] | None = None
    afterChange: Annotated[int, Meta(ge=0)] | None = None


class ListConversations(Request):
    """A page of the caller's conversations, newest message first. Comes as a query string."""

    limit: Annotated[int, Meta(ge=1, le=limits.CONVERSATIONS_PAGE_MAX)] = limits.CONVERSATIONS_PAGE
    cursor: Annotated[str, Meta(max_length=1024)] | None = None


class OpenDirect(Request):
    """Find or create the conversation with one other user."""

    userId: Id


class CreateGroup(Request):
    """Create a group with the caller as its admin. A repeated `tempId` answers with the first group."""

    name: GroupName
    memberIds: Ids
    description: Description | None = None
    avatar: Url | None = None
    tempId: TempId | None = None
    classCode: Annotated[str, Meta(min_length=1, max_length=limits.CLASS_CODE_CHARACTERS)] | None = None
    semester: Annotated[str, Meta(min_length=1, max_length=limits.SEMESTER_CHARACTERS)] | None = None
    tags: Tags = msgspec.field(default_factory=list)
    isPublic: bool = False
    requireApproval: bool = True
    maxMembers: Annotated[int, Meta(ge=0, le=limits.GROUP_MEMBERS_MAX)] = 0


class UpdateGroup(Request):
    """Change a group's name, description or avatar; an absent field stays, null clears."""

    name: GroupName | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    avatar: Url | UnsetType | None = UNSET


class AddMembers(Request):
    """Add users to a group."""

    userIds: Ids


class SetRole(Request):
    """Make a member an admin, or an admin a member."""

    role: Role


class UpdateProfile(Request):
    """Change the caller's profile; an absent field stays, null clears. The e-mail address is Cognito's."""

    firstName: Name | UnsetType = UNSET
    lastName: OptionalName | UnsetType = UNSET
    profilePicture: Url | UnsetType | None = UNSET
    major: Annotated[str, Meta(min_length=1, max_length=limits.MAJOR_CHARACTERS)] | UnsetType | None = UNSET
    year: Year | UnsetType | None = UNSET
    bio: Annotated[str, Meta(max_length=limits.BIO_CHARACTERS)] | UnsetType | None = UNSET
    interests: Interests | UnsetType = UNSET
    portfolioUrl: Url | UnsetType | None = UNSET


class SearchUsers(Request):
    """Find users of whose names every word of `q` begins a word. Comes as a query string.

    At least one word needs two letters.
    """

    q: Annotated[str, Meta(min_length=1, max_length=limits.SEARCH_QUERY_CHARACTERS)]
    limit: Annotated[int, Meta(ge=1, le=limits.SEARCH_RESULTS_MAX)] = limits.SEARCH_RESULTS


class Nothing(Request):
    """No field at all."""


ErrorCode = Literal[
    "INVALID_REQUEST",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "CONFLICT",
    "TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "INTERNAL",
    "UNAVAILABLE",
]
