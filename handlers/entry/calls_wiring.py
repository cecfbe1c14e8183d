"""What the four functions of calls have in common, wired."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.call_log import CallLogWriter
from handlers.adapters.chime.meetings import SERVICE, ChimeMeetings
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCalls
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.sqs.delivery_queue import SqsDeliveryQueue
from handlers.adapters.sqs.ring_timers import SqsRingTimers
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import CallStore, Meetings, RingTimers
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, Publisher
from handlers.core.shared.ports import Clock, Ids


class CallSettings(Protocol):
    """The settings that all four functions have."""

    @property
    def calls_table(self) -> str: ...  # see handlers/settings.py

    @property
    def call_locks_table(self) -> str: ...

    @property
    def outbox_table(self) -> str: ...

    @property
    def events_http_endpoint(self) -> str: ...

    @property
    def delivery_queue_url(self) -> str: ...

    @property
    def media_region(self) -> str: ...


class AwsServices(msgspec.Struct, frozen=True, kw_only=True):
    """What the functions of calls work with; tests put other things in their place.

    Args:
        dynamodb: a botocore client.
    """

    dynamodb: Any
    publisher: Publisher
    queue: DeliveryQueue
    meetings: Meetings
    clock: Clock
    ids: Ids


class CallServices(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, and what carries out their transitions."""

    calls: CallStore
    cleaner: MeetingCleanup
    transitions: TransitionExecutor


def services(settings: CallSettings) -> AwsServices:
    """Return AWS itself; the clients of Chime and the queue are made on first use."""
    return AwsServices(
        dynamodb=aws_clients.client("dynamodb"),
        publisher=EventsPublisher(settings.events_http_endpoint, aws_clients.session()),
        queue=SqsDeliveryQueue(lambda: aws_clients.client("sqs"), settings.delivery_queue_url),
        meetings=ChimeMeetings(lambda: aws_clients.client(SERVICE), settings.media_region),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def ring_timers(queue_url: str) -> RingTimers:
    """Return the ring timers of a queue."""
    return SqsRingTimers(lambda: aws_clients.client("sqs"), queue_url)


def parts(settings: CallSettings, given: AwsServices, *, user_calls: str = "", rate_limits: str = "") -> CallServices:
    """Return the parts on top of the given services.

    Args:
        user_calls, rate_limits: names of the tables that only a new call needs.
    """
    tables = CallTables(
        calls=settings.calls_table,
        call_locks=settings.call_locks_table,
        outbox=settings.outbox_table,
        user_calls=user_calls,
        rate_limits=rate_limits,
    )
    calls = DynamoCalls(given.dynamodb, tables)
    cleaner = MeetingCleanup(calls, given.meetings, given.clock)
    transitions = TransitionExecutor(
        calls=calls,
        dispatcher=Dispatcher(given.publisher, DynamoOutbox(given.dynamodb, settings.outbox_table), given.queue),
        cleaner=cleaner,
        clock=given.clock,
        ids=given.ids,
        journal=CallLogWriter(),
    )
    return CallServices(calls=calls, cleaner=cleaner, transitions=transitions)
