"""The call functions as AWS invokes them, with their roles' permissions, on a test's tables, queues and Chime."""

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
from tests.harness.chime import ChimeServer
from tests.harness.emulator import REGION, AwsResources
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.faults import FaultInjector, FaultyClient, FaultyPublisher
from tests.harness.functions import Response, http_event
from tests.harness.permissions import PermissionCheckedClient, PermissionCheckedMeetings

RING_SECONDS = 45


@dataclass
class CallFunctions:
    """Every function that a call passes through, with a publisher that records.

    Args:
        faults: every call of the routes' function to another service goes through it.
    """

    aws: AwsResources
    chime: ChimeServer
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    clock: FakeClock = field(default_factory=FakeClock)
    faults: FaultInjector = field(default_factory=FaultInjector)

    def __post_init__(self) -> None:
        """Wire the functions; only the calls of the routes' function can fail."""
        variables = self.aws.variables
        healthy = FaultInjector()
        timers, ring_timers = self._timers(self.faults), self._timers(healthy)
        use_cases = calls.wire(CallsSettings.load(variables), self._services("calls", self.faults), timers)
        timeouts = ring_timeout.wire(
            RingTimeoutSettings.load(variables), self._services("ring_timeout", healthy), ring_timers
        )
        reconciler = chime_events.wire(ChimeEventsSettings.load(variables), self._services("chime_events", healthy))
        call_sweeper = call_sweep.wire(CallSweepSettings.load(variables), self._services("call_sweep", healthy))
        queue = SqsDeliveryQueue(lambda: self.aws.sqs, self.aws.queue_url)
        self._calls = route_handler("calls", calls.operations(lambda: use_cases))
        self.ring_timeout = ring_timeout.consumer(lambda: timeouts)
        self._chime_events = chime_events.consumer(lambda: reconciler)
        self._call_sweep = call_sweep.runner(lambda: call_sweeper)
        self._deliver = deliver.consumer(lambda: Deliverer(self.publisher, self._outbox("deliver"), self.clock))
        self._relay = relay.consumer(lambda: Relay(self._outbox("relay"), queue, self.clock))
        self._sweep = sweep.runner(lambda: Sweep(self._outbox("sweep"), queue, self.clock))

    def _services(self, function: str, faults: FaultInjector) -> AwsServices:
        client = PermissionCheckedMeetings(self.chime.shared_client, function)
        return AwsServices(
            dynamodb=FaultyClient(self._limited(function), faults),
            publisher=FaultyPublisher(self.publisher, faults),
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

    # Users

    def add_users(self, *names: str) -> tuple[str, ...]:
        """Store users and return their ids."""
        user_ids = []
        for name in names:
            user_id = str(uuid.uuid4())
            self.aws.put(tables.USERS, {"userId": user_id, "firstName": name, "lastName": "", "fullName": name})
            user_ids.append(user_id)
        return tuple(user_ids)

    # Routes

    def request(self, route: str, caller: str, body: Any = None, **event: Any) -> Response:
        """Call a route of calls."""
        answer = self._calls(http_event(route, caller, body, **event), None)
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    def initiate(self, caller: str, **fields: Any) -> Response:
        """Initiate a call."""
        return self.request("POST /api/calls/initiate", caller, fields)

    def act(self, action: str, user_id: str, session_id: str, **fields: Any) -> Response:
        """Accept, reject, cancel, leave or end."""
        return self.request(f"POST /api/calls/{action}", user_id, {"sessionId": session_id, **fields})

    def ring(self, caller: str, recipient: str) -> str:
        """Call a user and return the session id."""
        answer = self.initiate(caller, recipientId=recipient)
        assert answer.status == 200, answer.body
        return str(answer.body["sessionId"])

    def get(self, user_id: str, session_id: str) -> Response:
        """Read a call."""
        return self.request("GET /api/calls/{sessionId}", user_id, path={"sessionId": session_id})

    # Time

    def due_timers(self) -> list[dict[str, Any]]:
        """Receive the ring timers that are due, as Lambda's poller does."""
        answer = self.aws.sqs.receive_message(QueueUrl=self.aws.ring_queue_url, MaxNumberOfMessages=10)
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def time_out(self, session_id: str) -> dict[str, Any]:
        """Let the ring time pass, and deliver the ring timer of a call."""
        self.clock.pause(RING_SECONDS)
        body = json.dumps({"sessionId": session_id})
        return self.ring_timeout({"Records": [{"messageId": "1", "body": body}]}, None)

    def chime_event(self, event_type: str, **detail: Any) -> None:
        """Deliver an event of Chime, as EventBridge does."""
        self._chime_events({"source": "aws.chime", "detail": {"eventType": event_type, **detail}}, None)

    def sweep_calls(self, after_seconds: int = 0) -> dict[str, int]:
        """Let time pass and run the sweep of calls."""
        self.clock.pause(after_seconds)
        return self._call_sweep({}, None)

    def recover(self) -> None:
        """Run everything that needs no client: relay, queue, and the sweeps of the next two minutes."""
        for _ in range(2):
            self.clock.pause(limits.SWEEP_AFTER_SECONDS + 1)
            records = [
                {"eventName": "INSERT", "dynamodb": {"Keys": {"eventId": {"S": record["eventId"]}}}}
                for record in self.aws.scan(tables.OUTBOX)
            ]
            self._relay({"Records": records}, None)
            self._sweep({}, None)
            self._call_sweep({}, None)
            self._deliver_queue()

    def _deliver_queue(self) -> None:
        while True:
            answer = self.aws.sqs.receive_message(QueueUrl=self.aws.queue_url, MaxNumberOfMessages=10)
            batch = answer.get("Messages", [])
            if not batch:
                return
            self._deliver({"Records": [{"messageId": each["MessageId"], "body": each["Body"]} for each in batch]}, None)
            for each in batch:
                self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=each["ReceiptHandle"])

    def types(self, user_id: str) -> list[str]:
        """Return the types of the events on a user's channel, each event once."""
        return [event["type"] for event in self.publisher.events(user_id, "users")]
