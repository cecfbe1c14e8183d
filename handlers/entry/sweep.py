"""The function that sweeps the outbox, once a minute."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters import aws_clients
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import SystemClock
from handlers.core.delivery.sweep import Sweep
from handlers.entry import logs
from handlers.settings import SweepSettings


def runner(sweep: Callable[[], Sweep]) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: sweeps once."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        report = sweep().run()
        result = {"offered": report.offered, "givenUp": len(report.given_up), "left": len(report.left)}
        logs.info(logger, "swept", **result)
        return result

    return handle


@cache
def _sweep() -> Sweep:
    settings = SweepSettings.load()
    queue = SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url)
    return Sweep(DynamoOutbox(aws_clients.client("dynamodb"), settings.outbox_table), queue, SystemClock())


handle = runner(_sweep)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _sweep()
