"""What one send costs: write units, and round trips in sequence. Both are the same in every run."""

from __future__ import annotations

import uuid
from typing import Final

from bench.functions.strict_dynamodb import ENVIRONMENT, VirtualDynamoDb
from bench.functions.virtual_messages import (
    RecordedQueue,
    VirtualClock,
    VirtualPublisher,
    in_virtual_time,
    process,
    seed,
)
from bench.functions.virtual_time import VirtualTime
from contract.requests import SendMessage
from contract.tables import CONVERSATION_MEMBERS, CONVERSATIONS, MESSAGES, OUTBOX
from handlers.adapters.dynamodb.conversations.audience import DynamoAudiences
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.core.delivery.deliverer import Deliverer
from local.emulator.strict.rules.dynamodb import DynamoDbSwitches

_TRIP_SECONDS: Final = 1
"""Every request takes this long, so that the time of a send in seconds is its number of round trips in sequence."""


def send_units(members: int) -> int:
    """Return the write units of one send and its delivery, in a conversation that is in the cache."""
    time = VirtualTime()
    dynamodb = VirtualDynamoDb(time)
    users = _users(members)
    conversation_id = seed(users)
    queue = RecordedQueue()
    operations = process(time, dynamodb, queue)
    direct_messages = DynamoDirectMessages(
        dynamodb,
        conversations=CONVERSATIONS.name(ENVIRONMENT),
        members=CONVERSATION_MEMBERS.name(ENVIRONMENT),
        messages=MESSAGES.name(ENVIRONMENT),
        outbox=OUTBOX.name(ENVIRONMENT),
    )
    outbox = DynamoOutbox(dynamodb, OUTBOX.name(ENVIRONMENT))
    audiences = DynamoAudiences(dynamodb, CONVERSATIONS.name(ENVIRONMENT))
    deliverer = Deliverer(VirtualPublisher(time), outbox, VirtualClock(time), audiences, direct_messages)
    used: list[int] = []

    def send() -> None:
        for number in range(3):
            dynamodb.units.clear()
            request = SendMessage(conversationId=conversation_id, content="hello", tempId=str(number))
            operations.sender.send(users[0], request)
            while queue.tasks:
                deliverer.deliver(queue.tasks.pop())
            used.append(sum(dynamodb.units.values()))

    with in_virtual_time(time):
        time.run([(0.0, send)])
    return used[-1]


def round_trips(members: int, *, cold: bool) -> int:
    """Return the requests of a send that wait for each other, from its request to its response.

    Args:
        members: participants; two make a direct conversation.
        cold: whether the process sends in the conversation for the first time; others have sent before.
    """
    time = VirtualTime()
    rules = DynamoDbSwitches(partition_throughput=False, transaction_milliseconds=1000 * _TRIP_SECONDS)
    dynamodb = VirtualDynamoDb(time, _TRIP_SECONDS, rules)
    users = _users(members)
    conversation_id = seed(users)
    processes = [process(time, dynamodb, publish_seconds=_TRIP_SECONDS) for _ in range(2)]
    took: list[float] = []

    def send() -> None:
        for number, each in enumerate((0, 0, 0, 1 if cold else 0)):
            started = time.now
            request = SendMessage(conversationId=conversation_id, content="hello", tempId=str(number))
            processes[each].sender.send(users[0], request)
            took.append(time.now - started)

    with in_virtual_time(time):
        time.run([(0.0, send)])
    return round(took[-1] / _TRIP_SECONDS)


def _users(count: int) -> list[str]:
    return [str(uuid.UUID(int=number)) for number in range(1, count + 1)]
