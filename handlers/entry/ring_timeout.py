"""The ring timer's consumer: ends the ringing of a call when its time is over (Amazon SQS: partial batch responses)."""

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
from handlers.entry.calls_wiring import AwsServices, parts, ring_timers, services
from handlers.settings import RingTimeoutSettings

_log = logging.getLogger(__name__)


def wire(settings: RingTimeoutSettings, given: AwsServices, timers: RingTimers) -> RingTimeoutHandler:
    """Return the rule on top of the given services."""
    made = parts(settings, given)
    return RingTimeoutHandler(made.calls, made.transitions, timers, given.clock)


def consumer(timeouts: Callable[[], RingTimeoutHandler]) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: looks at the call of every message, and names those that must come again."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        failed = [record["messageId"] for record in event["Records"] if not _expired(timeouts, record)]
        logs.info(logger, "rung out", records=len(event["Records"]), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


def _expired(timeouts: Callable[[], RingTimeoutHandler], record: Mapping[str, Any]) -> bool:
    try:
        return timeouts().expire(decode(record["body"]))
    except Exception:
        _log.exception("the ring timer %s could not be served", record["messageId"])
        return False


@cache
def _timeouts() -> RingTimeoutHandler:
    settings = RingTimeoutSettings.load()
    return wire(settings, services(settings), ring_timers(settings.ring_queue_url))


handle = consumer(_timeouts)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _timeouts()
