"""Direct conversations: two users have at most one, and a blocked user cannot notice the block."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import tables
from handlers.adapters.system import SystemClock
from handlers.core.conversations.ids import direct_id
from tests.harness.emulator import AwsResources, Emulator, create_resources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def test_direct_conversation_is_created_once_and_found_by_both_users(harness: FunctionHarness) -> None:
    ada, bob = harness.user("Ada", "Lovelace"), harness.user("Bob", "Ross")
    first = harness.call(ada, "openDirect", {"userId": bob})
    assert (first.status, first.body["created"]) == (201, True)
    again = harness.call(bob, "openDirect", {"userId": ada})
    assert (again.status, again.body["created"]) == (200, False)
    assert first.body["conversation"]["conversationId"] == again.body["conversation"]["conversationId"]
    assert (first.body["conversation"]["name"], again.body["conversation"]["name"]) == ("Bob Ross", "Ada Lovelace")
    assert first.body["otherUser"]["userId"] == bob
    assert "email" not in first.body["otherUser"]
    assert first.body["conversation"]["participantNames"] == {ada: "Ada Lovelace", bob: "Bob Ross"}
    for user in (ada, bob):
        (event,) = harness.publisher.received(user)
        assert event["type"] == "CONVERSATION_CREATED"
        assert event["data"]["conversation"]["participants"] == [ada, bob]
    harness.assert_consistent(first.body["conversation"]["conversationId"])


def test_direct_id_is_a_valid_channel_segment_and_independent_of_the_order_of_users() -> None:
    one, other = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "00000000-0000-4000-8000-000000000001"
    assert direct_id(one, other) == direct_id(other, one)
    assert len(direct_id(one, other)) == 36
    assert direct_id(one, other) != direct_id(one, one)


def test_concurrent_opens_by_both_users_create_one_conversation(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    pairs = [(ada, bob), (bob, ada)] * 3
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda pair: harness.call(pair[0], "openDirect", {"userId": pair[1]}), pairs))
    assert sorted(response.status for response in responses) == [200] * 5 + [201]
    assert len({response.body["conversation"]["conversationId"] for response in responses}) == 1
    assert (len(harness.publisher.received(ada)), len(harness.publisher.received(bob))) == (1, 1)


def test_direct_conversation_with_oneself_or_an_unknown_user_is_refused(harness: FunctionHarness) -> None:
    ada = harness.user()
    mine = harness.call(ada, "openDirect", {"userId": ada})
    assert (mine.status, mine.body["error"]["field"]) == (400, "userId")
    assert harness.call(ada, "openDirect", {"userId": "unknown-user"}).status == 404
    assert harness.aws.scan(tables.CONVERSATIONS) == []


def test_conversation_opened_by_a_blocked_user_is_hidden_from_the_blocker_until_unblocked(
    harness: FunctionHarness,
) -> None:
    ada, bob = harness.users(2)
    harness.call_ok(bob, "blockUser", userId=ada)
    harness.publisher.clear()
    direct = harness.direct(ada, bob)
    harness.send_ok(ada, direct, "are you there?")
    assert harness.publisher.received(bob) == []
    assert harness.call_ok(bob, "listConversations")["conversations"] == []
    assert [each["conversationId"] for each in harness.call_ok(ada, "listConversations")["conversations"]] == [direct]
    harness.call_ok(bob, "unblockUser", userId=ada)
    (event,) = harness.publisher.received(bob, "CONVERSATION_CREATED")
    assert event["data"]["conversation"]["lastMessage"] is None
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["conversationId"], shown["lastMessage"], shown["unreadCount"]) == (direct, None, 0)
    harness.send_ok(ada, direct, "hello again")
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["lastMessage"]["preview"], shown["unreadCount"]) == ("hello again", 1)
    assert len(harness.publisher.received(bob, "MESSAGE_SENT")) == 1


def test_messages_of_a_blocked_user_are_not_shown_not_counted_and_do_not_change_the_order(
    harness: FunctionHarness,
) -> None:
    ada, bob, cat = harness.users(3)
    direct, other = harness.direct(ada, bob), harness.direct(bob, cat)
    harness.send_ok(ada, direct, "before")
    harness.send_ok(cat, other, "later")
    harness.call_ok(bob, "blockUser", userId=ada)
    for number in range(3):
        harness.send_ok(ada, direct, f"hidden {number}")
    first, second = harness.call_ok(bob, "listConversations")["conversations"]
    assert [first["conversationId"], second["conversationId"]] == [other, direct]
    assert (second["lastMessage"]["preview"], second["unreadCount"]) == ("before", 1)
    shown = harness.call_ok(bob, "getConversation", conversationId=direct)["conversation"]
    assert (shown["lastMessage"]["preview"], shown["unreadCount"]) == ("before", 1)
    opened = harness.call_ok(bob, "openDirect", {"userId": ada})["conversation"]
    assert (opened["lastMessage"]["preview"], opened["unreadCount"]) == ("before", 1)


def _observations(harness: FunctionHarness, *, blocked: bool, when: str) -> list[dict[str, Any]]:
    """Make the same requests as Ada, with or without a block by Bob; return every response and event that she gets."""
    ada, bob = harness.user("Ada", "Lovelace"), harness.user("Bob", "Ross")
    observed: list[dict[str, Any]] = []

    def request(operation: str, body: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
        response = harness.call(ada, operation, body, **parameters)
        observed.append({"operation": operation, "status": response.status, "body": response.body})
        return response.body

    if blocked and when == "before":
        harness.call_ok(bob, "blockUser", userId=ada)
    direct = request("openDirect", {"userId": bob})["conversation"]["conversationId"]
    if blocked and when == "after":
        harness.call_ok(bob, "blockUser", userId=ada)
    sent = request("sendMessage", {"conversationId": direct, "content": "hello", "tempId": "t-1"})
    request("sendMessage", {"conversationId": direct, "content": "hello", "tempId": "t-1"})
    request("sendMessage", {"conversationId": direct, "content": "there"})
    request("setTyping", {"conversationId": direct, "isTyping": True})
    request("markRead", {"conversationId": direct, "seq": 2})
    request("editMessage", {"conversationId": direct, "content": "hullo"}, messageId=sent["messageId"])
    request("deleteMessage", messageId=sent["messageId"], conversationId=direct)
    request("openDirect", {"userId": bob})
    request("getConversation", conversationId=direct)
    request("listConversations")
    request("getHistory", conversationId=direct)
    request("getUser", userId=bob)
    request("searchUsers", q="Ross")
    request("updateMe", {"bio": "mathematician"})
    harness.call_ok(bob, "updateMe", {"bio": "painter"})
    request("getUser", userId=bob)
    observed += [
        {"event": event}
        for event in [*harness.publisher.received(ada), *harness.publisher.received(ada, namespace="users")]
    ]
    return [_comparable(each, {ada: "ADA", bob: "BOB"}) for each in observed]


_VARYING = {"conversationId", "messageId", "eventId", "timestamp", "createdAt", "updatedAt", "lastMessageAt"}
_VARYING |= {"editedAt", "deletedAt", "readAt", "joinedAt", "email"}


def _comparable(value: Any, names: dict[str, str]) -> Any:
    """Return a value with user ids replaced by names, and without the values that differ between any two runs."""
    if isinstance(value, dict):
        return {
            names.get(key, key): "…" if key in _VARYING and each is not None else _comparable(each, names)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_comparable(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("when", ["before", "after"])
def test_blocked_user_gets_the_same_responses_and_events_as_without_a_block(emulator: Emulator, when: str) -> None:
    blocked, unblocked = (
        _observations(FunctionHarness(create_resources(emulator), clock=SystemClock()), blocked=each, when=when)
        for each in (True, False)
    )
    for with_block, without_block in zip(blocked, unblocked, strict=True):
        assert with_block == without_block


def test_concurrent_block_and_open_store_the_block_in_the_conversation(harness: FunctionHarness) -> None:
    for _ in range(8):
        ada, bob = harness.users(2)
        with ThreadPoolExecutor(2) as pool:
            opened = pool.submit(harness.direct, ada, bob)
            blocked = pool.submit(harness.call_ok, bob, "blockUser", userId=ada)
            direct = opened.result()
            blocked.result()
        stored = harness.aws.item(tables.CONVERSATIONS, conversationId=direct)
        assert stored is not None
        assert stored["blockedBy"] == {bob}
