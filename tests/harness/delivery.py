"""The functions that deliver events, as AWS invokes them, with the permissions of their roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract import tables
from contract.limits import RECEIPT_WINDOW_SECONDS
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue, decode, encode
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.ports import DeliveryTask, QueueTask, ReceiptTask
from handlers.core.delivery.relay import Relay
from handlers.core.delivery.sweep import Sweep
from handlers.core.shared.ports import Clock
from handlers.entry import deliver, relay, sweep
from handlers.entry.deliver import DeliveryUseCases
from handlers.settings import DeliverSettings
from tests.harness.emulator import AwsResources, lambda_record, queue_record
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.permissions import PermissionCheckedClient


class HeldReceipts:
    """An SQS client that keeps delayed tasks of read marks, since the queue does not know the fake clock.

    Attributes:
        tasks: what is kept, with the time at which it is due.
    """

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.tasks: list[tuple[int, ReceiptTask]] = []

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client."""
        return getattr(self._client, name)

    def send_message_batch(self, **request: Any) -> Any:
        """Send messages, or keep those that are delayed and hold read marks."""
        kept = [each for each in request["Entries"] if each["DelaySeconds"] and '"receipts"' in each["MessageBody"]]
        if not kept:
            return self._client.send_message_batch(**request)
        assert kept == request["Entries"]
        for each in kept:
            task = decode(each["MessageBody"])
            assert isinstance(task, ReceiptTask)
            self.tasks.append((self._clock.now() + each["DelaySeconds"] * 1000, task))
        return {"Successful": [{"Id": each["Id"]} for each in kept]}

    def take_due(self) -> list[ReceiptTask]:
        """Take the tasks that are due."""
        due = [task for at, task in self.tasks if at <= self._clock.now()]
        self.tasks = [(at, task) for at, task in self.tasks if at > self._clock.now()]
        return due


@dataclass
class DeliveryFunctions:
    """The functions relay, deliver and sweep on one test's Outbox table and delivery queue."""

    aws: AwsResources
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    clock: Clock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Wire the functions."""
        self.held = HeldReceipts(self.aws.sqs, self.clock)
        queue = SqsDeliveryQueue(lambda: self.aws.sqs, self.aws.queue_url)
        self.outbox = DynamoOutbox(self.aws.dynamodb, self.aws.table(tables.OUTBOX))
        visibility = MessageVisibility(lambda: self.aws.sqs, self.aws.queue_url)
        use_cases = self.use_cases(self._client("deliver"))
        self._deliver = deliver.consumer(lambda: use_cases, lambda: visibility)
        self._relay = relay.consumer(lambda: Relay(self._outbox("relay"), queue, self.clock))
        self._sweep = sweep.runner(lambda: Sweep(self._outbox("sweep"), queue, self.clock))

    def use_cases(self, client: Any = None) -> DeliveryUseCases:
        """Return newly wired use cases of the deliver function.

        Args:
            client: a DynamoDB client instead of the test's own, which has every permission.
        """
        queue = SqsDeliveryQueue(lambda: self.held, self.aws.queue_url)
        settings = DeliverSettings.load(self.aws.variables)
        return deliver.wire(settings, client or self.aws.dynamodb, self.publisher, queue, self.clock)

    def deliverer(self) -> Deliverer:
        """Return the use case that delivers events, without the function's permissions."""
        return self.use_cases().deliverer

    def _client(self, function: str, client: Any = None) -> PermissionCheckedClient:
        return PermissionCheckedClient(client or self.aws.dynamodb, function, self.aws.environment)

    def _outbox(self, function: str) -> DynamoOutbox:
        return DynamoOutbox(self._client(function), self.aws.table(tables.OUTBOX))

    def relay(self, *event_ids: str) -> dict[str, Any]:
        """Invoke the relay function with new outbox records, as the table's stream does."""
        records = [
            {"eventName": "INSERT", "dynamodb": {"Keys": {"eventId": {"S": event_id}}, "SequenceNumber": str(number)}}
            for number, event_id in enumerate(event_ids)
        ]
        return self._relay({"Records": records}, None)

    def sweep(self) -> dict[str, Any]:
        """Invoke the sweep function, as its schedule does."""
        return self._sweep({}, None)

    def deliver(self) -> int:
        """Invoke the deliver function with the queue's messages, as SQS does; return how many it could not deliver.

        What it could not deliver returns to the queue some seconds later.
        """
        count = 0
        while batch := self.aws.receive_batch():
            answer = self._deliver({"Records": [lambda_record(each) for each in batch]}, None)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            self.aws.delete_messages(each for each in batch if each["MessageId"] not in failed)
            count += len(failed)
        return count

    def deliver_receipts(self, seconds: float = RECEIPT_WINDOW_SECONDS) -> int:
        """Let time pass and invoke the deliver function with the read marks that are due; return how many tasks failed.

        Args:
            seconds: how long, by the fake clock.
        """
        assert isinstance(self.clock, FakeClock)
        self.clock.advance(seconds)
        records = [queue_record(encode(task), str(number)) for number, task in enumerate(self.held.take_due())]
        return len(self._deliver({"Records": records}, None)["batchItemFailures"])

    def queued_tasks(self) -> list[QueueTask]:
        """Take every task that is visible in the queue."""
        tasks: list[QueueTask] = []
        while batch := self.aws.receive_messages():
            tasks += [decode(each["Body"]) for each in batch]
        return tasks

    def deliver_outbox(self) -> None:
        """Publish every record that is left in the outbox, as relay, queue and sweep would."""
        deliverer = self.deliverer()
        for item in self.aws.scan(tables.OUTBOX):
            assert deliverer.deliver(DeliveryTask(item["eventId"]))
