"""Calls in a group: joining late, leaving, owners, the end of ringing, and who is called at all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contract.limits import CALL_CHECK_SECONDS, CALL_PARTICIPANTS_MAX
from handlers.core.shared.errors import CallConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from tests.harness.in_memory.calls import InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A group of four, and one outside."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


def test_t1_a_group_call_rings_all_members_or_those_who_are_named(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "RINGING", "cat": "RINGING", "dan": "RINGING"}
    assert calls.last_event("ana")[1]["recipientIds"] == ["ben", "cat", "dan"]
    assert calls.last_event("ana")[1]["recipientId"] is None
    assert calls.last_event("dan")[1]["conversationId"] == "group"
    calls.cancel("ana", session_id)
    named = calls.ring_group("ana", "ana", "ben", "ben", callType="GROUP")
    assert set(calls.statuses(named)) == {"ana", "ben"}


@pytest.mark.parametrize(
    ("caller", "fields", "error", "text"),
    [
        ("ana", {"conversationId": "nowhere"}, NotFoundError, "no such conversation"),
        ("eve", {"conversationId": "group"}, ForbiddenError, "participant"),
        ("ana", {"conversationId": "group", "participantIds": ["ben", "eve"]}, InvalidRequestError, "eve"),
        ("ana", {"conversationId": "group", "participantIds": ["ana"]}, InvalidRequestError, "besides yourself"),
    ],
)
def test_t1_whoever_is_outside_the_group_is_neither_called_nor_calls(
    calls: InMemoryCalls, caller: str, fields: dict[str, object], error: type[Exception], text: str
) -> None:
    assert text in str(expect_error(lambda: calls.initiate(caller, **fields), error))


def test_t1_a_group_that_is_too_large_for_one_call_needs_names(calls: InMemoryCalls) -> None:
    members = calls.add_users(*(f"user-{number:02}" for number in range(CALL_PARTICIPANTS_MAX + 1)))
    calls.add_group(*members)
    assert expect_error(lambda: calls.ring_group(members[0]), InvalidRequestError).field == "participantIds"
    session_id = calls.ring_group(members[0], *members[1:CALL_PARTICIPANTS_MAX])
    assert len(calls.statuses(session_id)) == CALL_PARTICIPANTS_MAX
    calls.assert_consistent()


def test_t2_the_first_answer_connects_caller_and_answerer_and_the_others_ring_on(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "RINGING", "dan": "RINGING"}
    assert calls.types_by_user(ALL)["cat"] == ["INCOMING_CALL"]
    assert calls.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]


def test_t3_joining_a_call_that_goes_on_tells_those_in_it_without_credentials(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    answer = calls.accept("cat", session_id, "phone")
    assert set(answer.attendees) == {"cat"}
    assert calls.types("cat")[-1] == "CALL_CONNECTED"
    for user_id in ("ana", "ben"):
        assert calls.last_event(user_id) == (
            "PARTICIPANT_JOINED",
            {"sessionId": session_id, "version": answer.call.version, "status": "ACTIVE", "userId": "cat"},
        )
    mirrored = [each for each in calls.services.publisher.published if each.channel == f"/calls/{session_id}"]
    own = [each for each in calls.services.publisher.published if each.event["type"] == "PARTICIPANT_JOINED"]
    assert len(mirrored) == 1
    assert {each.event["eventId"] for each in own} == {mirrored[0].event["eventId"]}
    assert len(calls.services.chime.created) == 1
    calls.leave("cat", session_id)
    calls.services.clock.advance(1)
    again = calls.accept("cat", session_id, "laptop")
    assert again.attendees["cat"].AttendeeId != answer.attendees["cat"].AttendeeId
    calls.assert_settled()


def test_t4_a_group_call_ends_with_the_last_one_who_declines(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    for user_id in ("ben", "cat"):
        assert calls.reject(user_id, session_id).call.status == "RINGING"
        assert calls.last_event("ana")[1]["status"] == "RINGING"
    answer = calls.reject("dan", session_id)
    assert (answer.call.status, calls.last_event("ana")[1]["rejectedBy"]) == ("REJECTED", "dan")
    calls.assert_settled()


def test_t4b_declining_a_call_that_goes_on_tells_its_owner_and_changes_nothing_else(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    calls.leave("ana", session_id)
    assert calls.call(session_id).owner_id == "ben"
    assert calls.reject("cat", session_id).call.status == "ACTIVE"
    assert (calls.last_event("ben")[0], calls.last_event("cat")[0]) == ("CALL_REJECTED", "CALL_REJECTED")
    assert calls.types("ana")[-1] == "CALL_CONNECTED"
    expect_error(lambda: calls.accept("cat", session_id), CallConflictError)
    assert "cat" not in calls.services.store.lock_holders


def test_t6_a_group_call_that_nobody_answers_is_missed_by_all_who_did_not_decline(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.reject("dan", session_id)
    calls.time_out(session_id)
    assert calls.call(session_id).status == "MISSED"
    assert [calls.types(user_id)[-1] for user_id in ALL] == ["CALL_MISSED"] * 3 + ["CALL_REJECTED"]
    calls.assert_settled()


def test_t6b_when_time_is_up_late_ringers_stop_and_may_still_join(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    calls.reject("dan", session_id)
    calls.time_out(session_id)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "MISSED", "dan": "REJECTED"}
    kind, data = calls.last_event("cat")
    assert (kind, data["status"]) == ("CALL_MISSED", "ACTIVE")
    assert "CALL_MISSED" not in calls.types("ana") + calls.types("ben") + calls.types("dan")
    version = calls.call(session_id).version
    calls.ring_timeouts.expire(session_id)
    assert calls.call(session_id).version == version
    expect_error(lambda: calls.reject("cat", session_id), CallConflictError)
    calls.accept("cat", session_id)
    calls.assert_settled()


def test_t7_a_group_call_goes_on_without_one_and_ends_with_the_last(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    calls.accept("cat", session_id)
    before = dict(calls.services.chime.attendees_of["meeting-1"])
    answer = calls.leave("cat", session_id)
    assert (answer.call.status, answer.newOwnerId) == ("ACTIVE", "ana")
    assert set(calls.services.chime.attendees_of["meeting-1"]) == set(before) - {"cat"}
    assert (calls.last_event("ana")[0], calls.last_event("ana")[1]["newOwnerId"]) == ("PARTICIPANT_LEFT", None)
    assert calls.leave("cat", session_id) == answer
    calls.leave("ben", session_id)
    last = calls.leave("ana", session_id)
    assert (last.call.status, last.call.endReason, last.newOwnerId) == ("ENDED", "LEFT", None)
    assert calls.types("cat")[-1] == "CALL_ENDED"
    assert calls.statuses(session_id)["dan"] == "MISSED"
    calls.settle()
    calls.assert_settled()


def test_t8_only_the_owner_ends_a_group_call(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    expect_error(lambda: calls.end("ben", session_id), ForbiddenError)
    expect_error(lambda: calls.end("cat", session_id), CallConflictError)
    answer = calls.end("ana", session_id)
    assert (answer.call.status, calls.statuses(session_id)) == (
        "ENDED",
        {"ana": "LEFT", "ben": "LEFT", "cat": "MISSED", "dan": "MISSED"},
    )
    assert {calls.types(user_id)[-1] for user_id in ALL} == {"CALL_ENDED"}
    expect_error(lambda: calls.leave("ben", session_id), CallConflictError)
    calls.settle()
    calls.assert_settled()


def test_t8_who_left_or_declined_before_the_end_may_repeat_that(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    calls.leave("ben", session_id)
    calls.reject("cat", session_id)
    calls.end("ana", session_id)
    assert calls.leave("ben", session_id).call.status == "ENDED"
    assert calls.reject("cat", session_id).call.status == "ENDED"
    assert calls.types("ben")[-1] == "CALL_ENDED"
    assert calls.types("cat")[-1] == "CALL_REJECTED"


def test_busy_members_are_not_rung_and_may_join_later(calls: InMemoryCalls) -> None:
    other = calls.ring("eve", "cat")
    session_id = calls.ring_group("ana")
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "RINGING", "cat": "MISSED", "dan": "RINGING"}
    assert calls.types("cat") == ["INCOMING_CALL"]
    calls.accept("ben", session_id)
    conflict = expect_error(lambda: calls.accept("cat", session_id), CallConflictError)
    assert conflict.call.sessionId == other
    calls.cancel("eve", other)
    assert calls.accept("cat", session_id).call.status == "ACTIVE"
    calls.assert_settled()


def test_a_call_to_busy_members_only_is_refused(calls: InMemoryCalls) -> None:
    calls.ring("eve", "cat")
    assert expect_error(lambda: calls.ring_group("ana", "cat"), CallConflictError).call is None
    assert calls.types("ana") == []


def test_a_direct_conversation_is_not_called_as_a_group(calls: InMemoryCalls) -> None:
    group = calls.services.directory.groups["group"]
    calls.services.directory.groups["dm"] = replace(group, type="DM", participants=["ana", "ben"], conversationId="dm")
    assert (
        expect_error(lambda: calls.initiate("ana", conversationId="dm"), InvalidRequestError).field == "conversationId"
    )


def test_a_check_of_a_call_that_is_fine_only_moves_the_next_one_on(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana", "ben")
    calls.accept("ben", session_id)
    before = calls.call(session_id)
    swept = calls.sweep(after_seconds=CALL_CHECK_SECONDS)
    after = calls.call(session_id)
    assert (swept.examined, swept.ended, swept.unfinished) == (1, [], [])
    assert (after.version, after.due_at) == (before.version, calls.services.clock.now() + CALL_CHECK_SECONDS * 1000)
