"""The list of conversations and one of them: order, pages, names, previews, unread counts."""

from __future__ import annotations

from typing import Any

import pytest

from contract import limits, tables
from handlers.core.shared import cursors
from handlers.core.shared.errors import InvalidRequestError
from tests.harness.handlers.cloud import World
from tests.harness.handlers.people import Town


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def _ids(page: dict[str, Any]) -> list[str]:
    return [each["conversationId"] for each in page["conversations"]]


def test_conversations_come_newest_message_first_and_silent_ones_by_their_creation(town: Town) -> None:
    ada, bob = town.users(2)
    first, second, silent = (town.group(ada, bob, name=f"Group {number}") for number in range(3))
    town.send(bob, second)
    town.send(bob, first)
    assert _ids(town.done(ada, "listConversations")) == [first, second, silent]


def test_pages_hold_every_conversation_exactly_once(town: Town) -> None:
    ada, bob = town.users(2)
    groups = [town.group(ada, bob, name=f"Group {number}") for number in range(7)]
    for group in groups[::2]:
        town.send(bob, group)
    whole = _ids(town.done(ada, "listConversations"))
    assert sorted(whole) == sorted(groups)
    paged: list[str] = []
    cursor: dict[str, Any] = {}
    for expected in (3, 3, 1):
        page = town.done(ada, "listConversations", limit=3, **cursor)
        assert len(page["conversations"]) == expected
        paged += _ids(page)
        cursor = {"cursor": page["nextCursor"]}
    assert page["nextCursor"] is None
    assert paged == whole


def test_a_conversation_that_moves_up_between_pages_hides_no_other(town: Town) -> None:
    ada, bob = town.users(2)
    groups = [town.group(ada, bob, name=f"Group {number}") for number in range(4)]
    first = town.done(ada, "listConversations", limit=2)
    town.send(bob, groups[0])
    second = town.done(ada, "listConversations", limit=2, cursor=first["nextCursor"])
    assert set(_ids(first)) | set(_ids(second)) | {groups[0]} == set(groups)


@pytest.mark.parametrize("cursor", ["nonsense!", "bm8=", "W10", cursors.encode(["only one"]), cursors.encode([1, 2])])
def test_a_cursor_that_is_none_is_refused(town: Town, cursor: str) -> None:
    answer = town.call(town.user(), "listConversations", cursor=cursor)
    assert (answer.status, answer.body["error"]["field"]) == (400, "cursor")


def test_a_cursor_comes_back_as_it_was_and_is_plain_in_an_address() -> None:
    for position in (("2026-01-01T00:00:00.000Z", "id-1"), ("", ""), ("é", "~?/")):
        cursor = cursors.encode(position)
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert cursors.decode(cursor, tuple[str, str]) == position
    with pytest.raises(InvalidRequestError):
        cursors.decode("é", tuple[str, str])


@pytest.mark.parametrize("limit", [0, limits.CONVERSATIONS_PAGE_MAX + 1, "many"])
def test_a_page_has_a_sensible_size(town: Town, limit: Any) -> None:
    answer = town.call(town.user(), "listConversations", limit=limit)
    assert (answer.status, answer.body["error"]["field"]) == (400, "limit")


def test_unread_messages_are_counted_and_reading_or_sending_clears_them(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)

    def unread(user: str) -> int:
        return int(town.done(user, "listConversations")["conversations"][0]["unreadCount"])

    for _ in range(3):
        town.send(ada, group)
    assert (unread(ada), unread(bob)) == (0, 3)
    town.done(bob, "markRead", {"conversationId": group, "seq": 2})
    assert unread(bob) == 1
    town.send(bob, group)
    assert (unread(ada), unread(bob)) == (1, 0)


def test_the_preview_is_short_and_null_where_there_is_no_text(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    (shown,) = town.done(bob, "listConversations")["conversations"]
    assert (shown["lastMessage"], shown["lastMessageAt"]) == (None, None)
    town.send(ada, group, "é" * (limits.PREVIEW_CHARACTERS + 5))
    (shown,) = town.done(bob, "listConversations")["conversations"]
    assert shown["lastMessage"]["preview"] == "é" * limits.PREVIEW_CHARACTERS
    town.done(
        ada,
        "sendMessage",
        {"conversationId": group, "type": "IMAGE", "mediaUrl": "https://pictures.example/1"},
    )
    (shown,) = town.done(bob, "listConversations")["conversations"]
    assert (shown["lastMessage"]["type"], shown["lastMessage"]["preview"]) == ("IMAGE", None)


def test_a_direct_conversation_is_named_after_the_other_one_and_a_group_names_its_first_members(town: Town) -> None:
    ada, bob = town.user("Ada", "Lovelace"), town.user("Bob", "Ross")
    many = town.users(22)
    town.direct(ada, bob)
    town.group(ada, *many)
    town.deliver_everything()
    group, direct = town.done(ada, "listConversations")["conversations"]
    assert (direct["name"], direct["participantNames"]) == ("Bob Ross", {ada: "Ada Lovelace", bob: "Bob Ross"})
    assert group["name"] == "Chess club"
    assert list(group["participantNames"]) == [ada, *many[:19]]
    town.done(bob, "updateMe", {"firstName": "Robert"})
    assert town.done(ada, "listConversations")["conversations"][1]["name"] == "Robert Ross"


def test_a_participant_without_a_profile_has_no_name(town: Town) -> None:
    ada, bob = town.users(2)
    town.direct(ada, bob)
    town.world.dynamodb.delete_item(TableName=town.table(tables.USERS), Key={"userId": {"S": bob}})
    (shown,) = town.done(ada, "listConversations")["conversations"]
    assert (shown["name"], list(shown["participantNames"])) == (None, [ada])


def test_one_conversation_shows_its_members_and_how_far_each_has_read(town: Town) -> None:
    ada, bob, eve = town.users(3)
    group = town.group(ada, bob)
    town.send(ada, group)
    answer = town.done(bob, "getConversation", conversationId=group)
    assert [(each["userId"], each["role"], each["lastReadSeq"]) for each in answer["members"]] == [
        (ada, "ADMIN", 1),
        (bob, "MEMBER", 0),
    ]
    assert (answer["conversation"]["unreadCount"], answer["conversation"]["lastReadSeq"]) == (1, 0)
    assert town.call(eve, "getConversation", conversationId=group).status == 403
    assert town.call(eve, "getConversation", conversationId="no-such").status == 404


def test_a_large_group_lists_its_first_hundred_members_and_still_knows_the_caller(town: Town) -> None:
    people = town.users(104)
    group = town.group(people[0], *people[1:80])
    town.done(people[0], "addMembers", {"userIds": people[80:]}, conversationId=group)
    town.send(people[0], group)
    last = people[-1]
    town.done(last, "markRead", {"conversationId": group, "seq": 1})
    answer = town.done(last, "getConversation", conversationId=group)
    assert [each["userId"] for each in answer["members"]] == people[:100]
    assert (answer["conversation"]["lastReadSeq"], answer["conversation"]["unreadCount"]) == (1, 0)


def test_more_conversations_than_one_batch_are_all_read(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.adapters.dynamodb.batches.BATCH_GET_KEYS_MAX", 4)
    ada, bob = town.users(2)
    groups = {town.group(ada, bob, name=f"Group {number}") for number in range(11)}
    page = town.done(ada, "listConversations")
    assert sorted(_ids(page)) == sorted(groups)


def test_what_a_batch_leaves_over_is_asked_for_again(town: Town) -> None:
    ada, bob = town.users(2)
    groups = {town.group(ada, bob, name=f"Group {number}") for number in range(5)}
    page = town.call(ada, "listConversations", handlers=town.functions(OneAtATime(town.world.dynamodb)))
    assert sorted(_ids(page.body)) == sorted(groups)


class OneAtATime:
    """A DynamoDB client that is so busy that a batch reads one item only."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803  # as the service names it
        ((table, request),) = RequestItems.items()
        answer = self._client.batch_get_item(RequestItems={table: {**request, "Keys": request["Keys"][:1]}})
        left = {table: {**request, "Keys": request["Keys"][1:]}} if len(request["Keys"]) > 1 else {}
        return {**answer, "UnprocessedKeys": left}


def test_what_is_unread_beside_hidden_messages_is_counted_exactly(town: Town) -> None:
    ada, bob = town.users(2)
    direct = town.direct(ada, bob)
    for number in range(3):
        town.send(ada, direct, f"before {number}")
    town.done(bob, "markRead", {"conversationId": direct, "seq": 1})
    town.done(bob, "blockUser", userId=ada)
    town.send(ada, direct, "hidden")
    town.done(bob, "unblockUser", userId=ada)
    town.send(ada, direct, "after")
    (shown,) = town.done(bob, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["latestSeq"], shown["lastMessage"]["preview"]) == (3, 5, "after")


def test_much_that_is_hidden_does_not_slow_the_list_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.adapters.dynamodb.conversations.store.HIDDEN_MESSAGES_EXAMINED", 4)
    ada, bob = town.users(2)
    direct = town.direct(ada, bob)
    town.send(ada, direct, "before")
    town.done(bob, "blockUser", userId=ada)
    for number in range(5):
        town.send(ada, direct, f"hidden {number}")
    (shown,) = town.done(bob, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["lastMessage"]) == (0, None)


def test_a_row_without_its_conversation_is_left_out(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    town.world.dynamodb.put_item(
        TableName=town.table(tables.CONVERSATION_MEMBERS),
        Item={"userId": {"S": ada}, "conversationId": {"S": "gone"}},
    )
    assert _ids(town.done(ada, "listConversations")) == [group]


def test_conversations_of_the_old_application_can_be_read_and_changed(town: Town) -> None:
    ada, bob, cat = town.users(3)
    old = {
        "conversationId": {"S": "old-group"},
        "type": {"S": "GROUP"},
        "name": {"S": "Old"},
        "description": {"NULL": True},
        "participants": {"L": [{"S": ada}, {"S": bob}]},
        "admins": {"L": [{"S": ada}]},
        "createdBy": {"S": ada},
        "createdAt": {"S": "2025-11-01T10:00:00.000Z"},
        "lastMessageAt": {"S": "2025-11-02T10:00:00.000Z"},
    }
    town.world.dynamodb.put_item(TableName=town.table(tables.CONVERSATIONS), Item=old)
    answer = town.done(bob, "getConversation", conversationId="old-group")
    assert (answer["conversation"]["version"], answer["conversation"]["latestSeq"]) == (0, 0)
    assert [each["role"] for each in answer["members"]] == ["ADMIN", "MEMBER"]
    changed = town.done(ada, "addMembers", {"userIds": [cat]}, conversationId="old-group")["conversation"]
    assert (changed["version"], changed["participants"]) == (1, [ada, bob, cat])
    assert town.done(ada, "updateGroup", {"name": "New"}, conversationId="old-group")["conversation"]["version"] == 2
