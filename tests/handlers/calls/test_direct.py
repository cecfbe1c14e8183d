"""Calls between two users: every transition, and the events that each user receives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from contract.limits import CALL_RATE
from handlers.core.shared.errors import (
    CallConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
)
from tests.harness.in_memory.calls import RING_SECONDS, InMemoryCalls, expect_error


@pytest.fixture
def calls() -> InMemoryCalls:
    """A harness with three users."""
    calls = InMemoryCalls()
    calls.add_users("ana", "ben", "cat")
    return calls


def test_initiate_rings_the_recipient_notifies_the_caller_and_creates_no_meeting(calls: InMemoryCalls) -> None:
    """Requirements T1, G:1407."""
    answer = calls.initiate("ana", recipientId="ben", mediaType="VIDEO", deviceId="laptop")
    call = answer.call
    assert (call.status, call.callType, call.mediaType, answer.duplicate) == ("RINGING", "DIRECT", "VIDEO", False)
    assert calls.statuses(call.sessionId) == {"ana": "JOINED", "ben": "RINGING"}
    kind, data = calls.last_event("ben")
    assert (kind, data["callerId"], data["callerName"], data["callType"]) == (
        "INCOMING_CALL",
        "ana",
        "Ana Example",
        "DIRECT",
    )
    assert (data["mediaType"], data["participantIds"], data["version"]) == ("VIDEO", ["ana", "ben"], 1)
    kind, data = calls.last_event("ana")
    assert (kind, data["recipientId"], data["recipientIds"]) == ("CALL_RINGING", "ben", ["ben"])
    assert data["ringsUntil"] == call.ringsUntil
    assert calls.services.chime.created == []
    assert calls.services.timers.waiting == [(calls.call(call.sessionId).rings_until, call.sessionId)]


@pytest.mark.parametrize(("legacy", "media"), [("AUDIO", "AUDIO"), ("VIDEO", "VIDEO"), ("DIRECT", "AUDIO")])
def test_guide_request_body_is_accepted(calls: InMemoryCalls, legacy: str, media: str) -> None:
    """Requirements T1, G:1407."""
    answer = calls.initiate("ana", recipientId="ben", callerName="Another Name", callType=legacy, initiatedBy="ana")
    assert (answer.call.callType, answer.call.mediaType) == ("DIRECT", media)
    assert calls.last_event("ben")[1]["callerName"] == "Ana Example"


def test_repeated_temp_id_returns_the_first_call_and_rings_once(calls: InMemoryCalls) -> None:
    """Requirement T1."""
    first = calls.initiate("ana", recipientId="ben", tempId="t-1")
    second = calls.initiate("ana", recipientId="ben", tempId="t-1")
    assert (first.sessionId, first.duplicate, second.duplicate) == (second.sessionId, False, True)
    assert calls.types("ben") == ["INCOMING_CALL"]
    calls.add_users("dan")
    assert calls.initiate("cat", recipientId="dan", tempId="t-1").duplicate is False


def test_initiate_is_rate_limited(calls: InMemoryCalls) -> None:
    """Requirement T1."""
    for _ in range(CALL_RATE.count):
        calls.cancel("ana", calls.ring("ana", "ben"))
    error = expect_error(lambda: calls.ring("ana", "ben"), TooManyRequestsError)
    assert 1 <= error.retry_after <= CALL_RATE.seconds
    calls.assert_consistent()
    calls.services.clock.advance(CALL_RATE.seconds)
    calls.ring("ana", "ben")


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({}, InvalidRequestError, "recipientId"),
        ({"recipientId": "ben", "conversationId": "group"}, InvalidRequestError, "recipientId"),
        ({"recipientId": "ben", "participantIds": ["ben"]}, InvalidRequestError, "participantIds"),
        ({"recipientId": "ben", "callType": "GROUP"}, InvalidRequestError, "callType"),
        ({"conversationId": "group", "callType": "DIRECT"}, InvalidRequestError, "callType"),
        ({"recipientId": "ben", "callType": "AUDIO", "mediaType": "VIDEO"}, InvalidRequestError, "mediaType"),
        ({"recipientId": "unknown"}, NotFoundError, "recipientId"),
        ({"recipientId": "ben", "initiatedBy": "cat"}, ForbiddenError, "initiatedBy"),
    ],
)
def test_contradicting_initiate_request_is_refused_with_its_field(
    calls: InMemoryCalls, fields: dict[str, object], error: type[Exception], field: str
) -> None:
    """Requirement T1."""
    assert expect_error(lambda: calls.initiate("ana", **fields), error).field == field
    assert calls.services.store.calls == {}


def test_user_without_profile_cannot_initiate_a_call(calls: InMemoryCalls) -> None:
    """Requirement T1."""
    expect_error(lambda: calls.initiate("eve", recipientId="ben"), ForbiddenError)


def test_accept_connects_both_users_each_with_their_own_credentials(calls: InMemoryCalls) -> None:
    """Requirements T2, G:1488."""
    session_id = calls.ring("ana", "ben", deviceId="laptop")
    calls.services.clock.advance(3)
    answer = calls.accept("ben", session_id, "phone")
    assert (answer.call.status, calls.statuses(session_id)) == ("ACTIVE", {"ana": "JOINED", "ben": "JOINED"})
    assert set(answer.attendees) == {"ben"}
    assert answer.meeting["MeetingId"] in calls.services.chime.meetings
    for user_id, device in (("ana", "laptop"), ("ben", "phone")):
        kind, data = calls.last_event(user_id)
        assert (kind, set(data["attendees"]), data["deviceId"]) == ("CALL_CONNECTED", {user_id}, device)
        assert data["meeting"] == answer.meeting
    note = calls.services.log.entries[-1]
    assert (note.outcome, note.ring_milliseconds) == ("accepted", 3_000)
    calls.assert_settled()


def test_reject_ends_a_direct_call_and_notifies_both_users(calls: InMemoryCalls) -> None:
    """Requirements T4, G:1558."""
    session_id = calls.ring("ana", "ben")
    answer = calls.reject("ben", session_id, callerId="ana")
    assert (answer.call.status, answer.call.endReason, answer.call.endedBy) == ("REJECTED", "REJECTED", "ben")
    for user_id in ("ana", "ben"):
        kind, data = calls.last_event(user_id)
        assert (kind, data["rejectedBy"], data["status"]) == ("CALL_REJECTED", "ben", "REJECTED")
    calls.assert_settled()


def test_cancel_ends_the_call_and_notifies_both_users(calls: InMemoryCalls) -> None:
    """Requirement T5."""
    session_id = calls.ring("ana", "ben")
    answer = calls.cancel("ana", session_id)
    assert (answer.call.status, answer.call.endedBy, answer.call.duration) == ("CANCELLED", "ana", None)
    assert calls.statuses(session_id) == {"ana": "LEFT", "ben": "MISSED"}
    for user_id in ("ana", "ben"):
        assert calls.last_event(user_id)[0] == "CALL_CANCELLED"
    calls.assert_settled()


def test_only_the_caller_can_cancel_and_only_before_the_answer(calls: InMemoryCalls) -> None:
    """Requirement T5."""
    session_id = calls.ring("ana", "ben")
    expect_error(lambda: calls.cancel("ben", session_id), ForbiddenError)
    calls.accept("ben", session_id)
    conflict = expect_error(lambda: calls.cancel("ana", session_id), CallConflictError)
    assert conflict.call.status == "ACTIVE"


def test_unanswered_call_is_missed_after_its_ring_time_and_not_before(calls: InMemoryCalls) -> None:
    """Requirement T6."""
    session_id = calls.ring("ana", "ben")
    calls.services.clock.advance(RING_SECONDS - 1)
    assert calls.ring_timeouts.expire(session_id)
    assert calls.call(session_id).status == "RINGING"
    assert calls.services.timers.waiting[-1] == (calls.call(session_id).rings_until, session_id)
    calls.services.clock.advance(1)
    assert calls.ring_timeouts.expire(session_id)
    assert (calls.call(session_id).status, calls.call(session_id).ended_by) == ("MISSED", None)
    assert [calls.last_event(user_id)[0] for user_id in ("ana", "ben")] == ["CALL_MISSED", "CALL_MISSED"]
    calls.assert_settled()


def test_early_ring_timer_is_redelivered_when_no_new_timer_can_be_started(calls: InMemoryCalls) -> None:
    """Requirement T6."""
    session_id = calls.ring("ana", "ben")
    calls.services.timers.failing = True
    assert not calls.ring_timeouts.expire(session_id)


@pytest.mark.parametrize("when", ["answered", "over", "unknown"])
def test_ring_timeout_is_ignored_when_call_is_not_ringing(calls: InMemoryCalls, when: str) -> None:
    """Requirement T6."""
    session_id = calls.ring("ana", "ben")
    if when == "answered":
        calls.accept("ben", session_id)
    elif when == "over":
        calls.cancel("ana", session_id)
    before = calls.call(session_id)
    calls.services.clock.advance(RING_SECONDS)
    assert calls.ring_timeouts.expire("unknown" if when == "unknown" else session_id)
    assert calls.call(session_id) == before


def test_leave_ends_a_direct_call_for_both_users(calls: InMemoryCalls) -> None:
    """Requirements T7, G:1641."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id)
    calls.services.clock.advance(61.5)
    answer = calls.leave("ben", session_id)
    assert (answer.call.status, answer.call.endReason, answer.call.duration) == ("ENDED", "LEFT", 61)
    assert calls.types("ana")[-2:] == ["PARTICIPANT_LEFT", "CALL_ENDED"]
    kind, data = calls.last_event("ben")
    assert (kind, data["endedBy"], data["reason"], data["duration"]) == ("CALL_ENDED", "ben", "LEFT", 61)
    assert calls.services.publisher.types(session_id, "calls") == ["PARTICIPANT_LEFT", "CALL_ENDED"]
    calls.assert_settled()


@pytest.mark.parametrize("user_id", ["ana", "ben"])
def test_either_user_can_end_a_direct_call(calls: InMemoryCalls, user_id: str) -> None:
    """Requirements T8, G:1599."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id)
    answer = calls.end(user_id, session_id)
    assert (answer.call.status, answer.call.endedBy, answer.call.endReason) == ("ENDED", user_id, "ENDED")
    assert [calls.last_event(user_id)[0] for user_id in ("ana", "ben")] == ["CALL_ENDED", "CALL_ENDED"]
    calls.settle()
    calls.assert_settled()


@pytest.mark.parametrize("way", ["end", "leave"])
def test_end_or_leave_by_the_caller_while_ringing_cancels_the_call(calls: InMemoryCalls, way: str) -> None:
    """Requirement T9."""
    session_id = calls.ring("ana", "ben")
    hang_up = getattr(calls, way)
    assert hang_up("ana", session_id).call.status == "CANCELLED"
    assert calls.last_event("ben")[0] == "CALL_CANCELLED"
    assert hang_up("ana", session_id).call.status == "CANCELLED"


Act = Callable[[InMemoryCalls, str], object]
_ACTS: dict[str, Act] = {
    "accept": lambda calls, call: calls.accept("ben", call),
    "reject": lambda calls, call: calls.reject("ben", call),
    "cancel": lambda calls, call: calls.cancel("ana", call),
    "end": lambda calls, call: calls.end("ben", call),
    "leave": lambda calls, call: calls.leave("ben", call),
}
_ENDS: dict[str, Act] = {
    "CANCELLED": lambda calls, call: calls.cancel("ana", call),
    "REJECTED": lambda calls, call: calls.reject("ben", call),
    "MISSED": lambda calls, call: calls.time_out(call),
    "ENDED": lambda calls, call: (calls.accept("ben", call), calls.end("ana", call)),
}


@pytest.mark.parametrize("end", _ENDS)
@pytest.mark.parametrize("act", _ACTS)
def test_call_that_is_over_does_not_change(calls: InMemoryCalls, act: str, end: str) -> None:
    """Requirement T10."""
    session_id = calls.ring("ana", "ben")
    _ENDS[end](calls, session_id)
    before, shown = calls.call(session_id), len(calls.services.publisher.published)
    if (act, end) in {("cancel", "CANCELLED"), ("reject", "REJECTED")}:
        _ACTS[act](calls, session_id)
    else:
        conflict = expect_error(lambda: _ACTS[act](calls, session_id), CallConflictError)
        assert (conflict.call.status, conflict.call.version) == (end, before.version)
    assert (calls.call(session_id), len(calls.services.publisher.published)) == (before, shown)


def test_repeated_action_of_the_same_user_returns_the_same_response(calls: InMemoryCalls) -> None:
    """Requirement T10."""
    session_id = calls.ring("ana", "ben", deviceId="laptop")
    first, again = calls.accept("ben", session_id, "phone"), calls.accept("ben", session_id, "phone")
    assert replace(again, call=replace(again.call, version=first.call.version)) == first
    assert (
        calls.accept("ana", session_id, "laptop").attendees["ana"]
        == calls.services.chime.attendees_of["meeting-1"]["ana"]
    )
    assert calls.leave("ben", session_id) == calls.leave("ben", session_id)
    expect_error(lambda: calls.leave("ana", session_id), CallConflictError)
    ended = calls.ring("ana", "ben")
    calls.accept("ben", ended)
    assert calls.end("ana", ended) == calls.end("ana", ended)
    expect_error(lambda: calls.end("ben", ended), CallConflictError)
    declined = calls.ring("ana", "ben")
    assert calls.reject("ben", declined) == calls.reject("ben", declined)
    assert calls.types("ben").count("CALL_REJECTED") == 1


def test_new_owner_of_a_direct_call_is_refused(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id)
    assert expect_error(lambda: calls.leave("ana", session_id, "ben"), InvalidRequestError).field == "newOwnerId"
