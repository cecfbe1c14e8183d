"""The four functions of calls as AWS invokes them, with their roles' rights, on a test's tables, queues and Chime."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from contract import limits, tables
from handlers.adapters.chime.meetings import ChimeMeetings
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.sqs.ring_timers import SqsRingTimers
from handlers.adapters.system import RandomIds
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.relay import Relay
from handlers.core.delivery.sweep import Sweep
from handlers.entry import call_sweep, calls, chime_events, deliver, relay, ring_timeout, sweep
from handlers.entry.calls_wiring import AwsServices
from handlers.entry.http import route_handler
from handlers.settings import CallsSettings, CallSweepSettings, ChimeEventsSettings, RingTimeoutSettings
from tests.harness.emulator import REGION, AwsResources
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.faults import FaultInjector, FaultyClient, FaultyPublisher
from tests.harness.functions import Response, http_event
from tests.harness.handlers.chime import Chime
from tests.harness.permissions import PermissionCheckedClient, PermissionCheckedMeetings

RING_SECONDS = 45


@dataclass
class Phones:
    """Everything that a call passes through.

    Args:
        calls: every call of the routes' function to another service goes through it.
    """

    aws: AwsResources
    chime: Chime
    devices: RecordingPublisher = field(default_factory=RecordingPublisher)
    clock: FakeClock = field(default_factory=FakeClock)
    calls: FaultInjector = field(default_factory=FaultInjector)

    def __post_init__(self) -> None:
        """Wire the functions; only the routes' one can fail."""
        variables = self.aws.variables
        healthy = FaultInjector()
        timers, ring_timers = self._timers(self.calls), self._timers(healthy)
        calling = calls.wire(CallsSettings.load(variables), self._services("calls", self.calls), timers)
        ringing = ring_timeout.wire(
            RingTimeoutSettings.load(variables), self._services("ring_timeout", healthy), ring_timers
        )
        following = chime_events.wire(ChimeEventsSettings.load(variables), self._services("chime_events", healthy))
        sweeping = call_sweep.wire(CallSweepSettings.load(variables), self._services("call_sweep", healthy))
        queue = SqsDeliveryQueue(lambda: self.aws.sqs, self.aws.queue_url)
        self._calls = route_handler("calls", calls.operations(lambda: calling))
        self._ring_timeout = ring_timeout.consumer(lambda: ringing)
        self._chime_events = chime_events.consumer(lambda: following)
        self._call_sweep = call_sweep.runner(lambda: sweeping)
        self._deliver = deliver.consumer(lambda: Deliverer(self.devices, self._outbox("deliver"), self.clock))
        self._relay = relay.consumer(lambda: Relay(self._outbox("relay"), queue, self.clock))
        self._sweep = sweep.runner(lambda: Sweep(self._outbox("sweep"), queue, self.clock))

    def _services(self, function: str, faults: FaultInjector) -> AwsServices:
        client = PermissionCheckedMeetings(self.chime.shared_client, function)
        return AwsServices(
            dynamodb=FaultyClient(self._limited(function), faults),
            publisher=FaultyPublisher(self.devices, faults),
            queue=SqsDeliveryQueue(lambda: FaultyClient(self.aws.sqs, faults), self.aws.queue_url),
            meetings=ChimeMeetings(lambda: FaultyClient(client, faults), REGION),
            clock=self.clock,
            ids=RandomIds(),
        )

    def _timers(self, faults: FaultInjector) -> SqsRingTimers:
        return SqsRingTimers(lambda: FaultyClient(self.aws.sqs, faults), self.aws.ring_queue_url)

    def _limited(self, function: str) -> PermissionCheckedClient:
        return PermissionCheckedClient(self.aws.dynamodb, function, self.aws.environment)

    def _outbox(self, function: str) -> DynamoOutbox:
        return DynamoOutbox(self._limited(function), self.aws.table(tables.OUTBOX))

    # People

    def users(self, *names: str) -> tuple[str, ...]:
        """Store users and return their ids."""
        made = []
        for name in names:
            user_id = str(uuid.uuid4())
            self.aws.put(tables.USERS, {"userId": user_id, "firstName": name, "lastName": "", "fullName": name})
            made.append(user_id)
        return tuple(made)

    # Routes

    def request(self, route: str, caller: str, body: Any = None, **event: Any) -> Response:
        """Call a route of calls."""
        answer = self._calls(http_event(route, caller, body, **event), None)
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def initiate(self, caller: str, **fields: Any) -> Response:
        """Call somebody."""
        return self.request("POST /api/calls/initiate", caller, fields)

    def act(self, action: str, user_id: str, session_id: str, **fields: Any) -> Response:
        """Accept, reject, cancel, leave or end."""
        return self.request(f"POST /api/calls/{action}", user_id, {"sessionId": session_id, **fields})

    def ring(self, caller: str, callee: str) -> str:
        """Call a user and return the session's id."""
        answer = self.initiate(caller, recipientId=callee)
        assert answer.status == 200, answer.body
        return str(answer.body["sessionId"])

    def get(self, user_id: str, session_id: str) -> Response:
        """Read a call."""
        return self.request("GET /api/calls/{sessionId}", user_id, path={"sessionId": session_id})

    # Time

    def timers(self) -> list[dict[str, Any]]:
        """Take what waits in the ring queue, as Lambda's poller does."""
        answer = self.aws.sqs.receive_message(QueueUrl=self.aws.ring_queue_url, MaxNumberOfMessages=10)
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def time_out(self, session_id: str) -> dict[str, Any]:
        """Let the ring timer of a call go off at its time."""
        self.clock.pause(RING_SECONDS)
        body = json.dumps({"sessionId": session_id})
        return self._ring_timeout({"Records": [{"messageId": "1", "body": body}]}, None)

    def chime_says(self, event_type: str, **detail: Any) -> None:
        """Let EventBridge bring an event of Chime."""
        self._chime_events({"source": "aws.chime", "detail": {"eventType": event_type, **detail}}, None)

    def sweep_calls(self, after_seconds: int = 0) -> dict[str, int]:
        """Let a minute's sweep of calls run."""
        self.clock.pause(after_seconds)
        return self._call_sweep({}, None)

    def recover(self) -> None:
        """Let everything that works without a client run: relay, queue, and the sweeps of the next two minutes."""
        for _ in range(2):
            self.clock.pause(limits.SWEEP_AFTER_SECONDS + 1)
            records = [
                {"eventName": "INSERT", "dynamodb": {"Keys": {"eventId": {"S": record["eventId"]}}}}
                for record in self.aws.scan(tables.OUTBOX)
            ]
            self._relay({"Records": records}, None)
            self._sweep({}, None)
            self._call_sweep({}, None)
            self._drain()

    def _drain(self) -> None:
        while True:
            answer = self.aws.sqs.receive_message(QueueUrl=self.aws.queue_url, MaxNumberOfMessages=10)
            batch = answer.get("Messages", [])
            if not batch:
                return
            self._deliver({"Records": [{"messageId": each["MessageId"], "body": each["Body"]} for each in batch]}, None)
            for each in batch:
                self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=each["ReceiptHandle"])

    def types(self, user_id: str) -> list[str]:
        """Return the types of the events that a user got, in their order."""
        return [event["type"] for event in self.devices.events(user_id, "users")]
