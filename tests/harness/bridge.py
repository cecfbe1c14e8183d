"""The bridge function as AWS invokes it: with the stream of the table Messages, and a FIFO queue of the old server."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from contract import tables
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.sqs.old_server_queue import SqsOldServerQueue
from handlers.adapters.system import SystemClock
from handlers.core.shared.ports import Clock
from handlers.entry import bridge
from handlers.settings import BridgeSettings
from stacks.naming import OLD_SERVER_QUEUE, Names
from tests.harness.emulator import AwsResources
from tests.harness.faults import FaultInjector, FaultyClient
from tests.harness.permissions import PermissionCheckedClient

_VISIBILITY_SECONDS = 2
"""A test in which the old server dies between receiving and deleting waits for this time."""


class MessageStream:
    """The stream of the table Messages, which it turns on, and the position that Lambda keeps in it."""

    def __init__(self, aws: AwsResources) -> None:
        table = aws.table(tables.MESSAGES)
        view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        aws.dynamodb.update_table(TableName=table, StreamSpecification=view)
        arn = aws.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._client = aws.emulator.client("dynamodbstreams")
        (shard,) = self._client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._at = self._client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        self._next = self._at

    def read(self) -> list[dict[str, Any]]:
        """Return the next records as Lambda passes them to a function; the same ones until `commit`."""
        answer = self._client.get_records(ShardIterator=self._at, Limit=100)
        self._next = answer["NextShardIterator"]
        return [_lambda_record(each) for each in answer["Records"]]

    def commit(self) -> None:
        """Continue after the records that were read."""
        self._at = self._next


def _lambda_record(record: dict[str, Any]) -> dict[str, Any]:
    content = record["dynamodb"]
    made = content["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": {**content, "ApproximateCreationDateTime": made}}


@dataclass
class BridgeFunction:
    """The bridge on one test's tables, with the permissions of its role.

    Args:
        faults: every call of the function to DynamoDB and SQS goes through it.
    """

    aws: AwsResources
    faults: FaultInjector = field(default_factory=FaultInjector)
    clock: Clock = field(default_factory=SystemClock)
    fanout_limit: int = 20

    def __post_init__(self) -> None:
        """Create the stream and the queue, and wire the function."""
        self.stream = MessageStream(self.aws)
        self.queue_url = self.aws.sqs.create_queue(
            QueueName=f"{Names(self.aws.environment).of(OLD_SERVER_QUEUE)}.fifo",
            Attributes={"FifoQueue": "true", "VisibilityTimeout": str(_VISIBILITY_SECONDS)},
        )["QueueUrl"]
        self.start()

    def start(self) -> None:
        """Wire a new function, as a new process does."""
        variables = {
            **self.aws.variables,
            "OLD_SERVER_QUEUE_URL": self.queue_url,
            "FANOUT_LIMIT": str(self.fanout_limit),
        }
        sqs = FaultyClient(self.aws.sqs, self.faults)
        checked = PermissionCheckedClient(self.aws.dynamodb, "bridge", self.aws.environment)
        use_cases = bridge.wire(
            BridgeSettings.load(variables),
            FaultyClient(checked, self.faults),
            SqsDeliveryQueue(lambda: sqs, self.aws.queue_url),
            SqsOldServerQueue(lambda: sqs, self.queue_url),
            self.clock,
        )
        self.use_cases = use_cases
        self.handle = bridge.consumer(lambda: use_cases)

    def run(self) -> dict[str, int]:
        """Invoke the function with what is new in the stream; what it raises leaves the records in the stream."""
        total: dict[str, int] = {}
        while records := self.stream.read():
            for name, count in self.handle({"Records": records}, None).items():
                total[name] = total.get(name, 0) + count
            self.stream.commit()
        return total

    def queued(self) -> list[dict[str, Any]]:
        """Take every message of the old server's queue, in order."""
        bodies: list[dict[str, Any]] = []
        while received := self.aws.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for each in received:
                bodies.append(json.loads(each["Body"]))
                self.aws.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=each["ReceiptHandle"])
        return bodies


class OldApplication:
    """Writes to the tables as the old Socket.IO server does: no numbers, no memberships, null for what is absent."""

    def __init__(self, aws: AwsResources, clock: Clock | None = None) -> None:
        self._aws = aws
        self._clock = clock or SystemClock()

    def conversation(self, *participants: str, kind: str = "DM", conversation_id: str | None = None) -> str:
        """Store a conversation and return its id."""
        created = "2025-11-20T10:00:00.000Z"
        stored = {
            "conversationId": conversation_id or str(uuid.uuid4()),
            "type": kind,
            "name": "anon",
            "participants": list(participants),
            "admins": list(participants[:1]) if kind == "GROUP" else [],
            "createdBy": participants[0],
            "createdAt": created,
            "updatedAt": created,
            "lastMessageAt": created,
        }
        self._aws.put(tables.CONVERSATIONS, stored)
        return str(stored["conversationId"])

    def send(self, sender: str, conversation_id: str, content: str, timestamp: str) -> str:
        """Store a message at a timestamp, and return its id."""
        message_id = str(uuid.uuid4())
        null, text = {"NULL": True}, {"S": ""}
        item: dict[str, Any] = {
            "conversationId": {"S": conversation_id},
            "timestamp": {"S": timestamp},
            "messageId": {"S": message_id},
            "senderId": {"S": sender},
            "type": {"S": "TEXT"},
            "content": {**text, "S": content},
            **dict.fromkeys(("mediaUrl", "fileName", "fileSize", "duration", "replyTo"), null),
            "readBy": {"L": []},
            "reactions": {"M": {}},
            "deleted": {"BOOL": False},
            "createdAt": {"S": timestamp},
        }
        self._aws.dynamodb.put_item(TableName=self._aws.table(tables.MESSAGES), Item=item)
        self._aws.dynamodb.update_item(
            TableName=self._aws.table(tables.CONVERSATIONS),
            Key={"conversationId": {"S": conversation_id}},
            UpdateExpression="SET lastMessageAt = :now, updatedAt = :now",
            ExpressionAttributeValues={":now": {"S": timestamp}},
        )
        return message_id
