"""Known holes of call signalling, by number: ends that were none, leftovers, owners, and who is told what and when."""

from __future__ import annotations

from functools import partial

import pytest

from contract.limits import MEETING_SETTLE_SECONDS, RING_GRACE_SECONDS
from handlers.core.delivery.ports import DeliveryTask
from handlers.core.shared.errors import CallConflictError, NotFoundError
from tests.harness.in_memory.calls import RING_SECONDS, InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A group of four, and one outside."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


def connected(calls: InMemoryCalls) -> str:
    """Let ana call ben, and ben answer."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id, "phone")
    return session_id


@pytest.mark.parametrize("way", ["cancel", "reject", "end"])
def test_h3_a_call_that_is_over_cannot_be_answered(calls: InMemoryCalls, way: str) -> None:
    session_id = connected(calls) if way == "end" else calls.ring("ana", "ben")
    {"cancel": calls.cancel, "reject": calls.reject, "end": calls.end}[way](
        "ben" if way == "reject" else "ana", session_id
    )
    made = list(calls.services.chime.created)
    expect_error(lambda: calls.accept("ben", session_id, "phone"), CallConflictError)
    assert calls.services.chime.created == made


def test_h7_declining_ends_a_direct_call(calls: InMemoryCalls) -> None:
    assert calls.reject("ben", calls.ring("ana", "ben")).call.status == "REJECTED"


def test_h8_the_last_to_leave_ends_the_call_its_meeting_and_its_clock(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana", "ben")
    calls.accept("ben", session_id)
    calls.services.clock.advance(90)
    calls.leave("ana", session_id)
    answer = calls.leave("ben", session_id)
    assert (answer.call.status, answer.call.duration, calls.services.chime.meetings) == ("ENDED", 90, {})
    assert [calls.types(user_id)[-1] for user_id in ("ana", "ben")] == ["CALL_ENDED"] * 2


def test_h10_ending_again_changes_and_tells_nothing(calls: InMemoryCalls) -> None:
    session_id = connected(calls)
    calls.end("ana", session_id)
    before = calls.call(session_id)
    calls.services.clock.advance(5)
    calls.end("ana", session_id)
    assert calls.call(session_id) == before
    assert calls.types("ben").count("CALL_ENDED") == 1


@pytest.mark.parametrize("way", ["end", "leave"])
def test_h11_hanging_up_while_it_rings_stops_the_ringing_at_the_other_end(calls: InMemoryCalls, way: str) -> None:
    session_id = calls.ring("ana", "ben")
    getattr(calls, way)("ana", session_id)
    assert (calls.call(session_id).status, calls.last_event("ben")[0]) == ("CANCELLED", "CALL_CANCELLED")


def test_h12_ringing_ends_by_itself_even_where_the_timer_was_lost(calls: InMemoryCalls) -> None:
    calls.services.timers.failing = True
    session_id = calls.ring("ana", "ben")
    assert calls.sweep(after_seconds=RING_SECONDS).examined == 0
    assert calls.sweep(after_seconds=RING_GRACE_SECONDS).ended == [session_id]
    assert (calls.call(session_id).status, calls.last_event("ben")[0]) == ("MISSED", "CALL_MISSED")


def test_h13_nobody_who_is_in_the_call_can_decline_it(calls: InMemoryCalls) -> None:
    session_id = connected(calls)
    for user_id in ("ana", "ben"):
        expect_error(partial(calls.reject, user_id, session_id), CallConflictError)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED"}


def test_h14_leaving_is_for_those_in_the_call_and_told_to_those_in_the_call(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    expect_error(lambda: calls.leave("ben", session_id), CallConflictError)
    calls.accept("ben", session_id)
    calls.accept("dan", session_id)
    calls.reject("cat", session_id)
    calls.leave("dan", session_id)
    calls.clear_events()
    calls.leave("ben", session_id)
    assert {user_id: calls.types(user_id) for user_id in ALL} == {
        "ana": ["PARTICIPANT_LEFT"],
        "ben": [],
        "cat": [],
        "dan": [],
    }
    calls.leave("dan", session_id)
    assert calls.types("ana") == ["PARTICIPANT_LEFT"]


@pytest.mark.parametrize("way", ["cancel", "reject", "timeout", "leave"])
def test_h16_no_end_of_a_call_leaves_a_meeting_behind(calls: InMemoryCalls, way: str) -> None:
    session_id = calls.ring("ana", "ben")
    if way == "leave":
        calls.accept("ben", session_id)
        calls.leave("ana", session_id)
    elif way == "timeout":
        calls.time_out(session_id)
    else:
        getattr(calls, way)("ana" if way == "cancel" else "ben", session_id)
    calls.settle()
    calls.assert_settled()


def test_h16_a_meeting_whose_deletion_failed_is_deleted_by_the_sweep(calls: InMemoryCalls) -> None:
    session_id = connected(calls)
    calls.services.chime.failing.add("delete")
    calls.end("ana", session_id)
    assert len(calls.services.chime.meetings) == 1
    assert calls.sweep(after_seconds=RING_GRACE_SECONDS).unfinished == [session_id]
    calls.services.chime.failing.clear()
    calls.sweep(after_seconds=MEETING_SETTLE_SECONDS)
    assert (calls.services.chime.meetings, calls.call(session_id).due_at) == ({}, None)


def test_h17_a_meeting_is_made_when_somebody_answers_so_that_no_late_answer_finds_it_gone(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    assert calls.services.chime.created == []
    calls.services.clock.advance(RING_SECONDS - 1)
    calls.accept("ben", session_id)
    assert len(calls.services.chime.meetings) == 1


@pytest.mark.parametrize("event_first", [False, True])
def test_h17_a_call_whose_meeting_chime_has_ended_is_over(calls: InMemoryCalls, event_first: bool) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    (meeting_id,) = calls.services.chime.meetings
    calls.services.chime.meetings.clear()
    if event_first:
        calls.reconciler.meeting_ended(session_id, meeting_id)
    conflict = expect_error(lambda: calls.accept("cat", session_id), CallConflictError)
    assert (conflict.call.status, conflict.call.endReason, conflict.call.endedBy) == ("ENDED", "MEETING_ENDED", None)
    assert calls.last_event("ana")[1]["reason"] == "MEETING_ENDED"
    calls.reconciler.meeting_ended(session_id, meeting_id)
    assert calls.types("ana").count("CALL_ENDED") == 1


def test_h26_leaving_and_handing_over_are_one_step_to_somebody_who_is_in_the_call(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    for user_id in ("cat", "ben"):
        calls.services.clock.advance(1)
        calls.accept(user_id, session_id)
    for unfit in ("dan", "ana", "eve"):
        assert expect_error(partial(calls.leave, "ana", session_id, unfit), CallConflictError).field == "newOwnerId"
    assert (calls.statuses(session_id)["ana"], calls.call(session_id).owner_id) == ("JOINED", "ana")
    version = calls.call(session_id).version
    assert calls.leave("ana", session_id, "ben").newOwnerId == "ben"
    assert (calls.call(session_id).owner_id, calls.call(session_id).version) == ("ben", version + 1)
    assert calls.last_event("cat")[1]["newOwnerId"] == "ben"
    assert calls.leave("ben", session_id).newOwnerId == "cat"


def test_h26_without_a_name_whoever_joined_first_takes_over(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    for user_id in ("dan", "ben"):
        calls.services.clock.advance(1)
        calls.accept(user_id, session_id)
    assert calls.leave("ana", session_id).newOwnerId == "dan"


def test_h27_a_channel_that_takes_nothing_does_not_fail_the_request_and_gets_the_event_later(
    calls: InMemoryCalls,
) -> None:
    calls.services.publisher.failing = {"/users/ana", "/users/ben"}
    session_id = calls.ring("ana", "ben")
    assert calls.accept("ben", session_id).call.status == "ACTIVE"
    assert calls.types("ana") + calls.types("ben") == []
    calls.services.publisher.failing = set()
    calls.redeliver()
    assert calls.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]
    assert calls.services.store.outbox == {}


def test_h28_the_caller_hears_ringing_after_the_other_has_been_rung(calls: InMemoryCalls) -> None:
    calls.ring("ana", "ben")
    assert [each.event["type"] for each in calls.services.publisher.published] == ["INCOMING_CALL", "CALL_RINGING"]
    assert calls.services.log.outcomes() == ["initiated", "delivered"]


def test_h28_a_ring_that_comes_too_late_does_not_ring(calls: InMemoryCalls) -> None:
    calls.services.publisher.failing = {"/users/ben"}
    session_id = calls.ring("ana", "ben")
    assert calls.services.log.outcomes() == ["initiated"]
    (event_id,) = calls.services.store.outbox
    calls.services.publisher.failing = set()
    calls.time_out(session_id)
    assert calls.deliverer.deliver(DeliveryTask(event_id))
    assert calls.types("ben") == ["CALL_MISSED"]
    assert calls.services.store.outbox == {}


def test_h29_who_was_offline_learns_how_a_call_stands(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    assert calls.queries.one("ben", session_id).call.status == "RINGING"
    assert [call.sessionId for call in calls.page("ben", state="active").calls] == [session_id]
    calls.accept("ben", session_id, "phone")
    calls.clear_events()
    again = calls.accept("ben", session_id, "phone")
    assert (set(again.attendees), calls.types("ben")) == ({"ben"}, [])
    expect_error(lambda: calls.queries.one("ben", "unknown"), NotFoundError)


def test_h30_while_it_rings_the_caller_can_take_the_call_back_and_a_decline_leaves_nobody_alone(
    calls: InMemoryCalls,
) -> None:
    session_id = calls.ring("ana", "ben")
    assert calls.types("ana") == ["CALL_RINGING"]
    assert calls.cancel("ana", session_id).call.status == "CANCELLED"
    declined = calls.ring("ana", "ben")
    calls.reject("ben", declined)
    assert (calls.statuses(declined)["ana"], calls.services.chime.created) == ("LEFT", [])
    owned = calls.ring_group("ana")
    calls.accept("ben", owned)
    assert calls.leave("ana", owned).newOwnerId == "ben"
