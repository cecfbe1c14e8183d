"""A member who is removed while a request of theirs runs stays removed, for the routes and for the Event API.

Membership is checked in the transaction of everything that is stored on behalf of a member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerRefused, Incoming, Invocation

from contract import tables
from contract.routes import ROUTES
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.faults import Fault, FaultInjector
from tests.harness.functions import FunctionHarness
from tests.harness.namespaces import conversation_handlers
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module: every test has its own sessions."""
    with running_chime() as running:
        yield running


class Group:
    """A group of three with a message of each of two members; `ben` is the member who will be removed."""

    def __init__(self, harness: FunctionHarness) -> None:
        self.harness = harness
        self.ana, self.ben, self.cat, self.dan = harness.users(4)
        self.id = harness.group(self.ana, self.ben, self.cat)
        self.own = harness.send_ok(self.ben, self.id)["message"]
        harness.send_ok(self.ana, self.id)
        harness.call_ok(self.ana, "setRole", {"role": "ADMIN"}, conversationId=self.id, userId=self.ben)

    def act(self, operation: str, body: Any = None, **parameters: Any) -> int:
        """Call a route as the member who will be removed, and return the status."""
        return self.harness.call(self.ben, operation, body, **parameters).status


ACTIONS: Final[Mapping[str, Callable[[Group], int]]] = {
    "sendMessage": lambda group: group.act("sendMessage", {"conversationId": group.id, "content": "hello"}),
    "markRead": lambda group: group.act("markRead", {"conversationId": group.id, "seq": 2}),
    "editMessage": lambda group: group.harness.edit(group.ben, group.own, "changed").status,
    "deleteMessage": lambda group: group.harness.delete(group.ben, group.own).status,
    "updateGroup": lambda group: group.act("updateGroup", {"name": "mine"}, conversationId=group.id),
    "addMembers": lambda group: group.act("addMembers", {"userIds": [group.dan]}, conversationId=group.id),
    "removeMember": lambda group: group.act("removeMember", conversationId=group.id, userId=group.cat),
    "setRole": lambda group: group.act("setRole", {"role": "ADMIN"}, conversationId=group.id, userId=group.cat),
    "leaveGroup": lambda group: group.act("leaveGroup", conversationId=group.id),
}
"""What a member of a group does that is stored in the group or for its members."""

_SINGLE_WRITES: Final = {"markRead": "update_item"}
"""Operations that store one item, on a condition of its own, instead of a transaction."""

CALL_ACTIONS: Final[Mapping[str, Callable[[CallFunctions, str, str, str], int]]] = {
    "initiateCall": lambda calls, ben, group, _: calls.initiate(ben, conversationId=group).status,
    "acceptCall": lambda calls, ben, _, session_id: calls.act("accept", ben, session_id).status,
}

NOT_AS_A_MEMBER: Final[Mapping[str, str]] = {
    "setTyping": "stores nothing; publishes once, immediately after the consistent read",
    "getHistory": "reads",
    "listConversations": "reads",
    "getConversation": "reads",
    "openDirect": "direct conversations cannot be left; blocks are checked in the transaction",
    "createGroup": "the caller is the first member; blocks are checked in the transaction",
    "getMe": "the caller's own profile",
    "updateMe": "the caller's own profile",
    "listBlocks": "reads",
    "searchUsers": "reads",
    "getUser": "reads",
    "blockUser": "direct conversations cannot be left; their version is checked in the transaction",
    "unblockUser": "as blockUser",
    "rejectCall": "ends the caller's part in a call, which a removed member may do",
    "cancelCall": "as rejectCall",
    "leaveCall": "as rejectCall",
    "endCall": "as rejectCall",
    "listCalls": "reads",
    "getCall": "reads",
}
"""The other routes, with the reason why they write nothing that rests on a membership."""


def test_every_route_is_tried_with_a_removed_member_or_needs_no_membership() -> None:
    tried = {*ACTIONS, *CALL_ACTIONS}
    assert not tried & set(NOT_AS_A_MEMBER)
    assert tried | set(NOT_AS_A_MEMBER) == {route.operation for route in ROUTES}
    reads = {route.operation for route in ROUTES if route.method == "GET"} - {"getMe"}
    assert {operation for operation, reason in NOT_AS_A_MEMBER.items() if reason == "reads"} == reads


@pytest.mark.parametrize("operation", ACTIONS)
def test_removal_before_the_write_of_a_request_refuses_it(harness: FunctionHarness, operation: str) -> None:
    """Requirement P2. The removal happens before each call of the request to another service in turn."""
    for step in range(1, 16):
        group = Group(harness)
        remove = removal(harness, group.ana, group.ben, group.id)
        harness.faults.triggered = False
        harness.faults.calls.clear()
        harness.faults.arm(step, remove)
        status = ACTIONS[operation](group)
        harness.faults.arm(0, remove)
        if not harness.faults.triggered:
            assert step > 2
            return
        write = _SINGLE_WRITES.get(operation, "transact_write_items")
        stored_before = write in harness.faults.calls[: step - 1]
        assert status == (200 if stored_before else 403), (step, harness.faults.calls)
        assert group.ben not in harness.members(group.id)
        harness.assert_consistent(group.id)


@pytest.mark.parametrize("operation", CALL_ACTIONS)
def test_removal_before_the_write_of_a_call_refuses_it(
    harness: FunctionHarness, chime: ChimeServer, operation: str
) -> None:
    calls = CallFunctions(harness.aws, chime)
    for step in range(1, 30):
        ana, ben, cat = harness.users(3)
        group = harness.group(ana, ben, cat)
        session_id = (
            "" if operation == "initiateCall" else str(calls.initiate(cat, conversationId=group).body["sessionId"])
        )
        remove = removal(harness, ana, ben, group)
        calls.faults.triggered = False
        calls.faults.calls.clear()
        calls.faults.arm(step, remove)
        status = CALL_ACTIONS[operation](calls, ben, group, session_id)
        made = calls.faults.calls[: step - 1]
        calls.faults.arm(0, remove)
        if not calls.faults.triggered:
            assert step > 2
            return
        if calls.faults.calls[step - 1] == "send_message":  # of the ring timer, concurrently with the transaction
            continue
        assert status == (200 if "transact_write_items" in made else 403), (step, calls.faults.calls)
        if status == 403:
            assert "INCOMING_CALL" not in calls.types(ana) or operation == "acceptCall"
            assert "CALL_CONNECTED" not in calls.types(ben)


async def test_removed_member_can_neither_listen_nor_publish_after_a_late_read_mark(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    group = harness.group(ana, ben)
    harness.send_ok(ana, group)
    harness.faults.arm(
        3, removal(harness, ana, ben, group)
    )  # the write, after the reads of the read mark and the conversation
    assert harness.call(ben, "markRead", {"conversationId": group, "seq": 1}).status == 403
    channel = harness.call_ok(ana, "getConversation", conversationId=group)["conversation"]["channel"]
    invocation = Invocation({"sub": ben}, channel, "conversations")
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


def test_caller_without_a_stored_member_initiates_a_call_in_a_group_of_the_old_application(
    harness: FunctionHarness, chime: ChimeServer
) -> None:
    calls = CallFunctions(harness.aws, chime)
    ana, ben, cat = harness.users(3)
    group = seed_conversation(harness.aws, [ana, ben, cat])
    for user_id in (ana, ben, cat):
        harness.aws.dynamodb.delete_item(
            TableName=harness.aws.table(tables.CONVERSATION_MEMBERS),
            Key={"userId": {"S": user_id}, "conversationId": {"S": group}},
        )
    assert calls.initiate(ana, conversationId=group).status == 200


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
