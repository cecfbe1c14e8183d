"""The send route in virtual time: the use cases of a process, their other services, and a conversation."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from bench.functions.strict_dynamodb import ENVIRONMENT, put
from bench.functions.virtual_time import VirtualTime
from contract.tables import CONVERSATION_MEMBERS, CONVERSATIONS, TABLES
from handlers.adapters.system import RandomIds
from handlers.core.delivery.ports import DeliveryQueue, DeliveryTask, Publisher, QueueTask
from handlers.core.shared.ports import Clock
from handlers.entry.messages import MessageOperations, wire
from handlers.settings import MessagesSettings

PUBLISH_SECONDS: Final = 0.02
_START: Final = 1_790_000_000_000


class VirtualClock(Clock):
    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def now(self) -> int:
        return _START + int(self._time.now * 1000)

    def pause(self, seconds: float) -> None:
        self._time.sleep(seconds)


class VirtualPublisher(Publisher):
    def __init__(self, time: VirtualTime, seconds: float = PUBLISH_SECONDS) -> None:
        self._time = time
        self._seconds = seconds

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        self._time.sleep(self._seconds)
        return ()


class RecordedQueue(DeliveryQueue):
    def __init__(self) -> None:
        self.tasks: list[DeliveryTask] = []

    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        self.tasks += [each for each in tasks if isinstance(each, DeliveryTask)]
        return ()


def process(
    time: VirtualTime,
    dynamodb: Any,
    queue: RecordedQueue | None = None,
    publish_seconds: float = PUBLISH_SECONDS,
) -> MessageOperations:
    """Return the use cases of one process."""
    environment = {table.setting: table.name(ENVIRONMENT) for table in TABLES}
    environment |= {
        "ENVIRONMENT": ENVIRONMENT,
        "EVENTS_HTTP_ENDPOINT": "-",
        "DELIVERY_QUEUE_URL": "-",
        "FANOUT_LIMIT": "50",
    }
    settings = MessagesSettings.load(environment)
    return wire(
        settings,
        dynamodb,
        VirtualPublisher(time, publish_seconds),
        queue or RecordedQueue(),
        VirtualClock(time),
        RandomIds(),
    )


@contextmanager
def in_virtual_time(time: VirtualTime) -> Iterator[None]:
    """Replace what would wait in real time."""
    paused = SimpleNamespace(sleep=time.sleep)
    with ExitStack() as stack:
        stack.enter_context(patch("handlers.core.shared.concurrency.start", time.start))
        counters = ("messages.counter_items", "messages.reservations", "messages.change_counter")
        for module in ("client", "transactions", *counters):
            stack.enter_context(patch(f"handlers.adapters.dynamodb.{module}.time", paused))
        yield


def seed(users: list[str]) -> str:
    """Store a conversation and its members."""
    conversation_id = "crowd"
    kind = "DM" if len(users) == 2 else "GROUP"
    put(
        CONVERSATIONS,
        {
            "conversationId": {"S": conversation_id},
            "type": {"S": kind},
            "participants": {"L": [{"S": each} for each in users]},
            "admins": {"L": [{"S": users[0]}]},
            "createdBy": {"S": users[0]},
            "createdAt": {"S": "2026-01-01T00:00:00.000Z"},
            "updatedAt": {"S": "2026-01-01T00:00:00.000Z"},
            "version": {"N": "1"},
            "latestSeq": {"N": "0"},
            "latestChange": {"N": "0"},
        },
    )
    for each in users:
        put(
            CONVERSATION_MEMBERS,
            {
                "userId": {"S": each},
                "conversationId": {"S": conversation_id},
                "role": {"S": "MEMBER"},
                "type": {"S": kind},
                "joinedAt": {"S": "2026-01-01T00:00:00.000Z"},
                "lastReadSeq": {"N": "0"},
            },
        )
    return conversation_id
