"""Calls are ended by what ends them anyway: their meeting, or their ring timer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contract import tables
from ops.explain.tables import TableReader
from ops.support import end_call
from ops.support.end_call import CallControl
from tests.harness.call_functions import RING_SECONDS, CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources, lambda_record
from tests.ops.support.recorded import AuditLines


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module."""
    with running_chime() as running:
        yield running


class Campus:
    """The call functions, with a command whose waiting runs what time would bring."""

    def __init__(self, aws: AwsResources, chime: ChimeServer) -> None:
        self.aws = aws
        self.functions = CallFunctions(aws, chime)
        self.ana, self.ben = self.functions.add_users("Ana", "Ben")
        self.chime = chime
        self.brings_chime_events = True

    def control(self, environment: str) -> CallControl:
        """Return the calls, as the command asks for them."""
        return CallControl(
            tables=TableReader(self.aws.dynamodb, self.aws.environment),
            meetings=self.chime.client(),
            sqs=self.aws.sqs,
            ring_queue=self.aws.ring_queue_url,
            clock=self.functions.clock.now,
            pause=self.pass_time,
        )

    def pass_time(self, seconds: float) -> None:
        """Let time pass: Chime's event of a deleted meeting arrives, ring timers are delivered, or the sweep runs."""
        for timer in self.functions.due_timers():
            self.functions.ring_timeout({"Records": [lambda_record(timer)]}, None)
        (call,) = self.aws.scan(tables.CALLS)
        if call["status"] == "ACTIVE" and self.brings_chime_events:
            ids = {"meetingId": call["meetingId"], "externalMeetingId": call["sessionId"]}
            self.functions.chime_event("chime:MeetingEnded", **ids)
        elif call["status"] == "ACTIVE":
            self.functions.sweep_calls(after_seconds=60)

    def end(self, audit: AuditLines, session_id: str, *options: str) -> int:
        """Run the command."""
        arguments = [session_id, "--env", self.aws.environment, "--reason", "left open", *options]
        return end_call.main(arguments, control=self.control, audit=audit.of)

    def answered(self) -> str:
        """Return an answered call."""
        session_id = self.functions.ring(self.ana, self.ben)
        assert self.functions.act("accept", self.ben, session_id).status == 200
        return session_id

    def stored(self, session_id: str) -> dict[str, Any]:
        """Return a call as stored."""
        call = self.aws.item(tables.CALLS, sessionId=session_id)
        assert call is not None
        return call


@pytest.fixture
def campus(aws: AwsResources, chime: ChimeServer) -> Campus:
    return Campus(aws, chime)


def test_without_confirmation_nothing_is_ended(
    campus: Campus, audit: AuditLines, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = campus.answered()
    assert campus.end(audit, session_id) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert campus.stored(session_id)["status"] == "ACTIVE"
    assert audit.lines() == []


@pytest.mark.parametrize("event_arrives", [True, False])
def test_an_answered_call_ends_with_its_meeting_and_frees_its_users(
    campus: Campus, audit: AuditLines, event_arrives: bool
) -> None:
    campus.brings_chime_events = event_arrives
    session_id = campus.answered()
    assert campus.end(audit, session_id, "--yes") == 0
    call = campus.stored(session_id)
    assert (call["status"], call["endReason"], call.get("endedBy")) == ("ENDED", "MEETING_ENDED", None)
    assert campus.aws.scan(tables.CALL_LOCKS) == []
    for user in (campus.ana, campus.ben):
        assert "CALL_ENDED" in campus.functions.types(user)
    assert audit.results() == [("end-call", session_id, "started"), ("end-call", session_id, "done")]


def test_a_call_that_may_still_ring_is_left_to_its_timer(
    campus: Campus, audit: AuditLines, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = campus.functions.ring(campus.ana, campus.ben)
    assert campus.end(audit, session_id, "--yes") == 2
    assert "its ring timer ends it" in capsys.readouterr().err
    assert campus.stored(session_id)["status"] == "RINGING"


def test_a_call_that_rings_too_long_is_ended_by_a_new_ring_timer(campus: Campus, audit: AuditLines) -> None:
    session_id = campus.functions.ring(campus.ana, campus.ben)
    campus.functions.clock.pause(RING_SECONDS + 1)
    assert campus.end(audit, session_id, "--yes") == 0
    assert campus.stored(session_id)["status"] == "MISSED"


def test_a_call_that_is_over_and_a_call_that_does_not_exist_are_not_ended(
    campus: Campus, audit: AuditLines, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = campus.functions.ring(campus.ana, campus.ben)
    assert campus.functions.act("cancel", campus.ana, session_id).status == 200
    assert campus.end(audit, session_id, "--yes") == 0
    assert "is over: it ended as CANCELLED" in capsys.readouterr().out
    assert campus.end(audit, "no-such-call", "--yes") == 2
    assert "No call has the id no-such-call" in capsys.readouterr().err
    assert audit.lines() == []


def test_a_call_that_does_not_end_is_reported(
    campus: Campus, audit: AuditLines, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = campus.answered()
    monkeypatch.setattr(campus, "pass_time", lambda seconds: None)
    assert campus.end(audit, session_id, "--yes") == 1
    assert "still ACTIVE" in capsys.readouterr().out
    assert json.dumps(audit.results())
