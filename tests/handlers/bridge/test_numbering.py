"""Messages of the old server get numbers, reach new clients once, and keep their order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from contract import tables
from contract.limits import HISTORY_PAGE_MAX
from handlers.adapters.system import SystemClock
from handlers.core.shared.timestamps import to_iso
from handlers.entry.bridge import BridgeError
from tests.harness.bridge import BridgeFunction, OldApplication
from tests.harness.emulator import AwsResources
from tests.harness.faults import (
    Fault,
    FaultInjector,
    ProcessKilledError,
    killed_after,
    killed_before,
    response_lost,
    throttled,
)
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import block


@pytest.fixture
def functions(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


@pytest.fixture
def old(aws: AwsResources) -> OldApplication:
    return OldApplication(aws)


@pytest.fixture
def bridge(aws: AwsResources) -> BridgeFunction:
    return BridgeFunction(aws)


def _ago(milliseconds: int) -> str:
    return to_iso(SystemClock().now() - milliseconds)


def _history(functions: FunctionHarness, user: str, conversation_id: str) -> list[tuple[int | None, str]]:
    """Return number and content of every message, oldest first."""
    page = functions.history(user, conversation_id, limit=HISTORY_PAGE_MAX)
    assert page.status == 200, page
    return [(each["seq"], each["content"]) for each in reversed(page.body["messages"])]


@pytest.mark.parametrize("kind", ["DM", "GROUP"])
def test_message_of_the_old_server_is_numbered_in_place_and_delivered_to_every_participant(
    aws: AwsResources, functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction, kind: str
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace, kind=kind)
    timestamp = _ago(50)
    message_id = old.send(ada, conversation_id, "hello", timestamp)
    assert bridge.run() == {"numbered": 1}
    stored = aws.item(tables.MESSAGES, conversationId=conversation_id, timestamp=timestamp)
    assert stored is not None
    assert (stored["seq"], stored["bridged"], stored["messageId"]) == (1, True, message_id)
    assert functions.deliver() == 0
    for user in (ada, grace):
        (event,) = functions.publisher.received(user)
        assert (event["type"], event["data"]["messageId"], event["data"]["seq"]) == ("MESSAGE_SENT", message_id, 1)
    assert _history(functions, grace, conversation_id) == [(1, "hello")]


@pytest.mark.parametrize("kind", ["DM", "GROUP"])
def test_conversation_of_the_old_server_appears_in_the_list_of_every_participant(
    functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction, kind: str
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace, kind=kind)
    old.send(ada, conversation_id, "hello", _ago(50))
    bridge.run()
    for user, unread in ((ada, 0), (grace, 1)):
        (listed,) = functions.call_ok(user, "listConversations")["conversations"]
        assert (listed["conversationId"], listed["unreadCount"]) == (conversation_id, unread)
        assert listed["lastMessage"]["preview"] == "hello"


@pytest.mark.parametrize("kind", ["DM", "GROUP"])
def test_messages_of_both_sides_get_consecutive_numbers(
    functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction, kind: str
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace, kind=kind)
    old.send(ada, conversation_id, "before the bridge", "2025-11-20T10:00:00.000Z")
    bridge.stream.read()
    bridge.stream.commit()
    old.send(ada, conversation_id, "one", _ago(20))
    bridge.run()
    functions.send_ok(grace, conversation_id, "two")
    old.send(ada, conversation_id, "three", _ago(-20))
    bridge.run()
    history = _history(functions, grace, conversation_id)
    assert history == [(None, "before the bridge"), (1, "one"), (2, "two"), (3, "three")]


@pytest.mark.parametrize("kind", ["DM", "GROUP"])
def test_overtaken_message_moves_behind_the_newer_one_and_keeps_its_date_of_creation(
    functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction, kind: str
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace, kind=kind)
    written = _ago(1_000)
    message_id = old.send(ada, conversation_id, "overtaken", written)
    functions.send_ok(grace, conversation_id, "newer")
    bridge.run()
    page = functions.history(grace, conversation_id).body
    assert [(each["seq"], each["content"]) for each in page["messages"]] == [(2, "overtaken"), (1, "newer")]
    moved = page["messages"][0]
    assert (moved["messageId"], moved["createdAt"]) == (message_id, written)
    assert moved["timestamp"] > page["messages"][1]["timestamp"]


def test_gap_is_complete_while_messages_of_the_old_server_wait_for_their_numbers(
    functions: FunctionHarness, old: OldApplication
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace)
    functions.send_ok(grace, conversation_id, "one")
    functions.send_ok(grace, conversation_id, "two")
    for number in range(5):
        old.send(ada, conversation_id, f"waiting {number}", _ago(-100 + number))
    functions.clock.pause(0.2)
    functions.send_ok(grace, conversation_id, "three")
    page = functions.history(grace, conversation_id, afterSeq=0).body
    assert [each["content"] for each in page["messages"]] == ["one", "two", "three"]
    assert page["reload"] is False


def test_repeated_records_change_and_publish_nothing(
    aws: AwsResources, functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace)
    old.send(ada, conversation_id, "hello", _ago(50))
    records = bridge.stream.read()
    for _ in range(3):
        bridge.handle({"Records": records}, None)
    functions.deliver()
    assert len(functions.publisher.received(grace)) == 1
    assert aws.scan(tables.MESSAGES)[0]["seq"] == 1


def test_message_of_a_blocked_sender_reaches_the_blocker_nowhere(
    aws: AwsResources, functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace)
    block(aws, conversation_id, grace)
    old.send(ada, conversation_id, "hello?", _ago(50))
    bridge.run()
    functions.deliver()
    assert not functions.publisher.received(grace)
    assert _history(functions, grace, conversation_id) == []
    assert _history(functions, ada, conversation_id) == [(1, "hello?")]


def test_items_that_are_no_messages_are_left_alone_and_hold_up_nothing(
    aws: AwsResources, functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace)
    left_by_deletion = {"conversationId": conversation_id, "timestamp": "0b1d3d4e-5c55-4f0c-9d0f-6f1a2c3b4d5e"}
    aws.put(tables.MESSAGES, {**left_by_deletion, "deleted": True})
    old.send(ada, "no-such-conversation", "orphan", _ago(60))
    old.send(ada, conversation_id, "hello", _ago(50))
    assert bridge.run() == {"unreadable": 1, "orphan": 1, "numbered": 1}
    assert aws.item(tables.MESSAGES, **left_by_deletion) == {**left_by_deletion, "deleted": True}


def test_requests_of_the_command_number_messages_and_store_memberships(
    functions: FunctionHarness, old: OldApplication, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = old.conversation(ada, grace)
    timestamp = _ago(50)
    old.send(ada, conversation_id, "hello", timestamp)
    request: dict[str, Any] = {
        "conversations": [conversation_id],
        "messages": [{"conversationId": conversation_id, "timestamp": timestamp}],
    }
    assert bridge.handle(request, None) == {"adopted": 1, "numbered": 1}
    assert bridge.handle(request, None) == {"adopted": 0, "known": 1}
    assert set(functions.members(conversation_id)) == {ada, grace}


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("DM", killed_before), ("DM", killed_after), ("GROUP", killed_after), ("GROUP", response_lost), ("DM", throttled)],
)
def test_function_that_fails_at_any_call_loses_and_doubles_nothing(
    aws: AwsResources, functions: FunctionHarness, old: OldApplication, kind: str, fault: Fault
) -> None:
    ada, grace = functions.users(2)
    bridge = BridgeFunction(aws)
    conversations = []
    for step in range(1, 30):
        conversation_id = old.conversation(ada, grace, kind=kind)
        conversations.append(conversation_id)
        old.send(ada, conversation_id, f"message {step}", _ago(50))
        if not _run_with_fault(bridge, step, fault):
            break
    else:
        pytest.fail("the function makes more calls than the test tries")
    assert len(conversations) > 5
    functions.deliver()
    functions.deliver_outbox()
    delivered = [event["eventId"] for event in functions.publisher.received(grace)]
    assert len(set(delivered)) == len(conversations)
    assert all(_history(functions, grace, each)[0][0] == 1 for each in conversations)
    assert not [each for each in aws.scan(tables.OUTBOX) if "event" in each]


def _run_with_fault(bridge: BridgeFunction, step: int, fault: Fault) -> bool:
    """Let the function fail at its n-th call, then let a new process repeat the batch; return whether it failed."""
    bridge.faults = FaultInjector(step, fault)
    bridge.start()
    with suppress(ProcessKilledError, BridgeError):
        bridge.run()
    triggered = bridge.faults.triggered
    bridge.faults = FaultInjector()
    bridge.start()
    bridge.run()
    return triggered
