"""The call functions as AWS invokes them, with their roles' permissions, on a test's tables, queues and Chime."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from contract import limits, tables
from handlers.adapters.chime.meetings import ChimeMeetings
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.sqs.message_visibility import MessageVisibility
from handlers.adapters.sqs.ring_timers import SqsRingTimers
from handlers.adapters.system import RandomIds
from handlers.entry import call_sweep, calls, chime_events, ring_timeout
from handlers.entry.calls_wiring import AwsServices
from handlers.entry.http import route_handler
from handlers.settings import CallsSettings, CallSweepSettings, ChimeEventsSettings, RingTimeoutSettings
from tests.harness.chime import ChimeServer
from tests.harness.delivery import DeliveryFunctions
from tests.harness.emulator import REGION, AwsResources, queue_record
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.faults import FaultInjector, FaultyClient, FaultyPublisher
from tests.harness.http import Response, http_event
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
        self.delivery = DeliveryFunctions(self.aws, self.publisher, self.clock)
        self._calls = route_handler("calls", calls.operations(lambda: use_cases))
        visibility = MessageVisibility(lambda: self.aws.sqs, self.aws.ring_queue_url)
        self.ring_timeout = ring_timeout.consumer(lambda: timeouts, lambda: visibility)
        self._chime_events = chime_events.consumer(lambda: reconciler)
        self._call_sweep = call_sweep.runner(lambda: call_sweeper)

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
        return Response.of(self._calls(http_event(route, caller, body, **event), None))

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
        answer = self.aws.sqs.receive_message(
            QueueUrl=self.aws.ring_queue_url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
        )
        received: list[dict[str, Any]] = answer.get("Messages", [])
        return received

    def time_out(self, session_id: str) -> dict[str, Any]:
        """Let the ring time pass, and deliver the ring timer of a call."""
        self.clock.pause(RING_SECONDS)
        return self.ring_timeout({"Records": [queue_record(json.dumps({"sessionId": session_id}))]}, None)

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
            self.delivery.relay(*(record["eventId"] for record in self.aws.scan(tables.OUTBOX)))
            self.delivery.sweep()
            self._call_sweep({}, None)
            self.delivery.deliver()

    def types(self, user_id: str) -> list[str]:
        """Return the types of the events on a user's channel, each event once."""
        return [event["type"] for event in self.publisher.events(user_id, "users")]
