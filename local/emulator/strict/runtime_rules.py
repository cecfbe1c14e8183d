"""Rules of strict mode for Lambda, HTTP APIs and Chime: their switches, sources, and what ministack alone does."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

ACCOUNT_CONCURRENCY: Final = 1_000
"""Concurrent executions of an account. New accounts have 10; Lambda quotas."""
DUPLICATE_RATE: Final = 0.02
"""Share of deliveries that are repeated: enough for a run of the tests to see some, with most deliveries single."""
LATE_SECONDS: Final = 2.0
LONGEST_LATE_SECONDS: Final = 60.0


class FunctionRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Rules of Lambda.

    Args:
        payload_sizes: whether requests and responses are limited.
        concurrency: concurrent executions of all functions together.
        asynchronous_retries: whether asynchronous invocations follow their configuration to the end.
        asynchronous_retry_seconds: wait before the first retry; the second waits twice as long. AWS waits 60 s.
        frozen_between_invocations: whether processes stand still between invocations.
        duplicates: share of the deliveries of streams, queues and rules that are repeated, from 0 to 1.
        reordering: whether the records of a batch come in another order, as far as their source allows.
        seed: repeats duplicates and orders.
    """

    payload_sizes: bool = True
    concurrency: int = ACCOUNT_CONCURRENCY
    asynchronous_retries: bool = True
    asynchronous_retry_seconds: float = 1.0
    frozen_between_invocations: bool = True
    duplicates: float = DUPLICATE_RATE
    reordering: bool = True
    seed: int = 0


class GatewayRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Rules of HTTP APIs.

    Args:
        errors_without_cors: whether responses of the gateway itself carry no CORS headers.
        throttling: whether the rate and burst of a stage are kept.
    """

    errors_without_cors: bool = True
    throttling: bool = True


class MeetingRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Rules of Chime SDK Meetings besides its conflicts.

    Args:
        request_rates: whether each action, and all together, are throttled.
        request_rate_scale: multiplies rate and burst; below 1 they are reached with fewer requests.
        duplicate_events: share of the events that EventBridge gets twice, from 0 to 1.
        late_events: share of the events that come late, so that later ones overtake them.
        late_seconds: how late they come at most.
        seed: repeats both.
    """

    request_rates: bool = True
    request_rate_scale: float = 1.0
    duplicate_events: float = DUPLICATE_RATE
    late_events: float = DUPLICATE_RATE
    late_seconds: float = LATE_SECONDS
    seed: int = 0


FUNCTIONS_OFF: Final = FunctionRules(
    payload_sizes=False,
    asynchronous_retries=False,
    frozen_between_invocations=False,
    duplicates=0.0,
    reordering=False,
)
GATEWAY_OFF: Final = GatewayRules(errors_without_cors=False, throttling=False)
MEETINGS_OFF: Final = MeetingRules(request_rates=False, duplicate_events=0.0, late_events=0.0)


class RuntimeRule(NamedTuple):
    """One rule.

    Attributes:
        field: its switch: family and field, as the JSON document of `--strict` has them.
        effect: what it does.
        source: where AWS documents it.
        default: the value of its switch.
        alone: what ministack does without it.
    """

    field: str
    effect: str
    source: str
    default: str
    alone: str


_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"
_GATEWAY: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_CHIME: Final = "https://docs.aws.amazon.com/chime-sdk/latest/dg/"

RUNTIME_RULES: Final = (
    RuntimeRule(
        "functions.payloadSizes",
        "An Invoke request above 6 MB, or above 1 MB for an asynchronous invocation, is refused with 413 "
        "RequestTooLargeException. A response above 6,291,556 bytes of JSON fails the invocation with "
        "Function.ResponseSizeTooLarge after the function has done its work; a client of the HTTP API gets 500.",
        _LAMBDA + "gettingstarted-limits.html",
        "on",
        "accepts payloads of any size",
    ),
    RuntimeRule(
        "functions.concurrency",
        "All functions together run that many invocations at once. One more is refused with 429 "
        "TooManyRequestsException; a client of the HTTP API gets 503, event sources and asynchronous invocations try "
        "again.",
        _LAMBDA + "lambda-concurrency.html",
        f"{ACCOUNT_CONCURRENCY:,}; a new account has 10",
        "limits the number by the machine's memory, and shows clients of an HTTP API the 429",
    ),
    RuntimeRule(
        "functions.asynchronousRetries",
        "An asynchronous invocation that fails is repeated twice, after 1 and 2 minutes (here seconds), or as its "
        "EventInvokeConfig says for the version or alias that was invoked. Throttled ones are repeated until the "
        "maximum event age, 6 hours. Then the event itself goes to the dead letter queue, and a record of the "
        "invocation to the failure destination.",
        _LAMBDA + "invocation-async-error-handling.html",
        "on",
        "ignores the configuration of an alias, gives a throttled event up after three attempts, sends the record of a "
        "destination to dead letter queues, and sends to one of the two only",
    ),
    RuntimeRule(
        "functions.frozenBetweenInvocations",
        "A function's process is stopped when its invocation has ended, and goes on with the next one: threads "
        "and timers that it left behind stand still. A process that exceeds its timeout is killed at once.",
        _LAMBDA + "lambda-runtime-environment.html",
        "on",
        "lets processes run between invocations, and gives them 2 s to end after a timeout",
    ),
    RuntimeRule(
        "functions.duplicates",
        "That share of the batches of queues and streams, and of asynchronous events, is delivered twice: the second "
        "time within a second, also while the first is still being handled.",
        _LAMBDA + "invocation-eventsourcemapping.html",
        f"{DUPLICATE_RATE:.0%} of the deliveries, from a seed",
        "delivers everything exactly once",
    ),
    RuntimeRule(
        "functions.reordering",
        "Records of one batch of a standard queue come in any order; those of a stream keep the order of each item "
        "only. A batch response that names an unknown message fails the whole batch.",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html",
        "on",
        "keeps the order of arrival, and takes an unknown message for a success",
    ),
    RuntimeRule(
        "gateway.errorsWithoutCors",
        "Responses of the gateway itself (401 of the authorizer, 403, 404, 429, 500 and 503 of a failed integration) "
        "carry no CORS headers, so that a page sees a network failure. AWS documents the headers for responses of an "
        "integration only; `make verify` asks a deployed API.",
        _GATEWAY + "http-api-cors.html",
        "on; off adds the headers to all of them",
        "adds them to failed integrations and to nothing else",
    ),
    RuntimeRule(
        "gateway.throttling",
        "A stage accepts the rate and the burst of its default route settings; a request above is refused with 429.",
        _GATEWAY + "http-api-throttling.html",
        "on",
        "ignores the settings",
    ),
    RuntimeRule(
        "meetings.requestRates",
        "Each action of Chime SDK Meetings, and all of them together, accept 10 requests a second and bursts of 20; "
        "one more is refused with 429 ThrottledClientException.",
        _CHIME + "quotas-throttling.html",
        "on",
        "has no meetings; the stand-in alone accepts any rate",
    ),
    RuntimeRule(
        "meetings.duplicateEvents",
        "That share of the meetings' events reaches EventBridge twice.",
        _CHIME + "mtgs-sdk-notifications.html",
        f"{DUPLICATE_RATE:.0%} of the events, from a seed",
        "delivers every event once",
    ),
    RuntimeRule(
        "meetings.lateEvents",
        "That share of the meetings' events comes up to 2 s late; later events overtake them.",
        _CHIME + "mtgs-sdk-notifications.html",
        f"{DUPLICATE_RATE:.0%} of the events, from a seed",
        "delivers events in their order",
    ),
)


def out_of_range(functions: FunctionRules, meetings: MeetingRules) -> str | None:
    """Return which number is out of range and what is allowed, or None."""
    shares = {
        "functions.duplicates": functions.duplicates,
        "meetings.duplicateEvents": meetings.duplicate_events,
        "meetings.lateEvents": meetings.late_events,
    }
    for name, share in shares.items():
        if not 0 <= share <= 1:
            return f"{name} must be from 0 to 1"
    if not 1 <= functions.concurrency <= 100_000:
        return "functions.concurrency must be from 1 to 100000"
    if not 0 <= functions.asynchronous_retry_seconds <= 60:
        return "functions.asynchronousRetrySeconds must be from 0 to 60"
    if not 0 < meetings.request_rate_scale <= 1_000:
        return "meetings.requestRateScale must be above 0 and at most 1000"
    if not 0 <= meetings.late_seconds <= LONGEST_LATE_SECONDS:
        return f"meetings.lateSeconds must be from 0 to {LONGEST_LATE_SECONDS:g}"
    return None
