"""The function that consumes the delivery queue (Amazon SQS: partial batch responses)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.limits import DELIVERY_PATIENCE_SECONDS, DELIVERY_PAUSE_SECONDS
from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.messages.receipts import DynamoReceiptReader
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue, decode
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.adapters.system import SystemClock
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.ports import DeliveryQueue, Publisher, QueueTask, ReceiptTask
from handlers.core.receipts.announcer import ReceiptAnnouncer
from handlers.core.shared import correlation
from handlers.core.shared.ports import Clock
from handlers.entry import logs, queue_batch
from handlers.settings import DeliverSettings

_log = logging.getLogger(__name__)

NEEDED_SECONDS = 15
"""Time of one delivery task if the Event API does not respond. With less time left, the rest of the batch waits."""


class DeliveryUseCases(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases of the delivery queue's tasks."""

    deliverer: Deliverer
    receipts: ReceiptAnnouncer


def wire(
    settings: DeliverSettings, dynamodb: Any, publisher: Publisher, queue: DeliveryQueue, clock: Clock
) -> DeliveryUseCases:
    """Return the use cases on top of the given services.

    Args:
        dynamodb: a botocore client.
    """
    audiences = DynamoAudiences(dynamodb, settings.conversations_table)
    reader = DynamoReceiptReader(
        dynamodb, members=settings.conversation_members_table, messages=settings.messages_table
    )
    direct_messages = DynamoDirectMessages(
        dynamodb,
        conversations=settings.conversations_table,
        members=settings.conversation_members_table,
        messages=settings.messages_table,
        outbox=settings.outbox_table,
    )
    outbox = DynamoOutbox(dynamodb, settings.outbox_table)
    return DeliveryUseCases(
        deliverer=Deliverer(publisher, outbox, clock, audiences, direct_messages),
        receipts=ReceiptAnnouncer(audiences=audiences, reader=reader, publisher=publisher, queue=queue),
    )


def consumer(
    use_cases: Callable[[], DeliveryUseCases], visibility: Callable[[], MessageVisibility]
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: delivers every record of a batch and returns those that SQS must deliver again.

    Args:
        use_cases: returns the use cases.
        visibility: returns what makes a failed message visible again.
    """
    logger = logs.configure()

    def deliver(record: Mapping[str, Any]) -> bool:
        try:
            task = decode(record["body"])
        except msgspec.MsgspecError:
            _log.exception("queue message %s is not valid", record["messageId"])
            return False
        with correlation.scope(task.correlation_id):
            done = _deliver(task, record["messageId"])
            receives = int(record["attributes"]["ApproximateReceiveCount"])
            logs.info(logger, "delivery task", eventId=task.event_id, attempt=receives, done=done)
        return done

    def _deliver(task: QueueTask, message_id: str) -> bool:
        try:
            if isinstance(task, ReceiptTask):
                return use_cases().receipts.announce(task)
            return use_cases().deliverer.deliver(task)
        except Exception:
            _log.exception("delivery failed for queue message %s; will retry", message_id)
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
def _use_cases() -> DeliveryUseCases:
    settings = DeliverSettings.load()
    publisher = EventsPublisher(
        settings.events_http_endpoint, aws_clients.session(), patience_seconds=DELIVERY_PATIENCE_SECONDS
    )
    queue = SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url)
    return wire(settings, aws_clients.client("dynamodb"), publisher, queue, SystemClock())


@cache
def _visibility() -> MessageVisibility:
    return MessageVisibility(lambda: aws_clients.client("sqs"), DeliverSettings.load().delivery_queue_url)


handle = consumer(_use_cases, _visibility)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _use_cases()
