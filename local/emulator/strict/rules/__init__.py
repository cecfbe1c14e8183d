"""The rules of strict mode by service: what each does, where AWS documents it, and its switch.

Imports nothing of ministack, so that settings and generated pages can read the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

import msgspec

from local.emulator.strict.rules import chime, cloudformation, dynamodb, functions, gateway
from local.emulator.strict.rules.rule import Rule, Switches

__all__ = ["DEFAULT", "FAMILIES", "OFF", "Family", "StrictRules", "StrictRulesError", "as_document", "parse_rules"]


class Family(NamedTuple):
    """The rules of one service.

    Attributes:
        name: the attribute of `StrictRules`.
        title: name of the service.
        switches: type of its switches.
        rules: what each of them does.
    """

    name: str
    title: str
    switches: type[Switches]
    rules: tuple[Rule, ...]


FAMILIES: Final = (
    Family("dynamodb", "DynamoDB", dynamodb.DynamoDbSwitches, dynamodb.RULES),
    Family("cloudformation", "CloudFormation", cloudformation.CloudFormationSwitches, cloudformation.RULES),
    Family("functions", "Lambda", functions.FunctionSwitches, functions.RULES),
    Family("gateway", "API Gateway", gateway.GatewaySwitches, gateway.RULES),
    Family("chime", "Chime SDK Meetings", chime.ChimeSwitches, chime.RULES),
)


@dataclass(frozen=True)
class StrictRules:
    """Which rules are on, and their sizes, by service."""

    dynamodb: dynamodb.DynamoDbSwitches = field(default_factory=dynamodb.DynamoDbSwitches)
    cloudformation: cloudformation.CloudFormationSwitches = field(default_factory=cloudformation.CloudFormationSwitches)
    functions: functions.FunctionSwitches = field(default_factory=functions.FunctionSwitches)
    gateway: gateway.GatewaySwitches = field(default_factory=gateway.GatewaySwitches)
    chime: chime.ChimeSwitches = field(default_factory=chime.ChimeSwitches)


DEFAULT: Final = StrictRules()
OFF: Final = StrictRules(
    dynamodb.DynamoDbSwitches.off(),
    cloudformation.CloudFormationSwitches.off(),
    functions.FunctionSwitches.off(),
    gateway.GatewaySwitches.off(),
    chime.ChimeSwitches.off(),
)


class StrictRulesError(ValueError):
    """A document is not usable; the message names the field."""


def parse_rules(document: Any) -> StrictRules:
    """Return the rules of a JSON object with the fields of all services; an absent field has its default.

    Raises:
        StrictRulesError: a field is unknown, has another type, or is out of range.
    """
    if not isinstance(document, dict):
        raise StrictRulesError("expected a JSON object with switches")
    known = {name: family for family in FAMILIES for name in family.switches.__struct_encode_fields__}
    unknown = sorted(name for name in document if name not in known)
    if unknown:
        raise StrictRulesError(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    parsed = {}
    for family in FAMILIES:
        given = {name: value for name, value in document.items() if known[name] is family}
        try:
            parsed[family.name] = msgspec.convert(given, family.switches)
        except msgspec.ValidationError as error:
            raise StrictRulesError(str(error)) from error
    return StrictRules(**parsed)  # type: ignore[arg-type]  # by name, each family's own type


def as_document(rules: StrictRules) -> dict[str, Any]:
    """Return the JSON object that `parse_rules` reads."""
    document: dict[str, Any] = {}
    for each in fields(rules):
        document.update(msgspec.to_builtins(getattr(rules, each.name)))
    return document
