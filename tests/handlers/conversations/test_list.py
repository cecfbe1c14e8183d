"""The list of conversations and one conversation: order, pages, names, previews, unread counts."""

from __future__ import annotations

from typing import Any

import pytest

from contract import limits, tables
from handlers.adapters.system import SystemClock
from handlers.core.shared import cursors
from handlers.core.shared.errors import InvalidRequestError
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def _ids(page: dict[str, Any]) -> list[str]:
    return [each["conversationId"] for each in page["conversations"]]


def test_list_is_sorted_by_newest_message_or_creation(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    first, second, without_messages = (harness.group(ada, bob, name=f"Group {number}") for number in range(3))
    harness.send_ok(bob, second)
    harness.send_ok(bob, first)
    assert _ids(harness.call_ok(ada, "listConversations")) == [first, second, without_messages]


def test_pages_contain_every_conversation_exactly_once(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    groups = [harness.group(ada, bob, name=f"Group {number}") for number in range(7)]
    for group in groups[::2]:
        harness.send_ok(bob, group)
    complete = _ids(harness.call_ok(ada, "listConversations"))
    assert sorted(complete) == sorted(groups)
    paged: list[str] = []
    cursor: dict[str, Any] = {}
    for expected in (3, 3, 1):
        page = harness.call_ok(ada, "listConversations", limit=3, **cursor)
        assert len(page["conversations"]) == expected
        paged += _ids(page)
        cursor = {"cursor": page["nextCursor"]}
    assert page["nextCursor"] is None
    assert paged == complete


def test_conversation_that_moves_up_between_two_pages_hides_no_other(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    groups = [harness.group(ada, bob, name=f"Group {number}") for number in range(4)]
    first = harness.call_ok(ada, "listConversations", limit=2)
    harness.send_ok(bob, groups[0])
    second = harness.call_ok(ada, "listConversations", limit=2, cursor=first["nextCursor"])
    assert set(_ids(first)) | set(_ids(second)) | {groups[0]} == set(groups)


@pytest.mark.parametrize("cursor", ["nonsense!", "bm8=", "W10", cursors.encode(["only one"]), cursors.encode([1, 2])])
def test_invalid_cursor_is_refused(harness: FunctionHarness, cursor: str) -> None:
    response = harness.call(harness.user(), "listConversations", cursor=cursor)
    assert (response.status, response.body["error"]["field"]) == (400, "cursor")


def test_cursor_is_url_safe_and_decodes_to_the_encoded_position() -> None:
    for position in (("2026-01-01T00:00:00.000Z", "id-1"), ("", ""), ("é", "~?/")):
        cursor = cursors.encode(position)
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert cursors.decode(cursor, tuple[str, str]) == position
    with pytest.raises(InvalidRequestError):
        cursors.decode("é", tuple[str, str])


@pytest.mark.parametrize("limit", [0, limits.CONVERSATIONS_PAGE_MAX + 1, "many"])
def test_page_size_outside_the_limits_is_refused(harness: FunctionHarness, limit: Any) -> None:
    response = harness.call(harness.user(), "listConversations", limit=limit)
    assert (response.status, response.body["error"]["field"]) == (400, "limit")


def test_unread_count_falls_when_the_user_reads_or_sends(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)

    def unread(user: str) -> int:
        return int(harness.call_ok(user, "listConversations")["conversations"][0]["unreadCount"])

    for _ in range(3):
        harness.send_ok(ada, group)
    assert (unread(ada), unread(bob)) == (0, 3)
    harness.call_ok(bob, "markRead", {"conversationId": group, "seq": 2})
    assert unread(bob) == 1
    harness.send_ok(bob, group)
    assert (unread(ada), unread(bob)) == (1, 0)


def test_preview_is_truncated_and_null_for_a_message_without_text(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["lastMessage"], shown["lastMessageAt"]) == (None, None)
    harness.send_ok(ada, group, "é" * (limits.PREVIEW_CHARACTERS + 5))
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert shown["lastMessage"]["preview"] == "é" * limits.PREVIEW_CHARACTERS
    harness.call_ok(
        ada,
        "sendMessage",
        {"conversationId": group, "type": "IMAGE", "mediaUrl": "https://pictures.example/1"},
    )
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["lastMessage"]["type"], shown["lastMessage"]["preview"]) == ("IMAGE", None)


def test_direct_conversation_has_the_other_users_name_and_a_group_the_names_of_its_first_members(
    harness: FunctionHarness,
) -> None:
    ada, bob = harness.user("Ada", "Lovelace"), harness.user("Bob", "Ross")
    many = harness.users(22)
    harness.direct(ada, bob)
    harness.group(ada, *many)
    harness.deliver_outbox()
    group, direct = harness.call_ok(ada, "listConversations")["conversations"]
    assert (direct["name"], direct["participantNames"]) == ("Bob Ross", {ada: "Ada Lovelace", bob: "Bob Ross"})
    assert group["name"] == "Chess club"
    assert list(group["participantNames"]) == [ada, *many[:19]]
    harness.call_ok(bob, "updateMe", {"firstName": "Robert"})
    assert harness.call_ok(ada, "listConversations")["conversations"][1]["name"] == "Robert Ross"


def test_participant_without_a_profile_has_no_name(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    harness.direct(ada, bob)
    harness.aws.dynamodb.delete_item(TableName=harness.aws.table(tables.USERS), Key={"userId": {"S": bob}})
    (shown,) = harness.call_ok(ada, "listConversations")["conversations"]
    assert (shown["name"], list(shown["participantNames"])) == (None, [ada])


def test_conversation_has_its_members_with_their_read_marks(harness: FunctionHarness) -> None:
    ada, bob, eve = harness.users(3)
    group = harness.group(ada, bob)
    harness.send_ok(ada, group)
    response = harness.call_ok(bob, "getConversation", conversationId=group)
    assert [(each["userId"], each["role"], each["lastReadSeq"]) for each in response["members"]] == [
        (ada, "ADMIN", 1),
        (bob, "MEMBER", 0),
    ]
    assert (response["conversation"]["unreadCount"], response["conversation"]["lastReadSeq"]) == (1, 0)
    assert harness.call(eve, "getConversation", conversationId=group).status == 403
    assert harness.call(eve, "getConversation", conversationId="no-such").status == 404


def test_large_group_lists_its_first_hundred_members_and_the_callers_own_read_mark(harness: FunctionHarness) -> None:
    users = harness.users(104)
    group = harness.group(users[0], *users[1:80])
    harness.call_ok(users[0], "addMembers", {"userIds": users[80:]}, conversationId=group)
    harness.send_ok(users[0], group)
    last = users[-1]
    harness.call_ok(last, "markRead", {"conversationId": group, "seq": 1})
    response = harness.call_ok(last, "getConversation", conversationId=group)
    assert [each["userId"] for each in response["members"]] == users[:100]
    assert (response["conversation"]["lastReadSeq"], response["conversation"]["unreadCount"]) == (1, 0)


def test_more_conversations_than_one_batch_are_all_listed(
    harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.adapters.dynamodb.reads.BATCH_GET_KEYS_MAX", 4)
    ada, bob = harness.users(2)
    groups = {harness.group(ada, bob, name=f"Group {number}") for number in range(11)}
    page = harness.call_ok(ada, "listConversations")
    assert sorted(_ids(page)) == sorted(groups)


def test_unprocessed_keys_of_a_batch_are_requested_again(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    groups = {harness.group(ada, bob, name=f"Group {number}") for number in range(5)}
    page = harness.call(ada, "listConversations", handlers=harness.functions(OneItemBatchClient(harness.aws.dynamodb)))
    assert sorted(_ids(page.body)) == sorted(groups)


class OneItemBatchClient:
    """A DynamoDB client whose batch reads return one item and leave the other keys unprocessed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803  # as the service names it
        ((table, request),) = RequestItems.items()
        response = self._client.batch_get_item(RequestItems={table: {**request, "Keys": request["Keys"][:1]}})
        left = {table: {**request, "Keys": request["Keys"][1:]}} if len(request["Keys"]) > 1 else {}
        return {**response, "UnprocessedKeys": left}


def test_unread_count_excludes_hidden_messages(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    direct = harness.direct(ada, bob)
    for number in range(3):
        harness.send_ok(ada, direct, f"before {number}")
    harness.call_ok(bob, "markRead", {"conversationId": direct, "seq": 1})
    harness.call_ok(bob, "blockUser", userId=ada)
    harness.send_ok(ada, direct, "hidden")
    harness.call_ok(bob, "unblockUser", userId=ada)
    harness.send_ok(ada, direct, "after")
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["latestSeq"], shown["lastMessage"]["preview"]) == (3, 5, "after")


def test_list_examines_a_limited_number_of_hidden_messages(
    harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.adapters.dynamodb.conversations.store.HIDDEN_MESSAGES_EXAMINED", 4)
    ada, bob = harness.users(2)
    direct = harness.direct(ada, bob)
    harness.send_ok(ada, direct, "before")
    harness.call_ok(bob, "blockUser", userId=ada)
    for number in range(5):
        harness.send_ok(ada, direct, f"hidden {number}")
    (shown,) = harness.call_ok(bob, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["lastMessage"]) == (0, None)


def test_membership_without_a_conversation_is_not_listed(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    harness.aws.dynamodb.put_item(
        TableName=harness.aws.table(tables.CONVERSATION_MEMBERS),
        Item={"userId": {"S": ada}, "conversationId": {"S": "gone"}},
    )
    assert _ids(harness.call_ok(ada, "listConversations")) == [group]


def test_conversations_of_the_old_application_can_be_read_and_changed(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
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
    harness.aws.dynamodb.put_item(TableName=harness.aws.table(tables.CONVERSATIONS), Item=old)
    response = harness.call_ok(bob, "getConversation", conversationId="old-group")
    assert (response["conversation"]["version"], response["conversation"]["latestSeq"]) == (0, 0)
    assert [each["role"] for each in response["members"]] == ["ADMIN", "MEMBER"]
    changed = harness.call_ok(ada, "addMembers", {"userIds": [cat]}, conversationId="old-group")["conversation"]
    assert (changed["version"], changed["participants"]) == (1, [ada, bob, cat])
    assert (
        harness.call_ok(ada, "updateGroup", {"name": "New"}, conversationId="old-group")["conversation"]["version"] == 2
    )
