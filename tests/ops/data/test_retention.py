"""Retention: what is older than an environment keeps it is removed, and the history has no gap."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contract import tables
from ops.data.retention import Retention
from stacks.config.fields import Data
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import running_chime
from tests.ops.data.campus import Campus, fast_pace

FOR_EVER = Data(removal="destroy", deletion_protection=False, point_in_time_recovery=False)


def test_old_messages_lose_their_content_and_keep_their_numbers(campus: Campus) -> None:
    ada, grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
    direct = campus.functions.direct(ada, grace)
    sent = campus.functions.send_ok(ada, direct, "old")["message"]
    later = datetime.fromisoformat(sent["timestamp"]) + timedelta(days=40)
    assert Retention(campus.live, 41, None, later).plan() == {"messages": 0, "previews": 0, "calls": 0}
    retention = Retention(campus.live, 39, None, later)
    assert retention.plan() == {"messages": 1, "previews": 1, "calls": 0}
    assert retention.run(fast_pace()) == {"messages": 1, "previews": 1, "calls": 0}
    assert sum(retention.plan().values()) == 0
    campus.functions.send_ok(grace, direct, "new")
    page = campus.functions.call_ok(grace, "getHistory", conversationId=direct)
    assert sorted((each["seq"], each["content"], each["deleted"]) for each in page["messages"]) == [
        (1, None, True),
        (2, "new", False),
    ]


def test_old_calls_are_deleted_from_every_list_and_calls_in_progress_stay(campus: Campus) -> None:
    ada, grace, alan = (campus.sign_up(*name.split()) for name in ("Ada Lovelace", "Grace Hopper", "Alan Turing"))
    with running_chime() as chime:
        calls = CallFunctions(campus.aws, chime)
        over, ringing = calls.ring(ada, grace), calls.ring(alan, campus.sign_up("Edsger", "Dijkstra"))
        calls.act("reject", grace, over)
    created = max(str(each["createdAt"]) for each in campus.aws.scan(tables.CALLS))
    retention = Retention(campus.live, None, 30, datetime.fromisoformat(created) + timedelta(days=31))
    assert retention.run(fast_pace())["calls"] == 1
    assert [each["sessionId"] for each in campus.aws.scan(tables.CALLS)] == [ringing]
    assert {each["sessionId"] for each in campus.aws.scan(tables.USER_CALLS)} == {ringing}


def test_without_limits_nothing_is_removed(campus: Campus, capsys: pytest.CaptureFixture[str]) -> None:
    ada, grace = campus.sign_up("Ada", "Lovelace"), campus.sign_up("Grace", "Hopper")
    campus.functions.send_ok(ada, campus.functions.direct(ada, grace), "old")
    assert campus.command("retention", settings=FOR_EVER) == 0
    assert "keeps messages for ever, calls for ever" in capsys.readouterr().out
    assert campus.command("retention", "--apply", "--json", settings=FOR_EVER) == 0
