"""Clients that count what AWS would charge, and the functions on top of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError
from ministack.services.dynamodb import _item_size_bytes

from contract import tables
from handlers.adapters.sqs.delivery_queue import encode
from local.emulator.strict.items import READ_UNIT_BYTES
from ops.costs.ledger import OperationCost
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer
from tests.harness.delivery import DeliveryFunctions
from tests.harness.emulator import AwsResources, queue_record
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.functions import FunctionHarness

FANOUT_LIMIT = 50
"""The setting of every environment."""
_WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})
_NARROWING = frozenset({"ProjectionExpression", "Select", "FilterExpression"})
"""Options that return less than is read, and is charged."""
_READS = frozenset({"get_item", "query", "batch_get_item"})


@dataclass
class Counts:
    """What was used. Threads of one function share it."""

    invocations: int = 0
    read_units: float = 0
    write_units: float = 0
    queue_requests: int = 0
    meeting_requests: int = 0
    new_records: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)


class CountingDynamoDb:
    """A DynamoDB client that adds up the units that its requests use.

    Write units are those of the responses. Read units follow from the sizes of the items, since the emulator reports
    one for every read, however large, and none for BatchGetItem.
    """

    def __init__(self, client: Any, counts: Counts) -> None:
        self._client = client
        self._counts = counts
        self.meta = client.meta

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client, counted."""
        operation = getattr(self._client, name)
        if name not in _WRITES | _READS:
            return operation

        def call(**request: Any) -> Any:
            if name in _READS:
                with self._counts.lock:
                    self._counts.read_units += self._read_units(name, request)
                return operation(**request)
            try:
                answer = operation(**request, ReturnConsumedCapacity="TOTAL")
            except ClientError:
                # A failed condition uses units, too: as many as the write of the item, here counted as the least.
                self._write(2 * len(request["TransactItems"]) if "TransactItems" in request else 1)
                raise
            self._note_records(request)
            consumed = answer.pop("ConsumedCapacity")
            self._write(
                sum(each["CapacityUnits"] for each in consumed if each)
                if isinstance(consumed, list)
                else consumed["CapacityUnits"]
            )
            return answer

        return call

    def _write(self, units: float) -> None:
        with self._counts.lock:
            self._counts.write_units += units

    def _read_units(self, name: str, request: dict[str, Any]) -> float:
        """Return the units of a read: one for 4 KB, half of it without consistency (DynamoDB: read consumption)."""
        if name == "batch_get_item":
            return sum(
                self._read_units("get_item", {"TableName": table, "Key": key, "ConsistentRead": read["ConsistentRead"]})
                for table, read in request["RequestItems"].items()
                for key in read["Keys"]
            )
        whole = {option: value for option, value in request.items() if option not in _NARROWING}
        names = whole.get("ExpressionAttributeNames")
        if names:
            expression = whole.get("KeyConditionExpression", "")
            whole["ExpressionAttributeNames"] = {each: names[each] for each in names if each in expression}
        if not whole.get("ExpressionAttributeNames"):
            whole.pop("ExpressionAttributeNames", None)
        answer = getattr(self._client, name)(**whole)
        items = answer.get("Items") or [answer.get("Item") or {}]
        size = sum(int(_item_size_bytes(item)) for item in items)
        return max(1, ceil(size / READ_UNIT_BYTES)) * (1.0 if request.get("ConsistentRead") else 0.5)

    def _note_records(self, request: dict[str, Any]) -> None:
        for action in request.get("TransactItems", []):
            put = action.get("Put")
            if put and put["TableName"].split("-")[1] == tables.OUTBOX.entity:
                self._counts.new_records.append(put["Item"]["eventId"]["S"])


class CountingSqs:
    """An SQS client that counts the sends and delivers every message at once."""

    def __init__(self, client: Any, counts: Counts) -> None:
        self._client = client
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client."""
        return getattr(self._client, name)

    def send_message_batch(self, **request: Any) -> Any:
        """Send messages without their delay."""
        self._counts.queue_requests += 1
        entries = [{**each, "DelaySeconds": 0} for each in request["Entries"]]
        return self._client.send_message_batch(**{**request, "Entries": entries})

    def send_message(self, **request: Any) -> Any:
        """Send a message."""
        self._counts.queue_requests += 1
        return self._client.send_message(**request)


class CountingChime:
    """A Chime server whose requests are counted."""

    def __init__(self, chime: ChimeServer, counts: Counts) -> None:
        self._chime = chime
        self.shared_client = _CountedCalls(chime.shared_client, counts)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the server."""
        return getattr(self._chime, name)


class _CountedCalls:
    def __init__(self, client: Any, counts: Counts) -> None:
        self._client = client
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**request: Any) -> Any:
            self._counts.meeting_requests += 1
            return operation(**request)

        return call


class CostCounter:
    """The functions of one environment, and what their operations cost.

    Attributes:
        costs: the cost of each operation that was counted.
    """

    def __init__(self, aws: AwsResources, chime: ChimeServer) -> None:
        self.counts = Counts()
        self.publisher = RecordingPublisher()
        self.clock = FakeClock()
        self.costs: dict[str, OperationCost] = {}
        counted: Any = CountingDynamoDb(aws.dynamodb, self.counts)
        queue: Any = CountingSqs(aws.sqs, self.counts)
        counted_aws = replace(aws, dynamodb=counted, sqs=queue)
        server: Any = CountingChime(chime, self.counts)
        self.harness = FunctionHarness(
            counted_aws, publisher=self.publisher, clock=self.clock, fanout_limit=FANOUT_LIMIT
        )
        self.calls = CallFunctions(counted_aws, server, publisher=self.publisher, clock=self.clock)

    @contextmanager
    def operation(self, title: str, requests: int = 1) -> Iterator[None]:
        """Count what happens inside, and its delivery, as one operation.

        Args:
            title: its title in the ledger.
            requests: HTTP requests that it makes; each is an invocation.
        """
        self.settle()
        self._reset()
        yield
        self.settle()
        counts = self.counts
        self.costs[title] = OperationCost(
            requests=requests,
            invocations=requests + counts.invocations,
            read_units=counts.read_units,
            write_units=counts.write_units,
            publishes=len(self.publisher.published),
            queue_requests=counts.queue_requests,
            meeting_requests=counts.meeting_requests,
        )

    def background(self, run: Callable[[], Any]) -> None:
        """Run a function that no request invokes."""
        self.counts.invocations += 1
        run()

    def settle(self) -> None:
        """Run relay and deliver function until nothing is left."""
        delivery: DeliveryFunctions = self.harness
        while True:
            records, self.counts.new_records = self.counts.new_records, []
            for event_id in records:
                self.background(partial(delivery.relay, event_id))
            self.clock.advance(10)
            tasks = [encode(task) for task in delivery.held.take_due()]
            tasks += [message["Body"] for message in delivery.aws.receive_messages()]
            for body in tasks:
                self.counts.queue_requests += 2
                self.background(partial(self._deliver, body))
            if not tasks and not records:
                return

    def _deliver(self, body: str) -> None:
        answer = self.harness._deliver({"Records": [queue_record(body)]}, None)
        assert answer == {"batchItemFailures": []}

    def _reset(self) -> None:
        self.publisher.clear()
        counts = self.counts
        counts.invocations = counts.queue_requests = counts.meeting_requests = 0
        counts.read_units = counts.write_units = 0
