"""Handlers: errors, crashes, limits and the APPSYNC_JS runtime."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

HANDLER_ERROR_STATUS: Final = Assumption(
    "handler-error-status",
    "HTTP status of util.error() in onPublish?",
    "403",
    'AppSync Events: "Writing event handlers"',
    403,
)
HANDLER_ERROR_TYPE: Final = Assumption(
    "handler-error-type",
    "errorType of util.error(message) without a type?",
    "Custom",
    "the type GraphQL resolvers of the same runtime give",
    "Custom",
)
HANDLER_CRASH_STATUS: Final = Assumption(
    "handler-crash",
    "Answer when a handler crashes, times out or returns an invalid value?",
    "500 InternalFailureException over HTTP; publish_error MessageProcessingError, subscribe_error "
    "SubscriptionProcessingError on the socket; the cause is in the log only",
    "the socket texts are AWS's own; a crash is a server fault, so a client may retry",
    500,
)

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    HANDLER_ERROR_STATUS,
    HANDLER_ERROR_TYPE,
    HANDLER_CRASH_STATUS,
    behaviour(
        "handler-limits",
        "How long may a handler run, and how much memory may it use?",
        "1 s of CPU time and 64 MB per call",
        "enough for any batch, and low enough that a runaway handler is noticed",
    ),
    behaviour(
        "handler-state",
        "Does module state survive from one call to the next?",
        "no, the module body runs again for every call",
        "AWS promises no host affinity, so code must not rely on it",
    ),
    behaviour(
        "loop-limit",
        "How many iterations may a for...of have?",
        "1,000 per loop; array methods are bounded by time only",
        "the number documented for GraphQL resolvers of the same runtime",
    ),
    behaviour(
        "unlisted-methods",
        "JavaScript methods that the documentation does not list?",
        "refused when the code is loaded, except includes()",
        "what is not documented may not exist on AWS; AWS's own examples use includes()",
    ),
    behaviour(
        "java-regex",
        "Which strings are regular expressions?",
        "those of util.matches (against the whole value) and of replaceAll; not those of replace or split",
        "AWS's example is that of Java's Pattern.matches; the note on patterns is at replaceAll",
    ),
    behaviour(
        "append-error",
        "What does util.appendError do?",
        "it writes a log line; the operation goes on",
        "the answer to a publish has no field for an error beside its lists",
    ),
    behaviour(
        "direct-error",
        "A direct handler's function answers a publish with `error`?",
        "nothing is broadcast; the publisher gets the general answer of a failed handler, the text is in the log",
        "the documentation says that it is logged only; Powertools says that the whole request fails",
    ),
    behaviour(
        "direct-subscribe-error",
        "A direct handler's function answers a subscribe with `error`?",
        "subscribe_error with its text, as after util.error(text)",
        "the function wrote it for the caller",
    ),
    behaviour(
        "direct-exception",
        "A direct handler's function raises, times out, or returns something else?",
        "the operation fails as it does when code crashes",
        "deny by default; the cause is in the log",
    ),
    behaviour(
        "direct-null",
        "A direct handler's function answers a publish with null, or without `events`?",
        "nothing is broadcast; both lists are empty",
        "same as onPublish in code",
    ),
    behaviour(
        "direct-and-code",
        "A handler is DIRECT, and the namespace's code exports it too?",
        "the function is invoked; a warning is logged",
        "the configuration is more specific; the other handler may need the code",
    ),
)
