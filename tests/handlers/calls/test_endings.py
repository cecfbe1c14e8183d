"""Known holes of call signalling, by number: ends that were none, leftovers, owners, and who is told what and when."""

from __future__ import annotations

from functools import partial

import pytest

from contract.limits import MEETING_SETTLE_SECONDS, RING_GRACE_SECONDS
from handlers.core.delivery.ports import DeliveryTask
from handlers.core.shared.errors import CallConflictError, NotFoundError
from tests.harness.handlers.call_town import RING_SECONDS, CallTown, refused

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


@pytest.mark.parametrize("way", ["cancel", "reject", "end"])
def test_h3_a_call_that_is_over_cannot_be_answered(town: CallTown, way: str) -> None:
    session_id = connected(town) if way == "end" else town.ring("ana", "ben")
    {"cancel": town.cancel, "reject": town.reject, "end": town.end}[way](
        "ben" if way == "reject" else "ana", session_id
    )
    made = list(town.world.chime.made)
    refused(lambda: town.accept("ben", session_id, "phone"), CallConflictError)
    assert town.world.chime.made == made


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
    assert town.deliverer.deliver(DeliveryTask(event_id))
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
