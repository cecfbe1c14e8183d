"""Races between two operations, and between the devices of one user."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from msgspec.structs import replace

from handlers.core.shared.errors import CallConflictError
from tests.harness.in_memory.calls import InMemoryCalls, expect_error

ALL = ("ana", "ben", "cat", "dan")


@pytest.fixture
def calls() -> InMemoryCalls:
    """A harness with a group of four users, and one user outside it."""
    calls = InMemoryCalls()
    calls.add_users(*ALL, "eve")
    calls.add_group(*ALL)
    return calls


class InterferingChime:
    """Chime; the first request for attendees is followed by another operation."""

    def __init__(self, chime: object, act: Callable[[], object]) -> None:
        self._chime = chime
        self._act: Callable[[], object] | None = act

    def __getattr__(self, name: str) -> object:
        """Return a method of Chime."""
        operation = getattr(self._chime, name)

        def interfered(*arguments: object) -> object:
            answer = operation(*arguments)
            if name == "attendees" and self._act is not None:
                act, self._act = self._act, None
                act()
            return answer

        return interfered


def test_repeated_accept_creates_one_meeting_and_publishes_one_event_for_each_user(
    calls: InMemoryCalls,
) -> None:
    """Requirement H1."""
    session_id = calls.ring("ana", "ben")
    first, second = calls.accept("ben", session_id, "phone"), calls.accept("ben", session_id, "phone")
    assert replace(second, call=replace(second.call, version=first.call.version)) == first
    assert len(calls.services.chime.created) == 1
    assert len(calls.services.chime.token_owners) == 2
    assert [calls.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_accept_that_loses_to_the_end_of_the_call_gets_409_and_its_meeting_is_deleted(way: str) -> None:
    """The call ends between the creation of the meeting and the write of the accept. Requirements H2, P3."""

    def interfere(name: str, part: object) -> object:
        return InterferingChime(part, end) if name == "chime" else part

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


def test_two_concurrent_joins_both_succeed() -> None:
    """Requirement H15."""

    def interfere(name: str, part: object) -> object:
        return InterferingChime(part, lambda: other.accept("dan", session_id)) if name == "chime" else part

    first = InMemoryCalls()
    first.add_users(*ALL)
    first.add_group(*ALL)
    session_id = first.ring_group("ana")
    first.accept("ben", session_id)
    other = InMemoryCalls(first.services)
    InMemoryCalls(first.services, wrap=interfere).accept("cat", session_id)
    assert first.statuses(session_id) == dict.fromkeys(ALL, "JOINED")
    first.assert_settled()


def test_one_device_of_a_user_joins_and_the_others_get_its_device_id(calls: InMemoryCalls) -> None:
    """Requirement H19."""
    session_id = calls.ring("ana", "ben")
    calls.accept("ben", session_id, "phone")
    assert calls.last_event("ben")[1]["deviceId"] == "phone"
    for device in ("laptop", None):
        conflict = expect_error(partial(calls.accept, "ben", session_id, device), CallConflictError)
        assert [each.deviceId for each in conflict.call.participants] == [None, "phone"]
    assert len(calls.services.chime.token_owners) == 2
    seen_by_ana = calls.queries.one("ana", session_id).call
    assert [each.deviceId for each in seen_by_ana.participants] == [None, None]


def test_busy_user_is_not_rung_and_the_first_call_continues(calls: InMemoryCalls) -> None:
    """Requirement H21."""
    session_id = calls.ring("ana", "ben")
    conflict = expect_error(lambda: calls.ring("cat", "ben"), CallConflictError)
    assert (conflict.call, "another call" in conflict.message) == (None, True)
    own = expect_error(lambda: calls.ring("ben", "cat"), CallConflictError)
    assert own.call.sessionId == session_id
    assert calls.types("ben") == ["INCOMING_CALL"]
    calls.cancel("ana", session_id)
    calls.ring("cat", "ben")
    calls.assert_consistent()


def test_users_who_call_each_other_get_one_call(calls: InMemoryCalls) -> None:
    """Requirement H21."""
    session_id = calls.ring("ana", "ben")
    conflict = expect_error(lambda: calls.ring("ben", "ana"), CallConflictError)
    assert conflict.call.sessionId == session_id
    assert [each.status for each in calls.services.store.calls.values()] == ["RINGING"]
    assert calls.accept("ben", conflict.call.sessionId).call.status == "ACTIVE"


def test_lock_of_a_call_that_is_over_is_taken_over(calls: InMemoryCalls) -> None:
    """Requirement H21."""
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
