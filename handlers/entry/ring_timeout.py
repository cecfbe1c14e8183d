"""The function of the ring timers: ends the ringing of calls (Amazon SQS: partial batch responses)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from contract.limits import RING_TIMER_PAUSE_SECONDS
from handlers.adapters import aws_clients
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.adapters.sqs.ring_timers import RingTimer, decode
from handlers.core.calls.ports import RingTimers
from handlers.core.calls.ring_timeout import RingTimeoutHandler
from handlers.core.shared import correlation
from handlers.entry import logs, queue_batch
from handlers.entry.calls_wiring import AwsServices, aws_services, call_services, ring_timers
from handlers.settings import RingTimeoutSettings

_log = logging.getLogger(__name__)


def wire(settings: RingTimeoutSettings, aws: AwsServices, timers: RingTimers) -> RingTimeoutHandler:
    """Return the handler with the given services."""
    calls = call_services(settings, aws)
    return RingTimeoutHandler(calls.store, calls.executor, timers, aws.clock)


def consumer(
    ring_timeouts: Callable[[], RingTimeoutHandler], visibility: Callable[[], MessageVisibility]
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler, which handles a batch and returns the messages that must be delivered again.

    Args:
        ring_timeouts: returns the use case.
        visibility: returns what makes a failed message visible again.
    """
    logger = logs.configure()

    def expire(record: Mapping[str, Any]) -> bool:
        try:
            timer = decode(record["body"])
        except msgspec.MsgspecError:
            _log.exception("ring timer message %s is not valid", record["messageId"])
            return False
        with correlation.scope(timer.correlation_id):
            return _expire(timer, record["messageId"])

    def _expire(timer: RingTimer, message_id: str) -> bool:
        try:
            return ring_timeouts().expire(timer.session_id)
        except Exception:
            _log.exception("ring timeout failed for message %s", message_id)
            return False

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        failed = queue_batch.process(event, context, expire, visibility, first_pause_seconds=RING_TIMER_PAUSE_SECONDS)
        logs.info(logger, "ring timers handled", records=len(event["Records"]), failed=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


@cache
def _ring_timeouts() -> RingTimeoutHandler:
    settings = RingTimeoutSettings.load()
    return wire(settings, aws_services(settings), ring_timers(settings.ring_queue_url))


@cache
def _visibility() -> MessageVisibility:
    return MessageVisibility(lambda: aws_clients.client("sqs"), RingTimeoutSettings.load().ring_queue_url)


handle = consumer(_ring_timeouts, _visibility)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _ring_timeouts()
