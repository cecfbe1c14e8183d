"""The function of the bridge to the old Socket.IO server.

The stream of the table Messages invokes it with the keys of new items. The command `python -m ops.cutover` invokes it
with conversations and messages of before: `{"conversations": [id], "messages": [{"conversationId", "timestamp"}]}`.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from handlers.adapters import aws_clients
from handlers.adapters.dynamodb.bridge.forwarded import DynamoForwardStore
from handlers.adapters.dynamodb.bridge.old_conversations import DynamoOldConversations
from handlers.adapters.dynamodb.bridge.old_messages import DynamoOldMessages
from handlers.adapters.dynamodb.bridge.tables import BridgeTables
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.sqs.old_server_queue import SqsOldServerQueue
from handlers.adapters.system import SystemClock
from handlers.core.bridge.forwarding import MessageForwarding
from handlers.core.bridge.numbering import OldMessageNumbering, Outcome
from handlers.core.bridge.ports import OldServerQueue
from handlers.core.delivery.ports import DeliveryQueue
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.shared.ports import Clock
from handlers.entry import logs
from handlers.settings import BridgeSettings

_log = logging.getLogger(__name__)


class BridgeError(Exception):
    """Some messages could not be bridged: the stream delivers the batch again, and what was done is done once."""


class Bridge(msgspec.Struct, frozen=True):
    """Both directions of the bridge."""

    numbering: OldMessageNumbering
    forwarding: MessageForwarding


def wire(
    settings: BridgeSettings, dynamodb: Any, queue: DeliveryQueue, old_server: OldServerQueue, clock: Clock
) -> Bridge:
    """Return the use cases on top of the given services.

    Args:
        dynamodb: a botocore client.
    """
    names = BridgeTables(
        conversations=settings.conversations_table,
        counters=settings.conversation_counters_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        outbox=settings.outbox_table,
    )
    conversations = DynamoConversationReader(dynamodb, settings.conversations_table, ConversationCache())
    messages = DynamoOldMessages(dynamodb, names)
    return Bridge(
        OldMessageNumbering(
            conversations=conversations,
            members=DynamoOldConversations(dynamodb, names),
            store=messages,
            queue=queue,
            clock=clock,
            fanout_limit=settings.fanout_limit,
        ),
        MessageForwarding(
            conversations=conversations,
            counters=messages,
            store=DynamoForwardStore(dynamodb, names),
            queue=old_server,
        ),
    )


def consumer(bridge: Callable[[], Bridge]) -> Callable[[Mapping[str, Any], Any], dict[str, int]]:
    """Return the Lambda handler."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, int]:
        result = _batch(bridge(), event["Records"]) if "Records" in event else _request(bridge(), event)
        logs.info(logger, "bridged", **result)
        return result

    return handle


def _batch(bridge: Bridge, records: list[dict[str, Any]]) -> dict[str, int]:
    """Bridge new items. The items of a conversation after one that failed wait for the repeat, to keep the order."""
    counts: Counter[str] = Counter()
    failed: set[str] = set()
    forward: dict[str, int] = {}
    for record in records:
        if record["eventName"] != "INSERT":
            continue
        key = {name: value["S"] for name, value in record["dynamodb"]["Keys"].items()}
        conversation_id = key["conversationId"]
        if conversation_id in failed:
            continue
        try:
            outcome = bridge.numbering.number(conversation_id, key["timestamp"])
        except Exception:
            _log.exception("numbering failed in conversation %s; will retry", conversation_id)
            failed.add(conversation_id)
            continue
        _count(counts, outcome, key)
        if outcome is Outcome.KNOWN:
            forward.setdefault(conversation_id, _milliseconds(record))
    for conversation_id, seen_at in forward.items():
        try:
            counts["forwarded"] += bridge.forwarding.forward(conversation_id, seen_at)
        except Exception:
            _log.exception("forwarding failed in conversation %s; will retry", conversation_id)
            failed.add(conversation_id)
    if failed:
        raise BridgeError(f"{len(failed)} conversations were not bridged: {', '.join(sorted(failed)[:10])}")
    return dict(counts)


def _request(bridge: Bridge, event: Mapping[str, Any]) -> dict[str, int]:
    """Store memberships and number messages of before; the first failure ends the request."""
    counts: Counter[str] = Counter()
    for conversation_id in event.get("conversations", ()):
        counts["adopted"] += bridge.numbering.adopt(conversation_id)
    for key in event.get("messages", ()):
        _count(counts, bridge.numbering.number(key["conversationId"], key["timestamp"]), key)
    return dict(counts)


def _count(counts: Counter[str], outcome: Outcome, key: Mapping[str, str]) -> None:
    counts[outcome.name.lower()] += 1
    if outcome in (Outcome.UNREADABLE, Outcome.ORPHAN):
        _log.error("item %s of conversation %s %s", key["timestamp"], key["conversationId"], outcome.value)


def _milliseconds(record: Mapping[str, Any]) -> int:
    """Return when a stream record was made; the stream has seconds, as a number or a date (DynamoDB: StreamRecord)."""
    return int(float(record["dynamodb"]["ApproximateCreationDateTime"]) * 1000)


@cache
def _bridge() -> Bridge:
    settings = BridgeSettings.load()
    return wire(
        settings,
        aws_clients.client("dynamodb"),
        SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        SqsOldServerQueue(lambda: aws_clients.client("sqs"), settings.old_server_queue_url),
        SystemClock(),
    )


handle = consumer(_bridge)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _bridge()
