"""Sends dead letters back to their queue: `python -m ops redrive --env NAME --queue delivery --reason TEXT [--yes]`.

Without `--yes` it only counts them. Exit codes: 0 nothing is left, or nothing was asked for; 1 some dead letters stay,
since they are not valid or could not be sent; 2 errors.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from ops import aws, outputs
from ops.errors import CommandError
from ops.explain import dead_letters
from ops.explain.dead_letters import DeadLetter
from ops.explain.log_lines import iso
from ops.support.arguments import action_parser
from ops.support.audit import AuditLog, AuditRecord, audited
from stacks.outputs import (
    DEAD_LETTER_QUEUE_URL,
    DELIVERY_QUEUE_URL,
    RING_DEAD_LETTER_QUEUE_URL,
    RING_QUEUE_URL,
    STACK_REGION,
    Output,
)

_BATCH: Final = 10
_HIDDEN_SECONDS: Final = 60
"""Seconds in which a batch is sent and deleted; after that a dead letter whose batch failed is visible again."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its dead letters.

    Args:
        source, dead_letters: the outputs with the URLs.
        field: the field that every valid message has.
    """

    source: Output
    dead_letters: Output
    field: str


ROUTES: Final = {
    "delivery": Route(source=DELIVERY_QUEUE_URL, dead_letters=DEAD_LETTER_QUEUE_URL, field="eventId"),
    "ring-timers": Route(source=RING_QUEUE_URL, dead_letters=RING_DEAD_LETTER_QUEUE_URL, field="sessionId"),
}
"""The queues that can be redriven. The runbook says what to do with the other dead letters."""


class Redrive:
    """The dead letters of one queue.

    Args:
        sqs: a botocore client of SQS.
        source: URL of the queue to which they go back.
        dead_letters: URL of the dead-letter queue.
        field: the field that every valid message has.
    """

    def __init__(self, sqs: Any, source: str, dead_letters: str, field: str) -> None:
        self._sqs = sqs
        self._source = source
        self._dead_letters = dead_letters
        self._field = field

    def look(self) -> list[DeadLetter]:
        """Return the dead letters; they stay where they are."""
        return dead_letters.look(self._sqs, self._dead_letters)

    def is_valid(self, letter: DeadLetter) -> bool:
        """Return whether the queue's function can read a dead letter: others would only fail again."""
        return isinstance(letter.fields.get(self._field), str)

    def run(self, most: int, progress: Callable[[int], None]) -> int:
        """Send dead letters back, in batches, and return how many.

        A batch is sent before it is deleted: a message that is sent twice does no harm, and none is lost.

        Args:
            most: most dead letters, so that those which fail again meanwhile are not sent again and again.
            progress: called after each batch with the number so far.
        """
        moved = 0
        kept: list[DeadLetter] = []
        while moved + len(kept) < most:
            batch = dead_letters.receive(
                self._sqs,
                self._dead_letters,
                most=min(_BATCH, most - moved - len(kept)),
                hidden_seconds=_HIDDEN_SECONDS,
            )
            if not batch:
                break
            valid = [each for each in batch if self.is_valid(each)]
            sent = self._send(valid)
            kept += [each for each in batch if each not in sent]
            moved += len(sent)
            progress(moved)
        for letter in kept:
            self._sqs.change_message_visibility(
                QueueUrl=self._dead_letters, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )
        return moved

    def _send(self, letters: list[DeadLetter]) -> list[DeadLetter]:
        if not letters:
            return []
        entries = [{"Id": str(number), "MessageBody": each.body} for number, each in enumerate(letters)]
        answer = self._sqs.send_message_batch(QueueUrl=self._source, Entries=entries)
        sent = [letters[int(each["Id"])] for each in answer.get("Successful", [])]
        if sent:
            receipts = [{"Id": str(number), "ReceiptHandle": each.receipt} for number, each in enumerate(sent)]
            self._sqs.delete_message_batch(QueueUrl=self._dead_letters, Entries=receipts)
        return sent


def deployed(environment: str, queue: str) -> Redrive:
    """Return the dead letters of a deployed environment's queue.

    Raises:
        CommandError: the environment is not deployed, or an output is missing.
    """
    stacks = outputs.read_stacks(environment, outputs.cloudformation)
    route = ROUTES[queue]
    source, dead = (outputs.value(each, environment, stacks) for each in (route.source, route.dead_letters))
    return Redrive(aws.client("sqs", outputs.value(STACK_REGION, environment, stacks)), source, dead, route.field)


def describe(redrive: Redrive, letters: list[DeadLetter]) -> str:
    """Return what the dead letters are: number, kinds, age."""
    if not letters:
        return "There are no dead letters."
    kinds = Counter(_kind(each) if redrive.is_valid(each) else "not valid, stays" for each in letters)
    parts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    oldest = iso(min(each.sent_at for each in letters))
    return f"There are {len(letters)} dead letters: {parts}. The oldest was sent at {oldest}."


def _kind(letter: DeadLetter) -> str:
    if "sessionId" in letter.fields:
        return "ring timers"
    if "receipts" in letter.fields:
        return "tasks of read marks"
    return "delivery tasks" if letter.fields.get("slice") is None else "delivery tasks of slices"


def main(
    arguments: Sequence[str] | None = None,
    *,
    redrive: Callable[[str, str], Redrive] = deployed,
    audit: Callable[[str], AuditLog] = AuditLog.deployed,
) -> int:
    """Run the command.

    Args:
        arguments: of the command line.
        redrive: returns the dead letters of an environment and queue.
        audit: returns the audit log of an environment.
    """
    parser = action_parser("redrive", __doc__ or "")
    parser.add_argument("--queue", choices=sorted(ROUTES), default="delivery", help="default: delivery")
    chosen = parser.parse_args(arguments)
    try:
        with aws.explained_errors():
            letters = redrive(chosen.env, chosen.queue)
            found = letters.look()
            print(describe(letters, found))
            if not chosen.yes or not found:
                print("Nothing was changed." + (" To send them back, add --yes." if found else ""))
                return 0
            record = AuditRecord(action="redrive", subject=chosen.queue, reason=chosen.reason)
            moved = 0

            def act() -> str:
                nonlocal moved
                moved = letters.run(len(found), lambda number: print(f"{number} of {len(found)}", file=sys.stderr))
                return f"{moved} of {len(found)} dead letters are in the queue {chosen.queue} again."

            print(audited(audit(chosen.env), record, act))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if moved == len(found) else 1
