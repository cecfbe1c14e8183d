"""The channel namespaces and their permissions, which the JS handlers in `appsync_js/` enforce."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contract.limits import SEGMENT_CHARACTERS

_SEGMENT: Final = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{SEGMENT_CHARACTERS - 2}}}[A-Za-z0-9])?")


class Namespace(msgspec.Struct, frozen=True):
    """A channel namespace; each of its channels is `/{name}/{id}`.

    Args:
        name: first segment of every channel.
        segment: what the second segment identifies, for example `userId`.
        subscribe: the callers who may subscribe.
        publish: the callers who may publish.
        carries: the subject of the events, for the documents.
        optional: the namespace exists only in environments with direct channel messaging.
    """

    name: str
    segment: str
    subscribe: str
    publish: str
    carries: str
    optional: bool = False


CHATS: Final = Namespace(
    "chats",
    "userId",
    "the user with this userId",
    "route functions (IAM)",
    "messages, edits, deletions, reads, typing and conversation changes for one user",
)
USERS: Final = Namespace(
    "users",
    "userId",
    "the user with this userId",
    "route functions (IAM)",
    "call events, profile changes and block changes for one user",
)
CALLS: Final = Namespace(
    "calls",
    "sessionId",
    "participants of the call (checked in the table Calls)",
    "route functions (IAM)",
    "participants who join or leave a call, and the end of the call",
)
CONVERSATIONS: Final = Namespace(
    "conversations",
    "conversationId",
    "members of the group (checked in the table ConversationMembers)",
    "members of the group (checked in the table ConversationMembers); the sender is the token's sub",
    "messages that the channel's handler stores (direct channel messaging)",
    optional=True,
)
NAMESPACES: Final[tuple[Namespace, ...]] = (CHATS, USERS, CALLS, CONVERSATIONS)


def channel(namespace: Namespace, segment: str) -> str:
    """Return the channel of one user, call or conversation.

    Args:
        namespace: one of `NAMESPACES`.
        segment: the id; letters, digits and inner dashes, at most 50 characters.

    Returns:
        The channel path, for example `/chats/6f9619ff-8b86-4d01-b42d-00cf4fc964ff`.

    Raises:
        ValueError: the id is not a valid channel segment (AppSync Events: channel namespaces).
    """
    if not _SEGMENT.fullmatch(segment):
        raise ValueError(
            f"{segment!r} cannot be a channel segment: allowed are letters, digits and inner dashes, "
            f"at most {SEGMENT_CHARACTERS} characters"
        )
    return f"/{namespace.name}/{segment}"
