"""Groups: who may change what, what everybody is told, and what is stored."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import limits, tables
from tests.harness.handlers.cloud import World
from tests.harness.handlers.people import Town


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def _participants(town: Town, group: str, viewer: str) -> list[str]:
    answer = town.done(viewer, "getConversation", conversationId=group)
    return list(answer["conversation"]["participants"])


def test_a_new_group_has_its_creator_as_admin_and_tells_every_member(town: Town) -> None:
    ada, bob, cat = town.users(3)
    answer = town.call(
        ada, "createGroup", {"name": "  Chess club ", "memberIds": [bob, cat, bob, ada], "tags": ["chess", "chess"]}
    )
    assert answer.status == 201
    conversation = answer.body["conversation"]
    assert conversation["name"] == "Chess club"
    assert conversation["participants"] == [ada, bob, cat]
    assert conversation["admins"] == [ada]
    assert (conversation["version"], conversation["latestSeq"]) == (1, 0)
    for user in (ada, bob, cat):
        (event,) = town.heard(user)
        assert event["type"] == "CONVERSATION_CREATED"
        assert event["data"] == {"conversation": conversation, "changedBy": ada}
    assert len({event["eventId"] for _, event in town.publisher.published}) == 1
    stored = town.assert_consistent(conversation["conversationId"])
    assert stored["type"] == "GROUP"
    assert town.scan(tables.OUTBOX) == []


def test_a_class_group_can_be_found_by_its_class_and_a_plain_one_has_no_null_key(town: Town) -> None:
    ada, bob = town.users(2)
    plain = town.group(ada, bob)
    taught = town.group(ada, bob, classCode="COP4610", semester="Fall 2026", isPublic=True, maxMembers=30)
    assert "classCode" not in (town.item(tables.GROUPS, groupId=plain) or {})
    found = town.world.dynamodb.query(
        TableName=town.table(tables.GROUPS),
        IndexName="ClassCodeIndex",
        KeyConditionExpression="classCode = :code",
        ExpressionAttributeValues={":code": {"S": "COP4610"}},
    )["Items"]
    assert [item["groupId"]["S"] for item in found] == [taught]
    settings = (town.item(tables.GROUPS, groupId=taught) or {})["settings"]
    assert settings == {"isPublic": True, "requireApproval": True, "maxMembers": 30}


def test_a_repeated_temp_id_answers_with_the_first_group(town: Town) -> None:
    ada, bob, cat = town.users(3)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    first = town.call(ada, "createGroup", body)
    again = town.call(ada, "createGroup", {**body, "name": "Second", "memberIds": [cat]})
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert len(town.heard(bob)) == 1
    assert town.heard(cat) == []
    other = town.call(cat, "createGroup", body)
    assert other.body["conversation"]["conversationId"] != first.body["conversation"]["conversationId"]


def test_a_temp_id_of_a_group_that_the_caller_left_is_a_conflict(town: Town) -> None:
    ada, bob = town.users(2)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    group = town.done(ada, "createGroup", body)["conversation"]["conversationId"]
    town.done(ada, "leaveGroup", conversationId=group)
    assert town.call(ada, "createGroup", body).status == 409


def test_parallel_creates_with_one_temp_id_make_one_group(town: Town) -> None:
    ada, bob = town.users(2)
    body = {"name": "First", "memberIds": [bob], "tempId": "t-1"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: town.call(ada, "createGroup", body), range(6)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert len(town.scan(tables.CONVERSATIONS)) == 1
    assert len(town.heard(bob)) == 1


def test_the_largest_create_fits_one_transaction(town: Town) -> None:
    people = town.users(limits.MEMBERS_PER_REQUEST + 1)
    group = town.group(people[0], *people[1:])
    assert len(town.assert_consistent(group)["participants"]) == limits.MEMBERS_PER_REQUEST + 1
    slices = -(-len(people) // limits.SLICE_RECIPIENTS)
    assert {parcel.slice for parcel in town.queue.parcels} == set(range(slices))
    town.deliver_everything()
    assert all(len(town.heard(user)) == 1 for user in people)


def test_the_largest_addition_fits_one_transaction(town: Town) -> None:
    ada, bob, *more = town.users(limits.MEMBERS_PER_REQUEST + 2)
    group = town.group(ada, bob)
    town.done(ada, "addMembers", {"userIds": more}, conversationId=group)
    assert town.assert_consistent(group)["participants"] == [ada, bob, *more]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "   ", "memberIds": ["BOB"]}, 400, "name"),
        ({"name": "x", "memberIds": ["ADA"]}, 400, "memberIds"),
        ({"name": "x", "memberIds": []}, 400, "memberIds"),
        ({"name": "x", "memberIds": ["BOB", "nobody"]}, 404, "memberIds"),
        ({"name": "x", "memberIds": ["BOB"], "maxMembers": 1}, 400, "maxMembers"),
        ({"name": "x", "memberIds": ["BOB"], "colour": "red"}, 400, "colour"),
    ],
)
def test_a_group_that_cannot_be_is_refused_and_nothing_is_stored(
    town: Town, body: dict[str, Any], status: int, field: str
) -> None:
    ada, bob = town.users(2)
    names = {"ADA": ada, "BOB": bob}
    body = {**body, "memberIds": [names.get(name, name) for name in body["memberIds"]]}
    answer = town.call(ada, "createGroup", body)
    assert (answer.status, answer.body["error"]["field"]) == (status, field)
    assert town.scan(tables.CONVERSATIONS) == []
    assert town.publisher.published == []


def test_missing_members_are_named(town: Town) -> None:
    ada, bob = town.users(2)
    answer = town.call(ada, "createGroup", {"name": "x", "memberIds": ["ghost-1", bob, "ghost-2"]})
    assert answer.body["error"]["message"] == "no such user: ghost-1, ghost-2"


def test_an_admin_changes_name_description_and_avatar_and_null_clears(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob, description="old", avatar="https://pictures.example/1")
    town.forget()
    answer = town.done(ada, "updateGroup", {"name": "New", "avatar": None}, conversationId=group)["conversation"]
    assert (answer["name"], answer["description"], answer["avatar"]) == ("New", "old", None)
    assert answer["version"] == 2
    (event,) = town.heard(bob)
    assert event["type"] == "CONVERSATION_UPDATED"
    assert event["data"]["conversation"] == answer
    assert "avatar" not in (town.item(tables.CONVERSATIONS, conversationId=group) or {})


def test_a_change_that_changes_nothing_says_nothing(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    town.forget()
    unchanged: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("updateGroup", {"name": "Chess club"}, {}),
        ("updateGroup", {}, {}),
        ("addMembers", {"userIds": [bob]}, {}),
        ("setRole", {"role": "MEMBER"}, {"userId": bob}),
        ("setRole", {"role": "ADMIN"}, {"userId": ada}),
    ]
    for operation, body, path in unchanged:
        answer = town.done(ada, operation, body, conversationId=group, **path)
        assert answer["conversation"]["version"] == 1
    assert town.publisher.published == []


def test_added_users_are_told_of_a_new_conversation_and_members_of_a_change(town: Town) -> None:
    ada, bob, cat = town.users(3)
    group = town.group(ada, bob)
    town.send(bob, group)
    town.forget()
    answer = town.done(ada, "addMembers", {"userIds": [cat, bob]}, conversationId=group)["conversation"]
    assert answer["participants"] == [ada, bob, cat]
    assert [event["type"] for event in town.heard(cat)] == ["CONVERSATION_CREATED"]
    for user in (ada, bob):
        assert [event["type"] for event in town.heard(user)] == ["CONVERSATION_UPDATED"]
    town.assert_consistent(group)


def test_an_added_user_sees_the_history_and_nothing_of_it_counts_as_unread(town: Town) -> None:
    ada, bob, cat = town.users(3)
    group = town.group(ada, bob)
    town.send(ada, group, "before")
    town.done(ada, "addMembers", {"userIds": [cat]}, conversationId=group)
    (shown,) = town.done(cat, "listConversations")["conversations"]
    assert (shown["unreadCount"], shown["lastReadSeq"], shown["lastMessage"]["preview"]) == (0, 1, "before")
    history = town.done(cat, "getHistory", conversationId=group)
    assert [message["content"] for message in history["messages"]] == ["before"]
    town.send(bob, group, "after")
    (shown,) = town.done(cat, "listConversations")["conversations"]
    assert shown["unreadCount"] == 1


def test_a_removed_member_is_told_and_can_neither_read_nor_send(town: Town) -> None:
    ada, bob, cat = town.users(3)
    group = town.group(ada, bob, cat)
    town.forget()
    answer = town.done(ada, "removeMember", conversationId=group, userId=bob)["conversation"]
    assert answer["participants"] == [ada, cat]
    (gone,) = town.heard(bob)
    assert (gone["type"], gone["data"]) == (
        "CONVERSATION_REMOVED",
        {"conversationId": group, "userId": bob, "removedBy": ada},
    )
    assert [event["type"] for event in town.heard(cat)] == ["CONVERSATION_UPDATED"]
    assert town.call(bob, "getConversation", conversationId=group).status == 403
    assert town.call(bob, "getHistory", conversationId=group).status == 403
    assert town.call(bob, "sendMessage", {"conversationId": group, "content": "hi"}).status == 403
    assert town.done(bob, "listConversations")["conversations"] == []
    town.forget()
    town.send(ada, group)
    assert town.heard(bob) == []
    town.assert_consistent(group)


def test_when_the_last_admin_leaves_the_longest_standing_member_becomes_admin(town: Town) -> None:
    ada, bob, cat = town.users(3)
    group = town.group(ada, bob, cat)
    town.forget()
    town.done(ada, "leaveGroup", conversationId=group)
    stored = town.assert_consistent(group)
    assert (stored["participants"], stored["admins"]) == ([bob, cat], [bob])
    (event,) = town.heard(cat)
    assert event["data"]["conversation"]["admins"] == [bob]
    assert town.done(bob, "setRole", {"role": "ADMIN"}, conversationId=group, userId=cat)
    town.assert_consistent(group)


def test_when_the_last_member_leaves_nobody_can_read_the_group(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    town.done(bob, "leaveGroup", conversationId=group)
    town.done(ada, "leaveGroup", conversationId=group)
    stored = town.assert_consistent(group)
    assert (stored["participants"], stored["admins"]) == ([], [])
    for user in (ada, bob):
        assert town.call(user, "getConversation", conversationId=group).status == 403
        assert town.call(user, "leaveGroup", conversationId=group).status == 403


def test_the_last_admin_cannot_step_down(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    assert town.call(ada, "setRole", {"role": "MEMBER"}, conversationId=group, userId=ada).status == 409
    town.done(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId=bob)
    town.done(bob, "setRole", {"role": "MEMBER"}, conversationId=group, userId=ada)
    assert town.assert_consistent(group)["admins"] == [bob]


def test_a_group_never_grows_beyond_its_own_limit(town: Town) -> None:
    ada, bob, cat, dan = town.users(4)
    group = town.group(ada, bob, maxMembers=3)
    assert town.call(ada, "addMembers", {"userIds": [cat, dan]}, conversationId=group).status == 409
    assert _participants(town, group, ada) == [ada, bob]
    town.done(ada, "addMembers", {"userIds": [cat]}, conversationId=group)
    assert town.call(ada, "addMembers", {"userIds": [dan]}, conversationId=group).status == 409


def test_nobody_is_put_into_more_conversations_than_a_list_can_order(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONVERSATIONS_PER_USER", 2)
    ada, bob, cat, dan = town.users(4)
    town.group(ada, bob)
    group = town.group(cat, bob)
    assert town.call(cat, "createGroup", {"name": "x", "memberIds": [bob]}).status == 409
    assert town.call(bob, "openDirect", {"userId": dan}).status == 409
    assert town.call(ada, "openDirect", {"userId": dan}).status == 201
    assert town.call(cat, "addMembers", {"userIds": [ada]}, conversationId=group).status == 409
    assert town.call(cat, "addMembers", {"userIds": [dan]}, conversationId=group).status == 200


_CHANGES: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    ("updateGroup", {"name": "x"}, {}),
    ("addMembers", {"userIds": ["CAT"]}, {}),
    ("removeMember", None, {"userId": "BOB"}),
    ("setRole", {"role": "ADMIN"}, {"userId": "BOB"}),
]


@pytest.mark.parametrize(("operation", "body", "path"), _CHANGES, ids=[change[0] for change in _CHANGES])
def test_only_an_admin_changes_a_group_and_nobody_a_direct_conversation(
    town: Town, operation: str, body: dict[str, Any] | None, path: dict[str, Any]
) -> None:
    ada, bob, cat, eve = town.users(4)
    named = {"BOB": bob, "CAT": cat}
    path = {name: named[value] for name, value in path.items()}
    if body and "userIds" in body:
        body = {"userIds": [cat]}
    group, direct = town.group(ada, bob), town.direct(ada, bob)

    def status(caller: str, conversation_id: str) -> int:
        return town.call(caller, operation, body, conversationId=conversation_id, **path).status

    assert status(bob, group) == 403
    assert status(eve, group) == 403
    assert status(ada, direct) == 409
    assert status(eve, direct) == 403
    assert status(ada, "no-such-group") == 404
    before = town.assert_consistent(group)
    assert status(ada, group) == 200
    assert town.assert_consistent(group)["version"] == before["version"] + 1


def test_members_that_do_not_exist_cannot_be_changed(town: Town) -> None:
    ada, bob = town.users(2)
    group = town.group(ada, bob)
    assert town.call(ada, "removeMember", conversationId=group, userId="ghost").status == 404
    assert town.call(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId="ghost").status == 404
    assert town.call(ada, "addMembers", {"userIds": ["ghost"]}, conversationId=group).status == 404
    assert town.call(ada, "removeMember", conversationId=group, userId=ada).status == 409
    assert town.call(ada, "leaveGroup", conversationId="no-such-group").status == 404
    assert town.call(ada, "leaveGroup", conversationId=town.direct(ada, bob)).status == 409


def test_admins_who_change_a_group_at_once_lose_no_change(town: Town) -> None:
    ada, bob, *others = town.users(8)
    group = town.group(ada, bob)
    town.done(ada, "setRole", {"role": "ADMIN"}, conversationId=group, userId=bob)
    callers = itertools.cycle((ada, bob))
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda pair: town.call(pair[0], "addMembers", {"userIds": [pair[1]]}, conversationId=group),
                zip(callers, others, strict=False),
            )
        )
    assert [answer.status for answer in answers] == [200] * 6
    stored = town.assert_consistent(group)
    assert set(stored["participants"]) == {ada, bob, *others}
    assert stored["version"] == 2 + len(others)


def test_a_change_and_a_message_at_once_both_happen(town: Town) -> None:
    ada, bob, *others = town.users(6)
    group = town.group(ada, bob)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(town.send, bob, group, str(number)) for number in range(6)]
        added = [
            pool.submit(town.done, ada, "addMembers", {"userIds": [user]}, conversationId=group) for user in others
        ]
        for each in (*sent, *added):
            each.result()
    stored = town.assert_consistent(group)
    assert (stored["latestSeq"], len(stored["participants"])) == (6, 6)


def test_what_the_publisher_does_not_take_is_delivered_later(town: Town) -> None:
    ada, bob, cat = town.users(3)
    town.publisher.refusing.add(f"/chats/{bob}")
    group = town.group(ada, bob, cat)
    assert (len(town.heard(cat)), town.heard(bob)) == (1, [])
    (record,) = town.scan(tables.OUTBOX)
    assert record["recipients"] == [bob]
    town.publisher.refusing.clear()
    town.deliver_everything()
    (event,) = town.heard(bob)
    assert event["data"]["conversation"]["conversationId"] == group
    assert town.scan(tables.OUTBOX) == []
