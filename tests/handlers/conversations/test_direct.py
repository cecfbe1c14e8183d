"""Direct conversations: one of two users, whoever asks first, and blocks that nobody can see from outside."""

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


def test_opening_makes_the_conversation_once_and_finds_it_from_both_sides(harness: FunctionHarness) -> None:
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


def test_the_id_is_a_channel_segment_and_the_same_for_both() -> None:
    one, other = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "00000000-0000-4000-8000-000000000001"
    assert direct_id(one, other) == direct_id(other, one)
    assert len(direct_id(one, other)) == 36
    assert direct_id(one, other) != direct_id(one, one)


def test_parallel_opens_from_both_sides_make_one_conversation(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    pairs = [(ada, bob), (bob, ada)] * 3
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda pair: harness.call(pair[0], "openDirect", {"userId": pair[1]}), pairs))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert len({answer.body["conversation"]["conversationId"] for answer in answers}) == 1
    assert (len(harness.publisher.received(ada)), len(harness.publisher.received(bob))) == (1, 1)


def test_oneself_and_unknown_users_are_refused(harness: FunctionHarness) -> None:
    ada = harness.user()
    mine = harness.call(ada, "openDirect", {"userId": ada})
    assert (mine.status, mine.body["error"]["field"]) == (400, "userId")
    assert harness.call(ada, "openDirect", {"userId": "nobody"}).status == 404
    assert harness.aws.scan(tables.CONVERSATIONS) == []


def test_a_blocker_neither_hears_nor_sees_what_the_blocked_one_opens_until_the_block_is_lifted(
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


def test_what_a_blocked_user_sends_neither_counts_nor_shows_nor_moves_the_conversation_up(
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


def _story(harness: FunctionHarness, *, blocked: bool, when: str) -> list[dict[str, Any]]:
    """Live through one story as Ada, with or without Bob blocking her, and return all that she could notice."""
    ada, bob = harness.user("Ada", "Lovelace"), harness.user("Bob", "Ross")
    noticed: list[dict[str, Any]] = []

    def does(operation: str, body: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
        answer = harness.call(ada, operation, body, **parameters)
        noticed.append({"operation": operation, "status": answer.status, "body": answer.body})
        return answer.body

    if blocked and when == "before":
        harness.call_ok(bob, "blockUser", userId=ada)
    direct = does("openDirect", {"userId": bob})["conversation"]["conversationId"]
    if blocked and when == "after":
        harness.call_ok(bob, "blockUser", userId=ada)
    sent = does("sendMessage", {"conversationId": direct, "content": "hello", "tempId": "t-1"})
    does("sendMessage", {"conversationId": direct, "content": "hello", "tempId": "t-1"})
    does("sendMessage", {"conversationId": direct, "content": "there"})
    does("setTyping", {"conversationId": direct, "isTyping": True})
    does("markRead", {"conversationId": direct, "seq": 2})
    does("editMessage", {"conversationId": direct, "content": "hullo"}, messageId=sent["messageId"])
    does("deleteMessage", messageId=sent["messageId"], conversationId=direct)
    does("openDirect", {"userId": bob})
    does("getConversation", conversationId=direct)
    does("listConversations")
    does("getHistory", conversationId=direct)
    does("getUser", userId=bob)
    does("searchUsers", q="Ross")
    does("updateMe", {"bio": "mathematician"})
    harness.call_ok(bob, "updateMe", {"bio": "painter"})
    does("getUser", userId=bob)
    noticed += [
        {"event": event}
        for event in [*harness.publisher.received(ada), *harness.publisher.received(ada, namespace="users")]
    ]
    return [_nameless(each, {ada: "ADA", bob: "BOB"}) for each in noticed]


_VARYING = {"conversationId", "messageId", "eventId", "timestamp", "createdAt", "updatedAt", "lastMessageAt"}
_VARYING |= {"editedAt", "deletedAt", "readAt", "joinedAt", "email"}


def _nameless(value: Any, names: dict[str, str]) -> Any:
    """Return a value with ids by role, and without what differs between any two runs."""
    if isinstance(value, dict):
        return {
            names.get(key, key): "…" if key in _VARYING and each is not None else _nameless(each, names)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_nameless(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_blocked_user_cannot_tell(emulator: Emulator, when: str) -> None:
    blocked, free = (
        _story(FunctionHarness(create_resources(emulator), clock=SystemClock()), blocked=each, when=when)
        for each in (True, False)
    )
    for told_apart, usual in zip(blocked, free, strict=True):
        assert told_apart == usual


def test_a_block_and_an_open_at_once_leave_no_unblocked_conversation(harness: FunctionHarness) -> None:
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
