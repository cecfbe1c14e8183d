"""What happens to queue messages that could not be processed: a short pause, and the queue delivers them again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract import channels, events, tables
from contract.limits import (
    DELIVERY_PAUSE_SECONDS,
    DELIVERY_RECEIVES_MAX,
    REDELIVERY_SECONDS_MAX,
    RING_TIMER_PAUSE_SECONDS,
    RING_TIMER_RECEIVES_MAX,
)
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.sqs.delivery_queue import encode
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import DeliveryTask, OutboxRecord
from handlers.entry import deliver, ring_timeout
from handlers.entry.queue_batch import redelivery_seconds
from tests.harness.emulator import AwsResources, lambda_record, queue_record
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import user_ids

LONG_VISIBILITY = "360"
"""Seconds; the visibility timeout of the deployed queue."""


class RecordingVisibility(MessageVisibility):
    """Records which messages return, and after how many seconds."""

    def __init__(self) -> None:
        self.returned: list[tuple[str, int]] = []

    def return_after(self, receipt_handle: str, seconds: int) -> None:
        """Record a message."""
        self.returned.append((receipt_handle, seconds))


class Context:
    """A Lambda context with some time left."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return int((self._ends_at - time.monotonic()) * 1000)


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def stored(harness: FunctionHarness, recipients: list[str]) -> OutboxRecord:
    """Store the record of a new event."""
    event = events.UserBlocked(
        eventId=str(uuid.uuid4()), timestamp="2026-01-01T00:00:00.000Z", data=events.BlockData(userId="user")
    )
    record = outbox_record(channels.USERS, event, recipients, now=harness.clock.now(), fanout_limit=20)
    harness.aws.dynamodb.put_item(**outbox_put(harness.aws.table(tables.OUTBOX), record)["Put"])
    return record


def consumer(harness: FunctionHarness, visibility: MessageVisibility) -> Callable[[Any, Any], dict[str, Any]]:
    """Return the deliver function."""
    use_cases = harness.use_cases()
    return deliver.consumer(lambda: use_cases, lambda: visibility)


def test_malformed_queue_message_does_not_fail_its_batch(harness: FunctionHarness) -> None:
    (ana,) = user_ids(1)
    record = stored(harness, [ana])
    visibility = RecordingVisibility()
    batch = [
        queue_record("not json", "1"),
        queue_record(encode(DeliveryTask(record.event_id)), "2"),
        queue_record(encode(DeliveryTask("unknown")), "3"),
    ]
    answer = consumer(harness, visibility)({"Records": batch}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert len(harness.publisher.received(ana, namespace="users")) == 1
    assert [handle for handle, _ in visibility.returned] == ["receipt-1"]


def test_failed_delivery_returns_after_seconds_and_not_after_the_visibility_timeout(harness: FunctionHarness) -> None:
    (ana,) = user_ids(1)
    record = stored(harness, [ana])
    harness.publisher.failing = {f"/users/{ana}"}
    visibility = RecordingVisibility()
    handle = consumer(harness, visibility)
    for receives in range(1, DELIVERY_RECEIVES_MAX):
        handle({"Records": [queue_record(encode(DeliveryTask(record.event_id)), receives=receives)]}, None)
    pauses = [seconds for _, seconds in visibility.returned]
    assert 1 <= pauses[0] <= DELIVERY_PAUSE_SECONDS
    assert max(pauses) <= REDELIVERY_SECONDS_MAX
    assert pauses[-1] >= REDELIVERY_SECONDS_MAX / 2


def test_failed_ring_timer_returns_after_seconds() -> None:
    visibility = RecordingVisibility()

    def broken() -> Any:
        raise RuntimeError("no database")

    handle = ring_timeout.consumer(broken, lambda: visibility)
    record = queue_record(json.dumps({"sessionId": "call"}))
    assert handle({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    ((_, seconds),) = visibility.returned
    assert 1 <= seconds <= RING_TIMER_PAUSE_SECONDS
    total = sum(redelivery_seconds(RING_TIMER_PAUSE_SECONDS, number) for number in range(1, RING_TIMER_RECEIVES_MAX))
    assert total <= 60


def test_pauses_grow_and_differ_between_messages() -> None:
    first = {redelivery_seconds(DELIVERY_PAUSE_SECONDS, 1) for _ in range(200)}
    assert first == {3, 4, 5}
    fourth = {redelivery_seconds(DELIVERY_PAUSE_SECONDS, 4) for _ in range(500)}
    assert min(fourth) >= 20
    assert max(fourth) <= 40
    assert len(fourth) > 10


def test_rest_of_a_batch_returns_at_once_if_too_little_time_is_left(harness: FunctionHarness) -> None:
    queue = {"QueueUrl": harness.aws.queue_url}
    harness.aws.sqs.set_queue_attributes(**queue, Attributes={"VisibilityTimeout": LONG_VISIBILITY})
    first, second = (stored(harness, user_ids(1)) for _ in range(2))
    for each in (first, second):
        harness.aws.sqs.send_message(**queue, MessageBody=encode(DeliveryTask(each.event_id)))
    harness.publisher.before_publish = lambda channel: time.sleep(0.3)
    batch = harness.aws.receive_batch()
    assert len(batch) == 2
    visibility = MessageVisibility(lambda: harness.aws.sqs, harness.aws.queue_url)
    answer = consumer(harness, visibility)(
        {"Records": [lambda_record(each) for each in batch]}, Context(deliver.NEEDED_SECONDS + 0.2)
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": batch[1]["MessageId"]}]}
    (returned,) = harness.aws.receive_batch()
    assert returned["MessageId"] == batch[1]["MessageId"]
    assert returned["Attributes"]["ApproximateReceiveCount"] == "2"


def test_failed_change_of_the_visibility_does_not_fail_the_batch(
    harness: FunctionHarness, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing:
        def change_message_visibility(self, **request: Any) -> Any:
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "no"}}, "ChangeMessageVisibility")

    answer = consumer(harness, MessageVisibility(Refusing, "url"))({"Records": [queue_record("not json")]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert "visibility failed" in caplog.text
