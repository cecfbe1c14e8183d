"""Known holes of call signalling, by number: who may do, see and get what, and to whom."""

from __future__ import annotations

import json
from functools import partial

import pytest

from contract.calls.models import CallView
from contract.limits import CALL_CHECK_SECONDS
from handlers.core.shared.errors import CallConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from tests.harness.handlers.call_town import CallTown, refused

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def town() -> CallTown:
    """A group of four, and one outside."""
    town = CallTown()
    town.users(*ALL, "eve")
    town.group(*ALL)
    return town


def connected(town: CallTown) -> str:
    """Let ana call ben, and ben answer."""
    session_id = town.ring("ana", "ben")
    town.accept("ben", session_id, "phone")
    return session_id


def test_h4_a_caller_cannot_answer_the_own_call(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    refused(lambda: town.accept("ana", session_id), CallConflictError)
    assert (town.call(session_id).status, town.world.chime.made) == ("RINGING", [])


@pytest.mark.parametrize("claimed", ["nobody", "cat"])
def test_h5_an_accept_that_names_another_caller_is_refused_before_anything_is_made(
    town: CallTown, claimed: str
) -> None:
    session_id = town.ring_group("ana")
    assert refused(lambda: town.accept("ben", session_id, callerId=claimed), ForbiddenError).field == "callerId"
    assert (town.world.chime.made, town.statuses(session_id)["cat"]) == ([], "RINGING")


def test_h6_a_reject_that_names_another_caller_reaches_nobody(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    refused(lambda: town.reject("ben", session_id, callerId="eve"), ForbiddenError)
    refused(lambda: town.reject("ben", "unknown", callerId="eve"), NotFoundError)
    assert (town.types("eve"), town.types("ana")) == ([], ["CALL_RINGING"])
    town.reject("ben", session_id)
    assert town.types("ana")[-1] == "CALL_REJECTED"


@pytest.mark.parametrize("way", ["accept", "reject", "cancel", "end", "leave"])
def test_h9_whoever_takes_no_part_in_a_call_can_do_nothing_to_it(town: CallTown, way: str) -> None:
    session_id = connected(town)
    before = town.call(session_id)
    refused(lambda: getattr(town, way)("eve", session_id), ForbiddenError)
    refused(lambda: town.reading.one("eve", session_id), ForbiddenError)
    refused(lambda: getattr(town, way)("eve", "unknown"), NotFoundError)
    assert town.call(session_id) == before


def test_h18_join_tokens_reach_their_owners_only(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    answers = [town.accept(user_id, session_id) for user_id in ("ben", "cat", "dan")]
    town.assert_sound()
    for answer, user_id in zip(answers, ("ben", "cat", "dan"), strict=True):
        tokens = {token: owner for token, owner in town.world.chime.tokens.items() if token in str(answer)}
        assert set(tokens.values()) == {user_id}
    view = town.reading.one("ana", session_id).call
    assert isinstance(view, CallView)
    assert "token" not in str(view)
    assert "token" not in json.dumps([each.event for each in town.world.screens.shown if "calls" in each.channel])
    assert "token" not in (town.call(session_id).meeting or "")


def test_h20_attendees_are_found_again_by_user_whatever_the_names(town: CallTown) -> None:
    town.world.people.known["ben"] = "Łukasz 明 🎈" * 10
    session_id = town.ring("ana", "ben", callerName="#" * 200)
    first = town.accept("ben", session_id)
    assert first.attendees["ben"].ExternalUserId == "ben"
    assert town.accept("ben", session_id).attendees == first.attendees


def test_h22_whoever_has_blocked_somebody_cannot_call_them(town: CallTown) -> None:
    town.world.people.blocked.add(("ana", "ben"))
    refused(lambda: town.ring("ana", "ben"), ForbiddenError)
    assert town.world.calls.calls == {}


def test_h22_to_a_blocked_caller_it_looks_as_if_nobody_answered_and_the_blocker_sees_nothing(town: CallTown) -> None:
    town.world.people.blocked.add(("ben", "ana"))
    answer = town.initiate("ana", recipientId="ben")
    session_id = answer.sessionId
    assert (answer.call.status, town.statuses(session_id)["ben"]) == ("RINGING", "RINGING")
    assert town.types("ana") == ["CALL_RINGING"]
    assert town.last("ana")[1]["recipientId"] == "ben"
    assert (town.types("ben"), town.page("ben").calls) == ([], [])
    for act in (town.accept, town.reject, town.leave, town.end, town.cancel):
        refused(partial(act, "ben", session_id), NotFoundError)
    refused(lambda: town.reject("ben", session_id, callerId="ana"), NotFoundError)
    refused(lambda: town.reading.one("ben", session_id), NotFoundError)
    other = town.ring("cat", "ben")
    town.reject("ben", other)
    town.time_out(session_id)
    assert (town.call(session_id).status, town.types("ana")[-1]) == ("MISSED", "CALL_MISSED")
    assert town.types("ben") == ["INCOMING_CALL", "CALL_REJECTED"]
    town.assert_settled()


def test_h22_a_busy_user_is_busy_to_the_blocked_and_to_everybody_else(town: CallTown) -> None:
    town.world.people.blocked.add(("ben", "ana"))
    town.ring("cat", "ben")
    texts = {str(refused(partial(town.ring, caller, "ben"), CallConflictError)) for caller in ("ana", "eve")}
    assert len(texts) == 1


def test_h23_nobody_calls_themselves(town: CallTown) -> None:
    assert refused(lambda: town.ring("ana", "ana"), InvalidRequestError).field == "recipientId"
    refused(lambda: town.ring_group("ana", "ana"), InvalidRequestError)


def test_h24_an_answer_joins_only_who_gave_it(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    assert [user_id for user_id, status in town.statuses(session_id).items() if status == "JOINED"] == ["ana", "ben"]
    assert town.world.chime.rooms["meeting-1"].keys() == {"ana", "ben"}


def test_h25_a_former_owner_has_no_rights_left(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    for user_id in ("ben", "cat"):
        town.accept(user_id, session_id)
    town.leave("ana", session_id, "cat")
    town.accept("ana", session_id)
    refused(lambda: town.end("ana", session_id), ForbiddenError)
    refused(lambda: town.leave("ana", session_id, "ben"), ForbiddenError)
    assert town.end("cat", session_id).call.status == "ENDED"


def test_h31_whoever_is_removed_from_the_group_cannot_join_and_is_put_out(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    for user_id in ("ben", "cat"):
        town.accept(user_id, session_id)
    town.remove("dan")
    refused(lambda: town.accept("dan", session_id), ForbiddenError)
    town.remove("ben")
    town.sweep(after_seconds=CALL_CHECK_SECONDS)
    assert town.statuses(session_id)["ben"] == "LEFT"
    assert "ben" not in town.world.chime.rooms["meeting-1"]
    assert town.last("cat")[0] == "PARTICIPANT_LEFT"
    refused(lambda: town.accept("ben", session_id), ForbiddenError)
    town.remove("ana")
    town.remove("cat")
    town.sweep(after_seconds=CALL_CHECK_SECONDS)
    assert town.call(session_id).status == "ENDED"
    town.rest()
    town.assert_settled()


def test_h31_a_call_with_an_account_that_is_gone_ends(town: CallTown) -> None:
    session_id = connected(town)
    del town.world.people.known["ana"]
    assert town.sweep(after_seconds=CALL_CHECK_SECONDS).ended == [session_id]
    assert town.last("ben")[0] == "CALL_ENDED"
    refused(lambda: town.ring("ben", "ana"), NotFoundError)
