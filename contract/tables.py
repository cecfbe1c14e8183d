"""The DynamoDB tables: names, keys, indexes, time to live and streams.

The Data stack creates exactly these tables; the adapters, the placeholders of the JS handlers and the documents read
them. Key types are DynamoDB's: "S" string, "N" number.
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
    """A global secondary index. It holds only the items that have its key attributes."""

    name: str
    partition: Key
    sort: Key | None = None
    projection: Projection = "ALL"


class Table(msgspec.Struct, frozen=True):
    """A table.

    Args:
        entity: part of the name, `PantherKolab-{entity}-{environment}`.
        purpose: what one item is.
        partition, sort: the table's key.
        indexes: its global secondary indexes.
        ttl: attribute with the time to live, in epoch seconds.
        stream: view type of the table's stream, if it has one.
        stateful: the table holds user data; the content of the other tables can be rebuilt or is temporary.
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
        """Return the environment variable that holds the table's name in a function, for example `USERS_TABLE`."""
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
    "one word of a user's name, for search by its first letters; can be rebuilt from the profile",
    Key("prefix"),
    Key("token"),
    stateful=False,
)
BLOCKS: Final = Table("Blocks", "userId has blocked blockedUserId", Key("userId"), Key("blockedUserId"))
CONVERSATIONS: Final = Table(
    "Conversations",
    "a direct or group conversation: participants, last message; of a direct one also the sequence numbers",
    Key("conversationId"),
)
CONVERSATION_COUNTERS: Final = Table(
    "ConversationCounters",
    "the sequence and change numbers of one group: the last ones, and those whose message or change is not yet stored",
    Key("conversationId"),
)
CONVERSATION_MEMBERS: Final = Table(
    "ConversationMembers",
    "one user's membership in one conversation: role and read mark",
    Key("userId"),
    Key("conversationId"),
)
MESSAGES: Final = Table(
    "Messages",
    "a message; timestamp is an ISO date with milliseconds, unique and increasing within its conversation",
    Key("conversationId"),
    Key("timestamp"),
    indexes=(Index("MessageIdIndex", Key("messageId")),),
    ttl="expiresAt",
)
MESSAGE_CHANGES: Final = Table(
    "MessageChanges",
    "one edit or deletion with its change number, so that a client that was offline can request it",
    Key("conversationId"),
    Key("change", "N"),
    ttl="expiresAt",
)
GROUPS: Final = Table(
    "Groups",
    "the attributes of a group besides its conversation: class, tags, settings; groupId is the conversationId",
    Key("groupId"),
    indexes=(Index("ClassCodeIndex", Key("classCode"), Key("semester")),),
)
CALLS: Final = Table(
    "Calls",
    "a call; participants is a map by user id",
    Key("sessionId"),
    indexes=(Index("ByDue", Key("shard"), Key("dueAt"), "KEYS_ONLY"),),
    ttl="expiresAt",
)
USER_CALLS: Final = Table(
    "UserCalls",
    "a call in which userId was a participant or was called; callKey is `createdAt#sessionId`",
    Key("userId"),
    Key("callKey"),
    ttl="expiresAt",
)
CALL_LOCKS: Final = Table(
    "CallLocks",
    "the present call of userId, at most one; deleted at the end of the call",
    Key("userId"),
    stateful=False,
)
IDEMPOTENCY: Final = Table(
    "Idempotency",
    "an accepted send request in a group, by sender, conversation and tempId",
    Key("id"),
    ttl="expiresAt",
    stateful=False,
)
OUTBOX: Final = Table(
    "Outbox",
    "a stored event that is not yet published to every recipient; deleted after the last publish, or for a direct "
    "message emptied, since it also records the tempId",
    Key("eventId"),
    indexes=(Index("ByDue", Key("shard"), Key("dueAt"), "KEYS_ONLY"),),
    ttl="expiresAt",
    stream="KEYS_ONLY",
)
RATE_LIMITS: Final = Table(
    "RateLimits", "how often a user performed an action in one window", Key("id"), ttl="expiresAt", stateful=False
)
ERASURES: Final = Table(
    "Erasures", "an erasure of a person; it is carried out again after a restore (`ops.data`)", Key("subject")
)

TABLES: Final[tuple[Table, ...]] = (
    USERS,
    USER_SEARCH,
    BLOCKS,
    CONVERSATIONS,
    CONVERSATION_COUNTERS,
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
    ERASURES,
)
