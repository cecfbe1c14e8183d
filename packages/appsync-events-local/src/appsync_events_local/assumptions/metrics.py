"""Metrics: what is counted, and in which unit."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    behaviour(
        "metric-scope",
        "What do PublishSuccess, PublishClientError and PublishServerError count?",
        "publishes over the socket; those over HTTP count as Requests, 4XXError, 5XXError and Latency",
        "CloudWatch's page lists the first among the realtime metrics",
    ),
    behaviour(
        "metric-handlers",
        "What do PublishedHandlerInvocations and FailedEvents count?",
        "calls of onPublish, one per request; events that it failed individually, and all events of a request "
        "that it refused",
        "the page does not say whether a batch is one invocation",
    ),
    behaviour(
        "metric-units",
        "How are InboundMessages and OutboundMessages metered?",
        "in units of 5 x 1024 bytes of an event's JSON text, at least one per event and receiver",
        "5 kB is documented, but not which kilobyte nor which part of a frame counts",
    ),
)
