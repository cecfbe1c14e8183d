"""Permissions and privacy: which users may change and read a call, receive its events, and get credentials."""

from __future__ import annotations

import json
from functools import partial

import pytest

from contract.calls.models import CallView
from contract.limits import CALL_CHECK_SECONDS
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


def connected(calls: InMemoryCalls) -> str:
    """Return the session id of a call from ana to ben that ben has answered."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id, "phone")
    return session_id


def test_caller_cannot_answer_their_own_call(calls: InMemoryCalls) -> None:
    """Requirement H4."""
    session_id = calls.ring("ana", "ben")
    expect_error(lambda: calls.accept("ana", session_id), CallConflictError)
    assert (calls.call(session_id).status, calls.services.chime.created) == ("RINGING", [])


@pytest.mark.parametrize("caller_id", ["unknown", "cat"])
def test_accept_with_wrong_caller_id_is_refused_before_a_meeting_is_created(
    calls: InMemoryCalls, caller_id: str
) -> None:
    """Requirement H5."""
    session_id = calls.ring_group("ana")
    assert expect_error(lambda: calls.accept("ben", session_id, callerId=caller_id), ForbiddenError).field == "callerId"
    assert (calls.services.chime.created, calls.statuses(session_id)["cat"]) == ([], "RINGING")


def test_reject_with_wrong_caller_id_is_refused_and_publishes_nothing(calls: InMemoryCalls) -> None:
    """Requirement H6."""
    session_id = calls.ring("ana", "ben")
    expect_error(lambda: calls.reject("ben", session_id, callerId="eve"), ForbiddenError)
    expect_error(lambda: calls.reject("ben", "unknown", callerId="eve"), NotFoundError)
    assert (calls.types("eve"), calls.types("ana")) == ([], ["CALL_RINGING"])
    calls.reject("ben", session_id)
    assert calls.types("ana")[-1] == "CALL_REJECTED"


@pytest.mark.parametrize("way", ["accept", "reject", "cancel", "end", "leave"])
def test_user_who_is_no_participant_cannot_read_or_change_a_call(calls: InMemoryCalls, way: str) -> None:
    """Requirement H9."""
    session_id = connected(calls)
    before = calls.call(session_id)
    expect_error(lambda: getattr(calls, way)("eve", session_id), ForbiddenError)
    expect_error(lambda: calls.queries.one("eve", session_id), ForbiddenError)
    expect_error(lambda: getattr(calls, way)("eve", "unknown"), NotFoundError)
    assert calls.call(session_id) == before


def test_join_tokens_are_published_and_returned_to_their_own_user_only(calls: InMemoryCalls) -> None:
    """Requirement H18."""
    session_id = calls.ring_group("ana")
    answers = [calls.accept(user_id, session_id) for user_id in ("ben", "cat", "dan")]
    calls.assert_consistent()
    for answer, user_id in zip(answers, ("ben", "cat", "dan"), strict=True):
        tokens = {token: owner for token, owner in calls.services.chime.token_owners.items() if token in str(answer)}
        assert set(tokens.values()) == {user_id}
    view = calls.queries.one("ana", session_id).call
    assert isinstance(view, CallView)
    assert "token" not in str(view)
    assert "token" not in json.dumps(
        [each.event for each in calls.services.publisher.published if "calls" in each.channel]
    )
    assert "token" not in (calls.call(session_id).meeting or "")


def test_attendees_are_identified_by_user_id_not_by_name(calls: InMemoryCalls) -> None:
    """Requirement H20."""
    calls.services.directory.full_names["ben"] = "Łukasz 明 🎈" * 10
    session_id = calls.ring("ana", "ben", callerName="#" * 200)
    first = calls.accept("ben", session_id)
    assert first.attendees["ben"].ExternalUserId == "ben"
    assert calls.accept("ben", session_id).attendees == first.attendees


def test_blocker_cannot_call_the_blocked_user(calls: InMemoryCalls) -> None:
    """Requirement H22."""
    calls.services.directory.blocks.add(("ana", "ben"))
    expect_error(lambda: calls.ring("ana", "ben"), ForbiddenError)
    assert calls.services.store.calls == {}


def test_blocked_caller_sees_an_unanswered_call_and_blocker_sees_no_call(
    calls: InMemoryCalls,
) -> None:
    """Requirement H22."""
    calls.services.directory.blocks.add(("ben", "ana"))
    answer = calls.initiate("ana", recipientId="ben")
    session_id = answer.sessionId
    assert (answer.call.status, calls.statuses(session_id)["ben"]) == ("RINGING", "RINGING")
    assert calls.types("ana") == ["CALL_RINGING"]
    assert calls.last_event("ana")[1]["recipientId"] == "ben"
    assert (calls.types("ben"), calls.page("ben").calls) == ([], [])
    for act in (calls.accept, calls.reject, calls.leave, calls.end, calls.cancel):
        expect_error(partial(act, "ben", session_id), NotFoundError)
    expect_error(lambda: calls.reject("ben", session_id, callerId="ana"), NotFoundError)
    expect_error(lambda: calls.queries.one("ben", session_id), NotFoundError)
    other = calls.ring("cat", "ben")
    calls.reject("ben", other)
    calls.time_out(session_id)
    assert (calls.call(session_id).status, calls.types("ana")[-1]) == ("MISSED", "CALL_MISSED")
    assert calls.types("ben") == ["INCOMING_CALL", "CALL_REJECTED"]
    calls.assert_settled()


def test_busy_user_gives_blocked_and_other_callers_the_same_message(calls: InMemoryCalls) -> None:
    """Requirement H22."""
    calls.services.directory.blocks.add(("ben", "ana"))
    calls.ring("cat", "ben")
    texts = {str(expect_error(partial(calls.ring, caller, "ben"), CallConflictError)) for caller in ("ana", "eve")}
    assert len(texts) == 1


def test_user_cannot_call_themselves(calls: InMemoryCalls) -> None:
    """Requirement H23."""
    assert expect_error(lambda: calls.ring("ana", "ana"), InvalidRequestError).field == "recipientId"
    expect_error(lambda: calls.ring_group("ana", "ana"), InvalidRequestError)


def test_accept_joins_only_the_user_who_accepts(calls: InMemoryCalls) -> None:
    """Requirement H24."""
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    assert [user_id for user_id, status in calls.statuses(session_id).items() if status == "JOINED"] == ["ana", "ben"]
    assert calls.services.chime.attendees_of["meeting-1"].keys() == {"ana", "ben"}


def test_former_owner_cannot_end_the_call_or_name_an_owner(calls: InMemoryCalls) -> None:
    """Requirement H25."""
    session_id = calls.ring_group("ana")
    for user_id in ("ben", "cat"):
        calls.accept(user_id, session_id)
    calls.leave("ana", session_id, "cat")
    calls.accept("ana", session_id)
    expect_error(lambda: calls.end("ana", session_id), ForbiddenError)
    expect_error(lambda: calls.leave("ana", session_id, "ben"), ForbiddenError)
    assert calls.end("cat", session_id).call.status == "ENDED"


def test_removed_group_member_cannot_join_and_is_removed_from_the_call(calls: InMemoryCalls) -> None:
    """Requirement H31."""
    session_id = calls.ring_group("ana")
    for user_id in ("ben", "cat"):
        calls.accept(user_id, session_id)
    calls.remove_from_group("dan")
    expect_error(lambda: calls.accept("dan", session_id), ForbiddenError)
    calls.remove_from_group("ben")
    calls.sweep(after_seconds=CALL_CHECK_SECONDS)
    assert calls.statuses(session_id)["ben"] == "LEFT"
    assert "ben" not in calls.services.chime.attendees_of["meeting-1"]
    assert calls.last_event("cat")[0] == "PARTICIPANT_LEFT"
    expect_error(lambda: calls.accept("ben", session_id), ForbiddenError)
    calls.remove_from_group("ana")
    calls.remove_from_group("cat")
    calls.sweep(after_seconds=CALL_CHECK_SECONDS)
    assert calls.call(session_id).status == "ENDED"
    calls.settle()
    calls.assert_settled()


def test_direct_call_ends_when_an_account_is_deleted(calls: InMemoryCalls) -> None:
    """Requirement H31."""
    session_id = connected(calls)
    del calls.services.directory.full_names["ana"]
    assert calls.sweep(after_seconds=CALL_CHECK_SECONDS).ended == [session_id]
    assert calls.last_event("ben")[0] == "CALL_ENDED"
    expect_error(lambda: calls.ring("ben", "ana"), NotFoundError)
