"""Fault switches: make a given call of a service or a function fail, wait, or die.

A rule is one JSON object:

    {"service": "dynamodb", "operation": "PutItem", "function": "PantherKolab-messages-local", "table": "...",
     "effect": "error|throttle|delay|kill|vanish", "when": "before|after", "status": 500, "code": "InternalServerError",
     "delayMs": 250, "times": 1, "probability": 1.0, "skip": 0}

Absent match fields match everything; `*` and `?` are wildcards. `when` says whether the call takes effect
(`after`) or not (`before`, the default). `kill` ends the function's process with SIGKILL; for the service
`lambda` and the operation `Invoke` that is the invoked function, otherwise the one that made the call. `vanish`, for
the service `chime` only, makes the meeting of the call disappear without an event; the call itself goes on, so that
one which needs the meeting finds it gone when `when` is `before`.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

Effect = Literal["error", "throttle", "delay", "kill", "vanish"]
When = Literal["before", "after"]

_THROTTLES = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "sqs": (400, "RequestThrottled"),
    "lambda": (429, "TooManyRequestsException"),
    "chime": (429, "ThrottlingException"),
}
_DEFAULT_THROTTLE = (400, "ThrottlingException")
_ERRORS = {"chime": (500, "ServiceFailureException")}
_DEFAULT_ERROR = (500, "InternalServerError")


class FaultRuleError(ValueError):
    """A rule is not usable; the message names the field."""


@dataclass(frozen=True)
class Call:
    """What a rule is matched against."""

    service: str
    operation: str
    function: str | None = None
    """Name of the function that makes the call, or that is invoked."""
    table: str | None = None


@dataclass
class FaultRule:
    """One switch. `times` counts down; a rule without it stays on."""

    effect: Effect
    service: str = "*"
    operation: str = "*"
    function: str = "*"
    table: str = "*"
    when: When = "before"
    status: int | None = None
    code: str | None = None
    delay_ms: int = 0
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    hits: int = field(default=0, compare=False)

    def matches(self, call: Call) -> bool:
        """Whether the rule concerns this call, apart from counting and chance."""
        return all(
            (
                self.times is None or self.hits < self.times,
                fnmatchcase(call.service, self.service),
                fnmatchcase(call.operation, self.operation),
                self.function == "*" or fnmatchcase(call.function or "", self.function),
                self.table == "*" or any(fnmatchcase(name, self.table) for name in (call.table or "").split(",")),
            )
        )

    def as_json(self) -> dict[str, Any]:
        """The rule as it was given, with `hits`, how often it struck."""
        shown = {_json_name(name): getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in shown.items() if value is not None}

    def error(self, service: str) -> tuple[int, str]:
        """Status and error code that the caller gets."""
        if self.effect == "throttle":
            status, code = _THROTTLES.get(service, _DEFAULT_THROTTLE)
        else:
            status, code = _ERRORS.get(service, _DEFAULT_ERROR)
        return self.status or status, self.code or code


def parse_rule(document: Any) -> FaultRule:
    """Check one rule.

    Raises:
        FaultRuleError: naming what is wrong.
    """
    if not isinstance(document, dict):
        raise FaultRuleError("a rule must be an object")
    known = {_json_name(name): name for name in FaultRule.__dataclass_fields__ if name != "hits"}
    unknown = sorted(set(document) - set(known) - {"hits"})
    if unknown:
        raise FaultRuleError(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    values = {known[name]: value for name, value in document.items() if name in known}
    _check_choice(values, "effect", get_args(Effect), required=True)
    _check_choice(values, "when", get_args(When), required=False)
    for name in ("service", "operation", "function", "table", "code"):
        if name in values and not isinstance(values[name], str):
            raise FaultRuleError(f"{name} must be a text")
    for name in ("delay_ms", "times", "skip", "status"):
        if name in values and (not isinstance(values[name], int) or isinstance(values[name], bool) or values[name] < 0):
            raise FaultRuleError(f"{_json_name(name)} must be a whole number of at least 0")
    chance = values.get("probability", 1.0)
    if not isinstance(chance, int | float) or isinstance(chance, bool) or not 0 <= chance <= 1:
        raise FaultRuleError("probability must be a number from 0 to 1")
    if values["effect"] == "delay" and not values.get("delay_ms"):
        raise FaultRuleError("a delay needs delayMs")
    if values["effect"] == "vanish" and values.get("service") != "chime":
        raise FaultRuleError("only a meeting can vanish: service must be chime")
    return FaultRule(**values)


class FaultSwitches:
    """The rules that are on. Safe to use from several threads."""

    def __init__(self, seed: int | None = None) -> None:
        self._rules: list[FaultRule] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - chance of a test fault, nothing secret
        self._replaced: list[FaultRule] = []
        self._replaced_at = 0.0

    def replace(self, documents: Any) -> None:
        """Use these rules instead of the present ones.

        Raises:
            FaultRuleError: one of them is wrong; the present rules stay.
        """
        if not isinstance(documents, list):
            raise FaultRuleError("expected a list of rules")
        rules = [parse_rule(document) for document in documents]
        with self._lock:
            if self._rules:
                self._replaced, self._replaced_at = self._rules, time.monotonic()
            self._rules = rules

    def active_since(self, moment: float) -> list[dict[str, Any]]:
        """Return the rules that are on, and those that were replaced after a moment (`time.monotonic`)."""
        with self._lock:
            before = self._replaced if self._replaced_at >= moment else []
            return [rule.as_json() for rule in (*before, *self._rules)]

    def listed(self) -> list[dict[str, Any]]:
        """The rules with their hit counts."""
        with self._lock:
            return [rule.as_json() for rule in self._rules]

    def strike(self, call: Call) -> FaultRule | None:
        """The first rule that strikes this call, counted, or None."""
        with self._lock:
            for rule in self._rules:
                if not rule.matches(call):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                rule.hits += 1
                return rule
        return None

    @property
    def active(self) -> bool:
        """Whether any rule is set, so that the usual path costs nothing."""
        return bool(self._rules)


def table_names(body: bytes) -> str | None:
    """Tables that a DynamoDB request names, separated by commas, or None."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    names: set[str] = set()
    if isinstance(document.get("TableName"), str):
        names.add(document["TableName"])
    if isinstance(document.get("RequestItems"), dict):
        names.update(document["RequestItems"])
    for entry in document.get("TransactItems") or []:
        names.update(operation["TableName"] for operation in entry.values() if "TableName" in operation)
    return ",".join(sorted(name.rsplit("/", 1)[-1] for name in names)) or None


def _json_name(name: str) -> str:
    return "delayMs" if name == "delay_ms" else name


def _check_choice(values: dict[str, Any], name: str, allowed: tuple[str, ...], *, required: bool) -> None:
    if name not in values and not required:
        return
    if values.get(name) not in allowed:
        raise FaultRuleError(f"{name} must be one of {', '.join(allowed)}")
