"""Counts what each operation costs, and holds the ledger to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract import tables
from ops.costs import ledger
from ops.costs.ledger import OperationCost
from tests.handlers.costs.counting import CostCounter
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.seeds import seed_conversation, user_ids

Part = Callable[[CostCounter], None]
READ_BY_ALL = "message to a group of 50, read by all within seconds"


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module."""
    with running_chime() as running:
        yield running


@pytest.fixture
def counter(aws: AwsResources, chime: ChimeServer) -> CostCounter:
    """The functions on this test's tables, with counters."""
    return CostCounter(aws, chime)


def _users(counter: CostCounter, count: int) -> list[str]:
    return list(counter.calls.add_users(*(f"User{number}" for number in range(count))))


def _direct_messages(counter: CostCounter) -> None:
    harness = counter.harness
    direct = user_ids(2)
    conversation, sent = _send_twice(counter, "message to a direct conversation", direct)
    with counter.operation("read mark in a direct conversation"):
        harness.call_ok(direct[1], "markRead", {"conversationId": conversation, "seq": sent["seq"]})
    with counter.operation("typing in a direct conversation"):
        harness.call_ok(direct[0], "setTyping", {"conversationId": conversation, "isTyping": True})
    with counter.operation("edit in a direct conversation"):
        assert harness.edit(direct[0], sent, "changed").status == 200
    with counter.operation("deletion in a direct conversation"):
        assert harness.delete(direct[0], sent).status == 200


def _send_twice(counter: CostCounter, title: str, users: list[str], **fields: Any) -> tuple[str, dict[str, Any]]:
    """Count the second message of a conversation, which the function then has in its cache."""
    conversation = seed_conversation(counter.harness.aws, users)
    counter.harness.send(users[0], conversation, tempId="first")
    with counter.operation(title):
        sent = counter.harness.send(users[0], conversation, tempId="second").body["message"]
    return conversation, sent


def _group_messages(counter: CostCounter) -> None:
    harness = counter.harness
    small = user_ids(10)
    conversation, _ = _send_twice(counter, "message to a group of 10", small)
    with counter.operation("typing in a group of 10"):
        harness.call_ok(small[0], "setTyping", {"conversationId": conversation, "isTyping": True})
    group = user_ids(50)
    conversation, sent = _send_twice(counter, "message to a group of 50", group)
    with counter.operation("read mark in a group of 50, the first within seconds"):
        harness.call_ok(group[1], "markRead", {"conversationId": conversation, "seq": sent["seq"]})
    with counter.operation("typing in a group of 50"):
        harness.call_ok(group[0], "setTyping", {"conversationId": conversation, "isTyping": True})
    with counter.operation("edit in a group of 50"):
        assert harness.edit(group[0], sent, "changed").status == 200
    _read_by_all(counter)


def _large_group_messages(counter: CostCounter) -> None:
    large = user_ids(1_000)
    conversation, sent = _send_twice(counter, "message to a group of 1,000", large)
    with counter.operation("read mark in a group of 1,000"):
        counter.harness.call_ok(large[1], "markRead", {"conversationId": conversation, "seq": sent["seq"]})
    with counter.operation("edit in a group of 1,000"):
        assert counter.harness.edit(large[0], sent, "changed").status == 200


def _read_by_all(counter: CostCounter) -> OperationCost:
    users = user_ids(50)
    group = seed_conversation(counter.harness.aws, users)
    counter.harness.send(users[0], group, tempId="first")
    with counter.operation(READ_BY_ALL, requests=len(users)):
        sent = counter.harness.send(users[0], group, tempId="second").body["message"]
        for reader in users[1:]:
            counter.harness.call_ok(reader, "markRead", {"conversationId": group, "seq": sent["seq"]})
    return counter.costs[READ_BY_ALL]


def _reads(counter: CostCounter) -> None:
    harness = counter.harness
    users = _users(counter, 2)
    conversation = seed_conversation(harness.aws, users)
    for number in range(50):
        harness.advance(1)
        harness.send_ok(users[number % 2], conversation, "a message of usual length, with some words in it")
    with counter.operation("page of history, 50 messages"):
        assert len(harness.history(users[0], conversation).body["messages"]) == 50
    with counter.operation("check that nothing was missed"):
        answer = harness.history(users[0], conversation, afterSeq=50, afterChange=0)
        assert answer.body["messages"] == []
    with counter.operation("list of conversations, 1 conversation"):
        assert len(harness.call_ok(users[0], "listConversations")["conversations"]) == 1
    with counter.operation("search of users"):
        harness.call_ok(users[0], "searchUsers", q="User")


def _profiles_and_groups(counter: CostCounter) -> None:
    harness = counter.harness
    ana, *others = harness.users(50)
    group = harness.group(ana, *others)
    with counter.operation("own profile"):
        harness.call_ok(ana, "getMe")
    with counter.operation("change of a profile, 49 contacts"):
        harness.call_ok(ana, "updateMe", {"bio": "new"})
    with counter.operation("renaming of a group of 50"):
        harness.call_ok(ana, "updateGroup", {"name": "Go"}, conversationId=group)
    eva = harness.user()
    with counter.operation("new direct conversation"):
        harness.direct(ana, eva)
    with counter.operation("new group of 10"):
        harness.group(ana, *others[:9])
    with counter.operation("new member in a group of 50"):
        harness.call_ok(ana, "addMembers", {"userIds": [eva]}, conversationId=group)
    with counter.operation("block of a user"):
        harness.call_ok(ana, "blockUser", userId=eva)


def _calls(counter: CostCounter) -> None:
    calls = counter.calls
    ana, ben = calls.add_users("Ana", "Ben")
    with counter.operation("direct call: initiate"):
        session_id = calls.ring(ana, ben)
    with counter.operation("direct call: accept"):
        assert calls.act("accept", ben, session_id).status == 200
    with counter.operation("ring timer of an answered call", requests=0):
        counter.counts.queue_requests += 2
        counter.background(lambda: calls.time_out(session_id))
    with counter.operation("direct call: end"):
        assert calls.act("end", ana, session_id).status == 200
    with counter.operation("direct call: missed"):
        session_id = calls.ring(ana, ben)
        counter.counts.queue_requests += 2
        counter.background(lambda: calls.time_out(session_id))
    with counter.operation("sweeps of one minute, nothing to do", requests=0):
        counter.background(counter.harness.sweep)
        counter.background(calls.sweep_calls)
    owner, *members = calls.add_users(*(f"Member{number}" for number in range(10)))
    group = seed_conversation(counter.harness.aws, [owner, *members])
    with counter.operation("call of a group of 10: initiate"):
        session_id = calls.initiate(owner, conversationId=group).body["sessionId"]
    with counter.operation("call of a group of 10: first accept"):
        assert calls.act("accept", members[0], session_id).status == 200
    with counter.operation("call of a group of 10: further accept"):
        assert calls.act("accept", members[1], session_id).status == 200
    with counter.operation("call of a group of 10: end"):
        assert calls.act("end", owner, session_id).status == 200
    eva, tom = calls.add_users("Eva", "Tom")
    session_id = calls.ring(eva, tom)
    with counter.operation("direct call: cancel"):
        assert calls.act("cancel", eva, session_id).status == 200
    assert not counter.harness.aws.scan(tables.OUTBOX)


PARTS = (_direct_messages, _group_messages, _large_group_messages, _reads, _profiles_and_groups, _calls)
_counted: dict[str, OperationCost] = {}


@pytest.mark.parametrize("part", PARTS, ids=[part.__name__.strip("_") for part in PARTS])
def test_ledger_holds_what_the_operations_cost(counter: CostCounter, update_ledger: bool, part: Part) -> None:
    """`pytest tests/handlers/costs --update-ledger` and `python -m tools.generate` store a change."""
    part(counter)
    _counted.update(counter.costs)
    stored = ledger.decode(ledger.LEDGER.read_bytes())
    if update_ledger:
        stored |= counter.costs
        ledger.LEDGER.write_bytes(ledger.encode(stored))
    assert {title: stored.get(title) for title in counter.costs} == counter.costs


def test_ledger_has_no_operation_that_is_not_counted(request: pytest.FixtureRequest, update_ledger: bool) -> None:
    ran = sum(item.name.startswith("test_ledger_holds") for item in request.session.items)
    if ran < len(PARTS) or request.session.testsfailed:
        pytest.skip("not every part was counted")
    if update_ledger:
        ledger.LEDGER.write_bytes(ledger.encode(_counted))
    assert list(ledger.decode(ledger.LEDGER.read_bytes())) == list(_counted)


def test_read_receipts_of_a_group_stay_within_their_budget(counter: CostCounter) -> None:
    """Before they were collected: 661 write units and 2,500 publishes."""
    cost = _read_by_all(counter)
    assert cost.write_units <= 100
    assert cost.publishes <= 100


def test_read_marks_that_do_not_meet_in_a_window_cost_two_publishes_and_two_write_units_each(
    counter: CostCounter,
) -> None:
    """Each has an event of its own: to the reader's other devices and to the sender."""
    users = user_ids(50)
    group = seed_conversation(counter.harness.aws, users)
    sent = counter.harness.send_ok(users[0], group)["message"]
    readers = users[1:9]
    with counter.operation("apart"):
        for reader in readers:
            counter.harness.call_ok(reader, "markRead", {"conversationId": group, "seq": sent["seq"]})
            counter.settle()
    cost = counter.costs["apart"]
    assert (cost.publishes, cost.write_units) == (2 * len(readers), 2 * len(readers))
