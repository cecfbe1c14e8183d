"""Faults of Chime, the store and the process at each step of each operation: no call remains unfinished."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.limits import CALL_HOURS_MAX, MEETING_SETTLE_SECONDS
from handlers.core.shared import concurrency
from handlers.core.shared.errors import CallConflictError, UnavailableError
from tests.harness.in_memory.calls import RING_SECONDS, InMemoryCalls, expect_error
from tests.harness.in_memory.stepping import FAULTS, InlinePool, SteppedOperation


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run concurrent calls one after the other."""
    monkeypatch.setattr(concurrency, "_pool", InlinePool)


def group_call(*, answered: int = 0) -> tuple[InMemoryCalls, str]:
    """Return a harness and the session id of a group call that some members have answered."""
    calls = InMemoryCalls()
    members = calls.add_users("ana", "ben", "cat")
    calls.add_group(*members)
    session_id = calls.ring_group("ana", tempId="call")
    for user_id in members[1 : answered + 1]:
        calls.accept(user_id, session_id, "phone")
    return calls, session_id


def accept(session_id: str, device: str = "phone") -> Callable[[InMemoryCalls], object]:
    """Return the operation of ben's accept."""
    return lambda calls: calls.accept("ben", session_id, device)


def bound(operation: Operation, session_id: str) -> Callable[[InMemoryCalls], object]:
    """Return an operation on one call."""
    return lambda calls: operation(calls, session_id)


Operation = Callable[[InMemoryCalls, str], object]
OPERATIONS: dict[str, tuple[int, float, Operation]] = {
    # answered by how many members, after how many seconds, the operation
    "accept": (0, 0, lambda calls, session_id: calls.accept("ben", session_id, "phone")),
    "join": (1, 0, lambda calls, session_id: calls.accept("cat", session_id, "phone")),
    "reject": (0, 0, lambda calls, session_id: calls.reject("ben", session_id)),
    "cancel": (0, 0, lambda calls, session_id: calls.cancel("ana", session_id)),
    "leave": (1, 0, lambda calls, session_id: calls.leave("ana", session_id)),
    "end": (1, 0, lambda calls, session_id: calls.end("ana", session_id)),
    "timeout": (0, RING_SECONDS, lambda calls, session_id: calls.ring_timeouts.expire(session_id)),
    "late timeout": (1, RING_SECONDS, lambda calls, session_id: calls.ring_timeouts.expire(session_id)),
    "sweep": (2, 130, lambda calls, session_id: calls.sweep()),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_call_stays_consistent_and_ends_after_any_fault_at_any_step(name: str, fault: str) -> None:
    """Requirement P3."""
    answered, seconds, operation = OPERATIONS[name]
    step, outcomes = 0, set()
    while True:
        calls, session_id = group_call(answered=answered)
        calls.services.clock.advance(seconds)
        running = SteppedOperation(calls.services, bound(operation, session_id))
        while running.steps < step and not running.done:
            running.step()
            calls.assert_consistent()
        if running.done:
            break
        running.step(fault)
        running.finish()
        calls.assert_consistent()
        outcomes.add(calls.call(session_id).status)
        calls.settle()
        calls.assert_settled()
        calls.assert_clients_notified()
        calls.assert_nothing_left()
        calls.assert_clients_notified()
        step += 1
    assert step >= 4, "every operation reads, writes and publishes"
    assert outcomes


@pytest.mark.parametrize("fault", FAULTS)
def test_repeated_accept_succeeds_after_any_fault_of_the_first(fault: str) -> None:
    step = 0
    while True:
        calls, session_id = group_call()
        running = SteppedOperation(calls.services, accept(session_id))
        while running.steps < step and not running.done:
            running.step()
        if running.done:
            break
        running.step(fault)
        running.finish()
        assert calls.accept("ben", session_id, "phone").call.status == "ACTIVE"
        assert len(calls.services.chime.created) == 1
        assert len(calls.services.chime.token_owners) == 2
        calls.redeliver()
        assert [calls.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]
        calls.assert_consistent()
        step += 1


@pytest.mark.parametrize("fault", FAULTS)
def test_repeated_initiate_with_temp_id_rings_once_after_any_fault_of_the_first(fault: str) -> None:
    step = 0
    while True:
        calls = InMemoryCalls()
        calls.add_users("ana", "ben")
        running = SteppedOperation(
            calls.services, lambda stepped: stepped.initiate("ana", recipientId="ben", tempId="call")
        )
        while running.steps < step and not running.done:
            running.step()
        if running.done:
            break
        running.step(fault)
        running.finish()
        answer = calls.initiate("ana", recipientId="ben", tempId="call")
        assert len(calls.services.store.calls) == 1
        calls.redeliver()
        assert (calls.types("ben"), calls.types("ana")) == (["INCOMING_CALL"], ["CALL_RINGING"])
        calls.accept("ben", answer.sessionId)
        calls.assert_consistent()
        step += 1


def test_stored_write_with_unknown_outcome_is_published_at_once() -> None:
    calls, session_id = group_call()
    running = SteppedOperation(calls.services, lambda stepped: stepped.accept("ben", session_id, "phone"))
    while calls.call(session_id).status != "ACTIVE":
        running.step("response_lost" if calls.services.chime.token_owners else None)
    assert running.finish().result.call.status == "ACTIVE"
    assert [calls.types(user_id)[-1] for user_id in ("ana", "ben")] == ["CALL_CONNECTED"] * 2
    assert calls.services.store.outbox == {}


@pytest.mark.parametrize("operation", ["create", "attendees"])
def test_chime_failure_on_answer_notifies_both_users_and_the_call_keeps_ringing(
    operation: str,
) -> None:
    """Requirements H16, S4."""
    calls, session_id = group_call()
    calls.services.chime.failing = {operation}
    error = expect_error(lambda: calls.accept("ben", session_id), UnavailableError)
    assert "keeps ringing" in error.message
    for user_id in ("ana", "ben"):
        kind, data = calls.last_event(user_id)
        assert (kind, data["status"], data["error"]["code"]) == ("CALL_ERROR", "RINGING", "UNAVAILABLE")
    assert calls.types("cat") == ["INCOMING_CALL"]
    assert calls.services.log.outcomes()[-1] == "failed"
    calls.time_out(session_id)
    assert [calls.types(user_id)[-1] for user_id in ("ana", "ben", "cat")] == ["CALL_MISSED"] * 3
    calls.services.chime.failing = set()
    calls.settle()
    calls.assert_settled()


def test_call_can_be_answered_when_chime_recovers_within_the_ring_time() -> None:
    calls, session_id = group_call()
    calls.services.chime.failing = {"attendees"}
    expect_error(lambda: calls.accept("ben", session_id), UnavailableError)
    calls.services.chime.failing = set()
    assert calls.accept("ben", session_id).call.status == "ACTIVE"
    assert len(calls.services.chime.created) == 1


def test_chime_failure_on_join_notifies_only_the_joining_user() -> None:
    """Requirement S4."""
    calls, session_id = group_call(answered=1)
    calls.services.chime.failing = {"attendees"}
    calls.clear_events()
    expect_error(lambda: calls.accept("cat", session_id), UnavailableError)
    assert (calls.types("cat"), calls.types("ana"), calls.types("ben")) == (["CALL_ERROR"], [], [])
    assert calls.call(session_id).status == "ACTIVE"


def test_meeting_of_a_killed_accept_is_deleted_although_its_id_was_not_stored() -> None:
    """Requirement S1."""
    calls, session_id = group_call()
    running = SteppedOperation(calls.services, lambda stepped: stepped.accept("ben", session_id))
    while not calls.services.chime.created:
        running.step()
    running.step("killed_before")
    calls.cancel("ana", session_id)
    assert calls.call(session_id).meeting_id is None
    assert len(calls.services.chime.meetings) == 1
    calls.sweep(after_seconds=MEETING_SETTLE_SECONDS)
    assert (calls.services.chime.meetings, calls.call(session_id).due_at) == ({}, None)


def test_meeting_created_after_the_end_by_a_slow_killed_accept_is_deleted() -> None:
    """Requirement S1."""
    calls, session_id = group_call()
    running = SteppedOperation(calls.services, lambda stepped: stepped.accept("ben", session_id))
    while calls.call(session_id).meeting_announced_at is None:
        running.step()
    calls.accept("cat", session_id)
    calls.end("ana", session_id)
    assert calls.services.chime.meetings == {}
    while len(calls.services.chime.created) < 2:
        running.step()
    running.step("killed_before")
    assert len(calls.services.chime.meetings) == 1
    calls.settle()
    calls.assert_settled()


def test_concurrent_accepts_of_two_devices_create_one_meeting_and_one_succeeds() -> None:
    calls, session_id = group_call()
    devices = ("phone", "laptop")
    both = [SteppedOperation(calls.services, accept(session_id, device)) for device in devices]
    while not all(each.done for each in both):
        for each in both:
            if not each.done:
                each.step()
    (winner,) = [each for each in both if each.error is None]
    (loser,) = [each for each in both if each.error is not None]
    assert isinstance(loser.error, CallConflictError)
    assert "another device" in loser.error.message
    assert winner.result.call.status == "ACTIVE"
    assert (len(calls.services.chime.created), len(calls.services.chime.meetings)) == (1, 1)
    calls.assert_settled()


def test_sweep_ends_a_call_whose_chime_event_was_lost() -> None:
    """Requirement S2."""
    calls, session_id = group_call(answered=1)
    calls.services.chime.meetings.clear()
    assert calls.sweep(after_seconds=130).ended == [session_id]
    assert calls.call(session_id).end_reason == "MEETING_ENDED"


def test_sweep_leaves_calls_unchanged_while_chime_does_not_answer() -> None:
    calls, session_id = group_call(answered=1)
    calls.services.chime.failing = {"exists"}
    assert calls.sweep(after_seconds=130).unfinished == [session_id]
    assert calls.call(session_id).status == "ACTIVE"


def test_call_expires_after_the_longest_duration_of_a_meeting() -> None:
    """Requirement S3."""
    calls, session_id = group_call(answered=1)
    assert calls.sweep(after_seconds=CALL_HOURS_MAX * 3600 - 1).ended == []
    assert calls.sweep(after_seconds=130).ended == [session_id]
    assert (calls.call(session_id).end_reason, calls.last_event("ben")[1]["endedBy"]) == ("EXPIRED", None)


def test_chime_attendee_event_counts_only_for_the_present_attendee() -> None:
    calls, session_id = group_call(answered=2)
    now = calls.services.clock.now
    first = calls.services.chime.attendees_of["meeting-1"]["cat"].AttendeeId
    calls.leave("cat", session_id)
    calls.services.clock.advance(5)
    calls.accept("cat", session_id, "phone")
    present = calls.services.chime.attendees_of["meeting-1"]["cat"].AttendeeId
    before = calls.call(session_id)
    calls.reconciler.attendee_left(session_id, "cat", first, now())
    calls.reconciler.attendee_left(session_id, "cat", present, now() - 1)
    calls.reconciler.attendee_left(session_id, "eve", present, now())
    calls.reconciler.attendee_left("unknown", "cat", present, now())
    calls.reconciler.meeting_ended(session_id, "another-meeting")
    assert calls.call(session_id) == before
    calls.reconciler.attendee_left(session_id, "cat", present, now())
    calls.reconciler.attendee_left(session_id, "cat", present, now())
    assert (calls.statuses(session_id)["cat"], calls.call(session_id).version) == ("LEFT", before.version + 1)
    calls.reconciler.attendee_left(
        session_id, "ben", calls.services.chime.attendees_of["meeting-1"]["ben"].AttendeeId, now()
    )
    calls.reconciler.attendee_left(
        session_id, "ana", calls.services.chime.attendees_of["meeting-1"]["ana"].AttendeeId, now()
    )
    assert (calls.call(session_id).status, calls.call(session_id).end_reason) == ("ENDED", "LEFT")


def test_call_can_be_answered_between_the_end_of_its_ring_time_and_its_timer() -> None:
    calls, session_id = group_call()
    calls.services.clock.advance(RING_SECONDS)
    calls.accept("ben", session_id)
    calls.ring_timeouts.expire(session_id)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "MISSED"}
