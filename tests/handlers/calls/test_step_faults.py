"""Faults at each step on real tables and queues: no call remains unfinished, and no meeting or lock remains.

Every call that the routes' function makes to another service has a fault once: it fails, its response is lost, or the
process is killed after it. (`test_faults.py` and `test_interleavings.py` do the same in memory, in every order.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.handlers import doubles
from tests.harness.handlers.cloud import World
from tests.harness.handlers.doubles import Calls, Fault, ProcessDiesError
from tests.harness.handlers.seeds import get, rows

FAULTS: list[Fault] = [
    doubles.fails,
    doubles.answer_gets_lost,
    doubles.dies_after,
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

    def __init__(self, world: World, chime: ChimeServer) -> None:
        self.world, self.chime = world, chime
        self.healthy = CallFunctions(world, chime)
        self.faults = Calls()
        self.faulty = CallFunctions(world, chime, self.healthy.publisher, self.healthy.clock, self.faults)
        self.ana, self.ben = self.healthy.add_users("Ana", "Ben")

    def survives(
        self, at: int, fault: Fault, action: Callable[..., object], *arguments: object, **fields: object
    ) -> bool:
        """Run an action with a fault in one call; return whether the process was not killed."""
        self.faults.arm(at, fault)
        try:
            action(*arguments, **fields)
        except ProcessDiesError:
            return False
        return True

    def check(self, session_id: str) -> str:
        """Check the invariants after recovery, and return the call's status."""
        call = get(self.world, "CALLS_TABLE", sessionId=session_id)
        locks = {row["userId"] for row in rows(self.world, "CALL_LOCKS_TABLE") if row["sessionId"] == session_id}
        meeting = self.chime.meeting_of(session_id)
        assert [row for row in rows(self.world, "OUTBOX_TABLE") if session_id in row["event"]] == []
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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_accept_with_a_fault_at_any_step_leaves_an_answered_or_ended_call(
    world: World, chime: ChimeServer, fault: Fault
) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(world, chime)
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


def test_initiate_killed_at_any_step_leaves_a_complete_call_or_none(world: World, chime: ChimeServer) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(world, chime)
        request = {"recipientId": scenario.ben, "tempId": "t"}
        scenario.survives(at, doubles.dies_after, scenario.faulty.initiate, scenario.ana, **request)
        again = scenario.healthy.initiate(scenario.ana, recipientId=scenario.ben, tempId="t")
        assert again.status == 200
        scenario.healthy.recover()
        assert scenario.check(again.body["sessionId"]) == "MISSED"
        if not scenario.faults.triggered:
            return
    pytest.fail("an initiate has more steps than this test reaches")


@pytest.mark.parametrize("action", ["end", "leave"])
def test_end_killed_at_any_step_leaves_no_meeting(world: World, chime: ChimeServer, action: str) -> None:
    for at in range(1, STEPS_MAX):
        scenario = FaultScenario(world, chime)
        session_id = scenario.healthy.ring(scenario.ana, scenario.ben)
        assert scenario.healthy.act("accept", scenario.ben, session_id).status == 200
        survived = scenario.survives(at, doubles.dies_before, scenario.faulty.act, action, scenario.ana, session_id)
        if not survived:
            assert scenario.healthy.act(action, scenario.ana, session_id).status == 200
        scenario.healthy.recover()
        assert scenario.check(session_id) == "ENDED"
        if not scenario.faults.triggered:
            return
    pytest.fail("an end has more steps than this test reaches")


@pytest.mark.parametrize("operation", ["create_meeting", "batch_create_attendee"])
def test_chime_failure_publishes_call_error_to_both_users_and_the_call_keeps_ringing(
    world: World, chime: ChimeServer, operation: str
) -> None:
    scenario = FaultScenario(world, chime)
    session_id = scenario.healthy.ring(scenario.ana, scenario.ben)
    probe = FaultScenario(world, chime)
    assert probe.faulty.act("accept", probe.ben, probe.healthy.ring(probe.ana, probe.ben)).status == 200
    scenario.faults.arm(probe.faults.made.index(operation) + 1, doubles.throttles)
    answer = scenario.faulty.act("accept", scenario.ben, session_id)
    assert (answer.status, answer.body["error"]["code"]) == (503, "UNAVAILABLE")
    assert scenario.healthy.types(scenario.ana)[-1] == scenario.healthy.types(scenario.ben)[-1] == "CALL_ERROR"
    assert scenario.healthy.get(scenario.ana, session_id).body["call"]["status"] == "RINGING"
    assert scenario.healthy.act("accept", scenario.ben, session_id).status == 200
