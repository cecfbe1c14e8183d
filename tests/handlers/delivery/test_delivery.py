"""Outbox, dispatcher, relay, deliver function and sweep."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from contract import channels, events, tables
from contract.limits import DELIVERY_ATTEMPTS_MAX, FAST_PATH_GRACE_SECONDS, SLICE_RECIPIENTS, SWEEP_AFTER_SECONDS
from handlers.adapters.dynamodb.outbox import DynamoOutbox, outbox_put
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue, decode, encode
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import delivery_tasks, outbox_record
from handlers.core.delivery.ports import DeliveryTask, OutboxRecord
from handlers.entry.relay import RelayError
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import seed_conversation, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def event() -> events.UserBlocked:
    """Return a new event."""
    data = events.BlockData(userId="user")
    return events.UserBlocked(eventId=str(uuid.uuid4()), timestamp="2026-01-01T00:00:00.000Z", data=data)


def stored(
    harness: FunctionHarness, recipients: list[str], fanout_limit: int = 20, valid_until: int | None = None
) -> OutboxRecord:
    """Store the record of a new event, as the transaction of a change does."""
    record = outbox_record(
        channels.USERS,
        event(),
        recipients,
        now=harness.clock.now(),
        fanout_limit=fanout_limit,
        valid_until=valid_until,
    )
    put = outbox_put(harness.aws.table(tables.OUTBOX), record)["Put"]
    harness.aws.dynamodb.put_item(**put)
    return record


def stored_for_audience(harness: FunctionHarness, conversation_id: str, participants: list[str]) -> OutboxRecord:
    """Store the record of a new event for all participants of a conversation."""
    now = harness.clock.now()
    record = outbox_record(channels.USERS, event(), participants, now=now, fanout_limit=20, audience=conversation_id)
    harness.aws.dynamodb.put_item(**outbox_put(harness.aws.table(tables.OUTBOX), record)["Put"])
    return record


def received(harness: FunctionHarness, user_id: str) -> int:
    """Return the number of publishes to a user's channel."""
    return len(harness.publisher.received(user_id, namespace="users"))


class RefusingQueue:
    """A queue that accepts nothing."""

    def send(self, delivery_tasks: Any, delay_seconds: int = 0) -> Any:
        """Refuse every delivery task."""
        return delivery_tasks


class BrokenPublisher:
    """A publisher that raises an error."""

    def publish(self, channels: Any, event: str) -> Any:
        """Raise an error."""
        raise RuntimeError("no network")


def test_record_is_read_as_it_was_stored(harness: FunctionHarness) -> None:
    few = stored(harness, user_ids(2))
    many = stored(harness, user_ids(SLICE_RECIPIENTS + 1))
    assert harness.outbox.get(few.event_id) == few
    assert harness.outbox.get(many.event_id) == many
    assert many.pending_slices == frozenset({0, 1})
    assert harness.outbox.get("unknown") is None


def test_record_has_one_delivery_task_or_one_for_each_slice(harness: FunctionHarness) -> None:
    few, many = stored(harness, user_ids(20)), stored(harness, user_ids(2 * SLICE_RECIPIENTS + 1))
    assert delivery_tasks(few) == (DeliveryTask(few.event_id),)
    assert delivery_tasks(many) == tuple(DeliveryTask(many.event_id, number) for number in range(3))


def test_fan_out_limit_is_the_largest_number_of_recipients_without_slices(harness: FunctionHarness) -> None:
    assert stored(harness, user_ids(20), 20).pending_slices is None
    assert stored(harness, user_ids(21), 20).pending_slices == frozenset({0})


@pytest.mark.parametrize("queue", [RefusingQueue(), None], ids=["queue fails", "queue works"])
def test_failed_dispatch_raises_no_error_and_leaves_the_record_to_the_relay(
    harness: FunctionHarness, queue: Any
) -> None:
    people = user_ids(2)
    record = stored(harness, people)
    working = SqsDeliveryQueue(lambda: harness.aws.sqs, harness.aws.queue_url)
    delivery = Dispatcher(BrokenPublisher(), harness.outbox, queue or working).dispatch(record)
    assert (delivery.delivered, delivery.pending) == (0, 2)
    harness.advance(FAST_PATH_GRACE_SECONDS)
    harness.relay(record.event_id)
    harness.deliver()
    assert [received(harness, each) for each in people] == [1, 1]


def test_dispatch_in_slices_is_completed_by_the_sweep_if_the_queue_refuses_them(harness: FunctionHarness) -> None:
    people = user_ids(SLICE_RECIPIENTS + 1)
    record = stored(harness, people)
    delivery = Dispatcher(harness.publisher, harness.outbox, RefusingQueue()).dispatch(record)
    assert (delivery.delivered, delivery.pending) == (0, len(people))
    harness.advance(SWEEP_AFTER_SECONDS)
    assert harness.sweep() == {"offered": 1, "givenUp": 0, "left": 0}
    assert harness.deliver() == 0
    assert {received(harness, each) for each in people} == {1}


def test_only_a_failed_slice_is_delivered_again(harness: FunctionHarness) -> None:
    people = user_ids(3 * SLICE_RECIPIENTS)
    record = stored(harness, people)
    failing = people[SLICE_RECIPIENTS]
    harness.publisher.failing = {f"/users/{failing}"}
    harness.advance(FAST_PATH_GRACE_SECONDS)
    harness.relay(record.event_id)
    assert harness.deliver() == 1
    left = harness.outbox.get(record.event_id)
    assert left is not None
    assert left.pending_slices == frozenset({1})
    harness.publisher.failing = set()
    harness.relay(record.event_id)
    assert harness.deliver() == 0
    assert received(harness, people[0]) == received(harness, people[-1]) == 1
    assert received(harness, failing) == 1
    assert harness.outbox.get(record.event_id) is None


def test_recipients_of_a_slice_get_an_event_once_although_another_channel_refuses_it(harness: FunctionHarness) -> None:
    people = user_ids(2 * SLICE_RECIPIENTS)
    record = stored(harness, people)
    refusing = people[3]
    harness.publisher.failing = {f"/users/{refusing}"}
    harness.advance(FAST_PATH_GRACE_SECONDS)
    for _ in range(5):
        harness.relay(record.event_id)
        assert harness.deliver() <= 1
    assert {received(harness, each) for each in people if each != refusing} == {1}
    left = harness.outbox.get(record.event_id)
    assert left is not None
    assert left.left == {0: (refusing,)}
    harness.publisher.failing = set()
    harness.relay(record.event_id)
    assert harness.deliver() == 0
    assert received(harness, refusing) == 1
    assert harness.outbox.get(record.event_id) is None


def test_slice_of_a_record_without_the_attribute_for_progress_is_delivered_whole(harness: FunctionHarness) -> None:
    """Records that an earlier version stored have no `left`."""
    people = user_ids(SLICE_RECIPIENTS)
    record = stored(harness, people, fanout_limit=1)
    harness.aws.dynamodb.update_item(
        TableName=harness.aws.table(tables.OUTBOX),
        Key={"eventId": {"S": record.event_id}},
        UpdateExpression="REMOVE #left",
        ExpressionAttributeNames={"#left": "left"},
    )
    harness.outbox.keep_in_slice(record.event_id, 0, people[:1])
    left = harness.outbox.get(record.event_id)
    assert left == record


def test_concurrently_finished_slices_delete_the_record(harness: FunctionHarness) -> None:
    for _ in range(5):
        record = stored(harness, user_ids(8 * SLICE_RECIPIENTS))
        with ThreadPoolExecutor(8) as pool:
            for each in [pool.submit(harness.outbox.finish_slice, record.event_id, n) for n in range(8)]:
                each.result()
        assert harness.outbox.get(record.event_id) is None


def test_finishing_a_slice_twice_changes_nothing(harness: FunctionHarness) -> None:
    record = stored(harness, user_ids(3 * SLICE_RECIPIENTS))
    for number in (1, 1, 1):
        harness.outbox.finish_slice(record.event_id, number)
    left = harness.outbox.get(record.event_id)
    assert left is not None
    assert left.pending_slices == frozenset({0, 2})
    for number in (0, 0, 2, 2):
        harness.outbox.finish_slice(record.event_id, number)
    assert harness.outbox.get(record.event_id) is None


def test_updates_do_not_restore_a_deleted_record(harness: FunctionHarness) -> None:
    record = stored(harness, user_ids(2))
    harness.outbox.delete(record.event_id)
    harness.outbox.keep_only(record.event_id, record.recipients)
    harness.outbox.give_up(record.event_id)
    assert harness.outbox.claim(record.event_id, record.due_at, record.due_at + 1) is None
    assert harness.aws.scan(tables.OUTBOX) == []


def test_relay_delays_the_delivery_and_fails_if_the_queue_fails(harness: FunctionHarness) -> None:
    record = stored(harness, user_ids(1))
    assert harness.relay(record.event_id) == {"offered": 1}
    assert harness.deliver() == 0
    assert harness.outbox.get(record.event_id) is not None
    attributes = harness.aws.sqs.get_queue_attributes(
        QueueUrl=harness.aws.queue_url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    harness.aws.sqs.delete_queue(QueueUrl=harness.aws.queue_url)
    with pytest.raises(RelayError, match=record.event_id):
        harness.relay("unknown", record.event_id)


def test_relay_enqueues_new_records_only(harness: FunctionHarness) -> None:
    record = stored(harness, user_ids(1))
    harness.advance(FAST_PATH_GRACE_SECONDS)
    harness.relay("deleted")
    assert harness.deliver() == 0
    assert harness.outbox.get(record.event_id) == record


def test_sweep_skips_new_records_and_doubles_its_pauses(harness: FunctionHarness) -> None:
    (ana,) = user_ids(1)
    record = stored(harness, [ana])
    harness.publisher.failing = {f"/users/{ana}"}
    assert harness.sweep()["offered"] == 0
    pauses = []
    for _ in range(4):
        current = harness.outbox.get(record.event_id)
        assert current is not None
        pauses.append(current.due_at - harness.clock.now())
        harness.advance(pauses[-1] / 1000)
        assert harness.sweep()["offered"] == 1
        assert harness.sweep()["offered"] == 0
    minute = SWEEP_AFTER_SECONDS * 1000
    assert pauses == [minute, minute, 2 * minute, 4 * minute]


def test_sweep_gives_up_after_the_last_attempt_and_logs_the_event(
    harness: FunctionHarness, caplog: pytest.LogCaptureFixture
) -> None:
    record = stored(harness, user_ids(1))
    for _ in range(DELIVERY_ATTEMPTS_MAX):
        harness.advance(24 * 3600)
        assert harness.sweep() == {"offered": 1, "givenUp": 0, "left": 0}
    harness.advance(24 * 3600)
    caplog.clear()
    assert harness.sweep() == {"offered": 0, "givenUp": 1, "left": 0}
    assert [each.levelname for each in caplog.records if record.event_id in each.getMessage()] == ["ERROR"]
    assert harness.sweep() == {"offered": 0, "givenUp": 0, "left": 0}
    assert harness.outbox.get(record.event_id) is not None


def test_concurrent_sweeps_enqueue_each_event_once(harness: FunctionHarness) -> None:
    people = user_ids(1)
    for _ in range(10):
        stored(harness, people)
    harness.advance(SWEEP_AFTER_SECONDS)
    with ThreadPoolExecutor(2) as pool:
        done = [each.result() for each in [pool.submit(harness.sweep) for _ in range(2)]]
    assert sum(each["offered"] for each in done) == 10


def test_record_that_cannot_be_swept_does_not_stop_the_sweep(harness: FunctionHarness) -> None:
    records = [stored(harness, user_ids(1)) for _ in range(3)]
    table = harness.aws.table(tables.OUTBOX)
    harness.aws.dynamodb.update_item(
        TableName=table,
        Key={"eventId": {"S": records[1].event_id}},
        UpdateExpression="SET attempts = :text",
        ExpressionAttributeValues={":text": {"S": "not a number"}},
    )
    harness.advance(SWEEP_AFTER_SECONDS)
    assert harness.sweep() == {"offered": 2, "givenUp": 0, "left": 1}


def test_delivery_task_is_decoded_as_it_was_encoded() -> None:
    for task in (DeliveryTask("e"), DeliveryTask("e", 0), DeliveryTask("e", 7)):
        assert decode(encode(task)) == task
    for body in ("", "[]", "{}", '{"eventId": 1}'):
        with pytest.raises(msgspec.DecodeError):
            decode(body)


def test_more_delivery_tasks_than_one_call_accepts_are_all_sent(harness: FunctionHarness) -> None:
    queue = SqsDeliveryQueue(lambda: harness.aws.sqs, harness.aws.queue_url)
    assert queue.send([DeliveryTask("e", number) for number in range(23)]) == []
    seen = set()
    while batch := harness.aws.sqs.receive_message(QueueUrl=harness.aws.queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for each in batch:
            seen.add(decode(each["Body"]).slice)
            harness.aws.sqs.delete_message(QueueUrl=harness.aws.queue_url, ReceiptHandle=each["ReceiptHandle"])
    assert seen == set(range(23))


def test_delivery_tasks_that_the_queue_refuses_are_returned() -> None:
    class HalfBroken:
        def send_message_batch(self, **request: Any) -> Any:
            return {"Failed": [{"Id": "1"}]}

    class Unreachable:
        def send_message_batch(self, **request: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="http://queue.invalid")

    sent = [DeliveryTask("a"), DeliveryTask("b"), DeliveryTask("c")]
    assert SqsDeliveryQueue(HalfBroken, "url").send(sent) == [DeliveryTask("b")]
    assert SqsDeliveryQueue(Unreachable, "url").send(sent) == sent


def test_recipients_who_have_the_event_are_removed_from_the_record(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    record = stored(harness, [ana, ben])
    harness.publisher.failing = {f"/users/{ben}"}
    harness.advance(FAST_PATH_GRACE_SECONDS)
    for _ in range(3):
        harness.relay(record.event_id)
        assert harness.deliver() == 1
    harness.publisher.failing = set()
    harness.relay(record.event_id)
    assert harness.deliver() == 0
    assert (received(harness, ana), received(harness, ben)) == (1, 1)


def test_expired_event_is_deleted_and_valid_event_is_delivered(harness: FunctionHarness) -> None:
    (ana,) = user_ids(1)
    deliverer = harness.deliverer()
    until = harness.clock.now() + 1_000
    in_time, late = (stored(harness, [ana], valid_until=until) for _ in range(2))
    harness.advance(0.999)
    assert deliverer.deliver(DeliveryTask(in_time.event_id))
    assert received(harness, ana) == 1
    harness.advance(0.001)
    assert deliverer.deliver(DeliveryTask(late.event_id))
    assert received(harness, ana) == 1
    assert harness.aws.scan(tables.OUTBOX) == []


def test_an_empty_outbox_has_nothing_due(aws: AwsResources) -> None:
    assert list(DynamoOutbox(aws.dynamodb, aws.table(tables.OUTBOX)).due(2**41)) == []


def test_event_for_a_large_group_is_stored_without_its_recipients(harness: FunctionHarness) -> None:
    members = user_ids(300)
    conversation = seed_conversation(harness.aws, members)
    record = stored_for_audience(harness, conversation, members)
    item = harness.aws.item(tables.OUTBOX, eventId=record.event_id)
    assert item is not None
    assert (item["recipients"], item["audience"]) == ([], conversation)
    for task in delivery_tasks(record):
        assert harness.deliverer().deliver(task)
    assert [received(harness, member) for member in members] == [1] * 300
    assert harness.aws.scan(tables.OUTBOX) == []


def test_participant_gets_the_event_although_the_members_change_between_two_slices(harness: FunctionHarness) -> None:
    members = user_ids(120)
    conversation = seed_conversation(harness.aws, members)
    record = stored_for_audience(harness, conversation, members)
    first, *others = delivery_tasks(record)
    assert harness.deliverer().deliver(first)
    item = harness.aws.item(tables.CONVERSATIONS, conversationId=conversation)
    assert item is not None
    stayed = members[40:]
    harness.aws.put(tables.CONVERSATIONS, {**item, "participants": [*user_ids(7), *stayed]})
    for task in others:
        assert harness.deliverer().deliver(task)
    assert [received(harness, member) for member in stayed] == [1] * len(stayed)
    assert harness.aws.scan(tables.OUTBOX) == []


@pytest.mark.parametrize("with_audience", [False, True], ids=["recipients", "audience"])
def test_member_gets_an_event_once_although_another_channel_refuses(
    harness: FunctionHarness, with_audience: bool
) -> None:
    """A slice keeps its progress: only the recipients who are left are published to again."""
    members = user_ids(60)
    conversation = seed_conversation(harness.aws, members)
    record = stored_for_audience(harness, conversation, members) if with_audience else stored(harness, members)
    harness.publisher.failing = {f"/users/{members[7]}"}
    for _ in range(3):
        done = [harness.deliverer().deliver(task) for task in delivery_tasks(record)]
        assert done.count(False) == 1
    assert [received(harness, member) for member in members if member != members[7]] == [1] * 59
    harness.publisher.failing = set()
    for task in delivery_tasks(record):
        assert harness.deliverer().deliver(task)
    assert [received(harness, member) for member in members] == [1] * 60
    assert harness.aws.scan(tables.OUTBOX) == []
