"""A member who is removed while a request of theirs runs stays removed, for the routes and for the Event API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from appsync_events_local.aws_clients import Credentials
from appsync_events_local.handlers.namespace_handlers import HandlerRefused, Incoming, Invocation, NamespaceHandlers
from appsync_events_local.sources.dynamodb import DynamoDbDataSource

from appsync_js.render import placeholders, render
from contract import tables
from tests.harness.emulator import REGION, AwsResources
from tests.harness.faults import Fault, FaultInjector
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


Act = Callable[[FunctionHarness, str, str, dict[str, Any]], Any]
ACTIONS: dict[str, Act] = {
    "markRead": lambda harness, user, group, _: harness.call(user, "markRead", {"conversationId": group, "seq": 2}),
    "sendMessage": lambda harness, user, group, _: harness.send(user, group),
    "editMessage": lambda harness, user, _, own: harness.edit(user, own, "changed"),
    "deleteMessage": lambda harness, user, _, own: harness.delete(user, own),
    "setRole": lambda harness, user, group, _: harness.call(
        user, "setRole", {"role": "MEMBER"}, conversationId=group, userId=user
    ),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_removal_during_a_request_is_final(harness: FunctionHarness, action: str) -> None:
    """The removal happens before each call of the request to another service in turn."""
    for step in range(1, 12):
        ana, ben = harness.users(2)
        group = harness.group(ana, ben)
        own = harness.send_ok(ben, group)["message"]
        harness.send_ok(ana, group)
        harness.call_ok(ana, "setRole", {"role": "ADMIN"}, conversationId=group, userId=ben)
        remove = removal(harness, ana, ben, group)
        harness.faults.triggered = False
        harness.faults.arm(step, remove)
        status = ACTIONS[action](harness, ben, group, own).status
        harness.faults.arm(0, remove)
        if not harness.faults.triggered:
            assert step > 1
            return
        assert status in (200, 201, 403)
        assert set(harness.members(group)) == {ana}
        harness.assert_consistent(group)


async def test_removed_member_can_neither_listen_nor_publish_after_a_late_read_mark(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    group = harness.group(ana, ben)
    harness.send_ok(ana, group)
    harness.faults.arm(
        3, removal(harness, ana, ben, group)
    )  # the write, after the reads of the read mark and the conversation
    assert harness.call(ben, "markRead", {"conversationId": group, "seq": 1}).status == 403
    invocation = Invocation({"sub": ben}, f"/conversations/{group}", "conversations")
    handlers = conversation_handlers(harness.aws)
    try:
        with pytest.raises(HandlerRefused):
            await handlers.subscribe(invocation)
        message = {"type": "MESSAGE_SENT", "data": {"tempId": "t-1", "seq": 2, "content": "still here"}}
        published = [Incoming("1", message)]
        with pytest.raises(HandlerRefused):
            await handlers.publish(invocation, published)
    finally:
        await handlers.close()


def test_participant_without_a_stored_member_gets_one_with_the_first_read_mark(harness: FunctionHarness) -> None:
    """Conversations of the old application have no members' items."""
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben], latestSeq=2)
    for user_id in (ana, ben):
        harness.aws.dynamodb.delete_item(
            TableName=harness.aws.table(tables.CONVERSATION_MEMBERS),
            Key={"userId": {"S": user_id}, "conversationId": {"S": conversation}},
        )
    assert harness.call(ben, "markRead", {"conversationId": conversation, "seq": 2}).body["lastReadSeq"] == 2
    (member,) = harness.members(conversation).values()
    assert (member["userId"], member["lastReadSeq"], member["type"]) == (ben, 2, "DM")


def removal(harness: FunctionHarness, admin: str, member: str, group: str) -> Fault:
    """Return a fault that removes a member and then makes the call."""
    handlers = harness.functions(faults=FaultInjector())

    def remove(make: Callable[[], Any]) -> Any:
        answer = harness.call(admin, "removeMember", conversationId=group, userId=member, handlers=handlers)
        assert answer.status == 200
        return make()

    return remove


def conversation_handlers(aws: AwsResources) -> NamespaceHandlers:
    """Return the deployed handlers of the namespace `conversations`, on the test's tables."""
    names = {table.setting: aws.table(table) for table in tables.TABLES}

    def source(table: tables.Table) -> DynamoDbDataSource:
        return DynamoDbDataSource(
            aws.table(table),
            region=REGION,
            endpoint_url=aws.emulator.endpoint,
            credentials=Credentials("local-test", "local-test"),
        )

    code = render("conversations", {name: names[name] for name in placeholders("conversations")})
    return NamespaceHandlers.load(
        code, on_subscribe=source(tables.CONVERSATION_MEMBERS), on_publish=source(tables.CONVERSATIONS)
    )
