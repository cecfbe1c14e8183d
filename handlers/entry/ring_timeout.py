"""The function of the ring timers: ends the ringing of calls (Amazon SQS: partial batch responses)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters.sqs.ring_timers import decode
from handlers.core.calls.ports import RingTimers
from handlers.core.calls.ring_timeout import RingTimeoutHandler
from handlers.entry import logs
from handlers.entry.calls_wiring import AwsServices, aws_services, call_services, ring_timers
from handlers.settings import RingTimeoutSettings

_log = logging.getLogger(__name__)


def wire(settings: RingTimeoutSettings, aws: AwsServices, timers: RingTimers) -> RingTimeoutHandler:
    """Return the handler with the given services."""
    calls = call_services(settings, aws)
    return RingTimeoutHandler(calls.store, calls.executor, timers, aws.clock)


def consumer(ring_timeouts: Callable[[], RingTimeoutHandler]) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler, which handles a batch and returns the messages that must be delivered again."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        failed = [record["messageId"] for record in event["Records"] if not _expired(ring_timeouts, record)]
        logs.info(logger, "ring timers handled", records=len(event["Records"]), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


def _expired(ring_timeouts: Callable[[], RingTimeoutHandler], record: Mapping[str, Any]) -> bool:
    try:
        return ring_timeouts().expire(decode(record["body"]))
    except Exception:
        _log.exception("ring timeout failed for message %s", record["messageId"])
        return False


@cache
def _ring_timeouts() -> RingTimeoutHandler:
    settings = RingTimeoutSettings.load()
    return wire(settings, aws_services(settings), ring_timers(settings.ring_queue_url))


handle = consumer(_ring_timeouts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _ring_timeouts()
