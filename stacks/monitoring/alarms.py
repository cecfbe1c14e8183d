"""Every alarm: threshold, impact on users, cause and runbook section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contract import channels
from handlers import settings
from stacks.monitoring import log_metrics
from stacks.monitoring.alarm_definition import AlarmDefinition
from stacks.monitoring.metrics import Metrics
from stacks.naming import (
    CHIME_EVENTS_DEAD_LETTERS,
    CHIME_RULE_DEAD_LETTERS,
    DELIVERY_DEAD_LETTERS,
    DELIVERY_QUEUE,
    RELAY_DEAD_LETTERS,
    RING_TIMEOUTS_DEAD_LETTERS,
    RING_TIMEOUTS_QUEUE,
)

_DELIVERY_AGE_SECONDS: Final = 120
"""Above the age that a message has after four failed attempts: failures that a repeat solves need no operator."""
_RING_DELAY_SECONDS: Final = 60
"""How long after its delay a ring timer may wait: longer than all of its attempts take."""
_LATENCY_MILLISECONDS: Final = 500
_RELAY_LAG_MILLISECONDS: Final = 60_000
_FAILED_CALLS: Final = 2
"""Single failures are expected, and both sides receive CALL_ERROR; three in five minutes are a disturbance."""
_PUBLISHED_NAMESPACES: Final = (channels.CHATS, channels.USERS, channels.CALLS)
"""The namespaces that functions publish to."""

_CALL_DEAD_LETTERS: Final = (
    (RING_TIMEOUTS_DEAD_LETTERS, "A ring timer failed in every attempt", "Dead letters of ring timers"),
    (CHIME_EVENTS_DEAD_LETTERS, "chime_events failed to process a Chime event", "Dead letters of Chime events"),
    (
        CHIME_RULE_DEAD_LETTERS,
        "EventBridge could not hand over a Chime event",
        "Dead letters of the rule for Chime events",
    ),
)
"""Queue, cause and runbook section."""


def alarm_definitions(metrics: Metrics, ring_timeout_seconds: int) -> Iterator[AlarmDefinition]:
    """Yield every alarm of one environment."""
    yield from _delivery_alarms(metrics)
    yield from _call_alarms(metrics, ring_timeout_seconds)
    yield from _http_api_alarms(metrics)
    yield from _function_alarms(metrics)
    yield from _event_api_alarms(metrics)


def _delivery_alarms(metrics: Metrics) -> Iterator[AlarmDefinition]:
    yield AlarmDefinition(
        id="DeadLetters",
        metrics=[metrics.queue(DELIVERY_DEAD_LETTERS, "ApproximateNumberOfMessagesVisible")],
        above=0,
        impact="Recipients see some events only after they reconnect or reload.",
        cause="An event is in the dead-letter queue of the delivery queue.",
        runbook="Dead letters of the delivery queue",
    )
    yield AlarmDefinition(
        id="RelayDeadLetters",
        metrics=[metrics.queue(RELAY_DEAD_LETTERS, "ApproximateNumberOfMessagesVisible")],
        above=0,
        impact="Events that a request could not publish arrive minutes late.",
        cause="The relay gave up a batch of the Outbox stream; the sweep enqueues its events.",
        runbook="Dead letters of the relay",
    )
    yield AlarmDefinition(
        id="EventsGivenUp",
        metrics=[metrics.logged(log_metrics.GIVEN_UP)],
        above=0,
        impact="Recipients see some events only after they reconnect or reload.",
        cause="The sweep gave up an event after its last attempt, most of a day after it was stored.",
        runbook="Events are given up",
    )
    yield AlarmDefinition(
        id="DeliveryLate",
        metrics=[metrics.queue(DELIVERY_QUEUE, "ApproximateAgeOfOldestMessage")],
        above=_DELIVERY_AGE_SECONDS,
        impact="Recipients receive events minutes late.",
        cause=f"An event has waited in the delivery queue for more than {_DELIVERY_AGE_SECONDS // 60} minutes.",
        runbook="Delivery is late",
    )
    yield AlarmDefinition(
        id="RelayBehind",
        metrics=[metrics.function(settings.RelaySettings.function, "IteratorAge", "Maximum")],
        above=_RELAY_LAG_MILLISECONDS,
        impact="Events that a request could not publish arrive late.",
        cause="The relay reads the Outbox stream more than one minute late.",
        runbook="Relay is behind",
    )


def _call_alarms(metrics: Metrics, ring_timeout_seconds: int) -> Iterator[AlarmDefinition]:
    for queue, cause, runbook in _CALL_DEAD_LETTERS:
        yield AlarmDefinition(
            id=queue,
            metrics=[metrics.queue(queue, "ApproximateNumberOfMessagesVisible")],
            above=0,
            impact="Some calls end up to minutes late.",
            cause=f"{cause}; the sweep ends such calls instead.",
            runbook=runbook,
        )
    yield AlarmDefinition(
        id="CallsStuck",
        metrics=[metrics.logged(log_metrics.STUCK)],
        above=0,
        breaching=2,
        of=3,
        impact="Users may see a call that is over.",
        cause="The sweep could not end a call or delete a meeting.",
        runbook="Calls are stuck",
    )
    yield AlarmDefinition(
        id="CallsRingLate",
        metrics=[metrics.queue(RING_TIMEOUTS_QUEUE, "ApproximateAgeOfOldestMessage")],
        above=ring_timeout_seconds + _RING_DELAY_SECONDS,  # a message's age includes its delay
        impact="Callers of unanswered calls wait up to a minute longer until the call counts as missed.",
        cause=f"A ring timer waited more than {_RING_DELAY_SECONDS} seconds after its ring timeout.",
        runbook="Ringing does not end in time",
    )
    yield AlarmDefinition(
        id="CallsFailed",
        metrics=[metrics.logged(log_metrics.FAILED)],
        above=_FAILED_CALLS,
        impact="Users accepted calls that could not be connected.",
        cause="Chime refused or did not respond.",
        runbook="Calls cannot be connected",
    )


def _http_api_alarms(metrics: Metrics) -> Iterator[AlarmDefinition]:
    yield AlarmDefinition(
        id="ApiErrors",
        metrics=[metrics.http_api("5xx")],
        above=0,
        impact="Requests fail.",
        cause="The HTTP API responded with 5xx.",
        runbook="Route errors",
    )
    yield AlarmDefinition(
        id="ApiSlow",
        metrics=[metrics.http_api("Latency", "p95")],
        above=_LATENCY_MILLISECONDS,
        breaching=3,
        of=5,
        impact="The application is slow: one request in twenty takes longer than half a second.",
        cause=f"The p95 latency of the HTTP API is above {_LATENCY_MILLISECONDS} ms.",
        runbook="Routes are slow",
    )


def _function_alarms(metrics: Metrics) -> Iterator[AlarmDefinition]:
    """Yield the alarms of functions whose failure no other alarm shows.

    Failures of route functions are 5xx of the HTTP API. Those of `deliver`, `relay`, `ring_timeout` and `chime_events`
    leave messages that grow old or become dead letters.
    """
    sweeps = (settings.SweepSettings.function, settings.CallSweepSettings.function)
    yield AlarmDefinition(
        id="SweepsFail",
        metrics=[metrics.function(function, "Errors") for function in sweeps],
        above=0,
        impact="Events that the relay missed stay undelivered, and calls that are over may still be shown as active.",
        cause=f"The function {' or '.join(sweeps)} failed or timed out.",
        runbook="Sweeps fail",
    )
    if metrics.has_profile_function:
        yield AlarmDefinition(
            id="ProfileErrors",
            metrics=[
                metrics.function(settings.ProfileSettings.function, "Errors"),
                metrics.logged(log_metrics.MISSING_PROFILES),
            ],
            above=0,
            impact="New users have no profile until their first request.",
            cause="The function profile failed or timed out.",
            runbook="Sign-ups without profile",
        )
    yield AlarmDefinition(
        id="FunctionsThrottled",
        metrics=[metrics.account_throttles()],
        above=0,
        impact="Requests and sign-ups fail, events arrive late, and calls end late.",
        cause="Lambda throttled a function, because the account's concurrent executions are used up.",
        runbook="Throttling",
    )


def _event_api_alarms(metrics: Metrics) -> Iterator[AlarmDefinition]:
    yield AlarmDefinition(
        id="EventsErrors",
        metrics=[metrics.event_api("5XXError")],
        above=0,
        impact="Recipients may receive events late.",
        cause="AppSync responded with 5xx to a request of the Event API.",
        runbook="Events are refused",
    )
    yield AlarmDefinition(
        id="EventsRefused",
        metrics=[metrics.namespace(namespace, "FailedEvents") for namespace in _PUBLISHED_NAMESPACES],
        above=0,
        impact="Recipients do not receive some events.",
        cause="The handler of a namespace refused an event that a function published.",
        runbook="Events are refused",
    )
