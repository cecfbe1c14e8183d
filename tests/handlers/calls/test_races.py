"""Known holes of call signalling, by number: who wins when two do something at once, and on which device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from handlers.core.shared.errors import CallConflictError
from tests.harness.handlers.call_town import CallTown, refused

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def town() -> CallTown:
    """A group of four, and one outside."""
    town = CallTown()
    town.users(*ALL, "eve")
    town.group(*ALL)
    return town


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
