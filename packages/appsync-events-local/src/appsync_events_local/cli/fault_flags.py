"""`--fault KIND[:CHANNEL][:AMOUNT]`: the most useful fault rules in short form.

The control API accepts all fault rules (see `fault_rule_from`).
"""

import re
from typing import Any, Final

from appsync_events_local.model.properties import PropertyError
from appsync_events_local.publish.faults import FaultRule, fault_rule_from

KINDS: Final[dict[str, dict[str, Any]]] = {
    "drop": {"effect": "drop", "match": {"operation": "deliver"}},
    "delay": {"effect": "delay", "match": {"operation": "deliver"}},
    "throttle": {"effect": "throttle", "match": {"operation": "publish"}},
    "reorder": {"effect": "reorder", "match": {"operation": "deliver"}},
    "skip-keep-alive": {"effect": "drop", "match": {"operation": "keep-alive"}},
}
DELAY_MS: Final = 500.0
HELP: Final = (
    "drop, delay or reorder deliveries, throttle publishes, or skip-keep-alive; CHANNEL is a pattern such as /chat/*, "
    "AMOUNT is a share (30%%), a count (5x: the first five) or a duration (250ms); default: all, 500ms; may be repeated"
)
_AMOUNT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>%|x|ms)")


def parse_fault(text: str) -> FaultRule:
    """Return the rule of one flag.

    Raises:
        ValueError: the flag is invalid; the message says what is allowed.
    """
    kind, *rest = text.split(":")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a fault; allowed are {', '.join(KINDS)}")
    channel, amount = _parts(rest)
    body = {**KINDS[kind], "match": dict(KINDS[kind]["match"])}
    if kind == "delay":
        body["delayMs"] = DELAY_MS
    if channel is not None:
        if kind == "skip-keep-alive":
            raise ValueError("a keep-alive frame has no channel; remove the pattern")
        body["match"]["channel"] = channel
    if amount is not None:
        body |= _amount(kind, amount)
    try:
        return fault_rule_from(body)
    except PropertyError as error:
        raise ValueError(str(error)) from error


def _parts(rest: list[str]) -> tuple[str | None, str | None]:
    """Return channel pattern and amount; either may be missing, because a pattern starts with a slash."""
    match rest:
        case []:
            return None, None
        case [only]:
            return (only, None) if only.startswith("/") else (None, only)
        case [channel, amount] if channel.startswith("/") or channel == "":
            return channel or None, amount
        case _:
            raise ValueError("must be KIND[:CHANNEL][:AMOUNT], and CHANNEL must start with a slash")


def _amount(kind: str, text: str) -> dict[str, Any]:
    matched = _AMOUNT.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is not an amount; examples are 30%, 5x and 250ms")
    number, unit = float(matched["number"]), matched["unit"]
    if unit == "ms":
        if kind not in ("delay", "reorder"):
            raise ValueError(f"a duration does not apply to {kind}")
        return {"delayMs": number}
    if unit == "%":
        return {"probability": number / 100}
    if not number.is_integer():
        raise ValueError(f"{text!r}: a count must be a whole number")
    return {"times": int(number)}
