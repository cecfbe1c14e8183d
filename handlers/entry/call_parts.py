"""What the four functions of calls have in common, wired."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from handlers.adapters import aws
from handlers.adapters.call_journal import LogJournal
from handlers.adapters.call_store import CallTables, DynamoCalls
from handlers.adapters.clock import RandomIds, SystemClock
from handlers.adapters.events_publisher import EventsPublisher
from handlers.adapters.meetings import SERVICE, ChimeMeetings
from handlers.adapters.outbox import DynamoOutbox
from handlers.adapters.queue import SqsDeliveryQueue
from handlers.adapters.ring_timers import SqsRingTimers
from handlers.core.call_meetings import MeetingCleaner
from handlers.core.call_ports import Calls, Meetings, RingTimers
from handlers.core.call_transitions import Transitions
from handlers.core.delivery import Dispatcher
from handlers.core.ports import Clock, DeliveryQueue, Ids, Publisher


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


class Services(msgspec.Struct, frozen=True, kw_only=True):
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


class CallParts(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, and what carries out their transitions."""

    calls: Calls
    cleaner: MeetingCleaner
    transitions: Transitions


def services(settings: CallSettings) -> Services:
    """Return AWS itself; the clients of Chime and the queue are made on first use."""
    return Services(
        dynamodb=aws.client("dynamodb"),
        publisher=EventsPublisher(settings.events_http_endpoint, aws.session()),
        queue=SqsDeliveryQueue(lambda: aws.client("sqs"), settings.delivery_queue_url),
        meetings=ChimeMeetings(lambda: aws.client(SERVICE), settings.media_region),
        clock=SystemClock(),
        ids=RandomIds(),
    )


def ring_timers(queue_url: str) -> RingTimers:
    """Return the ring timers of a queue."""
    return SqsRingTimers(lambda: aws.client("sqs"), queue_url)


def parts(settings: CallSettings, given: Services, *, user_calls: str = "", rate_limits: str = "") -> CallParts:
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
    cleaner = MeetingCleaner(calls, given.meetings, given.clock)
    transitions = Transitions(
        calls=calls,
        dispatcher=Dispatcher(given.publisher, DynamoOutbox(given.dynamodb, settings.outbox_table), given.queue),
        cleaner=cleaner,
        clock=given.clock,
        ids=given.ids,
        journal=LogJournal(),
    )
    return CallParts(calls=calls, cleaner=cleaner, transitions=transitions)
