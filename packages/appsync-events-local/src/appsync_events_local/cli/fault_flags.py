"""`--fault KIND[:CHANNEL][:AMOUNT]`: a fault rule in one word.

The control API can say more (see `faults.rule_from`); these are the five that a client has to cope with.
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
    "AMOUNT is 30%% of them, 5x for the first five, or 250ms for a delay (default: all of them; 500ms); may be repeated"
)
_AMOUNT: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>%|x|ms)")


def parse_fault(text: str) -> FaultRule:
    """The rule of one flag.

    Raises:
        ValueError: it is none; the message says what would be.
    """
    kind, *rest = text.split(":")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no fault; {', '.join(KINDS)} are")
    channel, amount = _parts(rest)
    body = {**KINDS[kind], "match": dict(KINDS[kind]["match"])}
    if kind == "delay":
        body["delayMs"] = DELAY_MS
    if channel is not None:
        if kind == "skip-keep-alive":
            raise ValueError("a keep-alive frame belongs to no channel; leave the pattern out")
        body["match"]["channel"] = channel
    if amount is not None:
        body |= _amount(kind, amount)
    try:
        return fault_rule_from(body)
    except PropertyError as error:
        raise ValueError(str(error)) from error


def _parts(rest: list[str]) -> tuple[str | None, str | None]:
    """Channel pattern and amount; either may be left out, as a pattern begins with a slash."""
    match rest:
        case []:
            return None, None
        case [only]:
            return (only, None) if only.startswith("/") else (None, only)
        case [channel, amount] if channel.startswith("/") or channel == "":
            return channel or None, amount
        case _:
            raise ValueError("must be KIND[:CHANNEL][:AMOUNT], and CHANNEL begins with a slash")


def _amount(kind: str, text: str) -> dict[str, Any]:
    matched = _AMOUNT.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is no amount; 30%, 5x or 250ms are")
    number, unit = float(matched["number"]), matched["unit"]
    if unit == "ms":
        if kind not in ("delay", "reorder"):
            raise ValueError(f"milliseconds mean nothing to {kind}")
        return {"delayMs": number}
    if unit == "%":
        return {"probability": number / 100}
    if not number.is_integer():
        raise ValueError(f"{text!r}: a count is a whole number")
    return {"times": int(number)}
