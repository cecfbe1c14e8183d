"""The rules of strict mode: what each does, where AWS documents it, and its switch."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from local.emulator.strict.runtime_rules import (
    FUNCTIONS_OFF,
    GATEWAY_OFF,
    MEETINGS_OFF,
    FunctionRules,
    GatewayRules,
    MeetingRules,
    out_of_range,
)

TRANSACTION_MILLISECONDS: Final = 12
"""How long a transaction holds its items: the median that the budgets of the design assume."""
MEETING_MILLISECONDS: Final = 20
"""How long CreateMeeting takes, and so for how long a second request with its token is simultaneous."""
WRITE_UNITS_PER_PARTITION: Final = 1_000
READ_UNITS_PER_PARTITION: Final = 3_000


class Rule(NamedTuple):
    """One rule: the field of `StrictRules` that switches it, what it does, and its source."""

    field: str
    effect: str
    source: str


RULES: Final = (
    Rule(
        "transaction_conflicts",
        "A transaction holds its items while it runs. Another transaction on one of them is cancelled with "
        "TransactionConflict; a single write is refused with TransactionConflictException.",
        "Amazon DynamoDB developer guide, 'Transaction conflict handling in DynamoDB'",
    ),
    Rule(
        "partition_throughput",
        "One partition key of a table or index takes 1,000 write and 3,000 read units a second; a request above that, "
        "and a write whose index is above it, is refused with ProvisionedThroughputExceededException.",
        "Amazon DynamoDB developer guide, 'Designing partition keys to distribute your workload' and "
        "'GSI throttling and back pressure'",
    ),
    Rule(
        "meeting_conflicts",
        "While Chime creates a meeting, another CreateMeeting with the same ClientRequestToken is refused with "
        "ConflictException (409).",
        "Amazon Chime SDK API reference, CreateMeeting: 'Multiple instances of the same request have been made "
        "simultaneously'",
    ),
)


class StrictRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which rules are on, and their sizes.

    Args:
        transaction_conflicts, partition_throughput, meeting_conflicts: the switches of the rules of that name.
        transaction_milliseconds: how long a transaction takes.
        meeting_milliseconds: how long CreateMeeting takes.
        throughput_scale: multiplies the units of a partition; below 1 the limit is reached with fewer requests.
        functions, gateway, meetings: the rules of Lambda, of HTTP APIs and of Chime SDK Meetings.
    """

    transaction_conflicts: bool = True
    partition_throughput: bool = True
    meeting_conflicts: bool = True
    transaction_milliseconds: int = TRANSACTION_MILLISECONDS
    meeting_milliseconds: int = MEETING_MILLISECONDS
    throughput_scale: float = 1.0
    functions: FunctionRules = FunctionRules()
    gateway: GatewayRules = GatewayRules()
    meetings: MeetingRules = MeetingRules()


DEFAULT: Final = StrictRules()
OFF: Final = StrictRules(
    transaction_conflicts=False,
    partition_throughput=False,
    meeting_conflicts=False,
    transaction_milliseconds=0,
    meeting_milliseconds=0,
    functions=FUNCTIONS_OFF,
    gateway=GATEWAY_OFF,
    meetings=MEETINGS_OFF,
)


class StrictRulesError(ValueError):
    """A document is not usable; the message names the field."""


def parse_rules(document: Any) -> StrictRules:
    """Return the rules of a JSON document; an absent field has its default.

    Raises:
        StrictRulesError: a field is unknown, has another type, or is out of range.
    """
    try:
        rules = msgspec.convert(document, StrictRules)
    except msgspec.ValidationError as error:
        raise StrictRulesError(str(error)) from error
    if not 0 <= rules.transaction_milliseconds <= 10_000:
        raise StrictRulesError("transactionMilliseconds must be from 0 to 10000")
    if not 0 <= rules.meeting_milliseconds <= 10_000:
        raise StrictRulesError("meetingMilliseconds must be from 0 to 10000")
    if not 0 < rules.throughput_scale <= 1_000:
        raise StrictRulesError("throughputScale must be above 0 and at most 1000")
    if reason := out_of_range(rules.functions, rules.meetings):
        raise StrictRulesError(reason)
    return rules
