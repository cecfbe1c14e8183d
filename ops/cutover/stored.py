"""What both servers have stored: read by scans, which only an operator's command may do, at a limited rate."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from boto3.dynamodb.types import TypeDeserializer

from contract import tables
from contract.models import Message

_MESSAGE: Final = (
    *("conversationId", "timestamp", "messageId", "senderId", "type", "seq", "bridged", "voided", "createdAt"),
)
_CONVERSATION: Final = (
    *("conversationId", "type", "participants", "version", "membersStored", "latestSeq", "pendingSeq", "forwardedSeq"),
)
_PAGE: Final = 500
"""Items in one page of a scan."""
_deserialise: Final = TypeDeserializer().deserialize


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the table Messages.

    Args:
        seq: its sequence number; None without one.
        readable: whether it has the attributes of a message.
        bridged: the old server has stored it, and the bridge has numbered it.
        voided: a placeholder without a message.
    """

    conversation_id: str
    timestamp: str
    message_id: str
    seq: int | None
    readable: bool
    bridged: bool
    voided: bool


class StoredConversation(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the table Conversations, with the numbers of its counter.

    Args:
        old: the old application created it, and it has no version.
        complete: it has a type and participants.
        pending: numbers that are reserved and have no message yet.
        forwarded_seq: number up to which it is forwarded to the old server; None before the first message.
    """

    conversation_id: str
    type: str
    participants: tuple[str, ...]
    old: bool
    latest_seq: int = 0
    pending: int = 0
    forwarded_seq: int | None = None

    @property
    def complete(self) -> bool:
        """Return whether it has a type and participants."""
        return bool(self.type and self.participants)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the commands compare.

    Args:
        messages: by conversation, sorted by timestamp.
        members: (user id, conversation id) of every membership.
        users: ids of the users with a profile.
    """

    conversations: Mapping[str, StoredConversation]
    messages: Mapping[str, list[StoredMessage]]
    members: frozenset[tuple[str, str]]
    users: frozenset[str]

    def waiting(self) -> list[StoredMessage]:
        """Return the messages without a number that are newer than a numbered one of their conversation."""
        found: list[StoredMessage] = []
        for messages in self.messages.values():
            numbered = next((number for number, each in enumerate(messages) if each.seq is not None), len(messages))
            found += [each for each in messages[numbered:] if each.seq is None and each.readable]
        return [each for each in found if self._exists(each.conversation_id)]

    def without_members(self) -> list[StoredConversation]:
        """Return the conversations of the old application in which a participant has no membership."""
        return [
            each
            for each in self.conversations.values()
            if each.old and any((user_id, each.conversation_id) not in self.members for user_id in each.participants)
        ]

    def _exists(self, conversation_id: str) -> bool:
        return conversation_id in self.conversations and self.conversations[conversation_id].complete


def read(dynamodb: Any, environment: str, *, rate: int, progress: Callable[[str, int], None]) -> Stored:
    """Read the tables of an environment consistently.

    Args:
        dynamodb: the `dynamodb` client of the stacks' region.
        environment: its name.
        rate: most items per second.
        progress: called with a table's entity and the number of items read so far.
    """

    def scan(table: tables.Table, attributes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        return _scan(dynamodb, table, environment, attributes, rate, progress)

    counters = {each["conversationId"]: each for each in scan(tables.CONVERSATION_COUNTERS, _CONVERSATION)}
    conversations = {
        each["conversationId"]: _conversation(each, counters.get(each["conversationId"]))
        for each in scan(tables.CONVERSATIONS, _CONVERSATION)
    }
    members = frozenset(
        (each["userId"], each["conversationId"])
        for each in scan(tables.CONVERSATION_MEMBERS, ("userId", "conversationId"))
    )
    users = frozenset(each["userId"] for each in scan(tables.USERS, ("userId",)))
    messages: dict[str, list[StoredMessage]] = defaultdict(list)
    for item in scan(tables.MESSAGES, _MESSAGE):
        messages[item["conversationId"]].append(_message(item))
    for found in messages.values():
        found.sort(key=lambda each: each.timestamp)
    return Stored(conversations=conversations, messages=dict(messages), members=members, users=users)


def _scan(
    dynamodb: Any,
    table: tables.Table,
    environment: str,
    attributes: tuple[str, ...],
    rate: int,
    progress: Callable[[str, int], None],
) -> Iterator[dict[str, Any]]:
    names = {f"#a{number}": name for number, name in enumerate(attributes)}
    request: dict[str, Any] = {
        "TableName": table.name(environment),
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": names,
        "ConsistentRead": True,
        "Limit": min(_PAGE, rate),
    }
    count = 0
    while True:
        began = time.monotonic()
        page = dynamodb.scan(**request)
        count += len(page["Items"])
        progress(table.entity, count)
        for item in page["Items"]:
            yield {name: _deserialise(value) for name, value in item.items()}
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        time.sleep(max(0.0, len(page["Items"]) / rate - (time.monotonic() - began)))


def _conversation(item: dict[str, Any], counter: dict[str, Any] | None) -> StoredConversation:
    numbers = counter if item.get("type") == "GROUP" and counter else item
    forwarded = numbers.get("forwardedSeq")
    return StoredConversation(
        conversation_id=item["conversationId"],
        type=item.get("type") or "",
        participants=tuple(item.get("participants") or ()),
        old=not item.get("version"),
        latest_seq=int(numbers.get("latestSeq") or 0),
        pending=len(numbers.get("pendingSeq") or ()),
        forwarded_seq=None if forwarded is None else int(forwarded),
    )


def _message(item: dict[str, Any]) -> StoredMessage:
    seq = item.get("seq")
    return StoredMessage(
        conversation_id=item["conversationId"],
        timestamp=item["timestamp"],
        message_id=item.get("messageId") or "",
        seq=None if seq is None else int(seq),
        readable=_is_readable(item),
        bridged=bool(item.get("bridged")),
        voided=bool(item.get("voided")),
    )


def _is_readable(item: dict[str, Any]) -> bool:
    """Return whether an item has the attributes that every message has, and an ISO date as timestamp."""
    present = {name: value for name, value in item.items() if value is not None and name in Message.__struct_fields__}
    try:
        msgspec.convert({**present, "seq": None}, type=Message)
    except msgspec.ValidationError:
        return False
    return len(item["timestamp"]) >= len("2026-01-01T00:00:00Z") and item["timestamp"][10:11] == "T"
