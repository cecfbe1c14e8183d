"""Dead letters go back to their queue, in batches, with audit lines, and only with a confirmation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract import tables
from ops.support import redrive
from ops.support.redrive import Redrive
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.ops.support.recorded import OPERATOR, AuditLines


class Queues:
    """A delivery queue with its dead letters."""

    def __init__(self, aws: AwsResources) -> None:
        self.aws = aws
        self.dead = aws.sqs.create_queue(QueueName=f"dead-{aws.environment}")["QueueUrl"]
        self.redrive = Redrive(aws.sqs, aws.queue_url, self.dead, "eventId")

    def bury(self, *bodies: Any) -> None:
        """Put messages among the dead letters."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.aws.sqs.send_message(QueueUrl=self.dead, MessageBody=text)

    def buried(self) -> int:
        """Return the number of dead letters."""
        return len(self.redrive.look())

    def run(self, audit: AuditLines, *options: str) -> int:
        """Run the command."""
        arguments = ["--env", self.aws.environment, "--reason", "the cause is fixed", *options]
        return redrive.main(arguments, redrive=lambda environment, queue: self.redrive, audit=audit.of)


@pytest.fixture
def queues(aws: AwsResources) -> Queues:
    return Queues(aws)


def test_without_confirmation_dead_letters_are_only_counted(
    queues: Queues, audit: AuditLines, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.bury({"eventId": "a"}, {"eventId": "b", "slice": 1}, {"eventId": "c", "receipts": {}}, "not JSON")
    assert queues.run(audit) == 0
    shown = capsys.readouterr().out
    for part in ("4 dead letters", "1 delivery tasks,", "1 delivery tasks of slices", "read marks", "1 not valid"):
        assert part in shown
    assert queues.buried() == 4
    assert audit.lines() == []


def test_all_dead_letters_go_back_in_batches_with_an_audit_line_before_and_after(
    queues: Queues, audit: AuditLines, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.bury(*({"eventId": f"e{number}"} for number in range(23)))
    assert queues.run(audit, "--yes") == 0
    assert queues.buried() == 0
    received = []
    while batch := queues.aws.receive_messages():
        received += [json.loads(each["Body"])["eventId"] for each in batch]
    assert sorted(received) == sorted(f"e{number}" for number in range(23))
    assert capsys.readouterr().err.count(" of 23") >= 3
    assert audit.results() == [("redrive", "delivery", "started"), ("redrive", "delivery", "done")]
    line = audit.lines()[-1]
    assert (line["who"], line["reason"]) == (OPERATOR, "the cause is fixed")
    assert line["detail"].startswith("23 of 23")


def test_a_dead_letter_that_its_function_cannot_read_stays(queues: Queues, audit: AuditLines) -> None:
    queues.bury({"eventId": "a"}, "not JSON", {"other": "field"})
    assert queues.run(audit, "--yes") == 1
    assert queues.buried() == 2


def test_nothing_is_sent_where_the_audit_line_cannot_be_written(
    aws: AwsResources, queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.bury({"eventId": "a"})
    assert queues.run(AuditLines(aws, deployed=False), "--yes") == 2
    assert "nothing was done" in capsys.readouterr().err
    assert queues.buried() == 1


def test_a_redriven_event_reaches_its_recipient(aws: AwsResources, queues: Queues, audit: AuditLines) -> None:
    harness = FunctionHarness(aws)
    ada, grace = harness.users(2)
    group = harness.group(ada, grace)
    harness.publisher.failing = {f"/chats/{grace}"}
    harness.send_ok(ada, group)
    (record,) = aws.scan(tables.OUTBOX)
    queues.bury({"eventId": record["eventId"]})
    harness.publisher.failing.clear()
    assert queues.run(audit, "--yes") == 0
    assert harness.deliver() == 0
    assert "MESSAGE_SENT" in harness.publisher.types(grace)
    assert aws.scan(tables.OUTBOX) == []


def test_a_reason_is_required(queues: Queues, audit: AuditLines, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        redrive.main(["--env", "dev", "--yes"])
    assert "--reason" in capsys.readouterr().err
    queues.bury({"eventId": "a"})
    arguments = ["--env", "dev", "--reason", "  ", "--yes"]
    assert redrive.main(arguments, redrive=lambda environment, queue: queues.redrive, audit=audit.of) == 2
    assert queues.buried() == 1
