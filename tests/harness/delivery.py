"""The functions that deliver events, as AWS invokes them, with the permissions of their roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract import tables
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue, decode
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.ports import DeliveryTask
from handlers.core.delivery.relay import Relay
from handlers.core.delivery.sweep import Sweep
from handlers.core.shared.ports import Clock
from handlers.entry import deliver, relay, sweep
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.permissions import PermissionCheckedClient


@dataclass
class DeliveryFunctions:
    """The functions relay, deliver and sweep on one test's Outbox table and delivery queue."""

    aws: AwsResources
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    clock: Clock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Wire the functions."""
        queue = SqsDeliveryQueue(lambda: self.aws.sqs, self.aws.queue_url)
        self.outbox = DynamoOutbox(self.aws.dynamodb, self.aws.table(tables.OUTBOX))
        self._deliver = deliver.consumer(lambda: self._deliverer(self._client("deliver")))
        self._relay = relay.consumer(lambda: Relay(self._outbox("relay"), queue, self.clock))
        self._sweep = sweep.runner(lambda: Sweep(self._outbox("sweep"), queue, self.clock))

    def deliverer(self) -> Deliverer:
        """Return the deliver function's use case, without its permissions."""
        return self._deliverer(self.aws.dynamodb)

    def _deliverer(self, client: Any) -> Deliverer:
        outbox = DynamoOutbox(client, self.aws.table(tables.OUTBOX))
        audiences = DynamoAudiences(client, self.aws.table(tables.CONVERSATIONS))
        direct_messages = DynamoDirectMessages(
            client,
            conversations=self.aws.table(tables.CONVERSATIONS),
            members=self.aws.table(tables.CONVERSATION_MEMBERS),
            messages=self.aws.table(tables.MESSAGES),
            outbox=self.aws.table(tables.OUTBOX),
        )
        return Deliverer(self.publisher, outbox, self.clock, audiences, direct_messages)

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
        """Invoke the deliver function with the queue's messages, as SQS does; return how many it could not deliver."""
        failed = 0
        while batch := self.aws.receive_messages():
            records = [{"messageId": each["MessageId"], "body": each["Body"]} for each in batch]
            failed += len(self._deliver({"Records": records}, None)["batchItemFailures"])
        return failed

    def queued_tasks(self) -> list[DeliveryTask]:
        """Take every delivery task that is visible in the queue."""
        tasks: list[DeliveryTask] = []
        while batch := self.aws.receive_messages():
            tasks += [decode(each["Body"]) for each in batch]
        return tasks

    def deliver_outbox(self) -> None:
        """Publish every record that is left in the outbox, as relay, queue and sweep would."""
        deliverer = self.deliverer()
        for item in self.aws.scan(tables.OUTBOX):
            assert deliverer.deliver(DeliveryTask(item["eventId"]))
