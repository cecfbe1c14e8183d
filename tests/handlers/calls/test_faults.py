"""Chime failing, the store failing and the process dying at each step of each operation: the call never sticks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.limits import CALL_HOURS_MAX, MEETING_SETTLE_SECONDS
from handlers.core.shared import concurrency
from handlers.core.shared.errors import CallConflictError, UnavailableError
from tests.harness.handlers.call_steps import FAULTS, InlinePool, Running
from tests.harness.handlers.call_town import RING_SECONDS, CallTown, refused


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing run side by side."""
    monkeypatch.setattr(concurrency, "_pool", InlinePool)


def ready(*, answered: int = 0) -> tuple[CallTown, str]:
    """Return a town and a group call that some have answered."""
    town = CallTown()
    members = town.users("ana", "ben", "cat")
    town.group(*members)
    session_id = town.ring_group("ana", tempId="call")
    for user_id in members[1 : answered + 1]:
        town.accept(user_id, session_id, "phone")
    return town, session_id


Operation = Callable[[CallTown, str], object]
OPERATIONS: dict[str, tuple[int, float, Operation]] = {
    # how many have answered, how many seconds later, what is done
    "accept": (0, 0, lambda town, session_id: town.accept("ben", session_id, "phone")),
    "join": (1, 0, lambda town, session_id: town.accept("cat", session_id, "phone")),
    "reject": (0, 0, lambda town, session_id: town.reject("ben", session_id)),
    "cancel": (0, 0, lambda town, session_id: town.cancel("ana", session_id)),
    "leave": (1, 0, lambda town, session_id: town.leave("ana", session_id)),
    "end": (1, 0, lambda town, session_id: town.end("ana", session_id)),
    "timeout": (0, RING_SECONDS, lambda town, session_id: town.timeouts.expire(session_id)),
    "late timeout": (1, RING_SECONDS, lambda town, session_id: town.timeouts.expire(session_id)),
    "sweep": (2, 130, lambda town, session_id: town.sweep()),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_at_whichever_step_the_call_stays_sound_and_ends_in_the_end(name: str, fault: str) -> None:
    answered, seconds, operation = OPERATIONS[name]
    step, outcomes = 0, set()
    while True:
        town, session_id = ready(answered=answered)
        town.world.clock.forward(seconds)
        running = Running(town.world, lambda own, session_id=session_id: operation(own, session_id))  # type: ignore[misc]
        while running.calls < step and not running.done:
            running.step()
            town.assert_sound()
        if running.done:
            break
        running.step(fault)
        running.finish()
        town.assert_sound()
        outcomes.add(town.call(session_id).status)
        town.rest()
        town.assert_settled()
        town.assert_told()
        town.assert_over()
        town.assert_told()
        step += 1
    assert step >= 4, "every operation reads, writes and tells"
    assert outcomes


@pytest.mark.parametrize("fault", FAULTS)
def test_a_repeated_accept_succeeds_whatever_went_wrong_the_first_time(fault: str) -> None:
    step = 0
    while True:
        town, session_id = ready()
        running = Running(town.world, lambda own, session_id=session_id: own.accept("ben", session_id, "phone"))  # type: ignore[misc]
        while running.calls < step and not running.done:
            running.step()
        if running.done:
            break
        running.step(fault)
        running.finish()
        assert town.accept("ben", session_id, "phone").call.status == "ACTIVE"
        assert len(town.world.chime.made) == 1
        assert len(town.world.chime.tokens) == 2
        town.redeliver()
        assert [town.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]
        town.assert_sound()
        step += 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_repeated_call_with_its_temp_id_rings_once_whatever_went_wrong_the_first_time(fault: str) -> None:
    step = 0
    while True:
        town = CallTown()
        town.users("ana", "ben")
        running = Running(town.world, lambda own: own.initiate("ana", recipientId="ben", tempId="call"))
        while running.calls < step and not running.done:
            running.step()
        if running.done:
            break
        running.step(fault)
        running.finish()
        answer = town.initiate("ana", recipientId="ben", tempId="call")
        assert len(town.world.calls.calls) == 1
        town.redeliver()
        assert (town.types("ben"), town.types("ana")) == (["INCOMING_CALL"], ["CALL_RINGING"])
        town.accept("ben", answer.sessionId)
        town.assert_sound()
        step += 1


def test_a_write_that_happened_although_nobody_answered_is_told_at_once() -> None:
    town, session_id = ready()
    running = Running(town.world, lambda own: own.accept("ben", session_id, "phone"))
    while town.call(session_id).status != "ACTIVE":
        running.step("lost" if town.world.chime.tokens else None)
    assert running.finish().answer.call.status == "ACTIVE"
    assert [town.types(user_id)[-1] for user_id in ("ana", "ben")] == ["CALL_CONNECTED"] * 2
    assert town.world.calls.outbox == {}


@pytest.mark.parametrize("operation", ["create", "attendees"])
def test_h16_when_chime_fails_on_an_answer_both_learn_of_it_and_the_call_rings_on_until_its_time(
    operation: str,
) -> None:
    town, session_id = ready()
    town.world.chime.broken = {operation}
    error = refused(lambda: town.accept("ben", session_id), UnavailableError)
    assert "rings on" in error.message
    for user_id in ("ana", "ben"):
        kind, data = town.last(user_id)
        assert (kind, data["status"], data["error"]["code"]) == ("CALL_ERROR", "RINGING", "UNAVAILABLE")
    assert town.types("cat") == ["INCOMING_CALL"]
    assert town.world.notes.outcomes()[-1] == "failed"
    town.time_out(session_id)
    assert [town.types(user_id)[-1] for user_id in ("ana", "ben", "cat")] == ["CALL_MISSED"] * 3
    town.world.chime.broken = set()
    town.rest()
    town.assert_settled()


def test_when_chime_recovers_before_the_time_is_up_the_same_call_is_answered() -> None:
    town, session_id = ready()
    town.world.chime.broken = {"attendees"}
    refused(lambda: town.accept("ben", session_id), UnavailableError)
    town.world.chime.broken = set()
    assert town.accept("ben", session_id).call.status == "ACTIVE"
    assert len(town.world.chime.made) == 1


def test_when_chime_fails_on_joining_only_who_wanted_to_join_learns_of_it() -> None:
    town, session_id = ready(answered=1)
    town.world.chime.broken = {"attendees"}
    town.forget_events()
    refused(lambda: town.accept("cat", session_id), UnavailableError)
    assert (town.types("cat"), town.types("ana"), town.types("ben")) == (["CALL_ERROR"], [], [])
    assert town.call(session_id).status == "ACTIVE"


def test_a_meeting_made_by_somebody_who_died_is_deleted_although_nobody_knows_its_id() -> None:
    town, session_id = ready()
    running = Running(town.world, lambda own: own.accept("ben", session_id))
    while not town.world.chime.made:
        running.step()
    running.step("dies_before")
    town.cancel("ana", session_id)
    assert town.call(session_id).meeting_id is None
    assert len(town.world.chime.there) == 1
    town.sweep(after_seconds=MEETING_SETTLE_SECONDS)
    assert (town.world.chime.there, town.call(session_id).due_at) == ({}, None)


def test_a_meeting_made_after_the_calls_end_by_somebody_slow_who_then_died_is_deleted() -> None:
    town, session_id = ready()
    running = Running(town.world, lambda own: own.accept("ben", session_id))
    while town.call(session_id).asked_at is None:
        running.step()
    town.accept("cat", session_id)
    town.end("ana", session_id)
    assert town.world.chime.there == {}
    while len(town.world.chime.made) < 2:
        running.step()
    running.step("dies_before")
    assert len(town.world.chime.there) == 1
    town.rest()
    town.assert_settled()


def test_two_devices_that_answer_at_once_share_the_meeting_and_one_of_them_is_in_the_call() -> None:
    town, session_id = ready()
    devices = ("phone", "laptop")
    both = [Running(town.world, lambda own, device=device: own.accept("ben", session_id, device)) for device in devices]  # type: ignore[misc]
    while not all(each.done for each in both):
        for each in both:
            if not each.done:
                each.step()
    (winner,) = [each for each in both if each.refusal is None]
    (loser,) = [each for each in both if each.refusal is not None]
    assert isinstance(loser.refusal, CallConflictError)
    assert "another device" in loser.refusal.message
    assert winner.answer.call.status == "ACTIVE"
    assert (len(town.world.chime.made), len(town.world.chime.there)) == (1, 1)
    town.assert_settled()


def test_a_lost_chime_event_is_made_up_for_by_the_sweep() -> None:
    town, session_id = ready(answered=1)
    town.world.chime.there.clear()
    assert town.sweep(after_seconds=130).ended == [session_id]
    assert town.call(session_id).end_reason == "MEETING_ENDED"


def test_while_chime_does_not_answer_the_sweep_leaves_calls_alone() -> None:
    town, session_id = ready(answered=1)
    town.world.chime.broken = {"exists"}
    assert town.sweep(after_seconds=130).left == [session_id]
    assert town.call(session_id).status == "ACTIVE"


def test_no_call_outlives_chimes_longest_meeting() -> None:
    town, session_id = ready(answered=1)
    assert town.sweep(after_seconds=CALL_HOURS_MAX * 3600 - 1).ended == []
    assert town.sweep(after_seconds=130).ended == [session_id]
    assert (town.call(session_id).end_reason, town.last("ben")[1]["endedBy"]) == ("EXPIRED", None)


def test_chimes_word_of_an_attendee_counts_only_for_the_present_one() -> None:
    town, session_id = ready(answered=2)
    now = town.world.clock.now
    first = town.world.chime.rooms["meeting-1"]["cat"].AttendeeId
    town.leave("cat", session_id)
    town.world.clock.forward(5)
    town.accept("cat", session_id, "phone")
    present = town.world.chime.rooms["meeting-1"]["cat"].AttendeeId
    before = town.call(session_id)
    town.reconciling.attendee_left(session_id, "cat", first, now())
    town.reconciling.attendee_left(session_id, "cat", present, now() - 1)
    town.reconciling.attendee_left(session_id, "eve", present, now())
    town.reconciling.attendee_left("unknown", "cat", present, now())
    town.reconciling.meeting_ended(session_id, "another-meeting")
    assert town.call(session_id) == before
    town.reconciling.attendee_left(session_id, "cat", present, now())
    town.reconciling.attendee_left(session_id, "cat", present, now())
    assert (town.statuses(session_id)["cat"], town.call(session_id).version) == ("LEFT", before.version + 1)
    town.reconciling.attendee_left(session_id, "ben", town.world.chime.rooms["meeting-1"]["ben"].AttendeeId, now())
    town.reconciling.attendee_left(session_id, "ana", town.world.chime.rooms["meeting-1"]["ana"].AttendeeId, now())
    assert (town.call(session_id).status, town.call(session_id).end_reason) == ("ENDED", "LEFT")


def test_a_call_may_be_answered_in_the_moment_between_the_end_of_its_time_and_its_timer() -> None:
    town, session_id = ready()
    town.world.clock.forward(RING_SECONDS)
    town.accept("ben", session_id)
    town.timeouts.expire(session_id)
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "MISSED"}
