"""Processes batches of a queue (Amazon SQS: partial batch responses), with a short, growing pause after a failure.

Lambda leaves a failed message in the queue, where it becomes visible after the queue's visibility timeout. That is six
times the function's timeout (AWS Lambda: using Lambda with Amazon SQS), so that a failure would cost minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import SystemRandom
from typing import Any

from contract.limits import REDELIVERY_SECONDS_MAX
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.core.shared import deadline

_random = SystemRandom()


def process(
    event: Mapping[str, Any],
    context: Any,
    task: Callable[[Mapping[str, Any]], bool],
    visibility: Callable[[], MessageVisibility],
    *,
    first_pause_seconds: int,
    needed_seconds: float = 0,
) -> list[str]:
    """Process the messages of a batch and return the ids of those that the queue must deliver again.

    Args:
        event: the batch, as Lambda passes it.
        context: Lambda's context, or None.
        task: processes one message; returns whether it succeeded.
        visibility: returns what makes a failed message visible again.
        first_pause_seconds: pause after the first failure of a message; each further failure doubles it.
        needed_seconds: time that one message may take. With less time left, the rest of the batch is delivered again.
    """
    failed = []
    with deadline.invocation(context):
        for record in event["Records"]:
            has_time = deadline.remaining_seconds() >= needed_seconds
            if has_time and task(record):
                continue
            failed.append(record["messageId"])
            pause = redelivery_seconds(first_pause_seconds, _receives(record)) if has_time else 0
            visibility().return_after(record["receiptHandle"], pause)
    return failed


def redelivery_seconds(first: int, receives: int) -> int:
    """Return the pause after a failed attempt: random, so that messages that failed together do not return together.

    Args:
        first: longest pause after the first attempt.
        receives: how often the message was received.
    """
    longest = min(REDELIVERY_SECONDS_MAX, first << min(receives - 1, 10))
    return _random.randint(-(-longest // 2), longest)


def _receives(record: Mapping[str, Any]) -> int:
    return max(1, int(record["attributes"]["ApproximateReceiveCount"]))
