"""The function that consumes the delivery queue (Amazon SQS: partial batch responses)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from contract.limits import DELIVERY_PATIENCE_SECONDS
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import decode
from handlers.adapters.system import SystemClock
from handlers.core.delivery.deliverer import Deliverer
from handlers.entry import logs
from handlers.settings import DeliverSettings

_log = logging.getLogger(__name__)

MINIMUM_MILLISECONDS = 15_000
"""Time of one delivery task if the Event API does not respond. With less time left, the rest of the batch waits."""


def consumer(deliverer: Callable[[], Deliverer]) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: delivers every record of a batch and returns those that SQS must deliver again."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        failed = [record["messageId"] for record in event["Records"] if not _delivered(deliverer, record, context)]
        logs.info(logger, "delivered", records=len(event["Records"]), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


def _delivered(deliverer: Callable[[], Deliverer], record: Mapping[str, Any], context: Any) -> bool:
    if context is not None and context.get_remaining_time_in_millis() < MINIMUM_MILLISECONDS:
        return False
    try:
        return deliverer().deliver(decode(record["body"]))
    except Exception:
        _log.exception("delivery failed for queue message %s; will retry", record["messageId"])
        return False


@cache
def _deliverer() -> Deliverer:
    settings = DeliverSettings.load()
    publisher = EventsPublisher(
        settings.events_http_endpoint, aws_clients.session(), patience_seconds=DELIVERY_PATIENCE_SECONDS
    )
    dynamodb = aws_clients.client("dynamodb")
    audiences = DynamoAudiences(dynamodb, settings.conversations_table)
    direct_messages = DynamoDirectMessages(
        dynamodb,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        outbox=settings.outbox_table,
    )
    outbox = DynamoOutbox(dynamodb, settings.outbox_table)
    return Deliverer(publisher, outbox, SystemClock(), audiences, direct_messages)


handle = consumer(_deliverer)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _deliverer()
