"""The function of the sweep of calls, which a schedule invokes once a minute."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters.dynamodb.conversations.rows import DynamoStoredConversations
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.core.calls.sweep import CallSweep
from handlers.core.shared import correlation
from handlers.entry import logs
from handlers.entry.calls_wiring import AwsServices, aws_services, call_services
from handlers.settings import CallSweepSettings


def wire(settings: CallSweepSettings, aws: AwsServices) -> CallSweep:
    """Return the sweep with the given services."""
    calls = call_services(settings, aws)
    return CallSweep(
        calls=calls.store,
        executor=calls.executor,
        meetings=aws.meetings,
        meeting_cleanup=calls.meeting_cleanup,
        conversations=DynamoStoredConversations(client=aws.dynamodb, conversations=settings.conversations_table),
        directory=DynamoUserDirectory(client=aws.dynamodb, users_table=settings.users_table),
        clock=aws.clock,
    )


def runner(sweep: Callable[[], CallSweep]) -> Callable[[Mapping[str, Any], Any], dict[str, int]]:
    """Return the Lambda handler, which runs the sweep once.

    The id of the invocation is the correlation id. The metrics CallsOverdue and CallsStuck are counted from its log
    line `calls swept`.
    """
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, int]:
        with correlation.scope(getattr(context, "aws_request_id", None)):
            report = sweep().run()
            result = {"lookedAt": report.examined, "ended": len(report.ended), "left": len(report.unfinished)}
            logs.info(logger, "calls swept", **result)
        return result

    return handle


@cache
def _sweep() -> CallSweep:
    settings = CallSweepSettings.load()
    return wire(settings, aws_services(settings))


handle = runner(_sweep)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _sweep()
