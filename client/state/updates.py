"""The updates that the client passes to an application: each class is one change of what the user sees."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from client.errors import ClientError
from client.state.call_state import CallState
from contract.models import ConversationView, Message, PublicUser


class SyncState(enum.Enum):
    """How current the view is.

    OFFLINE: not connected. RECOVERING: subscribed, and reading what was missed. CURRENT: subscribed, and the list of
    conversations is as new as the subscriptions. SIGNED_OUT: the session is over; sign in again.
    """

    OFFLINE = "offline"
    RECOVERING = "recovering"
    CURRENT = "current"
    SIGNED_OUT = "signed out"


@dataclass(frozen=True)
class SyncStateChanged:
    """The connection was made or lost, or the view became current; `cause` is the error that ended the connection."""

    state: SyncState
    cause: ClientError | None = None


@dataclass(frozen=True)
class MessageAdded:
    """A message. Each is reported once, in the order of `seq`; `temp_id` names the draft that it replaces."""

    conversation_id: str
    message: Message
    temp_id: str | None = None


@dataclass(frozen=True)
class MessageChanged:
    """A message reported before was edited or deleted; `message` is its present state."""

    conversation_id: str
    message: Message


@dataclass(frozen=True)
class HistoryReset:
    """Too much was missed to fill the gap: the loaded messages are dropped, and the newest page replaces them.

    Messages after `after_seq` and before `first_seq` were never reported; older pages of history have them.
    """

    conversation_id: str
    after_seq: int
    first_seq: int


@dataclass(frozen=True)
class SendFailed:
    """A draft is not known to be stored; sending it again with its `temp_id` is safe."""

    conversation_id: str
    temp_id: str
    error: ClientError


@dataclass(frozen=True)
class ReadMarkMoved:
    """`user_id` has read every message up to `seq`."""

    conversation_id: str
    user_id: str
    seq: int


@dataclass(frozen=True)
class TypingChanged:
    """The users who type now, in the order in which they began; may be empty."""

    conversation_id: str
    user_ids: tuple[str, ...]


@dataclass(frozen=True)
class ConversationChanged:
    """A conversation is new, or its name, members, preview or unread count changed."""

    conversation: ConversationView

    @property
    def conversation_id(self) -> str:
        """The conversation's id."""
        return self.conversation.conversationId


@dataclass(frozen=True)
class ConversationRemoved:
    """The user is not a participant any more; `removed_by` is None where a recovery discovered it."""

    conversation_id: str
    removed_by: str | None


@dataclass(frozen=True)
class UserChanged:
    """The public profile of the user, or of a user in a shared conversation, changed."""

    user: PublicUser


@dataclass(frozen=True)
class BlockChanged:
    """The user blocked or unblocked another user, on this or another device."""

    user_id: str
    blocked: bool


class CallChangeKind(enum.Enum):
    """What happened to a call.

    INCOMING: this device should ring. RINGING: the user's own call rings at the recipients. CONNECTED: this device is
    in the call. ANSWERED_ELSEWHERE: another device of the user answered. OWNERSHIP_RECEIVED: the user owns the call
    now. FAILED: the call could not be connected.
    """

    INCOMING = "incoming"
    RINGING = "ringing"
    CONNECTED = "connected"
    ANSWERED_ELSEWHERE = "answered elsewhere"
    JOINED = "joined"
    LEFT = "left"
    OWNERSHIP_RECEIVED = "ownership received"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    MISSED = "missed"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class CallChanged:
    """A call of the user changed.

    Attributes:
        user_id: the participant who caused the change, if one did.
        problem: why the call could not be connected, for FAILED.
    """

    call: CallState
    kind: CallChangeKind
    user_id: str | None = None
    problem: str | None = None


ConversationUpdate = (
    MessageAdded
    | MessageChanged
    | HistoryReset
    | SendFailed
    | ReadMarkMoved
    | TypingChanged
    | ConversationChanged
    | ConversationRemoved
)
"""An update of one conversation; each has a `conversation_id`."""

Update = SyncStateChanged | ConversationUpdate | UserChanged | BlockChanged | CallChanged


def concerns(update: Update, conversation_id: str) -> bool:
    """Return whether an update is about a conversation."""
    return isinstance(update, ConversationUpdate) and update.conversation_id == conversation_id
