"""DynamoDB and SQS for tests: the emulator in a process of its own, and the tables and queues of one test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from contract import tables
from contract.canary import credentials_parameter
from handlers.adapters.dynamodb.codec import from_item, to_item
from local.control.control_calls import control_call
from local.state import StateDirectory
from tests.harness.emulator_process import BATCH_PATH
from tests.harness.transport import EmulatorTransport

REGION = "us-east-1"
ROOT = Path(__file__).resolve().parents[2]
ACCESS_KEY = "local-test"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": ACCESS_KEY, "AWS_DEFAULT_REGION": REGION}


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Emulator:
    """The running emulator in strict mode.

    Args:
        endpoint: its address.
        token: of its control endpoints.
    """

    endpoint: str
    token: str

    @cached_property
    def dynamodb(self) -> Any:
        """The client that most tests share."""
        return self.transport.attach(self.client("dynamodb", user_agent="tests"))

    @cached_property
    def sqs(self) -> Any:
        """The client that most tests share."""
        return self.transport.attach(self.client("sqs", user_agent="tests"))

    @cached_property
    def transport(self) -> EmulatorTransport:
        """The connections of these clients."""
        return EmulatorTransport(self.endpoint, ACCESS_KEY, REGION)

    def client(self, service: str, **options: Any) -> Any:
        """Return a botocore client of one of its services."""
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64, **options),
        )

    @contextmanager
    def strict(self, rules: dict[str, Any]) -> Iterator[None]:
        """Use these rules of strict mode for a block (`local.emulator.strict.rules`); absent fields have defaults."""
        self._use(rules)
        try:
            yield
        finally:
            self._use({})

    def let_reads_catch_up(self) -> None:
        """Show every write in indexes and eventually consistent reads, as some seconds of time would."""
        self._use(control_call("GET", f"{self.endpoint}/_local/strict", self.token))

    def _use(self, rules: dict[str, Any]) -> None:
        control_call("PUT", f"{self.endpoint}/_local/strict", self.token, rules)


@contextmanager
def running_emulator(folder: Path) -> Iterator[Emulator]:
    """Run the emulator, on loopback only, and stop it at the end.

    Args:
        folder: for its log and temporary files.
    """
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tests.harness.emulator_process",
        "--memory",
        "--state",
        str(folder / "state"),
        "--port",
        str(port),
    ]
    command += ["--events-port", str(free_port()), "--web-port", str(free_port())]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _wait_until_healthy(f"{endpoint}/_local/health", process, folder / "emulator.log")
            running = Emulator(endpoint, StateDirectory(folder / "state").control_token())
            try:
                yield running
            finally:
                running.transport.close()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # our own loopback address
                answer.read()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start:\n{log.read_text()[-2000:]}")


@dataclass(frozen=True)
class AwsResources:
    """The tables and queues of one test.

    Args:
        environment: a new name, so that no two tests share a table.
        queue_url: of the delivery queue.
        ring_queue_url: of the queue of ring timers.
    """

    emulator: Emulator
    environment: str
    dynamodb: Any
    sqs: Any
    queue_url: str
    ring_queue_url: str

    @cached_property
    def variables(self) -> dict[str, str]:
        """Every environment variable that a function reads."""
        names = {table.setting: table.name(self.environment) for table in tables.TABLES}
        return {
            **names,
            "ENVIRONMENT": self.environment,
            "DELIVERY_QUEUE_URL": self.queue_url,
            "RING_QUEUE_URL": self.ring_queue_url,
            "OLD_SERVER_QUEUE_URL": "http://127.0.0.1:9/old-server",
            "RING_TIMEOUT_SECONDS": "45",
            "MEDIA_REGION": REGION,
            "FANOUT_LIMIT": "20",
            "POOL_REGION": REGION,
            "EVENTS_HTTP_ENDPOINT": "http://127.0.0.1:9/event",
            "EVENTS_REALTIME_ENDPOINT": "ws://127.0.0.1:9/event/realtime",
            "API_ADDRESS": "http://127.0.0.1:9",
            "CLIENT_ID": "canary-client",
            "CREDENTIALS_PARAMETER": credentials_parameter(self.environment),
            "METRIC_NAMESPACE": f"PantherKolab/{self.environment}",
        }

    def table(self, table: tables.Table) -> str:
        """Return the name of a table."""
        return table.name(self.environment)

    def put(self, table: tables.Table, item: dict[str, Any]) -> None:
        """Store an item."""
        self.dynamodb.put_item(TableName=self.table(table), Item=to_item(item))

    def item(self, table: tables.Table, **key: Any) -> dict[str, Any] | None:
        """Read an item consistently."""
        answer = self.dynamodb.get_item(TableName=self.table(table), Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def scan(self, table: tables.Table) -> list[dict[str, Any]]:
        """Return every item of a table."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table(table), ConsistentRead=True)
        return [from_item(item) for page in pages for item in page["Items"]]

    def receive_messages(self) -> list[dict[str, Any]]:
        """Take up to ten messages from the delivery queue."""
        received = self.receive_batch()
        self.delete_messages(received)
        return received

    def receive_batch(self) -> list[dict[str, Any]]:
        """Receive up to ten messages from the delivery queue, as Lambda's poller does."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
        )
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def delete_messages(self, messages: Iterable[dict[str, Any]]) -> None:
        """Delete messages of the delivery queue."""
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


def lambda_record(message: dict[str, Any]) -> dict[str, Any]:
    """Return a received message as Lambda passes it to a function (AWS Lambda: using Lambda with Amazon SQS)."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }


def queue_record(body: str, message_id: str = "1", receives: int = 1) -> dict[str, Any]:
    """Return a message, received for the given time, as Lambda passes it to a function."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def create_resources(emulator: Emulator) -> AwsResources:
    """Create every table of the contract and both queues under a new environment name."""
    environment = f"t{uuid.uuid4().hex[:12]}"
    names = (f"delivery-{environment}", f"rings-{environment}")
    requests = [("DynamoDB_20120810.CreateTable", _definition(table, environment)) for table in tables.TABLES]
    requests += [
        ("AmazonSQS.CreateQueue", {"QueueName": name, "Attributes": {"VisibilityTimeout": "0"}}) for name in names
    ]
    answers = emulator.transport.post(BATCH_PATH, requests)
    refused = [answer for status, answer in answers if status >= 300]
    if refused:
        raise RuntimeError(f"the emulator refused to create tables or queues: {refused}")
    queue_url, ring_queue_url = (answer["QueueUrl"] for _, answer in answers[-2:])
    return AwsResources(emulator, environment, emulator.dynamodb, emulator.sqs, queue_url, ring_queue_url)


def _definition(table: tables.Table, environment: str) -> dict[str, Any]:
    keys = [table.partition, table.sort]
    definition: dict[str, Any] = {
        "TableName": table.name(environment),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema(table.partition, table.sort),
    }
    if table.indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _schema(index.partition, index.sort),
                "Projection": {"ProjectionType": index.projection},
            }
            for index in table.indexes
        ]
        keys += [key for index in table.indexes for key in (index.partition, index.sort)]
    if table.stream:
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream}
    attributes = {key.name: key.type for key in keys if key}
    definition["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()
    ]
    return definition


def _schema(partition: tables.Key, sort: tables.Key | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": partition.name, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": sort.name, "KeyType": "RANGE"}] if sort else schema
