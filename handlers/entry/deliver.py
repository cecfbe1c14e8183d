"""The function that consumes the delivery queue (Amazon SQS: partial batch responses)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from contract.limits import DELIVERY_PATIENCE_SECONDS, DELIVERY_PAUSE_SECONDS
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import decode
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.adapters.system import SystemClock
from handlers.core.delivery.deliverer import Deliverer
from handlers.entry import logs, queue_batch
from handlers.settings import DeliverSettings

_log = logging.getLogger(__name__)

NEEDED_SECONDS = 15
"""Time of one delivery task if the Event API does not respond. With less time left, the rest of the batch waits."""


def consumer(
    deliverer: Callable[[], Deliverer], visibility: Callable[[], MessageVisibility]
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: delivers every record of a batch and returns those that SQS must deliver again.

    Args:
        deliverer: returns the use case.
        visibility: returns what makes a failed message visible again.
    """
    logger = logs.configure()

    def deliver(record: Mapping[str, Any]) -> bool:
        try:
            return deliverer().deliver(decode(record["body"]))
        except Exception:
            _log.exception("delivery failed for queue message %s; will retry", record["messageId"])
            return False

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        failed = queue_batch.process(
            event,
            context,
            deliver,
            visibility,
            first_pause_seconds=DELIVERY_PAUSE_SECONDS,
            needed_seconds=NEEDED_SECONDS,
        )
        logs.info(logger, "delivered", records=len(event["Records"]), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


@cache
def _deliverer() -> Deliverer:
    settings = DeliverSettings.load()
    publisher = EventsPublisher(
        settings.events_http_endpoint, aws_clients.session(), patience_seconds=DELIVERY_PATIENCE_SECONDS
    )
    dynamodb = aws_clients.client("dynamodb")
    audiences = DynamoAudiences(dynamodb, settings.conversations_table)
    return Deliverer(publisher, DynamoOutbox(dynamodb, settings.outbox_table), SystemClock(), audiences)


@cache
def _visibility() -> MessageVisibility:
    return MessageVisibility(lambda: aws_clients.client("sqs"), DeliverSettings.load().delivery_queue_url)


handle = consumer(_deliverer, _visibility)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _deliverer()
