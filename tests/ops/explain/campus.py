"""An environment on the emulator with functions, queues, dead letters and logs, for the tests of look-ups."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Final

from contract import limits, tables
from ops.explain import message
from ops.explain.log_lines import LogReader
from ops.explain.sources import QueueUrls, Sources
from ops.explain.story import RecipientState, Story
from ops.explain.tables import TableReader
from stacks.naming import Names
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.functions import FunctionHarness
from tests.harness.log_lines import LogLines

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "help-a-user.md"
_VALUES: Final = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ana"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "2026-11-30T10:15:04.250Z"),
    (re.compile(r"in slice \d"), "in slice 1"),
)
"""What differs between two runs, and what the page has in its place."""


def without_values(text: str) -> str:
    """Return a text with the ids, dates and slices of the page."""
    for pattern, value in _VALUES:
        text = pattern.sub(value, text)
    return text


def assert_on_page(answer: RecipientState) -> None:
    """Require that the page of examples has an answer; only one example says in which slice a user is."""
    text = without_values(answer.text)
    example = f"Answer ({answer.code}): {text}"
    assert example in PAGE.read_text(encoding="utf-8") or "slice" in text, f"{PAGE} lacks the example: {example}"


class NoMeetings:
    """Chime where no test has a meeting."""

    def get_meeting(self, **request: Any) -> None:
        raise AssertionError(f"no meeting is looked up: {request}")


class Campus(FunctionHarness):
    """The functions at the present time, with a dead-letter queue, and CloudWatch Logs that get their lines."""

    def __init__(self, aws: AwsResources, lines: LogLines, **options: Any) -> None:
        clock = FakeClock(round(time.time() * 1000), really=True)
        super().__init__(aws, clock=clock, **options)
        self.lines = lines
        self.logs = aws.emulator.client("logs")
        url = aws.sqs.create_queue(QueueName=f"dead-{aws.environment}")["QueueUrl"]
        ring = aws.sqs.create_queue(QueueName=f"dead-rings-{aws.environment}")["QueueUrl"]
        self.queues = QueueUrls(delivery=aws.queue_url, delivery_dead_letters=url, ring_dead_letters=ring)

    def ship(self, function: str = "messages") -> None:
        """Write the lines since the last time into the log group of a function."""
        group = Names(self.aws.environment).function_log_group(function)
        self.lines.ship(self.logs, group, self.clock.now())

    def send_id(self, sender: str, conversation_id: str, content: str = "hello") -> str:
        """Send a message, and return its id."""
        self.lines.clear()
        sent = self.send_ok(sender, conversation_id, content)
        self.ship()
        return str(sent["message"]["messageId"])

    def sources(self, meetings: Any = None) -> Sources:
        """Return what look-ups read."""
        return Sources(
            tables=TableReader(self.aws.dynamodb, self.aws.environment),
            logs=LogReader(self.logs, self.aws.environment),
            sqs=self.aws.sqs,
            queues=self.queues,
            meetings=meetings or NoMeetings(),
            clock=self.clock.now,
        )

    def explain(self, message_id: str, user_id: str | None = None, **options: Any) -> Story:
        """Look a message up, when indexes have followed their tables."""
        self.aws.emulator.let_reads_catch_up()
        return message.explain(self.sources(), message_id, user_id=user_id, **options)

    def why(self, message_id: str, user_id: str) -> tuple[str, str]:
        """Return why a user did not get a message, code and sentences, if the page of examples has the same."""
        answer = self.explain(message_id, user_id).answer
        assert answer is not None
        assert_on_page(answer)
        return answer.code, answer.text

    def unreachable(self, *users: str) -> None:
        """Let publishes to some users fail from now on; to none without users."""
        self.publisher.failing = {f"/chats/{user}" for user in users}

    def bury(self) -> None:
        """Move every message of the delivery queue to the dead letters, as SQS does after the last failure."""
        for each in self.aws.receive_messages():
            self.aws.sqs.send_message(QueueUrl=self.queues.delivery_dead_letters, MessageBody=each["Body"])

    def exhaust_sweeps(self) -> None:
        """Let time pass until the sweep gives up what is pending, whose publishes go on failing."""
        for attempt in range(limits.DELIVERY_ATTEMPTS_MAX + 1):
            self.advance((limits.SWEEP_AFTER_SECONDS << attempt) + 1)
            self.sweep()
            self.ship("sweep")
        self.aws.sqs.purge_queue(QueueUrl=self.aws.queue_url)

    def disable(self, user_id: str) -> None:
        """Disable an account, as the command does."""
        item = self.aws.item(tables.USERS, userId=user_id) or {}
        self.aws.put(tables.USERS, {**item, "disabledAt": "2026-11-01T00:00:00.000Z"})
