"""The ends of calls: rejected, cancelled, missed and left calls, their meetings, owners and events."""

from __future__ import annotations

from functools import partial

import pytest

from contract.limits import CALL_HOURS_MAX, MEETING_SETTLE_SECONDS, RING_GRACE_SECONDS
from handlers.core.delivery.ports import DeliveryTask
from handlers.core.shared.errors import CallConflictError, NotFoundError
from tests.harness.in_memory.calls import RING_SECONDS, InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A harness with a group of four users, and one user outside it."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


def connected(calls: InMemoryCalls) -> str:
    """Return the session id of a call from ana to ben that ben has answered."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id, "phone")
    return session_id


@pytest.mark.parametrize("way", ["cancel", "reject", "end"])
def test_call_that_is_over_cannot_be_answered(calls: InMemoryCalls, way: str) -> None:
    """Requirement H3."""
    session_id = connected(calls) if way == "end" else calls.ring("ana", "ben")
    {"cancel": calls.cancel, "reject": calls.reject, "end": calls.end}[way](
        "ben" if way == "reject" else "ana", session_id
    )
    made = list(calls.services.chime.created)
    expect_error(lambda: calls.accept("ben", session_id, "phone"), CallConflictError)
    assert calls.services.chime.created == made


def test_reject_ends_a_direct_call(calls: InMemoryCalls) -> None:
    """Requirement H7."""
    assert calls.reject("ben", calls.ring("ana", "ben")).call.status == "REJECTED"


def test_last_participant_to_leave_ends_the_call_its_meeting_and_its_duration(calls: InMemoryCalls) -> None:
    """Requirement H8."""
    session_id = calls.ring_group("ana", "ben")
    calls.accept("ben", session_id)
    calls.services.clock.advance(90)
    calls.leave("ana", session_id)
    answer = calls.leave("ben", session_id)
    assert (answer.call.status, answer.call.duration, calls.services.chime.meetings) == ("ENDED", 90, {})
    assert [calls.types(user_id)[-1] for user_id in ("ana", "ben")] == ["CALL_ENDED"] * 2


def test_repeated_end_changes_and_publishes_nothing(calls: InMemoryCalls) -> None:
    """Requirement H10."""
    session_id = connected(calls)
    calls.end("ana", session_id)
    before = calls.call(session_id)
    calls.services.clock.advance(5)
    calls.end("ana", session_id)
    assert calls.call(session_id) == before
    assert calls.types("ben").count("CALL_ENDED") == 1


@pytest.mark.parametrize("way", ["end", "leave"])
def test_end_or_leave_while_ringing_stops_the_ringing_of_the_recipient(calls: InMemoryCalls, way: str) -> None:
    """Requirement H11."""
    session_id = calls.ring("ana", "ben")
    getattr(calls, way)("ana", session_id)
    assert (calls.call(session_id).status, calls.last_event("ben")[0]) == ("CANCELLED", "CALL_CANCELLED")


def test_sweep_ends_ringing_whose_timer_was_lost(calls: InMemoryCalls) -> None:
    """Requirements H12, P3."""
    calls.services.timers.failing = True
    session_id = calls.ring("ana", "ben")
    assert calls.sweep(after_seconds=RING_SECONDS).examined == 0
    assert calls.sweep(after_seconds=RING_GRACE_SECONDS).ended == [session_id]
    assert (calls.call(session_id).status, calls.last_event("ben")[0]) == ("MISSED", "CALL_MISSED")


def test_joined_participant_cannot_reject_the_call(calls: InMemoryCalls) -> None:
    """Requirement H13."""
    session_id = connected(calls)
    for user_id in ("ana", "ben"):
        expect_error(partial(calls.reject, user_id, session_id), CallConflictError)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED"}


def test_only_joined_participants_can_leave_and_only_they_are_notified(calls: InMemoryCalls) -> None:
    """Requirement H14."""
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
def test_every_end_of_a_call_deletes_its_meeting(calls: InMemoryCalls, way: str) -> None:
    """Requirements H16, P3."""
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


def test_sweep_deletes_a_meeting_whose_deletion_failed(calls: InMemoryCalls) -> None:
    """Requirement H16."""
    session_id = connected(calls)
    calls.services.chime.failing.add("delete")
    calls.end("ana", session_id)
    assert len(calls.services.chime.meetings) == 1
    assert calls.sweep(after_seconds=RING_GRACE_SECONDS).unfinished == [session_id]
    calls.services.chime.failing.clear()
    calls.sweep(after_seconds=MEETING_SETTLE_SECONDS)
    assert (calls.services.chime.meetings, calls.call(session_id).due_at) == ({}, None)


def test_sweep_retries_a_failing_clean_up_less_and_less_often_and_gives_up(calls: InMemoryCalls) -> None:
    """Chime may refuse the token of an ended meeting for ever; it ends every meeting after 24 hours itself."""
    session_id = connected(calls)
    calls.services.chime.failing |= {"delete", "create"}
    calls.end("ana", session_id)
    failures = sum(bool(calls.sweep(after_seconds=60).unfinished) for _ in range(CALL_HOURS_MAX * 60))
    assert 8 <= failures <= 16
    for _ in range(CALL_HOURS_MAX * 60):
        calls.sweep(after_seconds=60)
    assert calls.call(session_id).due_at is None


def test_meeting_is_created_by_the_answer_so_that_a_late_answer_finds_it(calls: InMemoryCalls) -> None:
    """Requirement H17."""
    session_id = calls.ring("ana", "ben")
    assert calls.services.chime.created == []
    calls.services.clock.advance(RING_SECONDS - 1)
    calls.accept("ben", session_id)
    assert len(calls.services.chime.meetings) == 1


@pytest.mark.parametrize("event_first", [False, True])
def test_call_ends_when_chime_has_ended_its_meeting(calls: InMemoryCalls, event_first: bool) -> None:
    """Requirements H17, S2."""
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


def test_leave_with_new_owner_is_one_transition_and_needs_a_joined_participant(calls: InMemoryCalls) -> None:
    """Requirement H26."""
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


def test_leave_of_the_owner_without_new_owner_selects_who_joined_first(calls: InMemoryCalls) -> None:
    """Requirement H26."""
    session_id = calls.ring_group("ana")
    for user_id in ("dan", "ben"):
        calls.services.clock.advance(1)
        calls.accept(user_id, session_id)
    assert calls.leave("ana", session_id).newOwnerId == "dan"


def test_failed_publish_does_not_fail_the_request_and_is_redelivered(
    calls: InMemoryCalls,
) -> None:
    """Requirement H27."""
    calls.services.publisher.failing = {"/users/ana", "/users/ben"}
    session_id = calls.ring("ana", "ben")
    assert calls.accept("ben", session_id).call.status == "ACTIVE"
    assert calls.types("ana") + calls.types("ben") == []
    calls.services.publisher.failing = set()
    calls.redeliver()
    assert calls.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]
    assert calls.services.store.outbox == {}


def test_call_ringing_is_published_after_incoming_call(calls: InMemoryCalls) -> None:
    """Requirement H28."""
    calls.ring("ana", "ben")
    assert [each.event["type"] for each in calls.services.publisher.published] == ["INCOMING_CALL", "CALL_RINGING"]
    assert calls.services.log.outcomes() == ["initiated", "delivered"]


def test_incoming_call_is_not_delivered_after_its_ring_time(calls: InMemoryCalls) -> None:
    """Requirement H28."""
    calls.services.publisher.failing = {"/users/ben"}
    session_id = calls.ring("ana", "ben")
    assert calls.services.log.outcomes() == ["initiated"]
    (event_id,) = calls.services.store.outbox
    calls.services.publisher.failing = set()
    calls.time_out(session_id)
    assert calls.deliverer.deliver(DeliveryTask(event_id))
    assert calls.types("ben") == ["CALL_MISSED"]
    assert calls.services.store.outbox == {}


def test_offline_user_can_read_the_call_and_request_credentials_again(calls: InMemoryCalls) -> None:
    """Requirement H29."""
    session_id = calls.ring("ana", "ben")
    assert calls.queries.one("ben", session_id).call.status == "RINGING"
    assert [call.sessionId for call in calls.page("ben", state="active").calls] == [session_id]
    calls.accept("ben", session_id, "phone")
    calls.clear_events()
    again = calls.accept("ben", session_id, "phone")
    assert (set(again.attendees), calls.types("ben")) == ({"ben"}, [])
    expect_error(lambda: calls.queries.one("ben", "unknown"), NotFoundError)


def test_caller_can_cancel_while_ringing_and_a_reject_leaves_no_user_in_the_call(
    calls: InMemoryCalls,
) -> None:
    """Requirement H30."""
    session_id = calls.ring("ana", "ben")
    assert calls.types("ana") == ["CALL_RINGING"]
    assert calls.cancel("ana", session_id).call.status == "CANCELLED"
    declined = calls.ring("ana", "ben")
    calls.reject("ben", declined)
    assert (calls.statuses(declined)["ana"], calls.services.chime.created) == ("LEFT", [])
    owned = calls.ring_group("ana")
    calls.accept("ben", owned)
    assert calls.leave("ana", owned).newOwnerId == "ben"
