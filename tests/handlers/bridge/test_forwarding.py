"""The backend's messages reach the old server's queue: each once, in the order of their numbers, none left out."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from contract import tables
from handlers.adapters.dynamodb.codec import to_item
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
)
from tests.harness.functions import FunctionHarness


@pytest.fixture
def functions(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


@pytest.fixture
def bridge(aws: AwsResources) -> BridgeFunction:
    return BridgeFunction(aws)


def _contents(queued: list[dict[str, Any]]) -> list[str]:
    return [each["message"]["content"] for each in queued]


@pytest.mark.parametrize("kind", ["DM", "GROUP"])
def test_message_of_the_backend_is_queued_once_in_the_form_that_old_clients_know(
    aws: AwsResources, functions: FunctionHarness, bridge: BridgeFunction, kind: str
) -> None:
    ada, grace = functions.users(2)
    conversation_id = OldApplication(aws).conversation(ada, grace, kind=kind)
    sent = functions.send_ok(ada, conversation_id, "hello")["message"]
    assert bridge.run() == {"known": 1, "forwarded": 1}
    (queued,) = bridge.queued()
    assert (queued["event"], queued["conversationId"], queued["seq"]) == ("new-message", conversation_id, 1)
    assert sorted(queued["recipients"]) == sorted([ada, grace])
    message = queued["message"]
    assert {name: message[name] for name in ("messageId", "senderId", "content", "timestamp", "type")} == {
        name: sent[name] for name in ("messageId", "senderId", "content", "timestamp", "type")
    }
    assert (message["readBy"], message["reactions"], message["deleted"]) == ([], {}, False)


def test_message_of_the_old_server_is_not_sent_back_to_it(
    aws: AwsResources, functions: FunctionHarness, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    old = OldApplication(aws)
    conversation_id = old.conversation(ada, grace)
    old.send(ada, conversation_id, "from the old server", to_iso(SystemClock().now() - 50))
    bridge.run()
    functions.send_ok(grace, conversation_id, "from the backend")
    bridge.run()
    assert _contents(bridge.queued()) == ["from the backend"]


def test_messages_are_queued_in_the_order_of_their_numbers_although_they_are_stored_in_another(
    aws: AwsResources, functions: FunctionHarness, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = functions.group(ada, grace)
    for number in range(1, 4):
        functions.send_ok(ada, conversation_id, f"message {number}")
    late = _take_out(aws, conversation_id, seq=2)
    bridge.run()
    functions.send_ok(grace, conversation_id, "message 4")
    bridge.run()
    assert _contents(bridge.queued()) == ["message 1"]
    aws.put(tables.MESSAGES, late)
    bridge.run()
    assert _contents(bridge.queued()) == ["message 2", "message 3", "message 4"]


def test_placeholder_of_a_message_that_failed_is_passed_over(
    aws: AwsResources, functions: FunctionHarness, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = functions.group(ada, grace)
    for number in range(1, 4):
        functions.send_ok(ada, conversation_id, f"message {number}")
    failed = _take_out(aws, conversation_id, seq=2)
    aws.put(tables.MESSAGES, {**failed, "senderId": "", "deleted": True, "voided": True})
    bridge.run()
    assert _contents(bridge.queued()) == ["message 1", "message 3"]


def test_user_who_has_blocked_the_sender_is_no_recipient(functions: FunctionHarness, bridge: BridgeFunction) -> None:
    ada, grace = functions.users(2)
    conversation_id = functions.direct(ada, grace)
    functions.call_ok(grace, "blockUser", userId=ada)
    functions.send_ok(ada, conversation_id, "hello?")
    bridge.run()
    assert [each["recipients"] for each in bridge.queued()] == [[ada]]


def test_more_messages_than_one_page_are_queued_in_order(
    aws: AwsResources, functions: FunctionHarness, bridge: BridgeFunction
) -> None:
    ada, grace = functions.users(2)
    conversation_id = functions.group(ada, grace)
    functions.send_ok(ada, conversation_id, "message 1")
    (first,) = aws.scan(tables.MESSAGES)
    now = SystemClock().now()
    for seq in range(2, 131):
        copy = {"seq": seq, "timestamp": to_iso(now + seq), "messageId": f"m{seq}", "content": f"message {seq}"}
        aws.put(tables.MESSAGES, {**first, **copy})
    bridge.run()
    assert _contents(bridge.queued()) == [f"message {seq}" for seq in range(1, 131)]


@pytest.mark.parametrize("fault", [killed_before, killed_after, response_lost])
def test_function_that_fails_at_any_call_leaves_out_and_doubles_nothing(
    aws: AwsResources, functions: FunctionHarness, fault: Fault
) -> None:
    ada, grace = functions.users(2)
    conversation_id = functions.direct(ada, grace)
    bridge = BridgeFunction(aws)
    sent = []
    for step in range(1, 30):
        sent += [f"message {step} a", f"message {step} b"]
        for content in sent[-2:]:
            functions.send_ok(ada, conversation_id, content)
        bridge.faults = FaultInjector(step, fault)
        bridge.start()
        with suppress(ProcessKilledError, BridgeError):
            bridge.run()
        triggered = bridge.faults.triggered
        bridge.faults = FaultInjector()
        bridge.start()
        bridge.run()
        if not triggered:
            break
    else:
        pytest.fail("the function makes more calls than the test tries")
    assert len(sent) > 10
    assert _contents(bridge.queued()) == sent


def _take_out(aws: AwsResources, conversation_id: str, *, seq: int) -> dict[str, Any]:
    """Delete a message, as if it were not stored yet, and return its item."""
    (item,) = [
        each for each in aws.scan(tables.MESSAGES) if each["conversationId"] == conversation_id and each["seq"] == seq
    ]
    key = {"conversationId": conversation_id, "timestamp": item["timestamp"]}
    aws.dynamodb.delete_item(TableName=aws.table(tables.MESSAGES), Key=to_item(key))
    return item
