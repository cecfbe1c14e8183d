"""Blocks: who may block whom, what it stores, and who hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contract import limits, tables
from tests.harness.handlers.cloud import World
from tests.harness.handlers.people import Town


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def test_a_block_is_listed_shown_and_told_to_nobody_else(town: Town) -> None:
    ada, bob = town.users(2)
    town.done(ada, "blockUser", userId=bob)
    assert town.done(ada, "listBlocks")["userIds"] == [bob]
    assert town.done(bob, "listBlocks")["userIds"] == []
    assert town.done(ada, "getUser", userId=bob)["isBlocked"] is True
    assert town.done(bob, "getUser", userId=ada)["isBlocked"] is False
    (event,) = town.heard(ada, namespace="users")
    assert (event["type"], event["data"]) == ("USER_BLOCKED", {"userId": bob})
    assert [channel for channel, _ in town.publisher.published] == [f"/users/{ada}"]


def test_unblocking_undoes_it_and_is_told_to_oneself(town: Town) -> None:
    ada, bob = town.users(2)
    town.done(ada, "blockUser", userId=bob)
    town.forget()
    town.done(ada, "unblockUser", userId=bob)
    assert town.done(ada, "listBlocks")["userIds"] == []
    assert [(channel, event["type"]) for channel, event in town.publisher.published] == [
        (f"/users/{ada}", "USER_UNBLOCKED")
    ]


def test_repeating_changes_nothing_and_tells_nobody(town: Town) -> None:
    ada, bob = town.users(2)
    town.done(ada, "unblockUser", userId=bob)
    assert town.publisher.published == []
    town.done(ada, "blockUser", userId=bob)
    town.forget()
    town.done(ada, "blockUser", userId=bob)
    assert town.publisher.published == []
    assert len(town.scan(tables.BLOCKS)) == 1


def test_oneself_and_unknown_users_are_refused(town: Town) -> None:
    ada = town.user()
    for operation in ("blockUser", "unblockUser"):
        mine = town.call(ada, operation, userId=ada)
        assert (mine.status, mine.body["error"]["field"]) == (400, "userId")
        assert town.call(ada, operation, userId="nobody").status == 404
    assert town.call(ada, "blockUser", {"reason": "rude"}, userId="nobody").status == 400


def test_a_user_whose_account_is_gone_can_still_be_unblocked(town: Town) -> None:
    ada, bob = town.users(2)
    town.done(ada, "blockUser", userId=bob)
    town.world.dynamodb.delete_item(TableName=town.table(tables.USERS), Key={"userId": {"S": bob}})
    town.done(ada, "unblockUser", userId=bob)
    assert town.done(ada, "listBlocks")["userIds"] == []


def test_the_number_of_blocks_is_limited(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCKS_PER_USER", 2)
    ada, *others = town.users(4)
    for user in others[:2]:
        town.done(ada, "blockUser", userId=user)
    assert town.call(ada, "blockUser", userId=others[2]).status == 409
    town.done(ada, "blockUser", userId=others[0])


def test_a_block_stops_direct_messages_both_ways_and_leaves_groups_alone(town: Town) -> None:
    ada, bob, cat = town.users(3)
    direct, group = town.direct(ada, bob), town.group(cat, ada, bob)
    town.done(ada, "blockUser", userId=bob)
    town.forget()
    town.send(bob, direct, "can you hear me?")
    assert town.heard(ada) == []
    refused = town.call(ada, "sendMessage", {"conversationId": direct, "content": "hi"})
    assert refused.status == 403
    town.send(bob, group, "hello all")
    assert len(town.heard(ada, "MESSAGE_SENT")) == 1
    town.done(ada, "unblockUser", userId=bob)
    town.send(bob, direct, "and now?")
    assert [each["data"]["content"] for each in town.heard(ada, "MESSAGE_SENT")][1:] == ["and now?"]
    shown = [message["content"] for message in town.done(ada, "getHistory", conversationId=direct)["messages"]]
    assert shown == ["and now?"]


def test_both_may_block_each_other_and_each_lifts_only_the_own_block(town: Town) -> None:
    ada, bob = town.users(2)
    direct = town.direct(ada, bob)
    town.done(ada, "blockUser", userId=bob)
    town.done(bob, "blockUser", userId=ada)
    town.done(ada, "unblockUser", userId=bob)
    assert (town.item(tables.CONVERSATIONS, conversationId=direct) or {})["blockedBy"] == {bob}
    town.done(bob, "unblockUser", userId=ada)
    assert "blockedBy" not in (town.item(tables.CONVERSATIONS, conversationId=direct) or {})


def test_blocks_and_messages_at_once_end_in_the_last_words_state(town: Town) -> None:
    ada, bob = town.users(2)
    direct = town.direct(ada, bob)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(town.send, bob, direct, str(number)) for number in range(6)]
        blocked = pool.submit(town.done, ada, "blockUser", userId=bob)
        for each in (*sent, blocked):
            each.result()
    visible = {message["messageId"] for message in town.done(ada, "getHistory", conversationId=direct)["messages"]}
    heard = {event["data"]["messageId"] for event in town.heard(ada, "MESSAGE_SENT")}
    assert heard == visible
    assert len(town.done(bob, "getHistory", conversationId=direct)["messages"]) == 6
