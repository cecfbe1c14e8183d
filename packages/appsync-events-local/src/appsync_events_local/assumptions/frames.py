"""Frames of a socket: checks, ids, limits and error frames."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    behaviour(
        "check-order",
        "In which order is a frame checked?",
        "syntax, channel, namespace, credentials, duplicate id, limits, handler",
        "the cheap checks come first, and a client without credentials does not learn which ids are in use",
    ),
    behaviour(
        "unsupported-frames",
        "Which frames are answered by a plain error frame?",
        "a frame that is not a JSON object, has no known type, or is binary: UnsupportedOperation; the connection"
        " stays open",
        "the text is that of GraphQL, reported for Events too; the set is our choice",
    ),
    behaviour(
        "incomplete-frame",
        "A subscribe or publish without a channel, or whose authorization is not an object?",
        "its *_error frame with BadRequestException",
        "the id is known, so the answer can be matched",
    ),
    behaviour(
        "bad-operation-id",
        "A frame without a valid id?",
        "its *_error frame with BadRequestException; the id is repeated only if it is a string",
        "clients match by id, and a frame without one is at least logged by them",
    ),
    behaviour(
        "duplicate-id",
        "Error type for the id of an active subscription?",
        "DuplicatedOperationError",
        "the name that users of clients report",
    ),
    behaviour(
        "publish-id",
        "May a publish have the id of an active subscription, or of another publish?",
        "yes",
        "ids are documented as unique among subscriptions only",
    ),
    behaviour(
        "max-subscriptions",
        "Error type of the 201st subscription?",
        "MaxSubscriptionsReachedError",
        "the name that GraphQL subscriptions have for it",
    ),
    behaviour(
        "two-subscriptions",
        "Two subscriptions of one connection that both cover a channel?",
        "one data frame each",
        "a frame names its subscription, so one frame cannot serve both",
    ),
    behaviour(
        "early-unsubscribe",
        "unsubscribe before its subscribe_success?",
        "ignored, no answer",
        "an independent client reports this of the real service",
    ),
    behaviour(
        "publish-rate",
        "How is the limit of 25 publishes per second per connection enforced?",
        "25 at once, refilled at 25/s; beyond it publish_error LimitExceededException",
        "a client that counts per second passes, and no client publishes more over any longer time",
    ),
)
