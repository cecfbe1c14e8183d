"""Data sources: time, errors, and what an HTTP data source sends."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

HTTP_RESPONSE_BYTES: Final = Assumption(
    "http-response-size",
    "How large may the answer to an HTTP data source be?",
    "1 MB; beyond it ctx.error Http:ResponseTooLarge",
    "the limit that AWS named for resolvers; Events documents none",
    1024 * 1024,
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    behaviour(
        "data-source-failed",
        "The data source fails and response returns events nevertheless?",
        "they are broadcast; response sees ctx.error, and ctx.result holds cancellationReasons or the refused item",
        "the documented pattern leaves the decision to response; the result is the same as in GraphQL resolvers",
    ),
    behaviour(
        "data-source-time",
        "How long may a data source take?",
        "28 s; then ctx.error <Kind>:ExecutionTimeoutException, 'Execution timed out.'",
        "observed for resolvers; a little below the 30 s of a request, so that response still decides",
    ),
    behaviour(
        "condition-already-met",
        "A put or delete fails its condition, but the table already holds the requested state?",
        "it succeeds: a put of the same item except for equalsIgnore, a delete of an item that does not exist",
        "documented for resolvers with the same request objects; an update cannot be compared and is an error",
    ),
    behaviour(
        "lambda-error",
        "ctx.error of a Lambda data source?",
        "Lambda:Unhandled with the function's own text, also when it timed out; Lambda:ResourceNotFoundException "
        "and Lambda:ServiceException when it cannot be invoked",
        "Lambda:Unhandled is observed for resolvers for every exception of a function",
    ),
    behaviour(
        "http-error",
        "ctx.error of an HTTP data source?",
        "none for any status; Http:ConnectionException, Http:ExecutionTimeoutException, Http:ValidationException",
        "the handler judges statusCode; the timeout's type is observed for resolvers",
    ),
    behaviour(
        "http-headers",
        "A handler sets Host, User-Agent or another header that it may not set?",
        "the header is left out",
        "the documentation recommends passing on a copy of the caller's headers, which contains them",
    ),
    behaviour(
        "http-redirect",
        "An HTTP data source answers with a redirect?",
        "it is the result; it is not followed",
        "following is not documented, and the signature would not match",
    ),
    HTTP_RESPONSE_BYTES,
)
