"""Blocks: stored items, events, and the effect on messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contract import limits, tables
from handlers.adapters.system import SystemClock
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def test_block_is_listed_and_published_only_to_the_blocker(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    harness.call_ok(ada, "blockUser", userId=bob)
    assert harness.call_ok(ada, "listBlocks")["userIds"] == [bob]
    assert harness.call_ok(bob, "listBlocks")["userIds"] == []
    assert harness.call_ok(ada, "getUser", userId=bob)["isBlocked"] is True
    assert harness.call_ok(bob, "getUser", userId=ada)["isBlocked"] is False
    (event,) = harness.publisher.received(ada, namespace="users")
    assert (event["type"], event["data"]) == ("USER_BLOCKED", {"userId": bob})
    assert [channel for channel, _ in harness.publisher.published] == [f"/users/{ada}"]


def test_unblock_removes_the_block_and_is_published_to_the_blocker(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    harness.call_ok(ada, "blockUser", userId=bob)
    harness.publisher.clear()
    harness.call_ok(ada, "unblockUser", userId=bob)
    assert harness.call_ok(ada, "listBlocks")["userIds"] == []
    assert [(channel, event["type"]) for channel, event in harness.publisher.published] == [
        (f"/users/{ada}", "USER_UNBLOCKED")
    ]


def test_repeated_block_and_unblock_change_and_publish_nothing(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    harness.call_ok(ada, "unblockUser", userId=bob)
    assert harness.publisher.published == []
    harness.call_ok(ada, "blockUser", userId=bob)
    harness.publisher.clear()
    harness.call_ok(ada, "blockUser", userId=bob)
    assert harness.publisher.published == []
    assert [item["userId"] for item in harness.aws.scan(tables.BLOCKS) if "createdAt" in item] == [ada]


def test_blocking_oneself_or_an_unknown_user_is_refused(harness: FunctionHarness) -> None:
    ada = harness.user()
    for operation in ("blockUser", "unblockUser"):
        mine = harness.call(ada, operation, userId=ada)
        assert (mine.status, mine.body["error"]["field"]) == (400, "userId")
        assert harness.call(ada, operation, userId="unknown-user").status == 404
    assert harness.call(ada, "blockUser", {"reason": "rude"}, userId="unknown-user").status == 400


def test_deleted_user_can_still_be_unblocked(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    harness.call_ok(ada, "blockUser", userId=bob)
    harness.aws.dynamodb.delete_item(TableName=harness.aws.table(tables.USERS), Key={"userId": {"S": bob}})
    harness.call_ok(ada, "unblockUser", userId=bob)
    assert harness.call_ok(ada, "listBlocks")["userIds"] == []


def test_number_of_blocks_is_limited(harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCKS_PER_USER", 2)
    ada, *others = harness.users(4)
    for user in others[:2]:
        harness.call_ok(ada, "blockUser", userId=user)
    assert harness.call(ada, "blockUser", userId=others[2]).status == 409
    harness.call_ok(ada, "blockUser", userId=others[0])


def test_block_stops_direct_messages_in_both_directions_but_not_group_messages(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    direct, group = harness.direct(ada, bob), harness.group(cat, ada, bob)
    harness.call_ok(ada, "blockUser", userId=bob)
    harness.publisher.clear()
    harness.send_ok(bob, direct, "can you hear me?")
    assert harness.publisher.received(ada) == []
    refused = harness.call(ada, "sendMessage", {"conversationId": direct, "content": "hi"})
    assert refused.status == 403
    harness.send_ok(bob, group, "hello all")
    assert len(harness.publisher.received(ada, "MESSAGE_SENT")) == 1
    harness.call_ok(ada, "unblockUser", userId=bob)
    harness.send_ok(bob, direct, "and now?")
    assert [each["data"]["content"] for each in harness.publisher.received(ada, "MESSAGE_SENT")][1:] == ["and now?"]
    shown = [message["content"] for message in harness.call_ok(ada, "getHistory", conversationId=direct)["messages"]]
    assert shown == ["and now?"]


def test_two_users_can_block_each_other_and_each_removes_only_the_own_block(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    direct = harness.direct(ada, bob)
    harness.call_ok(ada, "blockUser", userId=bob)
    harness.call_ok(bob, "blockUser", userId=ada)
    harness.call_ok(ada, "unblockUser", userId=bob)
    assert (harness.aws.item(tables.CONVERSATIONS, conversationId=direct) or {})["blockedBy"] == {bob}
    harness.call_ok(bob, "unblockUser", userId=ada)
    assert "blockedBy" not in (harness.aws.item(tables.CONVERSATIONS, conversationId=direct) or {})


def test_events_and_history_agree_when_a_block_and_messages_are_concurrent(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    direct = harness.direct(ada, bob)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(harness.send_ok, bob, direct, str(number)) for number in range(6)]
        blocked = pool.submit(harness.call_ok, ada, "blockUser", userId=bob)
        for each in (*sent, blocked):
            each.result()
    visible = {
        message["messageId"] for message in harness.call_ok(ada, "getHistory", conversationId=direct)["messages"]
    }
    received = {event["data"]["messageId"] for event in harness.publisher.received(ada, "MESSAGE_SENT")}
    assert received == visible
    assert len(harness.call_ok(bob, "getHistory", conversationId=direct)["messages"]) == 6
