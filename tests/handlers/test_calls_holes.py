"""The known holes of call signalling, each by its number: what went wrong before, and what happens now instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

from handlers.core.contract.call_models import CallView
from handlers.core.contract.limits import CALL_CHECK_SECONDS, MEETING_SETTLE_SECONDS, RING_GRACE_SECONDS
from handlers.core.errors import CallConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from handlers.core.ports import Parcel
from tests.handlers.call_town import RING_SECONDS, CallTown, refused

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


def test_h1_a_double_accept_makes_one_meeting_one_pair_of_attendees_and_one_connected_event_each(
    town: CallTown,
) -> None:
    session_id = town.ring("ana", "ben")
    first, second = town.accept("ben", session_id, "phone"), town.accept("ben", session_id, "phone")
    assert first == second
    assert len(town.world.chime.made) == 1
    assert len(town.world.chime.tokens) == 2
    assert [town.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_h2_an_accept_that_loses_to_the_calls_end_is_told_so_and_its_meeting_is_deleted(way: str) -> None:
    """The end comes between the accept's meeting and its commit."""

    def interfere(name: str, part: object) -> object:
        return Interfering(part, end) if name == "chime" else part

    def end() -> None:
        if way == "cancel":
            other.cancel("ana", session_id)
        else:
            other.time_out(session_id)

    town = CallTown(wrap=interfere)
    other = CallTown(town.world)
    town.users("ana", "ben")
    session_id = town.ring("ana", "ben")
    conflict = refused(lambda: town.accept("ben", session_id), CallConflictError)
    assert conflict.call.status == ("CANCELLED" if way == "cancel" else "MISSED")
    assert len(town.world.chime.made) == 1
    assert town.world.chime.there == {}
    assert "CALL_CONNECTED" not in town.types("ana") + town.types("ben")
    town.rest()
    town.assert_settled()


class Interfering:
    """Chime, during whose making of attendees something else happens, once."""

    def __init__(self, chime: object, act: Callable[[], object]) -> None:
        self._chime = chime
        self._act: Callable[[], object] | None = act

    def __getattr__(self, name: str) -> object:
        """Return an operation; the attendees' comes with the interference."""
        operation = getattr(self._chime, name)

        def interfered(*arguments: object) -> object:
            answer = operation(*arguments)
            if name == "attendees" and self._act is not None:
                act, self._act = self._act, None
                act()
            return answer

        return interfered


@pytest.mark.parametrize("way", ["cancel", "reject", "end"])
def test_h3_a_call_that_is_over_cannot_be_answered(town: CallTown, way: str) -> None:
    session_id = connected(town) if way == "end" else town.ring("ana", "ben")
    {"cancel": town.cancel, "reject": town.reject, "end": town.end}[way](
        "ben" if way == "reject" else "ana", session_id
    )
    made = list(town.world.chime.made)
    refused(lambda: town.accept("ben", session_id, "phone"), CallConflictError)
    assert town.world.chime.made == made


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


def test_h7_declining_ends_a_direct_call(town: CallTown) -> None:
    assert town.reject("ben", town.ring("ana", "ben")).call.status == "REJECTED"


def test_h8_the_last_to_leave_ends_the_call_its_meeting_and_its_clock(town: CallTown) -> None:
    session_id = town.ring_group("ana", "ben")
    town.accept("ben", session_id)
    town.world.clock.forward(90)
    town.leave("ana", session_id)
    answer = town.leave("ben", session_id)
    assert (answer.call.status, answer.call.duration, town.world.chime.there) == ("ENDED", 90, {})
    assert [town.types(user_id)[-1] for user_id in ("ana", "ben")] == ["CALL_ENDED"] * 2


@pytest.mark.parametrize("way", ["accept", "reject", "cancel", "end", "leave"])
def test_h9_whoever_takes_no_part_in_a_call_can_do_nothing_to_it(town: CallTown, way: str) -> None:
    session_id = connected(town)
    before = town.call(session_id)
    refused(lambda: getattr(town, way)("eve", session_id), ForbiddenError)
    refused(lambda: town.reading.one("eve", session_id), ForbiddenError)
    refused(lambda: getattr(town, way)("eve", "unknown"), NotFoundError)
    assert town.call(session_id) == before


def test_h10_ending_again_changes_and_tells_nothing(town: CallTown) -> None:
    session_id = connected(town)
    town.end("ana", session_id)
    before = town.call(session_id)
    town.world.clock.forward(5)
    town.end("ana", session_id)
    assert town.call(session_id) == before
    assert town.types("ben").count("CALL_ENDED") == 1


@pytest.mark.parametrize("way", ["end", "leave"])
def test_h11_hanging_up_while_it_rings_stops_the_ringing_at_the_other_end(town: CallTown, way: str) -> None:
    session_id = town.ring("ana", "ben")
    getattr(town, way)("ana", session_id)
    assert (town.call(session_id).status, town.last("ben")[0]) == ("CANCELLED", "CALL_CANCELLED")


def test_h12_ringing_ends_by_itself_even_where_the_timer_was_lost(town: CallTown) -> None:
    town.world.timers.broken = True
    session_id = town.ring("ana", "ben")
    assert town.sweep(after_seconds=RING_SECONDS).looked_at == 0
    assert town.sweep(after_seconds=RING_GRACE_SECONDS).ended == [session_id]
    assert (town.call(session_id).status, town.last("ben")[0]) == ("MISSED", "CALL_MISSED")


def test_h13_nobody_who_is_in_the_call_can_decline_it(town: CallTown) -> None:
    session_id = connected(town)
    for user_id in ("ana", "ben"):
        refused(partial(town.reject, user_id, session_id), CallConflictError)
    assert town.statuses(session_id) == {"ana": "JOINED", "ben": "JOINED"}


def test_h14_leaving_is_for_those_in_the_call_and_told_to_those_in_the_call(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    refused(lambda: town.leave("ben", session_id), CallConflictError)
    town.accept("ben", session_id)
    town.accept("dan", session_id)
    town.reject("cat", session_id)
    town.leave("dan", session_id)
    town.forget_events()
    town.leave("ben", session_id)
    assert {user_id: town.types(user_id) for user_id in ALL} == {
        "ana": ["PARTICIPANT_LEFT"],
        "ben": [],
        "cat": [],
        "dan": [],
    }
    town.leave("dan", session_id)
    assert town.types("ana") == ["PARTICIPANT_LEFT"]


def test_h15_two_who_join_at_once_are_both_in_the_call() -> None:
    def interfere(name: str, part: object) -> object:
        return Interfering(part, lambda: other.accept("dan", session_id)) if name == "chime" else part

    first = CallTown()
    first.users(*ALL)
    first.group(*ALL)
    session_id = first.ring_group("ana")
    first.accept("ben", session_id)
    other = CallTown(first.world)
    CallTown(first.world, wrap=interfere).accept("cat", session_id)
    assert first.statuses(session_id) == dict.fromkeys(ALL, "JOINED")
    first.assert_settled()


@pytest.mark.parametrize("way", ["cancel", "reject", "timeout", "leave"])
def test_h16_no_end_of_a_call_leaves_a_meeting_behind(town: CallTown, way: str) -> None:
    session_id = town.ring("ana", "ben")
    if way == "leave":
        town.accept("ben", session_id)
        town.leave("ana", session_id)
    elif way == "timeout":
        town.time_out(session_id)
    else:
        getattr(town, way)("ana" if way == "cancel" else "ben", session_id)
    town.rest()
    town.assert_settled()


def test_h16_a_meeting_whose_deletion_failed_is_deleted_by_the_sweep(town: CallTown) -> None:
    session_id = connected(town)
    town.world.chime.broken.add("delete")
    town.end("ana", session_id)
    assert len(town.world.chime.there) == 1
    assert town.sweep(after_seconds=RING_GRACE_SECONDS).left == [session_id]
    town.world.chime.broken.clear()
    town.sweep(after_seconds=MEETING_SETTLE_SECONDS)
    assert (town.world.chime.there, town.call(session_id).due_at) == ({}, None)


def test_h17_a_meeting_is_made_when_somebody_answers_so_that_no_late_answer_finds_it_gone(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    assert town.world.chime.made == []
    town.world.clock.forward(RING_SECONDS - 1)
    town.accept("ben", session_id)
    assert len(town.world.chime.there) == 1


@pytest.mark.parametrize("event_first", [False, True])
def test_h17_a_call_whose_meeting_chime_has_ended_is_over(town: CallTown, event_first: bool) -> None:
    session_id = town.ring_group("ana")
    town.accept("ben", session_id)
    (meeting_id,) = town.world.chime.there
    town.world.chime.there.clear()
    if event_first:
        town.reconciling.meeting_ended(session_id, meeting_id)
    conflict = refused(lambda: town.accept("cat", session_id), CallConflictError)
    assert (conflict.call.status, conflict.call.endReason, conflict.call.endedBy) == ("ENDED", "MEETING_ENDED", None)
    assert town.last("ana")[1]["reason"] == "MEETING_ENDED"
    town.reconciling.meeting_ended(session_id, meeting_id)
    assert town.types("ana").count("CALL_ENDED") == 1


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


def test_h19_of_several_devices_one_joins_and_the_others_learn_which(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    town.accept("ben", session_id, "phone")
    assert town.last("ben")[1]["deviceId"] == "phone"
    for device in ("laptop", None):
        conflict = refused(partial(town.accept, "ben", session_id, device), CallConflictError)
        assert [each.deviceId for each in conflict.call.participants] == [None, "phone"]
    assert len(town.world.chime.tokens) == 2
    seen_by_ana = town.reading.one("ana", session_id).call
    assert [each.deviceId for each in seen_by_ana.participants] == [None, None]


def test_h20_attendees_are_found_again_by_user_whatever_the_names(town: CallTown) -> None:
    town.world.people.known["ben"] = "Łukasz 明 🎈" * 10
    session_id = town.ring("ana", "ben", callerName="#" * 200)
    first = town.accept("ben", session_id)
    assert first.attendees["ben"].ExternalUserId == "ben"
    assert town.accept("ben", session_id).attendees == first.attendees


def test_h21_a_busy_user_is_not_rung_and_the_first_call_stays(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    conflict = refused(lambda: town.ring("cat", "ben"), CallConflictError)
    assert (conflict.call, "another call" in conflict.message) == (None, True)
    own = refused(lambda: town.ring("ben", "cat"), CallConflictError)
    assert own.call.sessionId == session_id
    assert town.types("ben") == ["INCOMING_CALL"]
    town.cancel("ana", session_id)
    town.ring("cat", "ben")
    town.assert_sound()


def test_h21_when_two_call_each_other_at_once_one_call_gets_through_and_both_see_it(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    conflict = refused(lambda: town.ring("ben", "ana"), CallConflictError)
    assert conflict.call.sessionId == session_id
    assert [each.status for each in town.world.calls.calls.values()] == ["RINGING"]
    assert town.accept("ben", conflict.call.sessionId).call.status == "ACTIVE"


def test_h21_a_lock_whose_call_is_over_gives_way(town: CallTown) -> None:
    over = town.ring("ana", "ben")
    town.cancel("ana", over)
    town.world.calls.held |= {"ana": over, "ben": over, "cat": "vanished"}
    town.ring("ana", "ben")
    town.end("ana", town.world.calls.held["ana"])
    session_id = town.ring_group("ana")
    assert town.world.calls.held == dict.fromkeys(ALL, session_id)
    town.accept("ben", session_id)
    town.leave("ben", session_id)
    town.world.calls.held["ben"] = over
    town.accept("ben", session_id)
    town.assert_settled()


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


def test_h26_leaving_and_handing_over_are_one_step_to_somebody_who_is_in_the_call(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    for user_id in ("cat", "ben"):
        town.world.clock.forward(1)
        town.accept(user_id, session_id)
    for unfit in ("dan", "ana", "eve"):
        assert refused(partial(town.leave, "ana", session_id, unfit), CallConflictError).field == "newOwnerId"
    assert (town.statuses(session_id)["ana"], town.call(session_id).owner_id) == ("JOINED", "ana")
    version = town.call(session_id).version
    assert town.leave("ana", session_id, "ben").newOwnerId == "ben"
    assert (town.call(session_id).owner_id, town.call(session_id).version) == ("ben", version + 1)
    assert town.last("cat")[1]["newOwnerId"] == "ben"
    assert town.leave("ben", session_id).newOwnerId == "cat"


def test_h26_without_a_name_whoever_joined_first_takes_over(town: CallTown) -> None:
    session_id = town.ring_group("ana")
    for user_id in ("dan", "ben"):
        town.world.clock.forward(1)
        town.accept(user_id, session_id)
    assert town.leave("ana", session_id).newOwnerId == "dan"


def test_h27_a_channel_that_takes_nothing_does_not_fail_the_request_and_gets_the_event_later(town: CallTown) -> None:
    town.world.screens.broken = {"/users/ana", "/users/ben"}
    session_id = town.ring("ana", "ben")
    assert town.accept("ben", session_id).call.status == "ACTIVE"
    assert town.types("ana") + town.types("ben") == []
    town.world.screens.broken = set()
    town.redeliver()
    assert town.types("ana") == ["CALL_RINGING", "CALL_CONNECTED"]
    assert town.world.calls.outbox == {}


def test_h28_the_caller_hears_ringing_after_the_other_has_been_rung(town: CallTown) -> None:
    town.ring("ana", "ben")
    assert [each.event["type"] for each in town.world.screens.shown] == ["INCOMING_CALL", "CALL_RINGING"]
    assert town.world.notes.outcomes() == ["initiated", "delivered"]


def test_h28_a_ring_that_comes_too_late_does_not_ring(town: CallTown) -> None:
    town.world.screens.broken = {"/users/ben"}
    session_id = town.ring("ana", "ben")
    assert town.world.notes.outcomes() == ["initiated"]
    (event_id,) = town.world.calls.outbox
    town.world.screens.broken = set()
    town.time_out(session_id)
    assert town.deliverer.deliver(Parcel(event_id))
    assert town.types("ben") == ["CALL_MISSED"]
    assert town.world.calls.outbox == {}


def test_h29_who_was_offline_learns_how_a_call_stands(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    assert town.reading.one("ben", session_id).call.status == "RINGING"
    assert [call.sessionId for call in town.page("ben", state="active").calls] == [session_id]
    town.accept("ben", session_id, "phone")
    town.forget_events()
    again = town.accept("ben", session_id, "phone")
    assert (set(again.attendees), town.types("ben")) == ({"ben"}, [])
    refused(lambda: town.reading.one("ben", "unknown"), NotFoundError)


def test_h30_while_it_rings_the_caller_can_take_the_call_back_and_a_decline_leaves_nobody_alone(town: CallTown) -> None:
    session_id = town.ring("ana", "ben")
    assert town.types("ana") == ["CALL_RINGING"]
    assert town.cancel("ana", session_id).call.status == "CANCELLED"
    declined = town.ring("ana", "ben")
    town.reject("ben", declined)
    assert (town.statuses(declined)["ana"], town.world.chime.made) == ("LEFT", [])
    owned = town.ring_group("ana")
    town.accept("ben", owned)
    assert town.leave("ana", owned).newOwnerId == "ben"


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
