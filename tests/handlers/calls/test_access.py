"""Known holes of call signalling, by number: who may do, see and get what, and to whom."""

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


def test_h4_a_caller_cannot_answer_the_own_call(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    expect_error(lambda: calls.accept("ana", session_id), CallConflictError)
    assert (calls.call(session_id).status, calls.services.chime.created) == ("RINGING", [])


@pytest.mark.parametrize("claimed", ["nobody", "cat"])
def test_h5_an_accept_that_names_another_caller_is_refused_before_anything_is_made(
    calls: InMemoryCalls, claimed: str
) -> None:
    session_id = calls.ring_group("ana")
    assert expect_error(lambda: calls.accept("ben", session_id, callerId=claimed), ForbiddenError).field == "callerId"
    assert (calls.services.chime.created, calls.statuses(session_id)["cat"]) == ([], "RINGING")


def test_h6_a_reject_that_names_another_caller_reaches_nobody(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    expect_error(lambda: calls.reject("ben", session_id, callerId="eve"), ForbiddenError)
    expect_error(lambda: calls.reject("ben", "unknown", callerId="eve"), NotFoundError)
    assert (calls.types("eve"), calls.types("ana")) == ([], ["CALL_RINGING"])
    calls.reject("ben", session_id)
    assert calls.types("ana")[-1] == "CALL_REJECTED"


@pytest.mark.parametrize("way", ["accept", "reject", "cancel", "end", "leave"])
def test_h9_whoever_takes_no_part_in_a_call_can_do_nothing_to_it(calls: InMemoryCalls, way: str) -> None:
    session_id = connected(calls)
    before = calls.call(session_id)
    expect_error(lambda: getattr(calls, way)("eve", session_id), ForbiddenError)
    expect_error(lambda: calls.queries.one("eve", session_id), ForbiddenError)
    expect_error(lambda: getattr(calls, way)("eve", "unknown"), NotFoundError)
    assert calls.call(session_id) == before


def test_h18_join_tokens_reach_their_owners_only(calls: InMemoryCalls) -> None:
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


def test_h20_attendees_are_found_again_by_user_whatever_the_names(calls: InMemoryCalls) -> None:
    calls.services.directory.full_names["ben"] = "Łukasz 明 🎈" * 10
    session_id = calls.ring("ana", "ben", callerName="#" * 200)
    first = calls.accept("ben", session_id)
    assert first.attendees["ben"].ExternalUserId == "ben"
    assert calls.accept("ben", session_id).attendees == first.attendees


def test_h22_whoever_has_blocked_somebody_cannot_call_them(calls: InMemoryCalls) -> None:
    calls.services.directory.blocks.add(("ana", "ben"))
    expect_error(lambda: calls.ring("ana", "ben"), ForbiddenError)
    assert calls.services.store.calls == {}


def test_h22_to_a_blocked_caller_it_looks_as_if_nobody_answered_and_the_blocker_sees_nothing(
    calls: InMemoryCalls,
) -> None:
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


def test_h22_a_busy_user_is_busy_to_the_blocked_and_to_everybody_else(calls: InMemoryCalls) -> None:
    calls.services.directory.blocks.add(("ben", "ana"))
    calls.ring("cat", "ben")
    texts = {str(expect_error(partial(calls.ring, caller, "ben"), CallConflictError)) for caller in ("ana", "eve")}
    assert len(texts) == 1


def test_h23_nobody_calls_themselves(calls: InMemoryCalls) -> None:
    assert expect_error(lambda: calls.ring("ana", "ana"), InvalidRequestError).field == "recipientId"
    expect_error(lambda: calls.ring_group("ana", "ana"), InvalidRequestError)


def test_h24_an_answer_joins_only_who_gave_it(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    calls.accept("ben", session_id)
    assert [user_id for user_id, status in calls.statuses(session_id).items() if status == "JOINED"] == ["ana", "ben"]
    assert calls.services.chime.attendees_of["meeting-1"].keys() == {"ana", "ben"}


def test_h25_a_former_owner_has_no_rights_left(calls: InMemoryCalls) -> None:
    session_id = calls.ring_group("ana")
    for user_id in ("ben", "cat"):
        calls.accept(user_id, session_id)
    calls.leave("ana", session_id, "cat")
    calls.accept("ana", session_id)
    expect_error(lambda: calls.end("ana", session_id), ForbiddenError)
    expect_error(lambda: calls.leave("ana", session_id, "ben"), ForbiddenError)
    assert calls.end("cat", session_id).call.status == "ENDED"


def test_h31_whoever_is_removed_from_the_group_cannot_join_and_is_put_out(calls: InMemoryCalls) -> None:
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


def test_h31_a_call_with_an_account_that_is_gone_ends(calls: InMemoryCalls) -> None:
    session_id = connected(calls)
    del calls.services.directory.full_names["ana"]
    assert calls.sweep(after_seconds=CALL_CHECK_SECONDS).ended == [session_id]
    assert calls.last_event("ben")[0] == "CALL_ENDED"
    expect_error(lambda: calls.ring("ben", "ana"), NotFoundError)
