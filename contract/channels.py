"""The channel namespaces and their permissions, which the JS handlers in `appsync_js/` enforce."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contract.limits import SEGMENT_CHARACTERS

_SEGMENT: Final = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{SEGMENT_CHARACTERS - 2}}}[A-Za-z0-9])?")


class Namespace(msgspec.Struct, frozen=True):
    """A channel namespace; each of its channels is `/{name}/{id}`, in some namespaces with a further segment.

    Args:
        name: first segment of every channel.
        segments: what the segments after the name identify, for example `userId`.
        subscribe: the callers who may subscribe.
        publish: the callers who may publish.
        carries: the subject of the events, for the documents.
        optional: the namespace exists only in environments with direct channel messaging.
    """

    name: str
    segments: tuple[str, ...]
    subscribe: str
    publish: str
    carries: str
    optional: bool = False


CHATS: Final = Namespace(
    "chats",
    ("userId",),
    "the user with this userId",
    "route functions (IAM)",
    "messages, edits, deletions, reads, typing and conversation changes for one user",
)
USERS: Final = Namespace(
    "users",
    ("userId",),
    "the user with this userId",
    "route functions (IAM)",
    "call events, profile changes and block changes for one user",
)
CALLS: Final = Namespace(
    "calls",
    ("sessionId",),
    "participants of the call (checked in the table Calls)",
    "route functions (IAM)",
    "participants who join or leave a call, and the end of the call",
)
CONVERSATIONS: Final = Namespace(
    "conversations",
    ("conversationId", "channelEpoch"),
    "members of the group (checked in the table ConversationMembers), on its present channel only",
    "members of the group (checked in the table ConversationMembers), on its present channel only; the sender is the "
    "token's sub",
    "messages that the channel's handler stores (direct channel messaging)",
    optional=True,
)
NAMESPACES: Final[tuple[Namespace, ...]] = (CHATS, USERS, CALLS, CONVERSATIONS)


def template(namespace: Namespace) -> str:
    """Return the form of a namespace's channels, for example `/chats/{userId}`."""
    return "/".join((f"/{namespace.name}", *(f"{{{segment}}}" for segment in namespace.segments)))


def channel(namespace: Namespace, *segments: str) -> str:
    """Return the channel of one user, call or group.

    Args:
        namespace: one of `NAMESPACES`.
        segments: what `Namespace.segments` lists; letters, digits and inner dashes, at most 50 characters each.

    Returns:
        The channel path, for example `/chats/6f9619ff-8b86-4d01-b42d-00cf4fc964ff`.

    Raises:
        ValueError: a segment is not valid (AppSync Events: channel namespaces), or there are too many or too few.
    """
    if len(segments) != len(namespace.segments):
        raise ValueError(f"a channel of {namespace.name} is {template(namespace)}; given were {len(segments)} segments")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(
                f"{segment!r} cannot be a channel segment: allowed are letters, digits and inner dashes, "
                f"at most {SEGMENT_CHARACTERS} characters"
            )
    return "/".join((f"/{namespace.name}", *segments))
