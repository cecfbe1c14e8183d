"""Publishing: events, sizes, identifiers, order and HTTP."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

HANDLER_ITEM_ERROR_CODE: Final = Assumption(
    "failed-code",
    "`code` of a failed item whose handler set `error`?",
    "HandlerError",
    "must differ from EventTooLargeException; the handler's text is the message",
    "HandlerError",
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    behaviour(
        "bad-event",
        "An event that is not JSON?",
        "the whole request is refused, 400 BadRequestException",
        "a half-accepted request could not report which event was never parsed",
    ),
    behaviour(
        "bad-body",
        "A publish request whose body is not {channel, events}?",
        "400 BadRequestException",
        "the meaning of that exception everywhere else in AppSync",
    ),
    behaviour(
        "too-many-events",
        "Answer to a publish without events, or with more than five?",
        "400 BadRequestException",
        "clients only rely on a service error; 400 is what a wrong request gets everywhere else",
    ),
    behaviour(
        "event-size-base",
        "Is 240 KB 240 x 1000 or 240 x 1024 bytes?",
        "240 x 1024, of the JSON text in UTF-8, after the handler",
        "Powertools for AWS Lambda counts so",
    ),
    behaviour(
        "request-size",
        "What counts towards 1.2 MB?",
        "the events' JSON texts, in UTF-8",
        "five events of the largest size then fit, whatever the quoting of JSON in JSON costs",
    ),
    behaviour(
        "identifier",
        "Is `identifier` of the answer the id that the handler saw?",
        "yes",
        "one UUID per event is enough, and a log line can be matched with an answer",
    ),
    behaviour(
        "verbatim",
        "Is an unchanged event serialised again?",
        "no, its text is sent as received",
        "cheaper, and keeps every digit of a number",
    ),
    behaviour(
        "dropped-items",
        "Events that the handler left out: in which list?",
        "in neither",
        "they are counted as DroppedEvents, not as failures",
    ),
    behaviour(
        "null-publish",
        "onPublish returns null?",
        "nothing is broadcast; both lists are empty",
        "same as returning an empty list",
    ),
    behaviour(
        "missing-payload",
        "onPublish returns an item without payload or error?",
        "null is broadcast",
        "the type definitions allow it, and an absent JSON value is null",
    ),
    HANDLER_ITEM_ERROR_CODE,
    behaviour(
        "order",
        "Order of events?",
        "as published, unless a handler with a data source lets a later publish overtake",
        "AWS promises nothing; clients must not rely on it",
    ),
    behaviour(
        "cors",
        "Which origins may a browser publish from?",
        "all; preflights are answered with 204",
        "Amplify publishes from browsers, and credentials are never cookies",
    ),
    behaviour(
        "api-rates",
        "Answer to a publish or a connection above the rate of its API?",
        "ThrottlingException, 429; connection_error with errorCode 429; nothing of the request is counted",
        "AWS names the rates and not the answer; ThrottlingException is the name in AWS's other services",
    ),
    behaviour(
        "outbound-rate",
        "More than 1,000,000 outbound messages a second and API?",
        "not imitated",
        "it is far above the capacity of one machine",
    ),
)
