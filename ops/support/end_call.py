"""Ends a call: `python -m ops end-call SESSION_ID --env NAME --reason TEXT [--yes]`.

The command writes no table. It deletes the call's meeting, whose end the functions record as they do when Chime ends
it, with events to all participants; or it repeats the ring timer of a call whose ringing should be over. Then it waits
until the call has ended. Exit codes: 0 the call is over, or nothing was asked for; 1 it has not ended yet; 2 errors.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from contract import limits, tables
from ops import aws, outputs
from ops.errors import CommandError
from ops.explain.log_lines import milliseconds
from ops.explain.sources import now
from ops.explain.tables import TableReader
from ops.support.arguments import action_parser
from ops.support.audit import AuditLog, AuditRecord, audited
from stacks.outputs import RING_QUEUE_URL, STACK_REGION

_LIVE: Final = ("RINGING", "ACTIVE")
_LOOK_SECONDS: Final = 3
_WAIT_SECONDS: Final = limits.CALL_CHECK_SECONDS + 120
"""Longest wait: Chime's event ends the call within seconds; where it is lost, the sweep does within this time."""


class CallControl(msgspec.Struct, frozen=True, kw_only=True):
    """Ends calls of one environment.

    Args:
        tables: reads the calls.
        meetings: a botocore client of Chime SDK meetings.
        sqs: a botocore client of SQS.
        ring_queue: URL of the queue of ring timers.
        clock: returns the milliseconds since the epoch.
        pause: waits some seconds.
    """

    tables: TableReader
    meetings: Any
    sqs: Any
    ring_queue: str
    clock: Callable[[], int] = now
    pause: Callable[[float], None] = time.sleep

    def read(self, session_id: str) -> dict[str, Any]:
        """Read a call.

        Raises:
            CommandError: there is no such call.
        """
        call = self.tables.item(tables.CALLS, sessionId=session_id)
        if call is None:
            raise CommandError(f"No call has the id {session_id}.")
        return call

    def plan(self, call: dict[str, Any]) -> str:
        """Return what ends a live call, in one sentence.

        Raises:
            CommandError: the call still has time to ring: its own timer ends it.
        """
        if call["status"] == "RINGING":
            if milliseconds(call["ringsUntil"]) > self.clock():
                raise CommandError(
                    f"The call rings until {call['ringsUntil']}; its ring timer ends it then. Repeat the command if it "
                    "still rings after that."
                )
            return "The ring timer of the call is sent again."
        if call.get("meetingId"):
            return f"The meeting {call['meetingId']} is deleted."
        return "The call has no meeting: the next sweep ends it."

    def end(self, call: dict[str, Any]) -> None:
        """Do what `plan` says. A meeting that has ended counts as deleted."""
        if call["status"] == "RINGING":
            body = json.dumps({"sessionId": call["sessionId"]})
            self.sqs.send_message(QueueUrl=self.ring_queue, MessageBody=body)
        elif call.get("meetingId"):
            try:
                self.meetings.delete_meeting(MeetingId=call["meetingId"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotFoundException":
                    raise

    def wait(self, session_id: str, progress: Callable[[int], None]) -> dict[str, Any]:
        """Wait until a call is over, and return it; after the longest wait, return it as it is.

        Args:
            progress: called with the seconds so far.
        """
        for waited in range(0, _WAIT_SECONDS, _LOOK_SECONDS):
            call = self.read(session_id)
            if call["status"] not in _LIVE:
                return call
            progress(waited)
            self.pause(_LOOK_SECONDS)
        return self.read(session_id)


def deployed(environment: str) -> CallControl:
    """Return the calls of a deployed environment.

    Raises:
        CommandError: the environment is not deployed, or an output is missing.
    """
    stacks = outputs.read_stacks(environment, outputs.cloudformation)
    region = outputs.value(STACK_REGION, environment, stacks)
    return CallControl(
        tables=TableReader(aws.client("dynamodb", region), environment),
        meetings=aws.client("chime-sdk-meetings", region),
        sqs=aws.client("sqs", region),
        ring_queue=outputs.value(RING_QUEUE_URL, environment, stacks),
    )


def main(
    arguments: Sequence[str] | None = None,
    *,
    control: Callable[[str], CallControl] = deployed,
    audit: Callable[[str], AuditLog] = AuditLog.deployed,
) -> int:
    """Run the command.

    Args:
        arguments: of the command line.
        control: returns the calls of an environment.
        audit: returns the audit log of an environment.
    """
    parser = action_parser("end-call", __doc__ or "")
    parser.add_argument("id", help="session id of the call")
    chosen = parser.parse_args(arguments)
    try:
        with aws.explained_errors():
            calls = control(chosen.env)
            call = calls.read(chosen.id)
            if call["status"] not in _LIVE:
                print(f"The call is over: it ended as {call['status']} at {call.get('endedAt')}.")
                return 0
            plan = calls.plan(call)
            print(f"The call is {call['status']}, with {len(call['participants'])} participants. {plan}")
            if not chosen.yes:
                print("Nothing was changed. To end the call, add --yes.")
                return 0
            record = AuditRecord(action="end-call", subject=chosen.id, reason=chosen.reason)
            audited(audit(chosen.env), record, lambda: _end(calls, call, plan))
            after = calls.wait(chosen.id, lambda waited: print(f"waiting, {waited} s", file=sys.stderr))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    if after["status"] in _LIVE:
        print(f"The call is still {after['status']}. See: python -m ops explain call {chosen.id} --env {chosen.env}")
        return 1
    print(f"The call ended as {after['status']}, reason {after['endReason']}.")
    return 0


def _end(calls: CallControl, call: dict[str, Any], plan: str) -> str:
    calls.end(call)
    return plan
