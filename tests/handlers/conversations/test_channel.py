"""The channel of a group changes with the removal of a member, and only the remaining members receive the new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerRefused, Incoming, Invocation

from contract import tables
from tests.harness.emulator import AwsResources
from tests.harness.faults import ProcessKilledError
from tests.harness.functions import FunctionHarness
from tests.harness.namespaces import conversation_handlers
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws)


def channel_of(harness: FunctionHarness, user: str, group: str) -> str:
    """Return the channel as the API shows it to a member."""
    return str(harness.call_ok(user, "getConversation", conversationId=group)["conversation"]["channel"])


Departure = Callable[[FunctionHarness, str, str, str], Any]
DEPARTURES: dict[str, Departure] = {
    "removed": lambda harness, admin, member, group: harness.call_ok(
        admin, "removeMember", conversationId=group, userId=member
    ),
    "left": lambda harness, _, member, group: harness.call_ok(member, "leaveGroup", conversationId=group),
}


@pytest.mark.parametrize("how", DEPARTURES)
async def test_departed_member_neither_listens_nor_publishes_on_any_channel(harness: FunctionHarness, how: str) -> None:
    """Requirement P2."""
    ana, ben, cat = harness.users(3)
    group = harness.group(ana, ben, cat)
    before = channel_of(harness, ben, group)
    handlers = conversation_handlers(harness.aws)

    async def attempt(user: str, channel: str, seq: int | None = None) -> str:
        invocation = Invocation({"sub": user}, channel, "conversations")
        try:
            if seq is None:
                await handlers.subscribe(invocation)
            else:
                data = {"tempId": f"{user}-{seq}", "seq": seq, "content": "hello"}
                await handlers.publish(invocation, [Incoming("1", {"type": "MESSAGE_SENT", "data": data})])
        except HandlerRefused as refused:
            return str(refused.error_type)
        return "allowed"

    try:
        assert await attempt(ben, before) == "allowed"
        assert await attempt(ben, before, seq=1) == "allowed"
        DEPARTURES[how](harness, ana, ben, group)
        after = channel_of(harness, cat, group)
        assert after != before
        for channel in (before, after):
            assert await attempt(ben, channel) not in ("allowed", "CHANNEL_CHANGED")
            assert await attempt(ben, channel, seq=2) == "FORBIDDEN"
        assert await attempt(cat, before) == "CHANNEL_CHANGED"
        assert await attempt(cat, before, seq=2) == "CHANNEL_CHANGED", "nothing is published where the other listens"
        assert await attempt(cat, after) == "allowed"
        assert await attempt(cat, after, seq=2) == "allowed"
    finally:
        await handlers.close()


def test_only_the_remaining_members_receive_the_new_channel(harness: FunctionHarness) -> None:
    ana, ben, cat = harness.users(3)
    group = harness.group(ana, ben, cat)
    harness.publisher.clear()
    removed = harness.call_ok(ana, "removeMember", conversationId=group, userId=ben)
    channel = channel_of(harness, ana, group)
    assert removed["conversation"]["channel"] == channel
    for member in (ana, cat):
        (event,) = harness.publisher.received(member, "CONVERSATION_UPDATED")
        assert event["data"]["conversation"]["channel"] == channel
    assert channel not in str(harness.publisher.received(ben))
    assert harness.call(ben, "getConversation", conversationId=group).status == 403
    listed = harness.call_ok(cat, "listConversations")["conversations"]
    assert [each["channel"] for each in listed] == [channel]


def test_other_changes_of_a_group_keep_its_channel(harness: FunctionHarness) -> None:
    ana, ben, cat = harness.users(3)
    group = harness.group(ana, ben)
    channel = channel_of(harness, ana, group)
    harness.call_ok(ana, "updateGroup", {"name": "New name"}, conversationId=group)
    harness.call_ok(ana, "addMembers", {"userIds": [cat]}, conversationId=group)
    harness.call_ok(ana, "setRole", {"role": "ADMIN"}, conversationId=group, userId=ben)
    harness.send_ok(ben, group)
    assert channel_of(harness, cat, group) == channel


def test_new_channel_reaches_the_members_after_a_crash_of_the_removal(harness: FunctionHarness) -> None:
    ana, ben, cat = harness.users(3)
    group = harness.group(ana, ben, cat)
    before = channel_of(harness, ana, group)
    harness.publisher.clear()
    harness.faults.calls.clear()

    def killed(make: Callable[[], Any]) -> Any:
        raise ProcessKilledError("killed")

    harness.faults.arm(5, killed)  # the first publish: count, reads of conversation and counter, transaction
    with pytest.raises(ProcessKilledError):
        harness.call(ana, "removeMember", conversationId=group, userId=ben)
    assert harness.faults.calls[-2] == "transact_write_items"
    FunctionHarness(harness.aws, harness.publisher).deliver_outbox()
    after = channel_of(FunctionHarness(harness.aws), cat, group)
    assert after != before
    (event,) = harness.publisher.received(cat, "CONVERSATION_UPDATED")
    assert event["data"]["conversation"]["channel"] == after


def test_direct_conversation_has_no_channel_and_a_group_of_the_old_application_gets_one(
    harness: FunctionHarness,
) -> None:
    ana, ben = harness.users(2)
    direct = harness.call_ok(ana, "openDirect", {"userId": ben})["conversation"]
    assert direct["channel"] is None
    old = seed_conversation(harness.aws, [ana, ben, *user_ids(1)])
    harness.aws.dynamodb.delete_item(
        TableName=harness.aws.table(tables.CONVERSATION_COUNTERS), Key={"conversationId": {"S": old}}
    )
    assert harness.call_ok(ana, "getConversation", conversationId=old)["conversation"]["channel"] is None
    harness.send_ok(ana, old)
    assert channel_of(harness, ben, old).startswith(f"/conversations/{old}/")
