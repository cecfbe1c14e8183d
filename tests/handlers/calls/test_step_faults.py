"""Whatever goes wrong at whatever step, on real tables and queues: the call never sticks, and nothing is left over.

Every call that the routes' function makes to another service goes wrong once: it fails, its answer is lost, or the
process dies after it. (`test_calls_*` do the same in memory, in every order.)
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
    """One stand-in for all tests here: every session is another."""
    with running_chime() as running:
        yield running


class Scene:
    """Two users and a function of which one call goes wrong; a healthy one beside it shares all the rest."""

    def __init__(self, world: World, chime: ChimeServer) -> None:
        self.world, self.chime = world, chime
        self.healthy = CallFunctions(world, chime)
        self.faults = Calls()
        self.ailing = CallFunctions(world, chime, self.healthy.publisher, self.healthy.clock, self.faults)
        self.ana, self.ben = self.healthy.add_users("Ana", "Ben")

    def tries(self, action: Callable[[], object], at: int, fault: Fault) -> bool:
        """Do something while one call goes wrong; return whether the process lived."""
        self.faults.arm(at, fault)
        try:
            action()
        except ProcessDiesError:
            return False
        return True

    def check(self, session_id: str) -> str:
        """Check what must hold once everything has come to rest, and return the call's status."""
        call = get(self.world, "CALLS_TABLE", sessionId=session_id)
        locks = {row["userId"] for row in rows(self.world, "CALL_LOCKS_TABLE") if row["sessionId"] == session_id}
        meeting = self.chime.meeting_of(session_id)
        assert [row for row in rows(self.world, "OUTBOX_TABLE") if session_id in row["event"]] == []
        if call is None:
            assert (locks, meeting) == (set(), None)
            return "none"
        assert call["status"] in (*TERMINAL, "ACTIVE"), "a call sticks"
        live = call["status"] == "ACTIVE"
        assert locks == ({self.ana, self.ben} if live else set())
        assert (meeting is not None) == live
        if live and meeting is not None:
            assert call["meetingId"] == meeting.meeting_id
            users = [each.external_user_id for each in meeting.attendees.values()]
            assert sorted(users) == sorted([self.ana, self.ben])
        self._check_devices(session_id, call["status"])
        return str(call["status"])

    def _check_devices(self, session_id: str, status: str) -> None:
        for user_id in (self.ana, self.ben):
            mine = [
                event
                for event in self.healthy.publisher.events(user_id, "users")
                if event["data"]["sessionId"] == session_id
            ]
            for event in mine:
                assert set(event["data"].get("attendees", {})) <= {user_id}
            last = max(mine, key=lambda event: event["data"]["version"])
            assert last["data"]["status"] == status


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_an_answer_that_goes_wrong_at_any_step_leaves_a_call_that_goes_on_or_is_over(
    world: World, chime: ChimeServer, fault: Fault
) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(world, chime)
        session_id = scene.healthy.ring(scene.ana, scene.ben)
        lived = scene.tries(lambda: scene.ailing.act("accept", scene.ben, session_id, deviceId="d"), at, fault)  # noqa: B023
        if lived and scene.faults.triggered and at % 2:
            again = scene.healthy.act("accept", scene.ben, session_id, deviceId="d")
            assert again.status == 200
            assert set(again.body["attendees"]) == {scene.ben}
        scene.healthy.recover()
        scene.check(session_id)
        if not scene.faults.triggered:
            return
    pytest.fail("an accept has more steps than this test reaches")


def test_a_call_whose_process_dies_at_any_step_rings_to_its_end_or_never_was(world: World, chime: ChimeServer) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(world, chime)
        scene.tries(lambda: scene.ailing.initiate(scene.ana, recipientId=scene.ben, tempId="t"), at, doubles.dies_after)  # noqa: B023
        again = scene.healthy.initiate(scene.ana, recipientId=scene.ben, tempId="t")
        assert again.status == 200
        scene.healthy.recover()
        assert scene.check(again.body["sessionId"]) == "MISSED"
        if not scene.faults.triggered:
            return
    pytest.fail("an initiate has more steps than this test reaches")


@pytest.mark.parametrize("action", ["end", "leave"])
def test_an_end_whose_process_dies_at_any_step_leaves_no_meeting(world: World, chime: ChimeServer, action: str) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(world, chime)
        session_id = scene.healthy.ring(scene.ana, scene.ben)
        assert scene.healthy.act("accept", scene.ben, session_id).status == 200
        lived = scene.tries(lambda: scene.ailing.act(action, scene.ana, session_id), at, doubles.dies_before)  # noqa: B023
        if not lived:
            assert scene.healthy.act(action, scene.ana, session_id).status == 200
        scene.healthy.recover()
        assert scene.check(session_id) == "ENDED"
        if not scene.faults.triggered:
            return
    pytest.fail("an end has more steps than this test reaches")


@pytest.mark.parametrize("operation", ["create_meeting", "batch_create_attendee"])
def test_both_sides_hear_that_chime_fails_and_the_call_rings_on(
    world: World, chime: ChimeServer, operation: str
) -> None:
    scene = Scene(world, chime)
    session_id = scene.healthy.ring(scene.ana, scene.ben)
    probe = Scene(world, chime)
    assert probe.ailing.act("accept", probe.ben, probe.healthy.ring(probe.ana, probe.ben)).status == 200
    scene.faults.arm(probe.faults.made.index(operation) + 1, doubles.throttles)
    answer = scene.ailing.act("accept", scene.ben, session_id)
    assert (answer.status, answer.body["error"]["code"]) == (503, "UNAVAILABLE")
    assert scene.healthy.types(scene.ana)[-1] == scene.healthy.types(scene.ben)[-1] == "CALL_ERROR"
    assert scene.healthy.get(scene.ana, session_id).body["call"]["status"] == "RINGING"
    assert scene.healthy.act("accept", scene.ben, session_id).status == 200
