"""The function that consumes the Outbox table's stream (Amazon DynamoDB: streams and Lambda)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters import aws_clients
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import SystemClock
from handlers.core.delivery.relay import Relay
from handlers.entry import logs
from handlers.settings import RelaySettings

_log = logging.getLogger(__name__)


class RelayError(Exception):
    """Some events could not be enqueued: the stream delivers the batch again. An event enqueued twice does no harm."""


def consumer(relay: Callable[[], Relay]) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: enqueues every new event, and raises after the last one if any was not enqueued."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        event_ids = [
            record["dynamodb"]["Keys"]["eventId"]["S"] for record in event["Records"] if record["eventName"] == "INSERT"
        ]
        failed = [event_id for event_id in event_ids if not _enqueued(relay, event_id)]
        logs.info(logger, "relayed", events=len(event_ids), failed=len(failed))
        if failed:
            raise RelayError(f"{len(failed)} of {len(event_ids)} events were not enqueued: {', '.join(failed[:10])}")
        return {"offered": len(event_ids)}

    return handle


def _enqueued(relay: Callable[[], Relay], event_id: str) -> bool:
    try:
        return relay().enqueue(event_id)
    except Exception:
        _log.exception("relay failed for event %s; will retry", event_id)
        return False


@cache
def _relay() -> Relay:
    settings = RelaySettings.load()
    queue = SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url)
    return Relay(DynamoOutbox(aws_clients.client("dynamodb"), settings.outbox_table), queue, SystemClock())


handle = consumer(_relay)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _relay()
