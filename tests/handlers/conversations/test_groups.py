"""Groups: permissions, events and stored items of every change."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import limits, tables
from handlers.adapters.system import SystemClock
from handlers.core.delivery.ports import DeliveryTask
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import numbers


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def _participants(harness: FunctionHarness, group: str, viewer: str) -> list[str]:
    response = harness.call_ok(viewer, "getConversation", conversationId=group)
    return list(response["conversation"]["participants"])


def test_new_group_has_its_creator_as_admin_and_is_published_to_every_member(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    response = harness.call(
        ada, "createGroup", {"name": "  Chess club ", "memberIds": [bob, cat, bob, ada], "tags": ["chess", "chess"]}
    )
    assert response.status == 201
    conversation = response.body["conversation"]
    assert conversation["name"] == "Chess club"
    assert conversation["participants"] == [ada, bob, cat]
    assert conversation["admins"] == [ada]
    assert (conversation["version"], conversation["latestSeq"]) == (1, 0)
    for user in (ada, bob, cat):
        (event,) = harness.publisher.received(user)
        assert event["type"] == "CONVERSATION_CREATED"
        assert event["data"] == {"conversation": conversation, "changedBy": ada}
    assert len({event["eventId"] for _, event in harness.publisher.published}) == 1
    stored = harness.assert_consistent(conversation["conversationId"])
    assert stored["type"] == "GROUP"
    assert harness.aws.scan(tables.OUTBOX) == []


def test_class_group_is_found_by_its_class_code_and_other_groups_have_no_null_key(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    other_group = harness.group(ada, bob)
    class_group = harness.group(ada, bob, classCode="COP4610", semester="Fall 2026", isPublic=True, maxMembers=30)
    assert "classCode" not in (harness.aws.item(tables.GROUPS, groupId=other_group) or {})
    harness.aws.emulator.let_reads_catch_up()
    found = harness.aws.dynamodb.query(
        TableName=harness.aws.table(tables.GROUPS),
        IndexName="ClassCodeIndex",
        KeyConditionExpression="classCode = :code",
        ExpressionAttributeValues={":code": {"S": "COP4610"}},
    )["Items"]
    assert [item["groupId"]["S"] for item in found] == [class_group]
    settings = (harness.aws.item(tables.GROUPS, groupId=class_group) or {})["settings"]
    assert settings == {"isPublic": True, "requireApproval": True, "maxMembers": 30}


def test_repeated_temp_id_returns_the_first_group(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    first = harness.call(ada, "createGroup", body)
    again = harness.call(ada, "createGroup", {**body, "name": "Second", "memberIds": [cat]})
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert len(harness.publisher.received(bob)) == 1
    assert harness.publisher.received(cat) == []
    other = harness.call(cat, "createGroup", body)
    assert other.body["conversation"]["conversationId"] != first.body["conversation"]["conversationId"]


def test_temp_id_of_a_group_that_the_caller_left_is_a_conflict(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    group = harness.call_ok(ada, "createGroup", body)["conversation"]["conversationId"]
    harness.call_ok(ada, "leaveGroup", conversationId=group)
    assert harness.call(ada, "createGroup", body).status == 409


def test_concurrent_creates_with_one_temp_id_create_one_group(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: harness.call(ada, "createGroup", body), range(6)))
    assert sorted(response.status for response in responses) == [200] * 5 + [201]
    assert len(harness.aws.scan(tables.CONVERSATIONS)) == 1
    assert len(harness.publisher.received(bob)) == 1


def test_largest_new_group_fits_one_transaction(harness: FunctionHarness) -> None:
    users = harness.users(limits.MEMBERS_PER_REQUEST + 1)
    group = harness.group(users[0], *users[1:])
    assert len(harness.assert_consistent(group)["participants"]) == limits.MEMBERS_PER_REQUEST + 1
    slices = -(-len(users) // limits.SLICE_RECIPIENTS)
    slices_queued = {task.slice for task in harness.queued_tasks() if isinstance(task, DeliveryTask)}
    assert slices_queued == set(range(slices))
    harness.deliver_outbox()
    assert all(len(harness.publisher.received(user)) == 1 for user in users)


def test_largest_addition_of_members_fits_one_transaction(harness: FunctionHarness) -> None:
    ada, bob, *more = harness.users(limits.MEMBERS_PER_REQUEST + 2)
    group = harness.group(ada, bob)
    harness.call_ok(ada, "addMembers", {"userIds": more}, conversationId=group)
    assert harness.assert_consistent(group)["participants"] == [ada, bob, *more]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "   ", "memberIds": ["BOB"]}, 400, "name"),
        ({"name": "x", "memberIds": ["ADA"]}, 400, "memberIds"),
        ({"name": "x", "memberIds": []}, 400, "memberIds"),
        ({"name": "x", "memberIds": ["BOB", "unknown-user"]}, 404, "memberIds"),
        ({"name": "x", "memberIds": ["BOB"], "maxMembers": 1}, 400, "maxMembers"),
        ({"name": "x", "memberIds": ["BOB"], "colour": "red"}, 400, "colour"),
    ],
)
def test_invalid_group_is_refused_and_nothing_is_stored(
    harness: FunctionHarness, body: dict[str, Any], status: int, field: str
) -> None:
    ada, bob = harness.users(2)
    names = {"ADA": ada, "BOB": bob}
    body = {**body, "memberIds": [names.get(name, name) for name in body["memberIds"]]}
    response = harness.call(ada, "createGroup", body)
    assert (response.status, response.body["error"]["field"]) == (status, field)
    assert harness.aws.scan(tables.CONVERSATIONS) == []
    assert harness.publisher.published == []


def test_error_names_the_unknown_members(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    response = harness.call(ada, "createGroup", {"name": "x", "memberIds": ["ghost-1", bob, "ghost-2"]})
    assert response.body["error"]["message"] == "memberIds contains unknown users: ghost-1, ghost-2"


def test_admin_changes_name_description_and_avatar_and_null_clears_a_field(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob, description="old", avatar="https://pictures.example/1")
    harness.publisher.clear()
    response = harness.call_ok(ada, "updateGroup", {"name": "New", "avatar": None}, conversationId=group)[
        "conversation"
    ]
    assert (response["name"], response["description"], response["avatar"]) == ("New", "old", None)
    assert response["version"] == 2
    (event,) = harness.publisher.received(bob)
    assert event["type"] == "CONVERSATION_UPDATED"
    assert event["data"]["conversation"] == response
    assert "avatar" not in (harness.aws.item(tables.CONVERSATIONS, conversationId=group) or {})


def test_request_without_effect_publishes_nothing_and_keeps_the_version(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    harness.publisher.clear()
    unchanged: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("updateGroup", {"name": "Chess club"}, {}),
        ("updateGroup", {}, {}),
        ("addMembers", {"userIds": [bob]}, {}),
        ("setRole", {"role": "MEMBER"}, {"userId": bob}),
        ("setRole", {"role": "ADMIN"}, {"userId": ada}),
    ]
    for operation, body, path in unchanged:
        response = harness.call_ok(ada, operation, body, conversationId=group, **path)
        assert response["conversation"]["version"] == 1
    assert harness.publisher.published == []


def test_added_users_receive_conversation_created_and_members_conversation_updated(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    group = harness.group(ada, bob)
    harness.send_ok(bob, group)
    harness.publisher.clear()
    response = harness.call_ok(ada, "addMembers", {"userIds": [cat, bob]}, conversationId=group)["conversation"]
    assert response["participants"] == [ada, bob, cat]
    assert [event["type"] for event in harness.publisher.received(cat)] == ["CONVERSATION_CREATED"]
    for user in (ada, bob):
        assert [event["type"] for event in harness.publisher.received(user)] == ["CONVERSATION_UPDATED"]
    harness.assert_consistent(group)


def test_added_user_can_read_the_history_and_none_of_it_counts_as_unread(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    group = harness.group(ada, bob)
    harness.send_ok(ada, group, "before")
    harness.call_ok(ada, "addMembers", {"userIds": [cat]}, conversationId=group)
    (shown,) = harness.call_ok(cat, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["lastReadSeq"], shown["lastMessage"]["preview"]) == (0, 1, "before")
    history = harness.call_ok(cat, "getHistory", conversationId=group)
    assert [message["content"] for message in history["messages"]] == ["before"]
    harness.send_ok(bob, group, "after")
    (shown,) = harness.call_ok(cat, "listConversations")["conversations"]
    assert shown["unreadCount"] == 1


def test_removed_member_receives_the_event_and_can_neither_read_nor_send(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    group = harness.group(ada, bob, cat)
    harness.publisher.clear()
    response = harness.call_ok(ada, "removeMember", conversationId=group, userId=bob)["conversation"]
    assert response["participants"] == [ada, cat]
    (gone,) = harness.publisher.received(bob)
    assert (gone["type"], gone["data"]) == (
        "CONVERSATION_REMOVED",
        {"conversationId": group, "userId": bob, "removedBy": ada},
    )
    assert [event["type"] for event in harness.publisher.received(cat)] == ["CONVERSATION_UPDATED"]
    assert harness.call(bob, "getConversation", conversationId=group).status == 403
    assert harness.call(bob, "getHistory", conversationId=group).status == 403
    assert harness.call(bob, "sendMessage", {"conversationId": group, "content": "hi"}).status == 403
    assert harness.call_ok(bob, "listConversations")["conversations"] == []
    harness.publisher.clear()
    harness.send_ok(ada, group)
    assert harness.publisher.received(bob) == []
    harness.assert_consistent(group)


def test_member_who_joined_first_becomes_admin_when_the_last_admin_leaves(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    group = harness.group(ada, bob, cat)
    harness.publisher.clear()
    harness.call_ok(ada, "leaveGroup", conversationId=group)
    stored = harness.assert_consistent(group)
    assert (stored["participants"], stored["admins"]) == ([bob, cat], [bob])
    (event,) = harness.publisher.received(cat)
    assert event["data"]["conversation"]["admins"] == [bob]
    assert harness.call_ok(bob, "setRole", {"role": "ADMIN"}, conversationId=group, userId=cat)
    harness.assert_consistent(group)


def test_group_without_members_cannot_be_read_by_former_members(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    harness.call_ok(bob, "leaveGroup", conversationId=group)
    harness.call_ok(ada, "leaveGroup", conversationId=group)
    stored = harness.assert_consistent(group)
    assert (stored["participants"], stored["admins"]) == ([], [])
    for user in (ada, bob):
        assert harness.call(user, "getConversation", conversationId=group).status == 403
        assert harness.call(user, "leaveGroup", conversationId=group).status == 403


def test_last_admin_cannot_become_a_plain_member(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    assert harness.call(ada, "setRole", {"role": "MEMBER"}, conversationId=group, userId=ada).status == 409
    harness.call_ok(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId=bob)
    harness.call_ok(bob, "setRole", {"role": "MEMBER"}, conversationId=group, userId=ada)
    assert harness.assert_consistent(group)["admins"] == [bob]


def test_group_never_exceeds_its_max_members(harness: FunctionHarness) -> None:
    ada, bob, cat, dan = harness.users(4)
    group = harness.group(ada, bob, maxMembers=3)
    assert harness.call(ada, "addMembers", {"userIds": [cat, dan]}, conversationId=group).status == 409
    assert _participants(harness, group, ada) == [ada, bob]
    harness.call_ok(ada, "addMembers", {"userIds": [cat]}, conversationId=group)
    assert harness.call(ada, "addMembers", {"userIds": [dan]}, conversationId=group).status == 409


def test_user_cannot_be_in_more_conversations_than_the_limit(
    harness: FunctionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONVERSATIONS_PER_USER", 2)
    ada, bob, cat, dan = harness.users(4)
    harness.group(ada, bob)
    group = harness.group(cat, bob)
    assert harness.call(cat, "createGroup", {"name": "x", "memberIds": [bob]}).status == 409
    assert harness.call(bob, "openDirect", {"userId": dan}).status == 409
    assert harness.call(ada, "openDirect", {"userId": dan}).status == 201
    assert harness.call(cat, "addMembers", {"userIds": [ada]}, conversationId=group).status == 409
    assert harness.call(cat, "addMembers", {"userIds": [dan]}, conversationId=group).status == 200


_CHANGES: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    ("updateGroup", {"name": "x"}, {}),
    ("addMembers", {"userIds": ["CAT"]}, {}),
    ("removeMember", None, {"userId": "BOB"}),
    ("setRole", {"role": "ADMIN"}, {"userId": "BOB"}),
]


@pytest.mark.parametrize(("operation", "body", "path"), _CHANGES, ids=[change[0] for change in _CHANGES])
def test_only_admins_change_a_group_and_no_user_changes_a_direct_conversation(
    harness: FunctionHarness, operation: str, body: dict[str, Any] | None, path: dict[str, Any]
) -> None:
    ada, bob, cat, eve = harness.users(4)
    named = {"BOB": bob, "CAT": cat}
    path = {name: named[value] for name, value in path.items()}
    if body and "userIds" in body:
        body = {"userIds": [cat]}
    group, direct = harness.group(ada, bob), harness.direct(ada, bob)

    def status(caller: str, conversation_id: str) -> int:
        return harness.call(caller, operation, body, conversationId=conversation_id, **path).status

    assert status(bob, group) == 403
    assert status(eve, group) == 403
    assert status(ada, direct) == 409
    assert status(eve, direct) == 403
    assert status(ada, "no-such-group") == 404
    before = harness.assert_consistent(group)
    assert status(ada, group) == 200
    assert harness.assert_consistent(group)["version"] == before["version"] + 1


def test_changes_of_unknown_members_groups_and_direct_conversations_are_refused(harness: FunctionHarness) -> None:
    ada, bob = harness.users(2)
    group = harness.group(ada, bob)
    assert harness.call(ada, "removeMember", conversationId=group, userId="ghost").status == 404
    assert harness.call(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId="ghost").status == 404
    assert harness.call(ada, "addMembers", {"userIds": ["ghost"]}, conversationId=group).status == 404
    assert harness.call(ada, "removeMember", conversationId=group, userId=ada).status == 409
    assert harness.call(ada, "leaveGroup", conversationId="no-such-group").status == 404
    assert harness.call(ada, "leaveGroup", conversationId=harness.direct(ada, bob)).status == 409


def test_concurrent_changes_by_two_admins_are_all_applied(harness: FunctionHarness) -> None:
    ada, bob, *others = harness.users(8)
    group = harness.group(ada, bob)
    harness.call_ok(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId=bob)
    callers = itertools.cycle((ada, bob))
    with ThreadPoolExecutor(4) as pool:
        responses = list(
            pool.map(
                lambda pair: harness.call(pair[0], "addMembers", {"userIds": [pair[1]]}, conversationId=group),
                zip(callers, others, strict=False),
            )
        )
    assert [response.status for response in responses] == [200] * 6
    stored = harness.assert_consistent(group)
    assert set(stored["participants"]) == {ada, bob, *others}
    assert stored["version"] == 2 + len(others)


def test_concurrent_group_change_and_message_are_both_applied(harness: FunctionHarness) -> None:
    ada, bob, *others = harness.users(6)
    group = harness.group(ada, bob)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(harness.send_ok, bob, group, str(number)) for number in range(6)]
        added = [
            pool.submit(harness.call_ok, ada, "addMembers", {"userIds": [user]}, conversationId=group)
            for user in others
        ]
        for each in (*sent, *added):
            each.result()
    stored = harness.assert_consistent(group)
    assert (numbers(harness.aws, group)["latestSeq"], len(stored["participants"])) == (6, 6)


def test_event_that_the_publisher_refuses_is_delivered_later(harness: FunctionHarness) -> None:
    ada, bob, cat = harness.users(3)
    harness.publisher.failing.add(f"/chats/{bob}")
    group = harness.group(ada, bob, cat)
    assert (len(harness.publisher.received(cat)), harness.publisher.received(bob)) == (1, [])
    (record,) = harness.aws.scan(tables.OUTBOX)
    assert record["recipients"] == [bob]
    harness.publisher.failing.clear()
    harness.deliver_outbox()
    (event,) = harness.publisher.received(bob)
    assert event["data"]["conversation"]["conversationId"] == group
    assert harness.aws.scan(tables.OUTBOX) == []
