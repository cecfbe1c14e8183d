"""Faults at each step on real tables and queues: no call remains unfinished, and no meeting or lock remains.

Every call that the routes' function makes to another service has a fault once: it fails, its response is lost, or the
process is killed after it. (`test_faults.py` and `test_interleavings.py` do the same in memory, in every order.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from contract import tables
from tests.harness import faults
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.faults import Fault, FaultInjector, ProcessKilledError

FAULTS: list[Fault] = [
    faults.service_error,
    faults.response_lost,
    faults.killed_after,
]
STEPS_MAX = 40
TERMINAL = ("ENDED", "MISSED", "REJECTED", "CANCELLED")


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module: every test has its own sessions."""
    with running_chime() as running:
        yield running


class FaultScenario:
    """Two users, functions of which one call has a fault, and healthy functions on the same tables and queues."""

    def __init__(self, aws: AwsResources, chime: ChimeServer) -> None:
        self.aws, self.chime = aws, chime
        self.healthy = CallFunctions(aws, chime)
        self.faults = FaultInjector()
        self.faulty = CallFunctions(aws, chime, self.healthy.publisher, self.healthy.clock, self.faults)
        self.ana, self.ben = self.healthy.add_users("Ana", "Ben")

    def survives(
        self, at: int, fault: Fault, action: Callable[..., object], *arguments: object, **fields: object
    ) -> bool:
        """Run an action with a fault in one call; return whether the process was not killed."""
        self.faults.arm(at, fault)
        try:
            action(*arguments, **fields)
        except ProcessKilledError:
            return False
        return True

    def check(self, session_id: str) -> str:
        """Check the invariants after recovery, and return the call's status."""
        call = self.aws.item(tables.CALLS, sessionId=session_id)
        locks = {row["userId"] for row in self.aws.scan(tables.CALL_LOCKS) if row["sessionId"] == session_id}
        meeting = self.chime.meeting_of(session_id)
        assert [row for row in self.aws.scan(tables.OUTBOX) if session_id in row["event"]] == []
        if call is None:
            assert (locks, meeting) == (set(), None)
            return "none"
        assert call["status"] in (*TERMINAL, "ACTIVE"), "the call is unfinished"
        live = call["status"] == "ACTIVE"
        assert locks == ({self.ana, self.ben} if live else set())
        assert (meeting is not None) == live
        if live and meeting is not None:
            assert call["meetingId"] == meeting.meeting_id
            users = [each.external_user_id for each in meeting.attendees.values()]
            assert sorted(users) == sorted([self.ana, self.ben])
        self._check_events(session_id, call["status"])
        return str(call["status"])

    def _check_events(self, session_id: str, status: str) -> None:
        for user_id in (self.ana, self.ben):
            events = [
                event
                for event in self.healthy.publisher.events(user_id, "users")
                if event["data"]["sessionId"] == session_id
            ]
            for event in events:
                assert set(event["data"].get("attendees", {})) <= {user_id}
            last = max(events, key=lambda event: event["data"]["version"])
            assert last["data"]["status"] == status


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_accept_with_a_fault_at_any_step_leaves_an_answered_or_ended_call(
    aws: AwsResources, chime: ChimeServer, fault: Fault
) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(aws, chime)
        session_id = scenario.healthy.ring(scenario.ana, scenario.ben)
        survived = scenario.survives(at, fault, scenario.faulty.act, "accept", scenario.ben, session_id, deviceId="d")
        if survived and scenario.faults.triggered and at % 2:
            again = scenario.healthy.act("accept", scenario.ben, session_id, deviceId="d")
            assert again.status == 200
            assert set(again.body["attendees"]) == {scenario.ben}
        scenario.healthy.recover()
        scenario.check(session_id)
        if not scenario.faults.triggered:
            return
    pytest.fail("an accept has more steps than this test reaches")


def test_initiate_killed_at_any_step_leaves_a_complete_call_or_none(aws: AwsResources, chime: ChimeServer) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(aws, chime)
        request = {"recipientId": scenario.ben, "tempId": "t"}
        scenario.survives(at, faults.killed_after, scenario.faulty.initiate, scenario.ana, **request)
        again = scenario.healthy.initiate(scenario.ana, recipientId=scenario.ben, tempId="t")
        assert again.status == 200
        scenario.healthy.recover()
        assert scenario.check(again.body["sessionId"]) == "MISSED"
        if not scenario.faults.triggered:
            return
    pytest.fail("an initiate has more steps than this test reaches")


@pytest.mark.parametrize("action", ["end", "leave"])
def test_end_killed_at_any_step_leaves_no_meeting(aws: AwsResources, chime: ChimeServer, action: str) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(aws, chime)
        session_id = scenario.healthy.ring(scenario.ana, scenario.ben)
        assert scenario.healthy.act("accept", scenario.ben, session_id).status == 200
        survived = scenario.survives(at, faults.killed_before, scenario.faulty.act, action, scenario.ana, session_id)
        if not survived:
            assert scenario.healthy.act(action, scenario.ana, session_id).status == 200
        scenario.healthy.recover()
        assert scenario.check(session_id) == "ENDED"
        if not scenario.faults.triggered:
            return
    pytest.fail("an end has more steps than this test reaches")


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("operation", ["create_meeting", "batch_create_attendee"])
def test_chime_failure_publishes_call_error_to_both_users_and_the_call_keeps_ringing(
    aws: AwsResources, chime: ChimeServer, operation: str
) -> None:
    scenario = FaultScenario(aws, chime)
    session_id = scenario.healthy.ring(scenario.ana, scenario.ben)
    probe = FaultScenario(aws, chime)
    assert probe.faulty.act("accept", probe.ben, probe.healthy.ring(probe.ana, probe.ben)).status == 200
    scenario.faults.arm(probe.faults.calls.index(operation) + 1, faults.throttled)
    answer = scenario.faulty.act("accept", scenario.ben, session_id)
    assert (answer.status, answer.body["error"]["code"]) == (503, "UNAVAILABLE")
    assert scenario.healthy.types(scenario.ana)[-1] == scenario.healthy.types(scenario.ben)[-1] == "CALL_ERROR"
    assert scenario.healthy.get(scenario.ana, session_id).body["call"]["status"] == "RINGING"
    assert scenario.healthy.act("accept", scenario.ben, session_id).status == 200
