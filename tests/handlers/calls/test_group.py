"""Group calls: the users who are called, joining later, leaving, owners, and the end of ringing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contract.limits import CALL_CHECK_SECONDS, CALL_PARTICIPANTS_MAX
from handlers.core.shared.errors import CallConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from tests.harness.in_memory.calls import InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A harness with a group of four users, and one user outside it."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


def test_group_call_rings_all_members_or_the_named_ones(calls: InMemoryCalls) -> None:
    """Requirement T1."""
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
        ("ana", {"conversationId": "group", "participantIds": ["ana"]}, InvalidRequestError, "at least one other user"),
    ],
)
def test_users_outside_the_group_cannot_call_it_or_be_called(
    calls: InMemoryCalls, caller: str, fields: dict[str, object], error: type[Exception], text: str
) -> None:
    """Requirement T1."""
    assert text in str(expect_error(lambda: calls.initiate(caller, **fields), error))


def test_group_larger_than_the_largest_call_needs_participant_ids(calls: InMemoryCalls) -> None:
    """Requirement T1."""
    members = calls.add_users(*(f"user-{number:02}" for number in range(CALL_PARTICIPANTS_MAX + 1)))
    calls.add_group(*members)
    assert expect_error(lambda: calls.ring_group(members[0]), InvalidRequestError).field == "participantIds"
    session_id = calls.ring_group(members[0], *members[1:CALL_PARTICIPANTS_MAX])
    assert len(calls.statuses(session_id)) == CALL_PARTICIPANTS_MAX
    calls.assert_consistent()


def test_first_answer_connects_caller_and_actor_and_the_others_keep_ringing(calls: InMemoryCalls) -> None:
    """Requirement T2."""
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    assert calls.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "RINGING", "dan": "RINGING"}
    assert calls.types_by_user(ALL)["cat"] == ["INCOMING_CALL"]
    assert calls.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]


def test_join_notifies_the_joined_participants_without_credentials(calls: InMemoryCalls) -> None:
    """Requirement T3."""
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


def test_group_call_ends_when_all_called_users_have_rejected(calls: InMemoryCalls) -> None:
    """Requirement T4."""
    session_id = calls.ring_group("ana")
    for user_id in ("ben", "cat"):
        assert calls.reject(user_id, session_id).call.status == "RINGING"
        assert calls.last_event("ana")[1]["status"] == "RINGING"
    answer = calls.reject("dan", session_id)
    assert (answer.call.status, calls.last_event("ana")[1]["rejectedBy"]) == ("REJECTED", "dan")
    calls.assert_settled()


def test_reject_of_an_answered_group_call_notifies_its_owner_and_changes_nothing_else(calls: InMemoryCalls) -> None:
    """Requirement T4b."""
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    calls.leave("ana", session_id)
    assert calls.call(session_id).owner_id == "ben"
    assert calls.reject("cat", session_id).call.status == "ACTIVE"
    assert (calls.last_event("ben")[0], calls.last_event("cat")[0]) == ("CALL_REJECTED", "CALL_REJECTED")
    assert calls.types("ana")[-1] == "CALL_CONNECTED"
    expect_error(lambda: calls.accept("cat", session_id), CallConflictError)
    assert "cat" not in calls.services.store.lock_holders


def test_unanswered_group_call_is_missed_by_all_who_did_not_reject(calls: InMemoryCalls) -> None:
    """Requirement T6."""
    session_id = calls.ring_group("ana")
    calls.reject("dan", session_id)
    calls.time_out(session_id)
    assert calls.call(session_id).status == "MISSED"
    assert [calls.types(user_id)[-1] for user_id in ALL] == ["CALL_MISSED"] * 3 + ["CALL_REJECTED"]
    calls.assert_settled()


def test_ring_timeout_of_an_answered_group_call_ends_ringing_and_allows_joining_later(calls: InMemoryCalls) -> None:
    """Requirement T6b."""
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


def test_group_call_continues_when_a_participant_leaves_and_ends_with_the_last(calls: InMemoryCalls) -> None:
    """Requirement T7."""
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


def test_only_the_owner_can_end_a_group_call(calls: InMemoryCalls) -> None:
    """Requirement T8."""
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


def test_leave_and_reject_can_be_repeated_after_the_end(calls: InMemoryCalls) -> None:
    """Requirement T8."""
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


def test_group_call_to_busy_members_only_is_refused(calls: InMemoryCalls) -> None:
    calls.ring("eve", "cat")
    assert expect_error(lambda: calls.ring_group("ana", "cat"), CallConflictError).call is None
    assert calls.types("ana") == []


def test_direct_conversation_cannot_be_called_as_a_group(calls: InMemoryCalls) -> None:
    group = calls.services.directory.groups["group"]
    calls.services.directory.groups["dm"] = replace(group, type="DM", participants=["ana", "ben"], conversationId="dm")
    assert (
        expect_error(lambda: calls.initiate("ana", conversationId="dm"), InvalidRequestError).field == "conversationId"
    )


def test_sweep_of_a_healthy_call_only_schedules_the_next_check(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana", "ben")
    calls.accept("ben", session_id)
    before = calls.call(session_id)
    swept = calls.sweep(after_seconds=CALL_CHECK_SECONDS)
    after = calls.call(session_id)
    assert (swept.examined, swept.ended, swept.unfinished) == (1, [], [])
    assert (after.version, after.due_at) == (before.version, calls.services.clock.now() + CALL_CHECK_SECONDS * 1000)
