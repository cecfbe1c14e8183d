"""Calls in a group: joining late, leaving, owners, the end of ringing, and who is called at all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contract.limits import CALL_CHECK_SECONDS, CALL_PARTICIPANTS_MAX
from handlers.core.shared.errors import CallConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from tests.harness.handlers.call_town import CallTown, all_types, refused

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def town() -> CallTown:
    """A group of four, and one outside."""
    town = CallTown()
    town.users(*ALL, "eve")
    town.group(*ALL)
    return town


def test_t1_a_group_call_rings_all_members_or_those_who_are_named(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "RINGING", "cat": "RINGING", "dan": "RINGING"}
    assert town.last("ana")[1]["recipientIds"] == ["ben", "cat", "dan"]
    assert town.last("ana")[1]["recipientId"] is None
    assert town.last("dan")[1]["conversationId"] == "group"
    town.cancel("ana", session_id)
    named = town.ring_group("ana", "ana", "ben", "ben", callType="GROUP")
    assert set(town.statuses(named)) == {"ana", "ben"}


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
    town: CallTown, caller: str, fields: dict[str, object], error: type[Exception], text: str
) -> None:
    assert text in str(refused(lambda: town.initiate(caller, **fields), error))


def test_t1_a_group_that_is_too_large_for_one_call_needs_names(town: CallTown) -> None:
    members = town.users(*(f"user-{number:02}" for number in range(CALL_PARTICIPANTS_MAX + 1)))
    town.group(*members)
    assert refused(lambda: town.ring_group(members[0]), InvalidRequestError).field == "participantIds"
    session_id = town.ring_group(members[0], *members[1:CALL_PARTICIPANTS_MAX])
    assert len(town.statuses(session_id)) == CALL_PARTICIPANTS_MAX
    town.assert_sound()


def test_t2_the_first_answer_connects_caller_and_answerer_and_the_others_ring_on(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "RINGING", "dan": "RINGING"}
    assert all_types(town, ALL)["cat"] == ["INCOMING_CALL"]
    assert town.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]


def test_t3_joining_a_call_that_goes_on_tells_those_in_it_without_credentials(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    answer = town.accept("cat", session_id, "phone")
    assert set(answer.attendees) == {"cat"}
    assert town.types("cat")[-1] == "CALL_CONNECTED"
    for user_id in ("ana", "ben"):
        assert town.last(user_id) == (
            "PARTICIPANT_JOINED",
            {"sessionId": session_id, "version": answer.call.version, "status": "ACTIVE", "userId": "cat"},
        )
    mirrored = [each for each in town.world.screens.shown if each.channel == f"/calls/{session_id}"]
    own = [each for each in town.world.screens.shown if each.event["type"] == "PARTICIPANT_JOINED"]
    assert len(mirrored) == 1
    assert {each.event["eventId"] for each in own} == {mirrored[0].event["eventId"]}
    assert len(town.world.chime.made) == 1
    town.leave("cat", session_id)
    town.world.clock.forward(1)
    again = town.accept("cat", session_id, "laptop")
    assert again.attendees["cat"].AttendeeId != answer.attendees["cat"].AttendeeId
    town.assert_settled()


def test_t4_a_group_call_ends_with_the_last_one_who_declines(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    for user_id in ("ben", "cat"):
        assert town.reject(user_id, session_id).call.status == "RINGING"
        assert town.last("ana")[1]["status"] == "RINGING"
    answer = town.reject("dan", session_id)
    assert (answer.call.status, town.last("ana")[1]["rejectedBy"]) == ("REJECTED", "dan")
    town.assert_settled()


def test_t4b_declining_a_call_that_goes_on_tells_its_owner_and_changes_nothing_else(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    town.leave("ana", session_id)
    assert town.call(session_id).owner_id == "ben"
    assert town.reject("cat", session_id).call.status == "ACTIVE"
    assert (town.last("ben")[0], town.last("cat")[0]) == ("CALL_REJECTED", "CALL_REJECTED")
    assert town.types("ana")[-1] == "CALL_CONNECTED"
    refused(lambda: town.accept("cat", session_id), CallConflictError)
    assert "cat" not in town.world.calls.held


def test_t6_a_group_call_that_nobody_answers_is_missed_by_all_who_did_not_decline(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.reject("dan", session_id)
    town.time_out(session_id)
    assert town.call(session_id).status == "MISSED"
    assert [town.types(user_id)[-1] for user_id in ALL] == ["CALL_MISSED"] * 3 + ["CALL_REJECTED"]
    town.assert_settled()


def test_t6b_when_time_is_up_late_ringers_stop_and_may_still_join(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    town.reject("dan", session_id)
    town.time_out(session_id)
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED", "cat": "MISSED", "dan": "REJECTED"}
    kind, data = town.last("cat")
    assert (kind, data["status"]) == ("CALL_MISSED", "ACTIVE")
    assert "CALL_MISSED" not in town.types("ana") + town.types("ben") + town.types("dan")
    version = town.call(session_id).version
    town.timeouts.expire(session_id)
    assert town.call(session_id).version == version
    refused(lambda: town.reject("cat", session_id), CallConflictError)
    town.accept("cat", session_id)
    town.assert_settled()


def test_t7_a_group_call_goes_on_without_one_and_ends_with_the_last(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    town.accept("cat", session_id)
    before = dict(town.world.chime.rooms["meeting-1"])
    answer = town.leave("cat", session_id)
    assert (answer.call.status, answer.newOwnerId) == ("ACTIVE", "ana")
    assert set(town.world.chime.rooms["meeting-1"]) == set(before) - {"cat"}
    assert (town.last("ana")[0], town.last("ana")[1]["newOwnerId"]) == ("PARTICIPANT_LEFT", None)
    assert town.leave("cat", session_id) == answer
    town.leave("ben", session_id)
    last = town.leave("ana", session_id)
    assert (last.call.status, last.call.endReason, last.newOwnerId) == ("ENDED", "LEFT", None)
    assert town.types("cat")[-1] == "CALL_ENDED"
    assert town.statuses(session_id)["dan"] == "MISSED"
    town.rest()
    town.assert_settled()


def test_t8_only_the_owner_ends_a_group_call(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    refused(lambda: town.end("ben", session_id), ForbiddenError)
    refused(lambda: town.end("cat", session_id), CallConflictError)
    answer = town.end("ana", session_id)
    assert (answer.call.status, town.statuses(session_id)) == (
        "ENDED",
        {"ana": "LEFT", "ben": "LEFT", "cat": "MISSED", "dan": "MISSED"},
    )
    assert {town.types(user_id)[-1] for user_id in ALL} == {"CALL_ENDED"}
    refused(lambda: town.leave("ben", session_id), CallConflictError)
    town.rest()
    town.assert_settled()


def test_t8_who_left_or_declined_before_the_end_may_repeat_that(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    town.leave("ben", session_id)
    town.reject("cat", session_id)
    town.end("ana", session_id)
    assert town.leave("ben", session_id).call.status == "ENDED"
    assert town.reject("cat", session_id).call.status == "ENDED"
    assert town.types("ben")[-1] == "CALL_ENDED"
    assert town.types("cat")[-1] == "CALL_REJECTED"


def test_busy_members_are_not_rung_and_may_join_later(town: CallTown) -> None:
    other = town.ring("eve", "cat")
    session_id = town.ring_group("ana")
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "RINGING", "cat": "MISSED", "dan": "RINGING"}
    assert town.types("cat") == ["INCOMING_CALL"]
    town.accept("ben", session_id)
    conflict = refused(lambda: town.accept("cat", session_id), CallConflictError)
    assert conflict.call.sessionId == other
    town.cancel("eve", other)
    assert town.accept("cat", session_id).call.status == "ACTIVE"
    town.assert_settled()


def test_a_call_to_busy_members_only_is_refused(town: CallTown) -> None:
    town.ring("eve", "cat")
    assert refused(lambda: town.ring_group("ana", "cat"), CallConflictError).call is None
    assert town.types("ana") == []


def test_a_direct_conversation_is_not_called_as_a_group(town: CallTown) -> None:
    group = town.world.people.groups["group"]
    town.world.people.groups["dm"] = replace(group, type="DM", participants=["ana", "ben"], conversationId="dm")
    assert refused(lambda: town.initiate("ana", conversationId="dm"), InvalidRequestError).field == "conversationId"


def test_a_check_of_a_call_that_is_fine_only_moves_the_next_one_on(town: CallTown) -> None:
    session_id = town.ring_group("ana", "ben")
    town.accept("ben", session_id)
    before = town.call(session_id)
    swept = town.sweep(after_seconds=CALL_CHECK_SECONDS)
    after = town.call(session_id)
    assert (swept.looked_at, swept.ended, swept.left) == (1, [], [])
    assert (after.version, after.due_at) == (before.version, town.world.clock.now() + CALL_CHECK_SECONDS * 1000)
