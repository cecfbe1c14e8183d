"""Calls between two users: every transition and what each of them is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.limits import CALL_RATE
from handlers.core.shared.errors import (
    CallConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
)
from tests.harness.handlers.call_town import RING_SECONDS, CallTown, refused


@pytest.fixture
def town() -> CallTown:
    """Three users."""
    town = CallTown()
    town.users("ana", "ben", "cat")
    return town


def test_t1_initiating_rings_the_other_tells_the_caller_and_joins_nobody_else(town: CallTown) -> None:
    answer = town.initiate("ana", recipientId="ben", mediaType="VIDEO", deviceId="laptop")
    call = answer.call
    assert (call.status, call.callType, call.mediaType, answer.duplicate) == ("RINGING", "DIRECT", "VIDEO", False)
    assert town.statuses(call.sessionId) == {"ana": "JOINED", "ben": "RINGING"}
    kind, data = town.last("ben")
    assert (kind, data["callerId"], data["callerName"], data["callType"]) == (
        "INCOMING_CALL",
        "ana",
        "Ana Example",
        "DIRECT",
    )
    assert (data["mediaType"], data["participantIds"], data["version"]) == ("VIDEO", ["ana", "ben"], 1)
    kind, data = town.last("ana")
    assert (kind, data["recipientId"], data["recipientIds"]) == ("CALL_RINGING", "ben", ["ben"])
    assert data["ringsUntil"] == call.ringsUntil
    assert town.world.chime.made == []
    assert town.world.timers.waiting == [(town.call(call.sessionId).rings_until, call.sessionId)]


@pytest.mark.parametrize(("legacy", "media"), [("AUDIO", "AUDIO"), ("VIDEO", "VIDEO"), ("DIRECT", "AUDIO")])
def test_t1_the_guides_body_stays_valid(town: CallTown, legacy: str, media: str) -> None:
    answer = town.initiate("ana", recipientId="ben", callerName="Somebody Else", callType=legacy, initiatedBy="ana")
    assert (answer.call.callType, answer.call.mediaType) == ("DIRECT", media)
    assert town.last("ben")[1]["callerName"] == "Ana Example"


def test_t1_a_repeated_temp_id_answers_with_the_first_call_and_rings_once(town: CallTown) -> None:
    first = town.initiate("ana", recipientId="ben", tempId="t-1")
    second = town.initiate("ana", recipientId="ben", tempId="t-1")
    assert (first.sessionId, first.duplicate, second.duplicate) == (second.sessionId, False, True)
    assert town.types("ben") == ["INCOMING_CALL"]
    town.users("dan")
    assert town.initiate("cat", recipientId="dan", tempId="t-1").duplicate is False


def test_t1_calls_are_limited(town: CallTown) -> None:
    for _ in range(CALL_RATE.count):
        town.cancel("ana", town.ring("ana", "ben"))
    error = refused(lambda: town.ring("ana", "ben"), TooManyRequestsError)
    assert 1 <= error.retry_after <= CALL_RATE.seconds
    town.assert_sound()
    town.world.clock.forward(CALL_RATE.seconds)
    town.ring("ana", "ben")


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({}, InvalidRequestError, "recipientId"),
        ({"recipientId": "ben", "conversationId": "group"}, InvalidRequestError, "recipientId"),
        ({"recipientId": "ben", "participantIds": ["ben"]}, InvalidRequestError, "participantIds"),
        ({"recipientId": "ben", "callType": "GROUP"}, InvalidRequestError, "callType"),
        ({"conversationId": "group", "callType": "DIRECT"}, InvalidRequestError, "callType"),
        ({"recipientId": "ben", "callType": "AUDIO", "mediaType": "VIDEO"}, InvalidRequestError, "mediaType"),
        ({"recipientId": "nobody"}, NotFoundError, "recipientId"),
        ({"recipientId": "ben", "initiatedBy": "cat"}, ForbiddenError, "initiatedBy"),
    ],
)
def test_t1_a_request_that_contradicts_itself_is_refused_by_field(
    town: CallTown, fields: dict[str, object], error: type[Exception], field: str
) -> None:
    assert refused(lambda: town.initiate("ana", **fields), error).field == field
    assert town.world.calls.calls == {}


def test_t1_somebody_without_a_profile_cannot_call(town: CallTown) -> None:
    refused(lambda: town.initiate("stranger", recipientId="ben"), ForbiddenError)


def test_t2_accepting_connects_both_each_with_their_own_credentials(town: CallTown) -> None:
    session_id = town.ring("ana", "ben", deviceId="laptop")
    town.world.clock.forward(3)
    answer = town.accept("ben", session_id, "phone")
    assert (answer.call.status, town.statuses(session_id)) == ("ACTIVE", {"ana": "JOINED", "ben": "JOINED"})
    assert set(answer.attendees) == {"ben"}
    assert answer.meeting["MeetingId"] in town.world.chime.there
    for user_id, device in (("ana", "laptop"), ("ben", "phone")):
        kind, data = town.last(user_id)
        assert (kind, set(data["attendees"]), data["deviceId"]) == ("CALL_CONNECTED", {user_id}, device)
        assert data["meeting"] == answer.meeting
    note = town.world.notes.notes[-1]
    assert (note.outcome, note.ring_milliseconds) == ("accepted", 3_000)
    town.assert_settled()


def test_t4_rejecting_ends_a_direct_call_and_tells_the_caller_and_ones_own_devices(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    answer = town.reject("ben", session_id, callerId="ana")
    assert (answer.call.status, answer.call.endReason, answer.call.endedBy) == ("REJECTED", "REJECTED", "ben")
    for user_id in ("ana", "ben"):
        kind, data = town.last(user_id)
        assert (kind, data["rejectedBy"], data["status"]) == ("CALL_REJECTED", "ben", "REJECTED")
    town.assert_settled()


def test_t5_cancelling_tells_both(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    answer = town.cancel("ana", session_id)
    assert (answer.call.status, answer.call.endedBy, answer.call.duration) == ("CANCELLED", "ana", None)
    assert town.statuses(session_id) == {"ana": "LEFT", "ben": "MISSED"}
    for user_id in ("ana", "ben"):
        assert town.last(user_id)[0] == "CALL_CANCELLED"
    town.assert_settled()


def test_t5_only_the_caller_cancels(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    refused(lambda: town.cancel("ben", session_id), ForbiddenError)
    town.accept("ben", session_id)
    conflict = refused(lambda: town.cancel("ana", session_id), CallConflictError)
    assert conflict.call.status == "ACTIVE"


def test_t6_a_call_that_nobody_answers_is_missed_when_its_time_is_up_and_not_before(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    town.world.clock.forward(RING_SECONDS - 1)
    assert town.timeouts.expire(session_id)
    assert town.call(session_id).status == "RINGING"
    assert town.world.timers.waiting[-1] == (town.call(session_id).rings_until, session_id)
    town.world.clock.forward(1)
    assert town.timeouts.expire(session_id)
    assert (town.call(session_id).status, town.call(session_id).ended_by) == ("MISSED", None)
    assert [town.last(user_id)[0] for user_id in ("ana", "ben")] == ["CALL_MISSED", "CALL_MISSED"]
    town.assert_settled()


def test_t6_a_timer_that_comes_too_early_and_finds_no_successor_must_come_again(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    town.world.timers.broken = True
    assert not town.timeouts.expire(session_id)


@pytest.mark.parametrize("when", ["answered", "over", "unknown"])
def test_t6_a_timer_of_a_call_that_rings_no_more_does_nothing(town: CallTown, when: str) -> None:
    session_id = town.ring("ana", "ben")
    if when == "answered":
        town.accept("ben", session_id)
    elif when == "over":
        town.cancel("ana", session_id)
    before = town.call(session_id)
    town.world.clock.forward(RING_SECONDS)
    assert town.timeouts.expire("unknown" if when == "unknown" else session_id)
    assert town.call(session_id) == before


def test_t7_leaving_ends_a_direct_call_for_both(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    town.accept("ben", session_id)
    town.world.clock.forward(61.5)
    answer = town.leave("ben", session_id)
    assert (answer.call.status, answer.call.endReason, answer.call.duration) == ("ENDED", "LEFT", 61)
    assert town.types("ana")[-2:] == ["PARTICIPANT_LEFT", "CALL_ENDED"]
    kind, data = town.last("ben")
    assert (kind, data["endedBy"], data["reason"], data["duration"]) == ("CALL_ENDED", "ben", "LEFT", 61)
    assert town.world.screens.types(session_id, "calls") == ["PARTICIPANT_LEFT", "CALL_ENDED"]
    town.assert_settled()


@pytest.mark.parametrize("who", ["ana", "ben"])
def test_t8_either_party_ends_a_direct_call(town: CallTown, who: str) -> None:
    session_id = town.ring("ana", "ben")
    town.accept("ben", session_id)
    answer = town.end(who, session_id)
    assert (answer.call.status, answer.call.endedBy, answer.call.endReason) == ("ENDED", who, "ENDED")
    assert [town.last(user_id)[0] for user_id in ("ana", "ben")] == ["CALL_ENDED", "CALL_ENDED"]
    town.rest()
    town.assert_settled()


@pytest.mark.parametrize("way", ["end", "leave"])
def test_t9_hanging_up_before_anybody_answered_is_taking_the_call_back(town: CallTown, way: str) -> None:
    session_id = town.ring("ana", "ben")
    hang_up = getattr(town, way)
    assert hang_up("ana", session_id).call.status == "CANCELLED"
    assert town.last("ben")[0] == "CALL_CANCELLED"
    assert hang_up("ana", session_id).call.status == "CANCELLED"


Act = Callable[[CallTown, str], object]
_ACTS: dict[str, Act] = {
    "accept": lambda town, call: town.accept("ben", call),
    "reject": lambda town, call: town.reject("ben", call),
    "cancel": lambda town, call: town.cancel("ana", call),
    "end": lambda town, call: town.end("ben", call),
    "leave": lambda town, call: town.leave("ben", call),
}
_ENDS: dict[str, Act] = {
    "CANCELLED": lambda town, call: town.cancel("ana", call),
    "REJECTED": lambda town, call: town.reject("ben", call),
    "MISSED": lambda town, call: town.time_out(call),
    "ENDED": lambda town, call: (town.accept("ben", call), town.end("ana", call)),
}


@pytest.mark.parametrize("end", _ENDS)
@pytest.mark.parametrize("act", _ACTS)
def test_t10_once_over_a_call_changes_no_more(town: CallTown, act: str, end: str) -> None:
    session_id = town.ring("ana", "ben")
    _ENDS[end](town, session_id)
    before, shown = town.call(session_id), len(town.world.screens.shown)
    if (act, end) in {("cancel", "CANCELLED"), ("reject", "REJECTED")}:
        _ACTS[act](town, session_id)
    else:
        conflict = refused(lambda: _ACTS[act](town, session_id), CallConflictError)
        assert (conflict.call.status, conflict.call.version) == (end, before.version)
    assert (town.call(session_id), len(town.world.screens.shown)) == (before, shown)


def test_t10_the_same_actor_repeating_the_same_action_gets_the_same_answer(town: CallTown) -> None:
    session_id = town.ring("ana", "ben", deviceId="laptop")
    assert town.accept("ben", session_id, "phone") == town.accept("ben", session_id, "phone")
    assert town.accept("ana", session_id, "laptop").attendees["ana"] == town.world.chime.rooms["meeting-1"]["ana"]
    assert town.leave("ben", session_id) == town.leave("ben", session_id)
    refused(lambda: town.leave("ana", session_id), CallConflictError)
    ended = town.ring("ana", "ben")
    town.accept("ben", ended)
    assert town.end("ana", ended) == town.end("ana", ended)
    refused(lambda: town.end("ben", ended), CallConflictError)
    declined = town.ring("ana", "ben")
    assert town.reject("ben", declined) == town.reject("ben", declined)
    assert town.types("ben").count("CALL_REJECTED") == 1


def test_a_successor_in_a_direct_call_is_refused(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    town.accept("ben", session_id)
    assert refused(lambda: town.leave("ana", session_id, "ben"), InvalidRequestError).field == "newOwnerId"
