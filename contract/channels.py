"""The channel namespaces and who may do what in them: the one home of the permissions that the JS handlers enforce."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contract.limits import SEGMENT_CHARACTERS

_SEGMENT: Final = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{SEGMENT_CHARACTERS - 2}}}[A-Za-z0-9])?")


class Namespace(msgspec.Struct, frozen=True):
    """A channel namespace: every channel in it is `/{name}/{id}`, `id` being what `segment` says."""

    name: str
    segment: str
    subscribe: str
    publish: str
    carries: str
    optional: bool = False


CHATS: Final = Namespace(
    "chats",
    "userId",
    "that user only",
    "route functions (IAM)",
    "messages, edits, deletions, reads, typing and conversation changes for one user",
)
USERS: Final = Namespace(
    "users",
    "userId",
    "that user only",
    "route functions (IAM)",
    "ringing and calls, profile and block changes for one user",
)
CALLS: Final = Namespace(
    "calls",
    "sessionId",
    "participants of the call, looked up",
    "route functions (IAM)",
    "who joined and left a call, and its end",
)
CONVERSATIONS: Final = Namespace(
    "conversations",
    "conversationId",
    "members of the group, looked up",
    "members of the group, looked up; the sender is the token's sub",
    "messages that the handler itself stores (direct channel messaging)",
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
        ValueError: the id cannot be a channel segment (AppSync Events: channel namespaces).
    """
    if not _SEGMENT.fullmatch(segment):
        raise ValueError(f"{segment!r} cannot be a channel segment")
    return f"/{namespace.name}/{segment}"
