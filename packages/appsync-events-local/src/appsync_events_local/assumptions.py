"""The choices made where AWS documents nothing that can be relied on: one table, used by the code.

`python -m appsync_events_local choices` prints it. When the real service is measured, change a
value here, not the code.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Choice(Generic[T]):
    """One undocumented behaviour: the question, what is done, why, and the value that the code reads (if any)."""

    id: str
    question: str
    choice: str
    reason: str
    value: T


def _choice(id: str, question: str, choice: str, reason: str) -> Choice[None]:
    return Choice(id, question, choice, reason, None)


BAD_CHANNEL_STATUS = Choice(
    "bad-channel-status",
    "HTTP status for a channel that breaks the grammar or the limits?",
    "400 BadRequestException, message 'Invalid Channel Format'",
    "the message is seen on AWS; 400 is what that exception means everywhere else in AppSync",
    400,
)
UNKNOWN_NAMESPACE_STATUS = Choice(
    "unknown-namespace",
    "Answer for a channel whose namespace does not exist?",
    "404 over HTTP, error type NotFoundException on both transports, before credentials are looked at",
    "clients only rely on a service error; a name of its own makes a forgotten namespace easy to see",
    404,
)
MODE_NOT_ALLOWED_STATUS = Choice(
    "mode-not-allowed",
    "Good credentials of a mode that the namespace does not allow: 401 or 403?",
    "401 UnauthorizedException",
    "the type is certain; the same status as every other UnauthorizedException",
    401,
)
HANDLER_ERROR_STATUS = Choice(
    "handler-error-status", "HTTP status of util.error() in onPublish?", "403", "AWS: writing event handlers", 403
)
HANDLER_ERROR_TYPE = Choice(
    "handler-error-type",
    "errorType of util.error(message) without a type?",
    "Custom",
    "the type GraphQL resolvers of the same runtime give",
    "Custom",
)
HANDLER_CRASH_STATUS = Choice(
    "handler-crash",
    "Answer when a handler crashes, times out or returns nonsense?",
    "500 InternalFailureException over HTTP; publish_error MessageProcessingError, subscribe_error "
    "SubscriptionProcessingError on the socket; the cause is in the log only",
    "the socket texts are AWS's own; a crash is a server fault, so a retry is legitimate",
    500,
)
HANDLER_ITEM_ERROR_CODE = Choice(
    "failed-code",
    "`code` of a failed item whose handler set `error`?",
    "HandlerError",
    "must differ from EventTooLargeException; the handler's text is the message",
    "HandlerError",
)
HTTP_RESPONSE_BYTES = Choice(
    "http-response-size",
    "How large may the answer to an HTTP data source be?",
    "1 MB; beyond it ctx.error Http:ResponseTooLarge",
    "the limit that AWS named for resolvers; Events documents none",
    1024 * 1024,
)
REFUSED_CONNECT_CLOSE_CODE = Choice(
    "refused-connect-close",
    "Close code after connection_error?",
    "1008 (policy violation)",
    "the only registered code that says why; Amplify decides by the frame, not by the code",
    1008,
)
LIFETIME_CLOSE_CODE = Choice(
    "lifetime-close",
    "How does a connection end after 24 hours?",
    "close 1001 (going away) without notice",
    "nothing announces it on AWS; clients must reconnect either way",
    1001,
)
MISSING_SUBPROTOCOL_STATUS = Choice(
    "missing-subprotocol",
    "An upgrade that does not offer aws-appsync-event-ws?",
    "400, no upgrade",
    "a server may not select a subprotocol that was not offered",
    400,
)
SIGV4_BODIES = Choice(
    "sigv4-body",
    "Which body does a signature in a socket frame cover?",
    'compact JSON of {"channel"[,"events"]} in that order, as sent; non-ASCII text either as is or as \\u escapes',
    "all known clients sign exactly that; JavaScript keeps non-ASCII text, Python's default escapes it",
    (False, True),
)
WILDCARD_SELF = Choice(
    "wildcard-self",
    "Does a subscription to /ns/* receive events of /ns itself?",
    "no",
    "the tutorial shows deeper channels only; '*' stands for at least one segment",
    False,
)

WITHOUT_VALUE: tuple[Choice[None], ...] = (
    _choice(
        "publish-wildcard",
        "Publishing to a channel with '*'?",
        "refused, Invalid Channel Format",
        "the protocol page allows wildcards to subscriptions only",
    ),
    _choice(
        "bare-wildcard",
        "Subscribing to '/*' (all namespaces)?",
        "refused, Invalid Channel Format",
        "handlers and modes belong to one namespace, so no rule could apply",
    ),
    _choice(
        "null-publish",
        "onPublish returns null?",
        "nothing is broadcast; both lists are empty",
        "same as returning an empty list",
    ),
    _choice(
        "dropped-items",
        "Events that the handler left out: in which list?",
        "in neither",
        "they are counted as DroppedEvents, not as failures",
    ),
    _choice(
        "identifier",
        "Is `identifier` of the answer the id that the handler saw?",
        "yes",
        "one UUID per event is enough, and lets a log be matched with an answer",
    ),
    _choice(
        "bad-event",
        "An event that is not JSON?",
        "the whole request is refused, 400 BadRequestException",
        "a half-accepted request could not say which event was never parsed",
    ),
    _choice(
        "verbatim",
        "Is an untouched event re-serialised?",
        "no, its text is sent as it came",
        "cheaper, and loses no digit of a number",
    ),
    _choice(
        "no-init",
        "Operations before connection_init?",
        "accepted: the connect credentials are checked first, without an acknowledgement",
        "the documentation calls connection_init optional",
    ),
    _choice("second-init", "A second connection_init?", "acknowledged again", "harmless; no state changes"),
    _choice(
        "early-unsubscribe",
        "unsubscribe before its subscribe_success?",
        "ignored, no answer",
        "reported of the real service by an independent client",
    ),
    _choice(
        "bad-operation-id",
        "A frame without a usable id?",
        "its *_error frame with BadRequestException; the id is repeated only if it is text",
        "clients match by id, and a frame without one still reaches their logs",
    ),
    _choice(
        "request-headers",
        "ctx.request.headers of socket operations?",
        "the headers of the upgrade request, without cookie and credentials",
        "they are the only HTTP headers there are",
    ),
    _choice(
        "expired-token",
        "A token that expires while its socket lives?",
        "the socket and its subscriptions stay; new frames need a fresh token",
        "authorisation is documented per operation",
    ),
    _choice(
        "upgrade-headers",
        "Connect credentials as ordinary headers of the upgrade?",
        "accepted when no header-... subprotocol is offered",
        "AWS's own Swift client does it",
    ),
    _choice(
        "app-client-pattern",
        "Is the app client pattern matched fully?",
        "yes, from start to end",
        "the strict reading; a pattern that should match a part can say so",
    ),
    _choice(
        "token-use",
        "Are id and access tokens both accepted?",
        "yes",
        "the documentation shows id tokens, Amplify sends access tokens, both work on AWS",
    ),
    _choice(
        "credential-form",
        "An API has several modes that use the authorization header; which is meant?",
        "a signature is AWS_IAM's if the API has it; a JSON Web Token belongs to the provider of its issuer; a Bearer "
        "prefix announces such a token; anything else goes to the Lambda authorizer. Without an IAM provider a "
        "signature, without any issuer a JSON Web Token, goes there as well",
        "AWS asks for tokens of Lambda authorizers that look like neither where the other modes exist",
    ),
    _choice(
        "oidc-algorithms",
        "Which algorithms may an OpenID Connect issuer sign with?",
        "RS, PS, ES and HS 256 to 512, as far as the published key is of that type; HS only with a key of type oct in "
        "the key set, never with the text of a public key",
        "all are documented, and the key set is the only place keys come from; the log warns of a published secret",
    ),
    _choice(
        "oidc-issuer",
        "Must the configured issuer equal `iss`?",
        "but for a slash at the end; `issuer` of the discovery document must equal `iss` exactly",
        "AWS compares with the discovery document; a forgotten slash finds the same document",
    ),
    _choice(
        "oidc-local-issuer",
        "An issuer over http?",
        "accepted on a loopback name, else refused when the API is registered",
        "a test's own issuer has no certificate; nothing else may go unencrypted",
    ),
    _choice(
        "auth-time",
        "AuthTTL is set, but the token has no auth_time (or IatTTL, and no iat)?",
        "refused",
        "the limit could not be kept otherwise",
    ),
    _choice(
        "authorizer-pattern",
        "Is IdentityValidationExpression matched fully?",
        "yes, from start to end, and before the function is asked",
        "the strict reading, as with app clients",
    ),
    _choice(
        "authorizer-ttl",
        "How long is an authorizer's answer remembered without ttlOverride?",
        "AuthorizerResultTtlInSeconds; 0, which is not at all, without it",
        "the default of CloudFormation's reference; a no is remembered like a yes, a failure is not",
    ),
    _choice(
        "authorizer-context",
        "handlerContext with values that are not texts, or none at all?",
        "refused; none is an empty object",
        "a flat map of texts is documented; what is accepted here must not fail on AWS",
    ),
    _choice(
        "authorizer-headers",
        "requestHeaders of the authorizer's request?",
        "the same as ctx.request.headers",
        "both are described as the headers of the request",
    ),
    _choice(
        "metric-scope",
        "What do PublishSuccess, PublishClientError and PublishServerError count?",
        "publishes over the socket; those over HTTP count as Requests, 4XXError, 5XXError and Latency",
        "CloudWatch's page lists the first among the realtime metrics",
    ),
    _choice(
        "metric-handlers",
        "What do PublishedHandlerInvocations and FailedEvents count?",
        "calls of onPublish, one a request; events that it failed one by one, and all of a request that it refused",
        "the page does not say whether a batch is one invocation",
    ),
    _choice(
        "metric-units",
        "How are InboundMessages and OutboundMessages metered?",
        "in units of 5 x 1024 bytes of an event's JSON text, at least one an event and receiver",
        "5 kB is documented, not which kilobyte nor what of a frame counts",
    ),
    _choice(
        "iam-policies",
        "Are IAM policies evaluated?",
        "in the local cloud, yes: a role's session is refused what its policies do not allow (403, "
        "AccessDeniedException, IAM's text); without --permissions, every signer is allowed what its mode is allowed",
        "the type and text that AWS's services give; the service alone knows no roles",
    ),
    _choice(
        "iam-account",
        "A signer of another account?",
        "refused",
        "Event APIs have no resource policies, so another account cannot be allowed",
    ),
    _choice("expiring-signature", "How far may x-amz-date be off?", "5 minutes", "signature version 4 in general"),
    _choice(
        "check-order",
        "In which order is a frame checked?",
        "syntax, channel, namespace, credentials, duplicate id, limits, handler",
        "the cheap checks come first, and nobody without credentials learns which ids are in use",
    ),
    _choice(
        "connect-error-of-any-mode",
        "Are bad connect credentials of every mode told like a bad API key?",
        "yes: connection_error, UnauthorizedException, errorCode 401",
        "seen for API keys; Amplify reads the same frame whatever the mode",
    ),
    _choice(
        "unreadable-credentials",
        "A header-... subprotocol that is not base64url of a JSON object?",
        "connection_error BadRequestException, errorCode 400, after connection_init",
        "like bad credentials: a failed upgrade would hide its reason from browsers",
    ),
    _choice(
        "foreign-subprotocols",
        "Further subprotocols in the offer?",
        "ignored; aws-appsync-event-ws is selected whatever its place",
        "both documented orders work, so the place cannot matter",
    ),
    _choice(
        "unsupported-frames",
        "Which frames are answered by a bare error?",
        "what is no JSON object, has no known type, or is binary: UnsupportedOperation; the connection goes on",
        "the text is GraphQL's, reported for Events too; the set is ours",
    ),
    _choice(
        "incomplete-frame",
        "A subscribe or publish without a channel, or whose authorization is no object?",
        "its *_error frame with BadRequestException",
        "the id is known, so the answer can be matched",
    ),
    _choice(
        "duplicate-id",
        "Error type for the id of a live subscription?",
        "DuplicatedOperationError",
        "the name that users of clients report",
    ),
    _choice(
        "publish-id",
        "May a publish have the id of a live subscription, or of another publish?",
        "yes",
        "ids are documented as unique among subscriptions only",
    ),
    _choice(
        "max-subscriptions",
        "Error type of the 201st subscription?",
        "MaxSubscriptionsReachedError",
        "the name that GraphQL subscriptions have for it",
    ),
    _choice(
        "two-subscriptions",
        "Two subscriptions of one connection that both cover a channel?",
        "one data frame each",
        "a frame names its subscription, so one cannot stand for both",
    ),
    _choice(
        "too-many-events",
        "Answer to no event, or more than five?",
        "400 BadRequestException",
        "clients only rely on a service error; 400 is what a wrong request gets everywhere else",
    ),
    _choice(
        "event-size-base",
        "Is 240 KB 240 x 1000 or 240 x 1024 bytes?",
        "240 x 1024, of the JSON text in UTF-8, after the handler",
        "Powertools for AWS Lambda counts so",
    ),
    _choice(
        "bad-body",
        "A publish request whose body is not {channel, events}?",
        "400 BadRequestException",
        "what that exception means everywhere else in AppSync",
    ),
    _choice(
        "cors",
        "Which origins may a browser publish from?",
        "all; preflights are answered with 204",
        "Amplify publishes from browsers, and credentials are never cookies",
    ),
    _choice(
        "slow-consumer",
        "A client that does not read?",
        "its connection is cut when more than --max-unsent-bytes wait for it (4 MiB)",
        "the others are not delayed and memory stays bounded; the client reconnects as after any loss",
    ),
    _choice(
        "deleted-namespace",
        "Subscriptions of a deleted namespace?",
        "removed without a frame",
        "no frame type exists for it, and strict clients refuse unknown ones",
    ),
    _choice(
        "order",
        "Order of events?",
        "as published, unless a handler with a data source lets a later publish overtake",
        "AWS promises nothing; clients must not rely on it",
    ),
    _choice(
        "jwks-unreachable",
        "The issuer's keys cannot be fetched?",
        "500 InternalFailureException (connection_error with errorCode 500)",
        "clients treat 401 as final, but this one is worth a retry",
    ),
    _choice(
        "host",
        "Which `host` may connect credentials name?",
        "the API's HTTP host, the upgrade's own Host, or this port on a loopback name",
        "AWS compares with the API's name; a local server is reached by several",
    ),
    _choice(
        "local-path",
        "Which path does a signature of a socket frame cover?",
        "the path of the upgrade without /realtime, or /event",
        "clients sign the endpoint they are configured with",
    ),
    _choice(
        "request-size",
        "What counts towards 1.2 MB?",
        "the events' JSON texts, in UTF-8",
        "so that five events of the largest size fit, whatever JSON-in-JSON quoting costs",
    ),
    _choice(
        "publish-rate",
        "How is the limit of 25 publishes per second per connection enforced?",
        "25 at once, refilled at 25/s; beyond it publish_error LimitExceededException",
        "allows what a client that counts per second does, and no more over any longer time",
    ),
    _choice(
        "api-rates",
        "Rates per API (connections, events and tokens per second)?",
        "not imitated; the limit per connection is",
        "they are far above what one machine does",
    ),
    _choice(
        "idle-before-init",
        "A socket that never sends anything?",
        "it stays open, without keep-alive, until its lifetime ends",
        "connection_init is optional, so silence is not an error",
    ),
    _choice(
        "large-frame",
        "A WebSocket message beyond any legal size?",
        "close 1009 above 8 MiB; up to that the events' own limit is told by publish_error",
        "1009 is what RFC 6455 has for it",
    ),
    _choice(
        "several-credentials",
        "Both an authorization and an x-api-key header?",
        "the authorization counts",
        "it names somebody, a key does not",
    ),
    _choice(
        "missing-payload",
        "onPublish returns an item without payload or error?",
        "null is broadcast",
        "the typings allow it, and an absent JSON value is null",
    ),
    _choice(
        "data-source-failed",
        "The data source fails and response returns events all the same?",
        "they are broadcast; response sees ctx.error, and ctx.result holds cancellationReasons or the refused item",
        "the documented pattern leaves the decision to response; the result is as in GraphQL resolvers",
    ),
    _choice(
        "condition-already-met",
        "A put or delete fails its condition, but the table already holds what was wanted?",
        "it succeeds: a put of the same item but for equalsIgnore, a delete of an item that is not there",
        "documented for resolvers with the same request objects; an update cannot be compared and is an error",
    ),
    _choice(
        "data-source-time",
        "How long may a data source take?",
        "28 s; then ctx.error <Kind>:ExecutionTimeoutException, 'Execution timed out.'",
        "type and text are seen of resolvers; a little below the 30 s of a request, so that response still decides",
    ),
    _choice(
        "lambda-error",
        "ctx.error of a Lambda data source?",
        "Lambda:Unhandled with the function's own text, also when it timed out; Lambda:ResourceNotFoundException and "
        "Lambda:ServiceException when it cannot be invoked",
        "Lambda:Unhandled is seen of resolvers for everything that a function raises",
    ),
    _choice(
        "http-error",
        "ctx.error of an HTTP data source?",
        "none for any status; Http:ConnectionException, Http:ExecutionTimeoutException, Http:ValidationException",
        "statusCode is the handler's to judge; the timeout's type is seen of resolvers",
    ),
    _choice(
        "http-headers",
        "A handler sets Host, User-Agent or another header that it cannot?",
        "it is left out",
        "the documentation recommends passing on a copy of the caller's headers, which has them",
    ),
    _choice(
        "http-redirect",
        "An HTTP data source answers with a redirect?",
        "it is the result; it is not followed",
        "nothing says that it is, and a signature would not fit",
    ),
    _choice(
        "direct-error",
        "A direct handler's function answers a publish with `error`?",
        "nothing is broadcast; the publisher gets the general answer of a failed handler, the text is in the log",
        "the documentation says that it is logged only; Powertools says that the whole request fails",
    ),
    _choice(
        "direct-subscribe-error",
        "A direct handler's function answers a subscribe with `error`?",
        "subscribe_error with its text, as after util.error(text)",
        "it is what the function wrote for the caller",
    ),
    _choice(
        "direct-exception",
        "A direct handler's function raises, times out, or answers something else?",
        "the operation fails as it does when code crashes",
        "deny by default; the cause is in the log",
    ),
    _choice(
        "direct-null",
        "A direct handler's function answers a publish with null, or without `events`?",
        "nothing is broadcast; both lists are empty",
        "same as onPublish in code",
    ),
    _choice(
        "direct-and-code",
        "A handler is DIRECT, and the namespace's code exports it too?",
        "the function is asked; a warning is logged",
        "the configuration is the later word; the other handler may need the code",
    ),
    _choice(
        "loop-limit",
        "How many iterations may a for...of have?",
        "1,000 of one loop; array methods are bounded by time only",
        "the number that is quoted for GraphQL resolvers of the same runtime",
    ),
    _choice(
        "handler-limits",
        "How long may a handler run, and how much memory may it use?",
        "1 s of CPU time and 64 MB per call",
        "enough for any batch, little enough that a runaway handler is noticed",
    ),
    _choice(
        "handler-state",
        "Does module state live from one call to the next?",
        "no, the module body runs anew for every call",
        "AWS promises no host affinity, so code must not rely on it",
    ),
    _choice(
        "unlisted-methods",
        "JavaScript methods that the documentation does not list?",
        "refused when the code is loaded, except includes()",
        "what is not documented may not exist on AWS; includes() stands in AWS's own examples",
    ),
    _choice(
        "java-regex",
        "Which strings are regular expressions?",
        "those of util.matches (against the whole value) and of replaceAll; not those of replace or split",
        "AWS's example is that of Java's Pattern.matches; the note on patterns stands at replaceAll",
    ),
    _choice(
        "append-error",
        "What does util.appendError do?",
        "it writes a log line; the operation goes on",
        "a publish has no place for an error beside its lists",
    ),
)


def all_choices() -> list[Choice[Any]]:
    """Every choice, in the order of this file."""
    named = [value for value in globals().values() if isinstance(value, Choice)]
    return [*named, *WITHOUT_VALUE]


def as_text() -> str:
    """The table for people, one paragraph a choice."""
    return "\n\n".join(
        f"{choice.id}\n  {choice.question}\n  -> {choice.choice}\n  because {choice.reason}" for choice in all_choices()
    )
