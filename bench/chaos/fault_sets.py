"""Random fault sets for both services of the local cloud, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

Rule = dict[str, Any]

SECONDS_MIN: Final = 3.0
SECONDS_MAX: Final = 6.0
"""How long one set is active."""
_RULES_MAX: Final = 4
_ROUTE_FUNCTION: Final = "*messages*"
_FUNCTIONS: Final = (_ROUTE_FUNCTION, "*deliver*", "*relay*")
_OPERATIONS: Final = ("GetItem", "Query", "TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem")


@dataclass(frozen=True)
class FaultSet:
    """The rules that are active together.

    Attributes:
        aws: rules of AWS services and functions (`local.emulator.faults`).
        events: rules of the Events service.
        seconds: how long they are active.
    """

    aws: tuple[Rule, ...] = field(default=())
    events: tuple[Rule, ...] = field(default=())
    seconds: float = SECONDS_MIN

    @property
    def names(self) -> str:
        """What fails, in short."""
        named = [f"{rule['effect']} {rule.get('operation', '')}".strip() for rule in self.aws]
        named += [f"{rule['effect']} {rule['match']['operation']}" for rule in self.events]
        return ", ".join(named) or "none"


class FaultSets:
    """An endless sequence of fault sets.

    Args:
        chance: the seeded source of randomness.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def next(self) -> FaultSet:
        """Return the next set: two to four rules, of which at least one ends processes of functions."""
        chance = self._chance
        count = chance.randint(1, _RULES_MAX - 1)
        drawn = [chance.choice((self._error, self._delay, self._publish, self._socket)) for _ in range(count)]
        rules = [self._kill(), *(draw() for draw in drawn)]
        return FaultSet(
            aws=tuple(rule for rule in rules if "match" not in rule),
            events=tuple(rule for rule in rules if "match" in rule),
            seconds=chance.uniform(SECONDS_MIN, SECONDS_MAX),
        )

    def _kill(self) -> Rule:
        """The processes of functions end (SIGKILL), between calls or in the middle of one."""
        chance = self._chance
        rule: Rule = {
            "effect": "kill",
            "when": chance.choice(("before", "after")),
            "times": chance.randint(2, 8),
            "function": chance.choice((_ROUTE_FUNCTION, _ROUTE_FUNCTION, *_FUNCTIONS)),
        }
        if chance.random() < 0.4:
            return rule | {"service": "lambda", "operation": "Invoke"}
        return rule | {"service": "dynamodb", "operation": chance.choice(_OPERATIONS)}

    def _error(self) -> Rule:
        chance = self._chance
        service, operation = chance.choice((*(("dynamodb", name) for name in _OPERATIONS), ("sqs", "SendMessage*")))
        return {
            "service": service,
            "operation": operation,
            "effect": chance.choice(("error", "throttle")),
            "when": chance.choice(("before", "after")),
            "probability": chance.choice((0.1, 0.3, 0.6)),
        }

    def _delay(self) -> Rule:
        chance = self._chance
        return {
            "service": "dynamodb",
            "operation": chance.choice(_OPERATIONS),
            "effect": "delay",
            "delayMs": chance.randint(50, 1_000),
            "probability": chance.choice((0.1, 0.3)),
        }

    def _publish(self) -> Rule:
        chance = self._chance
        effect = chance.choice(("error", "throttle", "drop", "delay"))
        rule: Rule = {
            "match": {"operation": "publish", "transport": "http"},
            "effect": effect,
            "probability": chance.choice((0.1, 0.3, 0.6)),
        }
        return rule | ({"delayMs": chance.randint(50, 1_000)} if effect == "delay" else {})

    def _socket(self) -> Rule:
        """Sockets are cut, deliveries are lost or reordered, connections are refused."""
        chance = self._chance
        operation, effect = chance.choice(
            (("deliver", "close"), ("deliver", "drop"), ("deliver", "reorder"), ("connect", "drop"))
        )
        return {
            "match": {"operation": operation},
            "effect": effect,
            "probability": chance.choice((0.02, 0.1)) if effect == "close" else 0.2,
        }
