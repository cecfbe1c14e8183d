"""A block also holds in groups made afterwards: the blocked user gets normal answers, the blocker gets nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from contract import limits, tables
from tests.harness.emulator import AwsResources
from tests.harness.faults import FaultInjector
from tests.harness.functions import FunctionHarness

IDS = ("conversationId", "messageId", "channel", "eventId")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT.*Z")


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws)


def without_ids(value: Any, names: dict[str, str]) -> Any:
    """Return a response without what differs between any two groups, and with the users' names for their ids.

    Dates are cut to the minute: the clock of the tests moves on with each request.
    """
    if isinstance(value, dict):
        return {names.get(key, key): without_ids(each, names) for key, each in value.items() if key not in IDS}
    if isinstance(value, list):
        return [without_ids(each, names) for each in value]
    if isinstance(value, str) and _DATE.fullmatch(value):
        return value[: len("2026-01-01T00:00")]
    return names.get(value, value) if isinstance(value, str) else value


def story(harness: FunctionHarness, blocks: bool) -> list[Any]:
    """Return everything that a user sees who adds another one to groups, who may have blocked the first one."""
    ada, ben, cat = harness.users(3)
    names = {ada: "ada", ben: "ben", cat: "cat"}
    if blocks:
        harness.call_ok(ben, "blockUser", userId=ada)
    seen: list[Any] = []

    def act(operation: str, body: Any = None, **parameters: Any) -> dict[str, Any]:
        harness.advance(120)
        answer = harness.call(ada, operation, body, **parameters)
        seen.append([operation, answer.status, answer.body])
        return answer.body

    pair = act("createGroup", {"name": "Two", "memberIds": [ben]})["conversation"]["conversationId"]
    three = act("createGroup", {"name": "Three", "memberIds": [cat], "tempId": "t-1"})["conversation"]["conversationId"]
    act("sendMessage", {"conversationId": three, "content": "before"})
    act("addMembers", {"userIds": [ben]}, conversationId=three)
    act("addMembers", {"userIds": [ben]}, conversationId=three)
    for group in (pair, three):
        act("sendMessage", {"conversationId": group, "content": "hello"})
        act("getHistory", conversationId=group)
        act("getConversation", conversationId=group)
    act("setRole", {"role": "ADMIN"}, conversationId=three, userId=ben)
    act("updateGroup", {"name": "Renamed"}, conversationId=three)
    act("listConversations")
    act("removeMember", conversationId=three, userId=ben)
    act("addMembers", {"userIds": [ben]}, conversationId=three)
    act("leaveGroup", conversationId=three)
    seen += harness.publisher.received(ada)
    seen += [harness.call_ok(cat, "getConversation", conversationId=three)]
    return [without_ids(each, names) for each in seen]


def test_answers_and_events_do_not_show_whether_an_added_user_has_blocked_the_caller(aws: AwsResources) -> None:
    with_block, without_block = (story(FunctionHarness(aws), blocks) for blocks in (True, False))
    for hidden, normal in zip(with_block, without_block, strict=True):
        assert hidden == normal


def test_blocked_user_cannot_reach_the_blocker_by_a_new_group(harness: FunctionHarness) -> None:
    ada, ben, cat = harness.users(3)
    harness.call_ok(ben, "blockUser", userId=ada)
    harness.publisher.clear()
    group = harness.group(ada, ben, cat)
    harness.send_ok(ada, group, "can you hear me?")
    harness.send_ok(cat, group, "and me?")
    harness.call_ok(ada, "updateGroup", {"name": "Still here"}, conversationId=group)
    assert harness.publisher.received(ben) == []
    assert len(harness.publisher.received(cat, "MESSAGE_SENT")) == 2
    assert harness.call_ok(ben, "listConversations")["conversations"] == []
    for operation, body in (
        ("getHistory", None),
        ("getConversation", None),
        ("leaveGroup", None),
        ("updateGroup", {"name": "mine"}),
    ):
        assert harness.call(ben, operation, body, conversationId=group).status == 403, operation
    assert harness.send(ben, group).status == 403
    assert set(harness.members(group)) == {ada, cat}
    harness.assert_consistent(group)


def test_blocked_user_cannot_add_the_blocker_again_after_leaving(harness: FunctionHarness) -> None:
    ada, ben, cat = harness.users(3)
    group = harness.group(ada, ben, cat)
    harness.call_ok(ben, "blockUser", userId=ada)
    harness.call_ok(ben, "leaveGroup", conversationId=group)
    harness.publisher.clear()
    harness.call_ok(ada, "addMembers", {"userIds": [ben]}, conversationId=group)
    harness.send_ok(ada, group, "welcome back")
    assert harness.publisher.received(ben) == []
    assert harness.history(ben, group).status == 403
    harness.assert_consistent(group)


def test_after_the_end_of_the_block_the_user_can_be_added_again_and_nothing_hidden_is_missing_a_number(
    harness: FunctionHarness,
) -> None:
    ada, ben = harness.users(2)
    harness.call_ok(ben, "blockUser", userId=ada)
    group = harness.group(ada, ben)
    harness.send_ok(ada, group, "hidden")
    harness.call_ok(ben, "unblockUser", userId=ada)
    assert harness.history(ben, group).status == 403
    harness.call_ok(ada, "removeMember", conversationId=group, userId=ben)
    harness.call_ok(ada, "addMembers", {"userIds": [ben]}, conversationId=group)
    assert [each["seq"] for each in harness.history(ben, group).body["messages"]] == [1]
    harness.send_ok(ada, group, "visible")
    (event,) = harness.publisher.received(ben, "MESSAGE_SENT")
    assert event["data"]["seq"] == 2
    harness.assert_consistent(group)


def test_hidden_member_does_not_become_the_admin_when_the_last_admin_leaves(harness: FunctionHarness) -> None:
    ada, ben, cat = harness.users(3)
    harness.call_ok(ben, "blockUser", userId=ada)
    group = harness.group(ada, ben, cat)
    harness.call_ok(ada, "leaveGroup", conversationId=group)
    assert harness.assert_consistent(group)["admins"] == [cat]
    other = harness.group(ada, ben, cat)
    harness.call_ok(ada, "setRole", {"role": "ADMIN"}, conversationId=other, userId=ben)
    harness.call_ok(ada, "leaveGroup", conversationId=other)
    assert set(harness.assert_consistent(other)["admins"]) == {ben, cat}


def test_profile_changes_do_not_reach_a_hidden_member(harness: FunctionHarness) -> None:
    ada, ben, cat = harness.users(3)
    harness.call_ok(ben, "blockUser", userId=ada)
    harness.group(ada, ben, cat)
    harness.publisher.clear()
    harness.call_ok(ada, "updateMe", {"bio": "new"})
    assert harness.publisher.received(ben, namespace="users") == []
    assert len(harness.publisher.received(cat, namespace="users")) == 1


@pytest.mark.parametrize("size", [1, 5])
def test_block_during_the_addition_holds(harness: FunctionHarness, size: int) -> None:
    """The block is stored before each call of the request to another service in turn."""
    others = harness.users(size - 1)
    handlers = harness.functions(faults=FaultInjector())
    for step in range(1, 12):
        ada, ben = harness.users(2)

        def block(make: Callable[[], Any], ben: str = ben, ada: str = ada) -> Any:
            assert harness.call(ben, "blockUser", userId=ada, handlers=handlers).status == 200
            return make()

        harness.faults.triggered = False
        harness.faults.calls.clear()
        harness.faults.arm(step, block)
        group = harness.group(ada, ben, *others)
        harness.faults.arm(0, block)
        if not harness.faults.triggered:
            return
        first_write = harness.faults.calls.index("transact_write_items") + 1
        assert (ben in harness.members(group)) == (step > first_write), (step, harness.faults.calls)
        harness.assert_consistent(group)


def test_largest_group_with_blockers_is_one_transaction_and_bounded_reads(harness: FunctionHarness) -> None:
    ada, *others = harness.users(limits.MEMBERS_PER_REQUEST + 1)
    for other in others[:3]:
        harness.call_ok(other, "blockUser", userId=ada)
    harness.faults.calls.clear()
    group = harness.group(ada, *others)
    calls = harness.faults.calls
    assert calls.count("transact_write_items") == 1
    assert calls.count("batch_get_item") == 2, "the users, and the blocks against the caller"
    assert set(harness.members(group)) == {ada, *others[3:]}
    harness.faults.calls.clear()
    sent = harness.send_ok(ada, group, "hello all")
    assert sent["delivery"] == {"delivered": 0, "pending": limits.MEMBERS_PER_REQUEST + 1}
    assert "query" not in harness.faults.calls
    assert "batch_get_item" not in harness.faults.calls
    assert harness.aws.item(tables.CONVERSATIONS, conversationId=group) is not None
