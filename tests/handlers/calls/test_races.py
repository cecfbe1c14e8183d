"""Known holes of call signalling, by number: who wins when two do something at once, and on which device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from handlers.core.shared.errors import CallConflictError
from tests.harness.in_memory.calls import InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A group of four, and one outside."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


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
    calls: InMemoryCalls,
) -> None:
    session_id = calls.ring("ana", "ben")
    first, second = calls.accept("ben", session_id, "phone"), calls.accept("ben", session_id, "phone")
    assert first == second
    assert len(calls.services.chime.created) == 1
    assert len(calls.services.chime.token_owners) == 2
    assert [calls.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]


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

    calls = InMemoryCalls(wrap=interfere)
    other = InMemoryCalls(calls.services)
    calls.add_users("ana", "ben")
    session_id = calls.ring("ana", "ben")
    conflict = expect_error(lambda: calls.accept("ben", session_id), CallConflictError)
    assert conflict.call.status == ("CANCELLED" if way == "cancel" else "MISSED")
    assert len(calls.services.chime.created) == 1
    assert calls.services.chime.meetings == {}
    assert "CALL_CONNECTED" not in calls.types("ana") + calls.types("ben")
    calls.settle()
    calls.assert_settled()


def test_h15_two_who_join_at_once_are_both_in_the_call() -> None:
    def interfere(name: str, part: object) -> object:
        return Interfering(part, lambda: other.accept("dan", session_id)) if name == "chime" else part

    first = InMemoryCalls()
    first.add_users(*ALL)
    first.add_group(*ALL)
    session_id = first.ring_group("ana")
    first.accept("ben", session_id)
    other = InMemoryCalls(first.services)
    InMemoryCalls(first.services, wrap=interfere).accept("cat", session_id)
    assert first.statuses(session_id) == dict.fromkeys(ALL, "JOINED")
    first.assert_settled()


def test_h19_of_several_devices_one_joins_and_the_others_learn_which(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id, "phone")
    assert calls.last_event("ben")[1]["deviceId"] == "phone"
    for device in ("laptop", None):
        conflict = expect_error(partial(calls.accept, "ben", session_id, device), CallConflictError)
        assert [each.deviceId for each in conflict.call.participants] == [None, "phone"]
    assert len(calls.services.chime.token_owners) == 2
    seen_by_ana = calls.queries.one("ana", session_id).call
    assert [each.deviceId for each in seen_by_ana.participants] == [None, None]


def test_h21_a_busy_user_is_not_rung_and_the_first_call_stays(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    conflict = expect_error(lambda: calls.ring("cat", "ben"), CallConflictError)
    assert (conflict.call, "another call" in conflict.message) == (None, True)
    own = expect_error(lambda: calls.ring("ben", "cat"), CallConflictError)
    assert stepped.call.sessionId == session_id
    assert calls.types("ben") == ["INCOMING_CALL"]
    calls.cancel("ana", session_id)
    calls.ring("cat", "ben")
    calls.assert_consistent()


def test_h21_when_two_call_each_other_at_once_one_call_gets_through_and_both_see_it(calls: InMemoryCalls) -> None:
    session_id = calls.ring("ana", "ben")
    conflict = expect_error(lambda: calls.ring("ben", "ana"), CallConflictError)
    assert conflict.call.sessionId == session_id
    assert [each.status for each in calls.services.store.calls.values()] == ["RINGING"]
    assert calls.accept("ben", conflict.call.sessionId).call.status == "ACTIVE"


def test_h21_a_lock_whose_call_is_over_gives_way(calls: InMemoryCalls) -> None:
    over = calls.ring("ana", "ben")
    calls.cancel("ana", over)
    calls.services.store.lock_holders |= {"ana": over, "ben": over, "cat": "vanished"}
    calls.ring("ana", "ben")
    calls.end("ana", calls.services.store.lock_holders["ana"])
    session_id = calls.ring_group("ana")
    assert calls.services.store.lock_holders == dict.fromkeys(ALL, session_id)
    calls.accept("ben", session_id)
    calls.leave("ben", session_id)
    calls.services.store.lock_holders["ben"] = over
    calls.accept("ben", session_id)
    calls.assert_settled()
