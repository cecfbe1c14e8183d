"""Many members write in one conversation at once: refused sends, latency, transactions and write units per message.

The send route's own code on tables under strict rules, in virtual time: a transaction takes 12 ms and holds its items,
another request 3 ms, a publish 20 ms. The senders are spread over ten processes with a cache each.
"""

from __future__ import annotations

import random
import statistics
import uuid
from collections.abc import Callable
from typing import Final

import msgspec

from bench.functions.send_cost import round_trips, send_units
from bench.functions.strict_dynamodb import VirtualDynamoDb
from bench.functions.virtual_messages import in_virtual_time, process, seed
from bench.functions.virtual_time import VirtualTime
from contract.requests import EditMessage, SendMessage
from handlers.core.shared.errors import ChatError, OutcomeUnknownError

ROUNDS: Final = 1
PROCESSES: Final = 10
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
        "burst of 50 in a direct conversation": Run(members=2, senders=50, seconds=0),
        "50 edits at once, group of 50": Run(members=50, senders=50, seconds=0, edits=True),
    }
    head = f"  {'':44} {'stored':>6} {'refused':>7} {'p50 ms':>7} {'p95 ms':>7} {'transactions':>12} {'units':>8}"
    lines = [head, *(case.measure().line(name) for name, case in cases.items())]
    lines.append("  one send with its delivery: participants, write units, round trips in sequence warm and cold")
    return lines + [
        f"  {members:10,} {send_units(members):8}"
        f" {round_trips(members, cold=False):6} {round_trips(members, cold=True):6}"
        for members in (2, 10, 50, 300, 1_000)
    ]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Args:
        members: members of the group; two make a direct conversation.
        senders: sends at the same time; where there are more than members, some members send several.
        edits: they edit a message that they have sent before, instead of sending.
        seconds: for how long each sends once a second, at a random time of the second; 0: all send once, at once.
    """

    members: int
    senders: int
    seconds: int
    edits: bool = False

    def measure(self) -> Crowd:
        """Run it."""
        chance = random.Random(_SEED)  # reproducible, guards nothing
        random.seed(_SEED)
        time = VirtualTime()
        dynamodb = VirtualDynamoDb(time)
        users = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(self.members)]
        conversation_id = seed(users)
        processes = [process(time, dynamodb) for _ in range(PROCESSES)]
        took: list[float] = []
        refused: list[str] = []
        numbers: list[int] = []

        messages: dict[int, str] = {}

        def act(number: int, round_number: int) -> int:
            operations, user = processes[number % PROCESSES], users[number % self.members]
            if self.edits:
                request = EditMessage(conversationId=conversation_id, content=f"edit {round_number}")
                return operations.editor.edit(user, messages[number], request).change
            sending = SendMessage(conversationId=conversation_id, content="hello", tempId=f"{number}-{round_number}")
            return operations.sender.send(user, sending).message.seq or 0

        def sender(number: int) -> Callable[[], None]:
            def send() -> None:
                for round_number in range(max(1, self.seconds)):
                    started = time.now
                    try:
                        numbers.append(act(number, round_number))
                        took.append((time.now - started) * 1000)
                    except (ChatError, OutcomeUnknownError) as error:
                        refused.append(str(error))
                    time.sleep(max(0.0, 1 - (time.now - started)))

            return send

        def prepare() -> None:
            for number in range(self.senders):
                sending = SendMessage(conversationId=conversation_id, content="first")
                messages[number] = processes[0].sender.send(users[number % self.members], sending).messageId

        with in_virtual_time(time):
            if self.edits:
                time.run([(0.0, prepare)])
                dynamodb.requests.clear()
                dynamodb.units.clear()
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
