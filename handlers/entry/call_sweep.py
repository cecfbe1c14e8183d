"""Once a minute: calls that nobody ended, and meetings that nobody deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters.dynamodb.conversations.rows import DynamoStoredConversations
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.core.calls.sweep import CallSweep
from handlers.entry import logs
from handlers.entry.calls_wiring import AwsServices, parts, services
from handlers.settings import CallSweepSettings


def wire(settings: CallSweepSettings, given: AwsServices) -> CallSweep:
    """Return the rule on top of the given services."""
    made = parts(settings, given)
    return CallSweep(
        calls=made.calls,
        transitions=made.transitions,
        meetings=given.meetings,
        cleaner=made.cleaner,
        conversations=DynamoStoredConversations(client=given.dynamodb, conversations=settings.conversations_table),
        directory=DynamoUserDirectory(client=given.dynamodb, users_table=settings.users_table),
        clock=given.clock,
    )


def runner(sweep: Callable[[], CallSweep]) -> Callable[[Mapping[str, Any], Any], dict[str, int]]:
    """Return the Lambda handler: looks once at every call that is due.

    Its line `calls swept` is what the metrics of overdue and stuck calls are counted from.
    """
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, int]:
        swept = sweep().run()
        result = {"lookedAt": swept.looked_at, "ended": len(swept.ended), "left": len(swept.left)}
        logs.info(logger, "calls swept", **result)
        return result

    return handle


@cache
def _sweep() -> CallSweep:
    settings = CallSweepSettings.load()
    return wire(settings, services(settings))


handle = runner(_sweep)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _sweep()
