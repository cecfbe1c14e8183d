"""Concurrent operations in threads: exactly one transition succeeds, and no request fails without a conflict."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

from contract.limits import CALL_PARTICIPANTS_MAX
from handlers.core.shared.errors import CallConflictError
from tests.harness.concurrency import RunningClock, run_concurrently
from tests.harness.in_memory.calls import RING_SECONDS, InMemoryCalls
from tests.harness.in_memory.fakes import FakeChime
from tests.harness.in_memory.services import InMemoryServices

LATENCY_SECONDS = 0.002


class SlowService:
    """A service whose every call takes `LATENCY_SECONDS`."""

    def __init__(self, service: Any) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        """Return a method that takes `LATENCY_SECONDS`."""
        operation = getattr(self._service, name)

        def call(*arguments: Any, **named: Any) -> Any:
            time.sleep(LATENCY_SECONDS)
            return operation(*arguments, **named)

        return call


def realtime_calls() -> InMemoryCalls:
    """Return a harness with a running clock, a slow store and a slow Chime."""
    return InMemoryCalls(
        InMemoryServices(clock=RunningClock(), chime=FakeChime(create_seconds=LATENCY_SECONDS)),
        wrap=lambda name, fake: fake if name == "publisher" else SlowService(fake),
    )


def kinds(results: list[Any]) -> Counter[str]:
    """Return the number of results of each type."""
    return Counter(type(result).__name__ for result in results)


def test_one_of_100_concurrent_accepts_of_one_user_succeeds() -> None:
    calls = realtime_calls()
    calls.add_users("ana", "ben")
    session_id = calls.ring("ana", "ben")
    devices = [f"device-{number}" for number in range(100)]
    results = run_concurrently(*(partial(calls.accept, "ben", session_id, device) for device in devices))
    assert kinds(results) == {"CallAccepted": 1, "CallConflictError": 99}
    assert (len(calls.services.chime.created), len(calls.services.chime.token_owners)) == (1, 2)
    assert [calls.types(user_id).count("CALL_CONNECTED") for user_id in ("ana", "ben")] == [1, 1]
    calls.assert_settled()


def test_concurrent_accepts_of_all_members_of_the_largest_call_succeed() -> None:
    calls = realtime_calls()
    members = calls.add_users(*(f"user-{number:02}" for number in range(CALL_PARTICIPANTS_MAX)))
    calls.add_group(*members)
    session_id = calls.ring_group(members[0])
    results = run_concurrently(*(partial(calls.accept, user_id, session_id) for user_id in members[1:]))
    assert kinds(results) == {"CallAccepted": CALL_PARTICIPANTS_MAX - 1}
    assert calls.statuses(session_id) == dict.fromkeys(members, "JOINED")
    assert len(calls.services.chime.created) == 1
    calls.assert_settled()


RACES = [
    (("accept", "ben"), ("cancel", "ana"), False),
    (("accept", "ben"), ("reject", "ben"), False),
    (("reject", "ben"), ("cancel", "ana"), False),
    (("end", "ben"), ("leave", "ana"), True),
    (("leave", "ben"), ("leave", "ana"), True),
    (("end", "ben"), ("end", "ana"), True),
]


@pytest.mark.parametrize(("first", "second", "answered"), RACES)
def test_one_of_two_concurrent_transitions_succeeds_and_no_unused_meeting_remains(
    first: tuple[str, str], second: tuple[str, str], answered: bool
) -> None:
    """Requirement P3."""
    for _ in range(25):
        calls = realtime_calls()
        calls.add_users("ana", "ben")
        session_id = calls.ring("ana", "ben")
        if answered:
            calls.accept("ben", session_id)
        results = run_concurrently(
            *(partial(getattr(calls, way), user_id, session_id) for way, user_id in (first, second))
        )
        (refusal,) = [result for result in results if isinstance(result, Exception)]
        assert isinstance(refusal, CallConflictError)
        assert refusal.call is not None
        assert refusal.call.status == calls.call(session_id).status
        calls.assert_consistent()
        assert len(calls.services.chime.meetings) == int(calls.call(session_id).is_live)


def test_one_of_concurrent_accept_and_ring_timeout_succeeds_and_no_unused_meeting_remains() -> None:
    """Requirements H2, P3."""
    ends = Counter[str]()
    for _ in range(25):
        calls = realtime_calls()
        calls.add_users("ana", "ben")
        session_id = calls.ring("ana", "ben")
        calls.services.clock.advance(RING_SECONDS)
        answer, woken = run_concurrently(
            partial(calls.accept, "ben", session_id), partial(calls.ring_timeouts.expire, session_id)
        )
        assert woken is True
        call = calls.call(session_id)
        ends[call.status] += 1
        assert isinstance(answer, CallConflictError) == (call.status == "MISSED")
        assert len(calls.services.chime.meetings) == int(call.status == "ACTIVE")
        calls.assert_consistent()
    assert set(ends) <= {"MISSED", "ACTIVE"}


def test_users_who_call_each_other_concurrently_are_in_at_most_one_call() -> None:
    """Requirement H21."""
    for _ in range(10):
        calls = realtime_calls()
        people = calls.add_users("ana", "ben", "cat", "dan")
        pairs = [(caller, callee) for caller in people for callee in people if caller != callee]
        results = run_concurrently(*(partial(calls.ring, caller, callee) for caller, callee in pairs))
        assert set(kinds(results)) <= {"str", "CallConflictError"}
        assert 1 <= kinds(results)["str"] <= 2
        calls.assert_consistent()
