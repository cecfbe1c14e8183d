"""Many members write in one group at once: refused sends, latency, transactions and write units per message.

The send route's own code on tables under strict rules, in virtual time: a transaction takes 12 ms and holds its items,
another request 3 ms, a publish 20 ms. The senders are spread over ten processes with a cache each.
"""

from __future__ import annotations

import random
import statistics
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import msgspec

from bench.functions.strict_dynamodb import ENVIRONMENT, VirtualDynamoDb, put
from bench.functions.virtual_time import VirtualTime
from contract.requests import SendMessage
from contract.tables import CONVERSATION_MEMBERS, CONVERSATIONS, OUTBOX, TABLES
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.system import RandomIds
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.ports import DeliveryQueue, DeliveryTask, Publisher, QueueTask
from handlers.core.shared.errors import ChatError, OutcomeUnknownError
from handlers.core.shared.ports import Clock
from handlers.entry.messages import MessageOperations, wire
from handlers.settings import MessagesSettings

ROUNDS: Final = 1
PUBLISH_SECONDS: Final = 0.02
PROCESSES: Final = 10
_START: Final = 1_790_000_000_000
_SEED: Final = 7


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run; times in milliseconds."""

    accepted: int
    refused: int
    p50: float
    p95: float
    transactions: int
    units: int
    numbers: list[int]

    def line(self, name: str) -> str:
        """Return the figures as a line of the table."""
        stored = max(1, self.accepted)
        return (
            f"  {name:44} {self.accepted:6} {self.refused:7} {self.p50:7.0f} {self.p95:7.0f}"
            f" {self.transactions / stored:12.2f} {self.units / stored:8.1f}"
        )


def run(rounds: int) -> list[str]:
    """Return the table."""
    cases = {
        "burst of 20 in a group of 50": Run(members=50, senders=20, seconds=0),
        "burst of 50 in a group of 50": Run(members=50, senders=50, seconds=0),
        "20 senders, 1/s each, group of 50": Run(members=50, senders=20, seconds=20),
        "50 senders, 1/s each, group of 50": Run(members=50, senders=50, seconds=20),
        "50 senders, 1/s each, group of 1,000": Run(members=1_000, senders=50, seconds=5),
        "2 senders, 1/s each, direct conversation": Run(members=2, senders=2, seconds=20),
    }
    head = f"  {'':44} {'stored':>6} {'refused':>7} {'p50 ms':>7} {'p95 ms':>7} {'transactions':>12} {'units':>8}"
    lines = [head, *(case.measure().line(name) for name, case in cases.items())]
    lines.append("  write units of one send with its delivery, by number of participants")
    return lines + [f"  {members:10,} {send_units(members):8}" for members in (2, 10, 50, 300, 1_000)]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Args:
        members: members of the group; two make a direct conversation.
        senders: members who send.
        seconds: for how long each sends once a second, at a random time of the second; 0: all send once, at once.
    """

    members: int
    senders: int
    seconds: int

    def measure(self) -> Crowd:
        """Run it."""
        chance = random.Random(_SEED)  # reproducible, guards nothing
        random.seed(_SEED)
        time = VirtualTime()
        dynamodb = VirtualDynamoDb(time)
        users = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(self.members)]
        conversation_id = _seed(users)
        processes = [_process(time, dynamodb) for _ in range(PROCESSES)]
        took: list[float] = []
        refused: list[str] = []
        numbers: list[int] = []

        def sender(number: int) -> Callable[[], None]:
            def send() -> None:
                for round_number in range(max(1, self.seconds)):
                    started = time.now
                    request = SendMessage(
                        conversationId=conversation_id, content="hello", tempId=f"{number}-{round_number}"
                    )
                    try:
                        sent = processes[number % PROCESSES].sender.send(users[number], request)
                        took.append((time.now - started) * 1000)
                        numbers.append(sent.message.seq or 0)
                    except (ChatError, OutcomeUnknownError) as error:
                        refused.append(str(error))
                    time.sleep(max(0.0, 1 - (time.now - started)))

            return send

        with ExitStack() as stack:
            for target, value in _in_virtual_time(time):
                stack.enter_context(patch(target, value))
            time.run([(chance.random() if self.seconds else 0.0, sender(number)) for number in range(self.senders)])
        return Crowd(
            accepted=len(took),
            refused=len(refused),
            p50=statistics.median(took or [0.0]),
            p95=sorted(took or [0.0])[int(len(took) * 0.95)] if took else 0.0,
            transactions=dynamodb.requests["TransactWriteItems"],
            units=sum(dynamodb.units.values()),
            numbers=sorted(numbers),
        )


def send_units(members: int) -> int:
    """Return the write units of one send and its delivery, in a conversation that is in the cache."""
    time = VirtualTime()
    dynamodb = VirtualDynamoDb(time)
    users = [str(uuid.UUID(int=number)) for number in range(1, members + 1)]
    conversation_id = _seed(users)
    queue = _Queue()
    operations = _process(time, dynamodb, queue)
    outbox = DynamoOutbox(dynamodb, OUTBOX.name(ENVIRONMENT))
    audiences = DynamoAudiences(dynamodb, CONVERSATIONS.name(ENVIRONMENT))
    deliverer = Deliverer(_Publisher(time), outbox, _Clock(time), audiences)
    used: list[int] = []

    def send() -> None:
        for number in range(2):
            dynamodb.units.clear()
            request = SendMessage(conversationId=conversation_id, content="hello", tempId=str(number))
            operations.sender.send(users[0], request)
            while queue.tasks:
                deliverer.deliver(queue.tasks.pop())
            used.append(sum(dynamodb.units.values()))

    with ExitStack() as stack:
        for target, value in _in_virtual_time(time):
            stack.enter_context(patch(target, value))
        time.run([(0.0, send)])
    return used[-1]


class _Clock(Clock):
    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def now(self) -> int:
        return _START + int(self._time.now * 1000)

    def pause(self, seconds: float) -> None:
        self._time.sleep(seconds)


class _Publisher(Publisher):
    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        self._time.sleep(PUBLISH_SECONDS)
        return ()


class _Queue(DeliveryQueue):
    def __init__(self) -> None:
        self.tasks: list[DeliveryTask] = []

    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        self.tasks += [each for each in tasks if isinstance(each, DeliveryTask)]
        return ()


def _process(time: VirtualTime, dynamodb: Any, queue: _Queue | None = None) -> MessageOperations:
    """Return the use cases of one process."""
    environment = {table.setting: table.name(ENVIRONMENT) for table in TABLES}
    environment |= {
        "ENVIRONMENT": ENVIRONMENT,
        "EVENTS_HTTP_ENDPOINT": "-",
        "DELIVERY_QUEUE_URL": "-",
        "FANOUT_LIMIT": "50",
    }
    settings = MessagesSettings.load(environment)
    return wire(settings, dynamodb, _Publisher(time), queue or _Queue(), _Clock(time), RandomIds())


def _in_virtual_time(time: VirtualTime) -> list[tuple[str, Any]]:
    """Return what must be replaced so that no code waits in real time."""
    paused = SimpleNamespace(sleep=time.sleep)
    return [
        ("handlers.core.shared.concurrency.start", time.start),
        ("handlers.adapters.dynamodb.transactions.time", paused),
        ("handlers.adapters.dynamodb.messages.sequence_counter.time", paused),
    ]


def _seed(users: list[str]) -> str:
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
