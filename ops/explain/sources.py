"""What look-ups read: tables, logs, queues and meetings of one environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from ops import aws, outputs
from ops.explain import dead_letters
from ops.explain.dead_letters import DeadLetter
from ops.explain.log_lines import LogReader
from ops.explain.tables import TableReader
from stacks.outputs import DEAD_LETTER_QUEUE_URL, DELIVERY_QUEUE_URL, RING_DEAD_LETTER_QUEUE_URL, STACK_REGION


class QueueUrls(msgspec.Struct, frozen=True, kw_only=True):
    """The URLs of the queues that a look-up reads."""

    delivery: str
    delivery_dead_letters: str
    ring_dead_letters: str


def now() -> int:
    """Return the milliseconds since the epoch."""
    return round(time.time() * 1000)


class Sources(msgspec.Struct, kw_only=True):
    """The sources of one environment.

    Args:
        meetings: a botocore client of Chime SDK meetings.
        clock: returns the milliseconds since the epoch.
        problems: what could not be read, by source.
    """

    tables: TableReader
    logs: LogReader
    sqs: Any
    queues: QueueUrls
    meetings: Any
    clock: Callable[[], int] = now
    problems: dict[str, str] = msgspec.field(default_factory=dict)

    def dead_letters(self, url: str) -> list[DeadLetter]:
        """Return the messages of a dead-letter queue; none, and a problem, where it cannot be read."""
        try:
            return dead_letters.look(self.sqs, url)
        except (ClientError, BotoCoreError) as error:
            self.problems[url] = f"the dead-letter queue: {error}"
            return []

    def waiting(self) -> int | None:
        """Return about how many tasks wait in the delivery queue; None where it cannot be read."""
        try:
            answer = self.sqs.get_queue_attributes(
                QueueUrl=self.queues.delivery, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (ClientError, BotoCoreError) as error:
            self.problems[self.queues.delivery] = f"the delivery queue: {error}"
            return None
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def unread(self) -> list[str]:
        """Return every problem."""
        return [*self.problems.values(), *self.logs.problems.values()]


def deployed(environment: str, stacks: outputs.StackOutputs) -> Sources:
    """Return the sources of a deployed environment.

    Raises:
        CommandError: an output is missing.
    """
    region = outputs.value(STACK_REGION, environment, stacks)
    return Sources(
        tables=TableReader(aws.client("dynamodb", region), environment),
        logs=LogReader(aws.client("logs", region), environment),
        sqs=aws.client("sqs", region),
        queues=QueueUrls(
            delivery=outputs.value(DELIVERY_QUEUE_URL, environment, stacks),
            delivery_dead_letters=outputs.value(DEAD_LETTER_QUEUE_URL, environment, stacks),
            ring_dead_letters=outputs.value(RING_DEAD_LETTER_QUEUE_URL, environment, stacks),
        ),
        meetings=aws.client("chime-sdk-meetings", region),
    )
