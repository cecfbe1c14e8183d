"""Shared wiring of the call functions."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from handlers.adapters import aws_clients
from handlers.adapters.appsync.publisher import EventsPublisher
from handlers.adapters.call_log import CallLogWriter
from handlers.adapters.chime.meetings import SERVICE, ChimeMeetings
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCallStore
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
    """The settings of every call function (`handlers/settings.py`)."""

    @property
    def calls_table(self) -> str: ...

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
    """The services that a call function uses; tests replace them.

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
    """What every call function needs on top of the services."""

    store: CallStore
    meeting_cleanup: MeetingCleanup
    executor: TransitionExecutor


def aws_services(settings: CallSettings) -> AwsServices:
    """Return the services of AWS; the clients of Chime and SQS are created on first use."""
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


def call_services(
    settings: CallSettings,
    aws: AwsServices,
    *,
    user_calls: str = "",
    rate_limits: str = "",
    conversations: str = "",
    members: str = "",
) -> CallServices:
    """Return store, cleanup and executor with the given services.

    Args:
        user_calls, rate_limits, conversations, members: names of the tables that only the routes need.
    """
    tables = CallTables(
        calls=settings.calls_table,
        call_locks=settings.call_locks_table,
        outbox=settings.outbox_table,
        user_calls=user_calls,
        rate_limits=rate_limits,
        conversations=conversations,
        members=members,
    )
    store = DynamoCallStore(aws.dynamodb, tables)
    meeting_cleanup = MeetingCleanup(store, aws.meetings, aws.clock)
    executor = TransitionExecutor(
        calls=store,
        dispatcher=Dispatcher(aws.publisher, DynamoOutbox(aws.dynamodb, settings.outbox_table), aws.queue),
        meeting_cleanup=meeting_cleanup,
        clock=aws.clock,
        ids=aws.ids,
        log=CallLogWriter(),
    )
    return CallServices(store=store, meeting_cleanup=meeting_cleanup, executor=executor)
