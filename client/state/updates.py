"""What this client tells an application: each class is one change of what its user sees."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from client.errors import Failure
from client.state.call import Call
from contract.models import ConversationView, Message, PublicUser


class Link(enum.Enum):
    """How current the view is. CURRENT: subscribed, and everything missed has been asked for and applied."""

    OFFLINE = "offline"
    RECOVERING = "recovering"
    CURRENT = "current"
    SIGNED_OUT = "signed out"


@dataclass(frozen=True)
class LinkChanged:
    """The connection came, went or caught up; `cause` says why it went."""

    link: Link
    cause: Failure | None = None


@dataclass(frozen=True)
class MessageAdded:
    """A message, handed out once and in the order of `seq`; `temp_id` names the optimistic copy that it replaces."""

    conversation_id: str
    message: Message
    temp_id: str | None = None


@dataclass(frozen=True)
class MessageChanged:
    """A message handed out before was edited or deleted; this is how it is now."""

    conversation_id: str
    message: Message


@dataclass(frozen=True)
class HistoryReset:
    """Too much was missed to fill the gap: what was loaded is gone, the newest page takes its place.

    Messages after `after_seq` and before `first_seq` were never handed out; older pages of history have them.
    """

    conversation_id: str
    after_seq: int
    first_seq: int


@dataclass(frozen=True)
class SendFailed:
    """An optimistic message was not stored as far as anybody knows; sending it again with its `temp_id` is safe."""

    conversation_id: str
    temp_id: str
    error: Failure


@dataclass(frozen=True)
class ReadMoved:
    """`user_id` has read everything up to `seq`."""

    conversation_id: str
    user_id: str
    seq: int


@dataclass(frozen=True)
class TypingChanged:
    """Who is typing now, in the order in which they began; empty when nobody is."""

    conversation_id: str
    user_ids: tuple[str, ...]


@dataclass(frozen=True)
class ConversationChanged:
    """A conversation is new, or its name, members, preview or unread count changed."""

    conversation: ConversationView


@dataclass(frozen=True)
class ConversationGone:
    """The user is no longer in a conversation; `removed_by` is None where that was noticed only afterwards."""

    conversation_id: str
    removed_by: str | None


@dataclass(frozen=True)
class UserChanged:
    """Somebody the user talks with (or the user) changed the public profile."""

    user: PublicUser


@dataclass(frozen=True)
class BlockChanged:
    """The user blocked or unblocked somebody, on this or another device."""

    user_id: str
    blocked: bool


class CallNews(enum.Enum):
    """What happened to a call. RINGS: this device should ring; RINGING: the user's own call rings at the others;
    CONNECTED: this device is in the call; ELSEWHERE: another device of the user answered; OWNED: the call is the
    user's now.
    """

    RINGS = "rings"
    RINGING = "ringing"
    CONNECTED = "connected"
    ELSEWHERE = "answered elsewhere"
    JOINED = "joined"
    LEFT = "left"
    OWNED = "owned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    MISSED = "missed"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class CallChanged:
    """A call that the user takes part in changed; `user_id` is who did it, where somebody did."""

    call: Call
    news: CallNews
    user_id: str | None = None
    problem: str | None = None


Update = (
    LinkChanged
    | MessageAdded
    | MessageChanged
    | HistoryReset
    | SendFailed
    | ReadMoved
    | TypingChanged
    | ConversationChanged
    | ConversationGone
    | UserChanged
    | BlockChanged
    | CallChanged
)
