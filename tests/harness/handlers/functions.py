"""The functions as AWS invokes them, wired to a test's world."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.system import RandomIds
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.relay import Relay
from handlers.core.delivery.sweep import Sweep
from handlers.entry import deliver, messages, relay, sweep
from handlers.entry.http import dispatcher
from handlers.settings import MessagesSettings
from tests.harness.handlers.cloud import World
from tests.harness.handlers.doubles import Calls, Devices, FaultyClient, FaultyPublisher, HeldClock
from tests.harness.handlers.rights import LimitedClient


def http_event(
    route: str,
    caller: str | None,
    body: Any = None,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return an HTTP API event (payload format 2.0) as the JWT authorizer passes it on.

    Args:
        route: the route key.
        caller: user id; None for a request without an authorizer.
        body: sent as JSON; text is sent as it is.
        changes: top-level fields to replace.
    """
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "headers": {"content-type": "application/json", "authorization": "Bearer token"},
        "requestContext": {"requestId": "request-1"},
        "isBase64Encoded": False,
    }
    if caller is not None:
        claims = {"sub": caller, "token_use": "access"}
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if path:
        event["pathParameters"] = path
    if query:
        event["queryStringParameters"] = query
    return {**event, **changes}


@dataclass
class Answer:
    """What a function answered."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Backend:
    """Every function that an event passes through, with devices that listen at its end.

    Args:
        calls: every call of the messages function to another service goes through it.
        fanout_limit: most recipients published to within the request.
    """

    world: World
    devices: Devices = field(default_factory=Devices)
    clock: HeldClock = field(default_factory=HeldClock)
    calls: Calls = field(default_factory=Calls)
    fanout_limit: int = 20

    def __post_init__(self) -> None:
        """Wire the functions."""
        world = self.world
        settings = MessagesSettings.load({**world.variables, "FANOUT_LIMIT": str(self.fanout_limit)})
        sqs = FaultyClient(world.sqs, self.calls)
        wired = messages.wire(
            settings,
            FaultyClient(self._limited("messages"), self.calls),
            FaultyPublisher(self.devices, self.calls),
            SqsDeliveryQueue(lambda: sqs, world.queue_url),
            self.clock,
            RandomIds(),
        )
        self.outbox = DynamoOutbox(world.dynamodb, world.variables["OUTBOX_TABLE"])
        queue = SqsDeliveryQueue(lambda: world.sqs, world.queue_url)
        self._messages = dispatcher("messages", messages.operations(lambda: wired))
        self._deliver = deliver.consumer(lambda: Deliverer(self.devices, self._outbox_of("deliver"), self.clock))
        self._relay = relay.consumer(lambda: Relay(self._outbox_of("relay"), queue, self.clock))
        self._sweep = sweep.runner(lambda: Sweep(self._outbox_of("sweep"), queue, self.clock))

    def _limited(self, function: str) -> LimitedClient:
        """Return a client that may do only what the function's role allows."""
        return LimitedClient(self.world.dynamodb, function, self.world.environment)

    def _outbox_of(self, function: str) -> DynamoOutbox:
        return DynamoOutbox(self._limited(function), self.world.variables["OUTBOX_TABLE"])

    def request(self, route: str, caller: str | None, body: Any = None, **event: Any) -> Answer:
        """Call a messages route."""
        answer = self._messages(http_event(route, caller, body, **event), None)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def send(self, sender: str, conversation_id: str, content: str = "hello", **fields: Any) -> Answer:
        """Send a text."""
        body = {"conversationId": conversation_id, "content": content, **fields}
        return self.request("POST /api/messages/send", sender, body)

    def history(self, caller: str, conversation_id: str, **query: Any) -> Answer:
        """Read history."""
        return self.request(
            "GET /api/messages/{conversationId}",
            caller,
            path={"conversationId": conversation_id},
            query={name: str(value) for name, value in query.items()},
        )

    def edit(self, caller: str, message: dict[str, Any], content: str) -> Answer:
        """Edit a message."""
        body = {"conversationId": message["conversationId"], "content": content}
        path = {"messageId": message["messageId"]}
        return self.request("PATCH /api/messages/{messageId}", caller, body, path=path)

    def delete(self, caller: str, message: dict[str, Any]) -> Answer:
        """Delete a message."""
        return self.request(
            "DELETE /api/messages/{messageId}",
            caller,
            path={"messageId": message["messageId"]},
            query={"conversationId": message["conversationId"]},
        )

    def relay(self, *event_ids: str) -> dict[str, Any]:
        """Hand records to the relay as the stream does."""
        records = [
            {"eventName": "INSERT", "dynamodb": {"Keys": {"eventId": {"S": event_id}}, "SequenceNumber": str(number)}}
            for number, event_id in enumerate(event_ids)
        ]
        return self._relay({"Records": records}, None)

    def sweep(self) -> dict[str, Any]:
        """Let a minute's sweep run."""
        return self._sweep({}, None)

    def deliver(self) -> int:
        """Hand the queue's messages to the deliver function as SQS does; return how many it could not deliver."""
        left = 0
        while batch := self._receive():
            records = [{"messageId": each["MessageId"], "body": each["Body"]} for each in batch]
            answer = self._deliver({"Records": records}, None)
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            left += len(failed)
            for each in batch:
                self.world.sqs.delete_message(QueueUrl=self.world.queue_url, ReceiptHandle=each["ReceiptHandle"])
        return left

    def _receive(self) -> list[dict[str, Any]]:
        answer = self.world.sqs.receive_message(QueueUrl=self.world.queue_url, MaxNumberOfMessages=10)
        messages_received: list[dict[str, Any]] = answer.get("Messages", [])
        return messages_received


def temp_id() -> str:
    """Return a fresh tempId."""
    return f"temp-{uuid.uuid4()}"
