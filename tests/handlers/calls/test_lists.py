"""Lists of calls: newest first, in pages, by state, with a bounded number of reads."""

from __future__ import annotations

import pytest

from contract import limits
from handlers.core.shared.errors import InvalidRequestError
from tests.harness.in_memory.calls import InMemoryCalls, expect_error


@pytest.fixture
def calls() -> InMemoryCalls:
    """A harness with three users."""
    calls = InMemoryCalls()
    calls.add_users("ana", "ben", "cat")
    return calls


def test_list_returns_calls_newest_first_in_pages_and_by_state(calls: InMemoryCalls) -> None:
    made = []
    for _ in range(5):
        made.append(calls.ring("ana", "ben"))
        calls.services.clock.advance(61)
        calls.cancel("ana", made[-1])
    live = calls.ring("cat", "ben")
    first = calls.page("ben", limit=2)
    assert [call.sessionId for call in first.calls] == [live, made[4]]
    rest = calls.page("ben", limit=10, cursor=first.nextCursor)
    assert ([call.sessionId for call in rest.calls], rest.nextCursor) == (made[3::-1], None)
    assert [call.sessionId for call in calls.page("ben", state="active").calls] == [live]
    assert len(calls.page("ben", state="history").calls) == 5
    assert calls.page("ana", state="active").calls == []
    old = calls.page("ben", state="history", limit=3)
    assert len(calls.page("ben", state="history", limit=3, cursor=old.nextCursor).calls) == 2
    expect_error(lambda: calls.page("ben", cursor="!"), InvalidRequestError)


def test_list_examines_a_bounded_number_of_calls_and_returns_a_cursor(
    calls: InMemoryCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CALLS_EXAMINED", 2)
    monkeypatch.setattr(limits, "BATCH_GET_KEYS_MAX", 2)
    made = []
    for _ in range(5):
        made.append(calls.ring("ana", "ben"))
        calls.services.clock.advance(1)
        if len(made) < 5:
            calls.cancel("ana", made[-1])
    first = calls.page("ana", state="history", limit=3)
    assert [call.sessionId for call in first.calls] == [made[3]]
    second = calls.page("ana", state="history", limit=3, cursor=first.nextCursor)
    assert [call.sessionId for call in second.calls] == [made[2], made[1]]
    third = calls.page("ana", state="history", limit=3, cursor=second.nextCursor)
    assert ([call.sessionId for call in third.calls], third.nextCursor) == ([made[0]], None)


def test_list_of_active_calls_stops_at_the_longest_duration_of_a_call(calls: InMemoryCalls) -> None:
    old = calls.ring("ana", "ben")
    calls.cancel("ana", old)
    calls.services.clock.advance(26 * 3600)
    assert (calls.page("ana", state="active").calls, calls.page("ana", state="active").nextCursor) == ([], None)
    assert len(calls.page("ana").calls) == 1
