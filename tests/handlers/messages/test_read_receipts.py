"""Read receipts of groups: collected for some seconds, published to the readers and the senders of what they read."""

from __future__ import annotations

from typing import Any

import pytest

from contract import tables
from contract.limits import (
    READ_RATE,
    RECEIPT_MARGIN_SECONDS,
    RECEIPT_MESSAGES_MAX,
    RECEIPT_WINDOW_SECONDS,
)
from handlers.adapters.sqs.delivery_queue import decode, encode
from handlers.core.delivery.ports import ReceiptTask
from tests.harness.emulator import AwsResources
from tests.harness.faults import request_lost, throttled
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws, fanout_limit=50)


def mark(harness: FunctionHarness, reader: str, conversation: str, seq: int) -> Response:
    """Mark messages as read."""
    return harness.call(reader, "markRead", {"conversationId": conversation, "seq": seq})


def receipts(harness: FunctionHarness, user_id: str) -> list[dict[str, Any]]:
    """Return the data of every MESSAGE_READ that a user received."""
    return [event["data"] for event in harness.publisher.received(user_id, "MESSAGE_READ")]


def readers(harness: FunctionHarness, user_id: str) -> list[set[str]]:
    """Return the readers in every MESSAGE_READ that a user received."""
    return [{each["userId"] for each in data["readers"]} for data in receipts(harness, user_id)]


def group_with_message(harness: FunctionHarness, members: int) -> tuple[str, list[str]]:
    """Return a group whose first member has sent a message."""
    users = user_ids(members)
    conversation = seed_conversation(harness.aws, users)
    harness.send_ok(users[0], conversation)
    harness.publisher.clear()
    return conversation, users


def test_sender_gets_all_readers_in_one_event_and_each_reader_only_the_own_mark(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva, tom) = group_with_message(harness, 4)
    assert mark(harness, ben, conversation, 1).body["unreadCount"] == 0
    harness.advance(2)
    mark(harness, eva, conversation, 1)
    assert harness.publisher.published == []
    assert harness.deliver_receipts() == 0
    assert readers(harness, ana) == [{ben, eva}]
    assert readers(harness, ben) == [{ben}]
    assert readers(harness, eva) == [{eva}]
    assert readers(harness, tom) == []
    assert harness.aws.scan(tables.OUTBOX) == []


def test_client_that_reads_only_the_first_reader_gets_its_own_mark(harness: FunctionHarness) -> None:
    """Clients before `readers` read `readBy` and `readSeq`: with them the user's other devices follow."""
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    mark(harness, ben, conversation, 1)
    harness.advance(1)
    mark(harness, eva, conversation, 1)
    harness.deliver_receipts()
    for user_id in (ben, eva):
        (data,) = receipts(harness, user_id)
        assert (data["conversationId"], data["readBy"], data["readSeq"]) == (conversation, user_id, 1)
    (data,) = receipts(harness, ana)
    assert data["readBy"] == eva


def test_every_mark_is_published_once_whatever_the_time_between_them(harness: FunctionHarness) -> None:
    conversation, (ana, *others) = group_with_message(harness, 25)
    for reader in others:
        mark(harness, reader, conversation, 1)
        harness.deliver_receipts(0.7)
    harness.deliver_receipts()
    published = [reader for each in readers(harness, ana) for reader in each]
    assert sorted(published) == sorted(others)
    assert all(readers(harness, reader) == [{reader}] for reader in others)


def test_mark_stored_just_before_the_event_belongs_to_the_next_one(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    mark(harness, ben, conversation, 1)
    harness.advance(RECEIPT_WINDOW_SECONDS - RECEIPT_MARGIN_SECONDS / 2)
    mark(harness, eva, conversation, 1)
    assert len(harness.held.tasks) == 2
    harness.deliver_receipts()
    assert readers(harness, ana) == [{ben}, {eva}]


def test_only_senders_of_newly_read_messages_get_the_marks(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva, tom) = group_with_message(harness, 4)
    mark(harness, eva, conversation, 1)
    harness.deliver_receipts()
    harness.advance(60)
    harness.send_ok(ben, conversation)
    harness.publisher.clear()
    mark(harness, eva, conversation, 2)
    harness.deliver_receipts()
    assert readers(harness, ben) == [{eva}]
    assert readers(harness, ana) == readers(harness, tom) == []
    mark(harness, tom, conversation, 2)
    harness.deliver_receipts()
    assert readers(harness, ana) == [{tom}]


def test_marks_that_one_member_moves_within_a_window_reach_all_their_senders(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    harness.send_ok(ben, conversation)
    harness.publisher.clear()
    mark(harness, eva, conversation, 1)
    harness.advance(1)
    mark(harness, eva, conversation, 2)
    harness.deliver_receipts()
    assert readers(harness, ana) == readers(harness, ben) == [{eva}]
    assert receipts(harness, ana)[0]["readSeq"] == 2


def test_senders_of_old_messages_get_no_marks(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    for number in range(RECEIPT_MESSAGES_MAX):
        if number % 40 == 0:
            harness.advance(10)
        harness.send_ok(ben, conversation)
    harness.publisher.clear()
    mark(harness, eva, conversation, RECEIPT_MESSAGES_MAX + 1)
    harness.deliver_receipts()
    assert readers(harness, ben) == [{eva}]
    assert readers(harness, ana) == []


def test_member_who_was_removed_meanwhile_gets_and_causes_no_event(harness: FunctionHarness) -> None:
    ana, ben, eva = harness.users(3)
    group = harness.group(ana, ben, eva)
    harness.send_ok(ana, group)
    mark(harness, ben, group, 1)
    mark(harness, eva, group, 1)
    harness.call_ok(ana, "removeMember", conversationId=group, userId=ben)
    harness.publisher.clear()
    harness.deliver_receipts()
    assert readers(harness, ana) == [{eva}]
    assert readers(harness, ben) == []


def test_above_the_fan_out_limit_only_the_readers_own_devices_get_the_mark(aws: AwsResources) -> None:
    harness = FunctionHarness(aws, fanout_limit=2)
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    mark(harness, ben, conversation, 1)
    harness.deliver()
    assert readers(harness, ben) == [{ben}]
    assert readers(harness, ana) == readers(harness, eva) == []


def test_recipient_whose_publish_failed_gets_the_event_later_and_no_other_gets_it_again(
    harness: FunctionHarness,
) -> None:
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    mark(harness, ben, conversation, 1)
    mark(harness, eva, conversation, 1)
    harness.publisher.failing = {f"/chats/{eva}"}
    assert harness.deliver_receipts() == 0
    assert len(readers(harness, ana)) == len(readers(harness, ben)) == 1
    harness.publisher.failing = set()
    ((_, again),) = harness.held.tasks
    assert (again.left, again.attempt) == ((eva,), 2)
    assert harness.deliver_receipts() == 0
    assert readers(harness, eva) == [{eva}]
    assert len(readers(harness, ana)) == len(readers(harness, ben)) == 1
    assert harness.held.tasks == []


def test_read_marks_of_a_recipient_whose_publish_always_fails_are_given_up(harness: FunctionHarness) -> None:
    conversation, (_, ben, _) = group_with_message(harness, 3)
    mark(harness, ben, conversation, 1)
    harness.publisher.failing = {f"/chats/{ben}"}
    attempts = set()
    while harness.held.tasks:
        attempts.update(task.attempt for _, task in harness.held.tasks)
        assert harness.deliver_receipts() == 0
    assert attempts == {1, 2, 3, 4, 5}
    assert readers(harness, ben) == []


def test_a_mark_moves_although_the_window_or_the_queue_fails(harness: FunctionHarness) -> None:
    conversation, (ana, ben, eva) = group_with_message(harness, 3)
    harness.faults.arm(5, throttled)
    assert mark(harness, ben, conversation, 1).status == 200
    assert harness.faults.triggered
    assert len(harness.held.tasks) == 1
    harness.faults.arm(6, request_lost)
    assert mark(harness, eva, conversation, 1).status == 200
    assert harness.faults.calls[-2:] == ["update_item", "send_message_batch"]
    harness.deliver_receipts()
    assert readers(harness, ana) == [{ben, eva}]


def test_moves_of_a_read_mark_are_limited(harness: FunctionHarness) -> None:
    conversation, (_, ben, _) = group_with_message(harness, 3)
    member = harness.aws.item(tables.CONVERSATION_MEMBERS, userId=ben, conversationId=conversation)
    counter = harness.aws.item(tables.CONVERSATION_COUNTERS, conversationId=conversation)
    assert member is not None
    assert counter is not None
    harness.aws.put(tables.CONVERSATION_COUNTERS, {**counter, "latestSeq": 1_000})
    now = harness.clock.now()
    used = {**member, "readAt": now, "readCount": READ_RATE.count - 1}
    harness.aws.put(tables.CONVERSATION_MEMBERS, used)
    assert mark(harness, ben, conversation, 500).status == 200
    refused = mark(harness, ben, conversation, 501)
    assert (refused.status, refused.body["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(refused.headers["retry-after"]) <= READ_RATE.seconds
    assert mark(harness, ben, conversation, 500).status == 200
    harness.advance(READ_RATE.seconds)
    assert mark(harness, ben, conversation, 501).status == 200


def test_receipt_task_is_decoded_as_it_was_encoded() -> None:
    task = ReceiptTask(event_id="e", conversation_id="c", since=1, until=2)
    for each in (task, ReceiptTask(event_id="e", conversation_id="c", since=1, until=2, reader="u", left=("a", "b"))):
        assert decode(encode(each)) == each
