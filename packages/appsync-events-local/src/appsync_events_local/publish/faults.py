"""Fault rules: the service refuses, throttles, delays, reorders, drops or disconnects operations that match a rule.

For tests of clients. Rules are tried in order; the first rule that matches and has uses left is applied.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from appsync_events_local.errors import INTERNAL_FAILURE, THROTTLED, Refusal
from appsync_events_local.model.properties import Properties, PropertyError
from appsync_events_local.publish.broker import DeliveryInterceptor, Subscription
from appsync_events_local.publish.reordering import ReorderBuffer


class FaultOperation(StrEnum):
    """The operations that a rule can match."""

    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    PUBLISH = "publish"
    DELIVER = "deliver"
    KEEP_ALIVE = "keep-alive"


class FaultEffect(StrEnum):
    """The effect of a rule on a matching operation.

    `drop` ends it without an answer (over HTTP the connection is aborted); `close` aborts its connection. `reorder`
    holds a delivery until the next one to the same subscription has been sent, at most `delay_ms`.
    """

    ERROR = "error"
    THROTTLE = "throttle"
    DELAY = "delay"
    DROP = "drop"
    CLOSE = "close"
    REORDER = "reorder"


class FaultTiming(StrEnum):
    """Whether a rule is applied before an operation has an effect, or after it (to its answer)."""

    BEFORE = "before"
    AFTER = "after"


REORDER_WAIT_MS = 200.0
REFUSABLE = frozenset({FaultOperation.CONNECT, FaultOperation.SUBSCRIBE, FaultOperation.PUBLISH})


class LostByFault(Exception):  # noqa: N818 - the effect of a rule, not a fault
    """A fault rule ends the operation without an answer.

    Args:
        abort: whether its connection is aborted as well.
    """

    def __init__(self, abort: bool) -> None:
        super().__init__("dropped by a fault rule")
        self.abort = abort


@dataclass
class FaultRule:
    """One fault rule; `None` matches everything.

    Attributes:
        operation: the operation.
        api: id of the API.
        channel: pattern of the channel's path, in which `*` spans segments.
        transport: `http` or `socket`.
        effect: the effect.
        when: whether it is applied before or after the operation has an effect.
        status: status of an `error`.
        error_type: type of an `error`.
        delay_ms: duration of a `delay`; longest wait of a `reorder`.
        skip: number of matches to ignore before the rule is used.
        times: number of uses left; `None` is unlimited.
        probability: probability that a match uses the rule.
        hits: number of uses so far.
    """

    operation: FaultOperation | None
    api: str | None
    channel: str | None
    transport: str | None
    effect: FaultEffect
    when: FaultTiming = FaultTiming.BEFORE
    status: int = 500
    error_type: str = INTERNAL_FAILURE
    delay_ms: float = 0.0
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    hits: int = 0

    def matches(
        self, operation: FaultOperation, when: FaultTiming, api: str, channel: str | None, transport: str
    ) -> bool:
        return (
            self.times != 0
            and self.when is when
            and self.operation in (None, operation)
            and self.api in (None, api)
            and self.transport in (None, transport)
            and (self.channel is None or (channel is not None and fnmatchcase(channel, self.channel)))
            and (self.effect not in (FaultEffect.ERROR, FaultEffect.THROTTLE) or operation in REFUSABLE)
            and (self.effect is not FaultEffect.REORDER or operation is FaultOperation.DELIVER)
        )

    def refusal(self) -> Refusal:
        if self.effect is FaultEffect.THROTTLE:
            return Refusal(THROTTLED, "Rate exceeded", 429, "throttled by a fault rule")
        return Refusal(self.error_type, "Internal failure", self.status, "refused by a fault rule")

    def as_json(self) -> dict[str, Any]:
        match = {key: getattr(self, key) for key in ("operation", "api", "channel", "transport")}
        rest = {key: value for key, value in asdict(self).items() if key not in match}
        rest["delayMs"], rest["errorType"] = rest.pop("delay_ms"), rest.pop("error_type")
        return {"match": {key: value for key, value in match.items() if value is not None}, **rest}


def fault_rule_from(body: object) -> FaultRule:
    """Read `{"match": {"operation", "api", "channel", "transport"}, "effect", "when", "status", "errorType",
    "delayMs", "skip", "times", "probability"}`; only `effect` is required.

    Raises:
        PropertyError: a field is unknown or malformed, or fields do not fit together.
    """
    outer = Properties(body, "")
    outer.only("match", "effect", "when", "status", "errorType", "delayMs", "skip", "times", "probability")
    match = outer.map("match", {})
    match.only("operation", "api", "channel", "transport")
    rule = FaultRule(
        operation=FaultOperation(match.one_of("operation", FaultOperation))
        if match.get("operation") is not None
        else None,
        api=match.text("api", None),
        channel=match.text("channel", None),
        transport=match.one_of("transport", ("http", "socket")) if match.get("transport") is not None else None,
        effect=FaultEffect(outer.one_of("effect", FaultEffect)),
        when=FaultTiming(outer.one_of("when", FaultTiming, FaultTiming.BEFORE)),
        status=int(outer.number("status", 500)),
        error_type=outer.text("errorType", INTERNAL_FAILURE),
        delay_ms=outer.number("delayMs", 0),
        skip=outer.count("skip", 0) or 0,
        times=outer.count("times", None),
        probability=outer.number("probability", 1),
    )
    _check(rule)
    return rule


def _check(rule: FaultRule) -> None:
    if not 0 <= rule.probability <= 1:
        raise PropertyError("probability", f"must be a number from 0 to 1, not {rule.probability:g}")
    if not 400 <= rule.status <= 599:
        raise PropertyError("status", f"must be an error's HTTP status, 400 to 599, not {rule.status}")
    if rule.effect is FaultEffect.DELAY and rule.delay_ms <= 0:
        raise PropertyError("delayMs", "a delay needs a duration in milliseconds")
    if rule.effect is FaultEffect.REORDER and rule.operation not in (None, FaultOperation.DELIVER):
        raise PropertyError("effect", f"reorder does not apply to {rule.operation}: only deliveries have an order")
    refuses = rule.effect in (FaultEffect.ERROR, FaultEffect.THROTTLE)
    if refuses and rule.operation is not None and rule.operation not in REFUSABLE:
        raise PropertyError("effect", f"{rule.effect} does not apply to {rule.operation}: it has no answer")


class FaultRules:
    """The active rules.

    Args:
        chance: returns random numbers in [0, 1), for probabilities.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._held = ReorderBuffer()
        self.rules: list[FaultRule] = []

    def take(
        self,
        operation: FaultOperation,
        api: str,
        channel: str | None,
        transport: str,
        when: FaultTiming = FaultTiming.BEFORE,
    ) -> FaultRule | None:
        """Return the rule that applies to this operation, and count the use; `None` if no rule applies."""
        for rule in self.rules:
            if not rule.matches(operation, when, api, channel, transport) or self._chance() >= rule.probability:
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.hits += 1
            if rule.times is not None:
                rule.times -= 1
            return rule
        return None

    async def apply(
        self,
        operation: FaultOperation,
        api: str,
        channel: str | None,
        transport: str,
        when: FaultTiming = FaultTiming.BEFORE,
    ) -> None:
        """Apply the matching rule to an operation, if there is one.

        Raises:
            Refusal: the rule refuses the operation.
            LostByFault: the rule ends the operation without an answer.
        """
        if not self.rules:
            return
        rule = self.take(operation, api, channel, transport, when)
        if rule is None:
            return
        match rule.effect:
            case FaultEffect.DELAY:
                await asyncio.sleep(rule.delay_ms / 1000)
            case FaultEffect.DROP:
                raise LostByFault(abort=False)
            case FaultEffect.CLOSE:
                raise LostByFault(abort=True)
            case FaultEffect.ERROR | FaultEffect.THROTTLE:
                raise rule.refusal()

    def deliveries(self, api: str, channel: str) -> DeliveryInterceptor | None:
        """Return the interceptor of the deliveries of a publish; `None` if no rule can apply, which costs nothing."""
        if not any(rule.operation in (None, FaultOperation.DELIVER) and rule.times != 0 for rule in self.rules):
            return None
        loop = asyncio.get_running_loop()
        held = self._held

        def intercept(subscription: Subscription, deliver: Callable[[], None]) -> None:
            rule = self.take(FaultOperation.DELIVER, api, channel, "socket")
            if rule is not None and rule.effect is FaultEffect.REORDER and not held.holds(subscription):
                held.hold(subscription, deliver, rule.delay_ms or REORDER_WAIT_MS)
            elif rule is None or rule.effect is FaultEffect.REORDER:
                deliver()
                held.release(subscription)
            elif rule.effect is FaultEffect.DELAY:
                loop.call_later(rule.delay_ms / 1000, deliver)
            elif rule.effect is FaultEffect.CLOSE:
                subscription.send_buffer.abort()

        return intercept
