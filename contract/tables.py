"""The DynamoDB tables: names, keys, indexes, time to live and streams.

The Data stack builds exactly these; the adapters, the JS handlers' placeholders and the documents read them.
Attribute types are DynamoDB's: "S" string, "N" number.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

KeyType = Literal["S", "N"]
Projection = Literal["ALL", "KEYS_ONLY"]


class Key(msgspec.Struct, frozen=True):
    """One key attribute: its name and DynamoDB type."""

    name: str
    type: KeyType = "S"


class Index(msgspec.Struct, frozen=True):
    """A global secondary index; an item without its key attributes is simply not in it."""

    name: str
    partition: Key
    sort: Key | None = None
    projection: Projection = "ALL"


class Table(msgspec.Struct, frozen=True):
    """A table: `entity` names it (`PantherKolab-{entity}-{environment}`), `purpose` says what one item is.

    `stateful` tables hold what users would miss; the others can be lost without losing data.
    """

    entity: str
    purpose: str
    partition: Key
    sort: Key | None = None
    indexes: tuple[Index, ...] = ()
    ttl: str | None = None
    stream: Literal["KEYS_ONLY"] | None = None
    stateful: bool = True

    def name(self, environment: str) -> str:
        """Return the physical table name in an environment."""
        return f"PantherKolab-{self.entity}-{environment}"

    def index(self, name: str) -> Index:
        """Return the index with a name.

        Raises:
            KeyError: the table has no such index.
        """
        found = {index.name: index for index in self.indexes}
        if name not in found:
            raise KeyError(f"the table {self.entity} has no index {name}; it has: {', '.join(found) or 'none'}")
        return found[name]

    @property
    def setting(self) -> str:
        """Return the environment variable that carries the table's name to a function (`USERS_TABLE`)."""
        words = "".join(f"_{letter}" if letter.isupper() else letter for letter in self.entity).strip("_")
        return f"{words.upper()}_TABLE"


USERS: Final = Table(
    "Users",
    "a user's profile; userId is the Cognito sub",
    Key("userId"),
    indexes=(Index("EmailIndex", Key("email")), Index("MajorIndex", Key("major"), Key("year"))),
)
USER_SEARCH: Final = Table(
    "UserSearch",
    "one word of a user's name, found by its first letters; rebuilt from the profile",
    Key("prefix"),
    Key("token"),
    stateful=False,
)
BLOCKS: Final = Table("Blocks", "userId has blocked blockedUserId", Key("userId"), Key("blockedUserId"))
CONVERSATIONS: Final = Table(
    "Conversations",
    "a direct or group conversation: participants, last sequence number, last message",
    Key("conversationId"),
)
CONVERSATION_MEMBERS: Final = Table(
    "ConversationMembers",
    "one user's membership of one conversation: role and what that user has read",
    Key("userId"),
    Key("conversationId"),
)
MESSAGES: Final = Table(
    "Messages",
    "a message; timestamp is an ISO date with milliseconds, unique and growing within its conversation",
    Key("conversationId"),
    Key("timestamp"),
    indexes=(Index("MessageIdIndex", Key("messageId")),),
)
MESSAGE_CHANGES: Final = Table(
    "MessageChanges",
    "one edit or deletion, numbered within its conversation, so that an offline client can ask for it",
    Key("conversationId"),
    Key("change", "N"),
    ttl="expiresAt",
)
GROUPS: Final = Table(
    "Groups",
    "what a group has beyond its conversation: class, tags, settings; groupId is the conversationId",
    Key("groupId"),
    indexes=(Index("ClassCodeIndex", Key("classCode"), Key("semester")),),
)
CALLS: Final = Table(
    "Calls",
    "a call; participants is a map by user id",
    Key("sessionId"),
    indexes=(Index("ByDue", Key("shard"), Key("dueAt"), "KEYS_ONLY"),),
)
USER_CALLS: Final = Table(
    "UserCalls",
    "userId took part in a call, or was called; callKey is `createdAt#sessionId`",
    Key("userId"),
    Key("callKey"),
)
CALL_LOCKS: Final = Table(
    "CallLocks",
    "the one call that goes on for userId; gone with the call's end",
    Key("userId"),
    stateful=False,
)
IDEMPOTENCY: Final = Table(
    "Idempotency",
    "a send that was accepted, by sender, conversation and tempId",
    Key("id"),
    ttl="expiresAt",
    stateful=False,
)
OUTBOX: Final = Table(
    "Outbox",
    "an event that is stored but not yet published to everybody; deleted once it is",
    Key("eventId"),
    indexes=(Index("ByDue", Key("shard"), Key("dueAt"), "KEYS_ONLY"),),
    ttl="expiresAt",
    stream="KEYS_ONLY",
)
RATE_LIMITS: Final = Table(
    "RateLimits", "how often a user did something in one window", Key("id"), ttl="expiresAt", stateful=False
)

TABLES: Final[tuple[Table, ...]] = (
    USERS,
    USER_SEARCH,
    BLOCKS,
    CONVERSATIONS,
    CONVERSATION_MEMBERS,
    MESSAGES,
    MESSAGE_CHANGES,
    GROUPS,
    CALLS,
    USER_CALLS,
    CALL_LOCKS,
    IDEMPOTENCY,
    OUTBOX,
    RATE_LIMITS,
)
