"""The request models of the routes. Unknown fields are refused; lengths come from `limits`; ids are plain strings.

The migration guide's redundant identity fields (`senderId`) are accepted, and refused with 403 where they contradict
the token. Rules over several fields (for example which fields a message type needs) stand in `handlers.core.messages`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from contract import limits
from contract.models import MessageType, Role, Year

Id = Annotated[str, Meta(min_length=1, max_length=limits.ID_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+(?!\n)$")]
ConversationId = Annotated[
    str, Meta(min_length=1, max_length=limits.CONVERSATION_ID_CHARACTERS, pattern=r"^[A-Za-z0-9_-]+(?!\n)$")
]
PATH_PARAMETERS: Final = {"conversationId": ConversationId}
"""The types of parameters in a route's path; every other one is an `Id`."""
TempId = Annotated[str, Meta(min_length=1, max_length=limits.TEMP_ID_CHARACTERS, pattern=r"^[A-Za-z0-9._:-]+(?!\n)$")]
Content = Annotated[str, Meta(max_length=limits.CONTENT_CHARACTERS)]
# Spelled out, because `\s` means other characters in Java (JS handlers), JavaScript (the document) and Python.
_NO_SPACE = r"[^\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
Url = Annotated[str, Meta(max_length=limits.MEDIA_URL_CHARACTERS, pattern=rf"^https://{_NO_SPACE}+(?!\n)$")]
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
    """Send a message. A repeated `tempId` in the same conversation gets the first result."""

    conversationId: ConversationId
    content: Content | None = None
    type: MessageType = "TEXT"
    tempId: TempId | None = None
    senderId: Id | None = None
    mediaUrl: Url | None = None
    fileName: Annotated[str, Meta(min_length=1, max_length=limits.FILE_NAME_CHARACTERS)] | None = None
    fileSize: Annotated[int, Meta(ge=1, le=limits.FILE_SIZE_BYTES)] | None = None
    duration: Annotated[float, Meta(ge=limits.DURATION_SECONDS_MIN, le=limits.DURATION_SECONDS)] | None = None
    replyTo: Id | None = None


class Typing(Request):
    """Publish to the other participants that the caller started or stopped typing."""

    conversationId: ConversationId
    isTyping: bool


class MarkRead(Request):
    """Mark every message up to and including `seq` or `messageId` as read. Exactly one of the two is given."""

    conversationId: ConversationId
    seq: Annotated[int, Meta(ge=1, le=limits.SEQUENCE_NUMBER_MAX)] | None = None
    messageId: Id | None = None


class EditMessage(Request):
    """Replace the content of one of the caller's own messages."""

    conversationId: ConversationId
    content: Content


class DeleteMessage(Request):
    """Delete a message: the caller's own, or as a group's admin any message. Sent as query string."""

    conversationId: ConversationId


class History(Request):
    """Read a page of history, or the messages and changes of a gap. Sent as query string.

    `before` (a message's timestamp) or `cursor` (from the previous page) selects an older page. `afterSeq` selects
    every message with a higher sequence number, below `beforeSeq` if given; `afterChange` every edit and deletion with
    a higher change number. A gap that is too large gets `reload: true`. `before`, `cursor` and the fields of a gap
    exclude each other.
    """

    limit: Annotated[int, Meta(ge=1, le=limits.HISTORY_PAGE_MAX)] = limits.HISTORY_PAGE
    before: Annotated[str, Meta(max_length=40)] | None = None
    cursor: Annotated[str, Meta(max_length=1024)] | None = None
    afterSeq: Annotated[int, Meta(ge=0, le=limits.SEQUENCE_NUMBER_MAX)] | None = None
    beforeSeq: Annotated[int, Meta(ge=1, le=limits.SEQUENCE_NUMBER_MAX)] | None = None
    afterChange: Annotated[int, Meta(ge=0, le=limits.SEQUENCE_NUMBER_MAX)] | None = None


class ListConversations(Request):
    """Read a page of the caller's conversations, sorted by newest message. Sent as query string."""

    limit: Annotated[int, Meta(ge=1, le=limits.CONVERSATIONS_PAGE_MAX)] = limits.CONVERSATIONS_PAGE
    cursor: Annotated[str, Meta(max_length=1024)] | None = None


class OpenDirect(Request):
    """Find or create the direct conversation with one other user."""

    userId: Id


class CreateGroup(Request):
    """Create a group with the caller as its admin. A repeated `tempId` gets the first group."""

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
    """Change a group's name, description or avatar. An absent field is not changed; null clears it."""

    name: GroupName | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    avatar: Url | UnsetType | None = UNSET


class AddMembers(Request):
    """Add users to a group."""

    userIds: Ids


class SetRole(Request):
    """Set the role of a member."""

    role: Role


class UpdateProfile(Request):
    """Change the caller's profile. An absent field is not changed; null clears it. Cognito owns the e-mail address."""

    firstName: Name | UnsetType = UNSET
    lastName: OptionalName | UnsetType = UNSET
    profilePicture: Url | UnsetType | None = UNSET
    major: Annotated[str, Meta(min_length=1, max_length=limits.MAJOR_CHARACTERS)] | UnsetType | None = UNSET
    year: Year | UnsetType | None = UNSET
    bio: Annotated[str, Meta(max_length=limits.BIO_CHARACTERS)] | UnsetType | None = UNSET
    interests: Interests | UnsetType = UNSET
    portfolioUrl: Url | UnsetType | None = UNSET


class SearchUsers(Request):
    """Find users by name: every word of `q` must be the beginning of a word of the name. Sent as query string.

    At least one word of `q` must have two letters.
    """

    q: Annotated[str, Meta(min_length=1, max_length=limits.SEARCH_QUERY_CHARACTERS)]
    limit: Annotated[int, Meta(ge=1, le=limits.SEARCH_RESULTS_MAX)] = limits.SEARCH_RESULTS


class EmptyRequest(Request):
    """A request without fields."""


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
