"""Lists of calls: newest first, page by page, by state, and never more work than a page may be."""

from __future__ import annotations

import pytest

from contract import limits
from handlers.core.shared.errors import InvalidRequestError
from tests.harness.handlers.call_town import CallTown, refused


@pytest.fixture
def town() -> CallTown:
    """Three users."""
    town = CallTown()
    town.users("ana", "ben", "cat")
    return town


def test_lists_show_a_users_calls_newest_first_page_by_page_and_by_state(town: CallTown) -> None:
    made = []
    for _ in range(5):
        made.append(town.ring("ana", "ben"))
        town.world.clock.forward(61)
        town.cancel("ana", made[-1])
    live = town.ring("cat", "ben")
    first = town.page("ben", limit=2)
    assert [call.sessionId for call in first.calls] == [live, made[4]]
    rest = town.page("ben", limit=10, cursor=first.nextCursor)
    assert ([call.sessionId for call in rest.calls], rest.nextCursor) == (made[3::-1], None)
    assert [call.sessionId for call in town.page("ben", state="active").calls] == [live]
    assert len(town.page("ben", state="history").calls) == 5
    assert town.page("ana", state="active").calls == []
    old = town.page("ben", state="history", limit=3)
    assert len(town.page("ben", state="history", limit=3, cursor=old.nextCursor).calls) == 2
    refused(lambda: town.page("ben", cursor="!"), InvalidRequestError)


def test_a_list_looks_at_so_many_calls_at_once_and_its_cursor_goes_on(
    town: CallTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CALLS_EXAMINED", 2)
    monkeypatch.setattr(limits, "BATCH_GET_KEYS_MAX", 2)
    made = []
    for _ in range(5):
        made.append(town.ring("ana", "ben"))
        town.world.clock.forward(1)
        if len(made) < 5:
            town.cancel("ana", made[-1])
    first = town.page("ana", state="history", limit=3)
    assert [call.sessionId for call in first.calls] == [made[3]]
    second = town.page("ana", state="history", limit=3, cursor=first.nextCursor)
    assert [call.sessionId for call in second.calls] == [made[2], made[1]]
    third = town.page("ana", state="history", limit=3, cursor=second.nextCursor)
    assert ([call.sessionId for call in third.calls], third.nextCursor) == ([made[0]], None)


def test_a_list_of_active_calls_stops_where_none_can_be_active(town: CallTown) -> None:
    old = town.ring("ana", "ben")
    town.cancel("ana", old)
    town.world.clock.forward(26 * 3600)
    assert (town.page("ana", state="active").calls, town.page("ana", state="active").nextCursor) == ([], None)
    assert len(town.page("ana").calls) == 1
