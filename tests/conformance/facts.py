"""What AWS documents of AppSync Events, or clients have seen of it, one promise a line: the list to be covered.

Each promise is shown by rows of the table or by the tests named here, or it says what happens instead; `page` writes
docs/conformance.md from it, and `test_coverage` allows nothing else.

Sources: AppSync Events developer guide: "WebSocket protocol", "Publish events via HTTP", "Concepts", "Channel
namespaces", "Configure authorization", "Context reference", "Channel namespace handlers", "Writing event handlers",
"Data source integrations", "Direct Lambda integrations", "Runtime supported features"; AWS general reference: AppSync
quotas; clients that run on AWS: aws-appsync-events (auvred), aws-appsync-events-swift, Amplify JS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fact:
    """One promise.

    Attributes:
        id: what rows name.
        promise: in our words.
        tests: `file::test` below tests/, where rows do not (or not alone) show it.
        instead: if it is not imitated: what happens instead.
    """

    id: str
    promise: str
    tests: tuple[str, ...] = ()
    instead: str | None = None


def _fact(id: str, promise: str, *tests: str) -> Fact:
    return Fact(id, promise, tests)


def _not_imitated(id: str, promise: str, instead: str) -> Fact:
    return Fact(id, promise, (), instead)


_SOCKET = "events_service/test_socket.py::"
_HTTP = "events_service/test_http_publish.py::"
_TOKENS = "events_service/test_tokens.py::"
_SIGNATURES = "events_service/test_signatures.py::"
_CONTROL = "events_service/test_control.py::"
_DATA = "events_service/test_data_sources.py::"
_HANDLERS = "js/test_handlers.py::"
_LANGUAGE = "js/test_language_subset.py::"
_UTIL = "js/test_util.py::"
_DYNAMODB = "js/test_dynamodb_requests.py::"

ADDRESSES: Final = (
    _fact("http-address", "publishing is the only operation of the HTTP address"),
    _fact("realtime-address", "sockets are opened at the publish address + /realtime"),
    _fact("get-att", "CloudFormation gives hosts without scheme and path",
          "local/test_providers.py::test_ref_and_attributes_are_those_of_the_template_reference"),
    _fact("several-apis", "each API has a host name of its own",
          _HTTP + "test_the_path_or_the_host_or_being_alone_selects_the_api",
          _SOCKET + "test_the_realtime_path_may_name_the_api"),
)  # fmt: skip

UPGRADE: Final = (
    _fact("subprotocols", "aws-appsync-event-ws and header-... are offered, in any order"),
    _fact("selected", "the upgrade selects aws-appsync-event-ws"),
    _fact("header-encoding", "header-... is base64url of a JSON object, without padding"),
    _fact("upgrade-headers", "connect credentials may be plain headers of the upgrade"),
    _fact("host-required", "connect credentials name the host; later frames need not"),
    _fact("host-http", "that host is the HTTP host of the API"),
    _fact("authorization-case", "names of credentials are compared without case"),
    _fact("auth-key", "an API key connects"),
    _fact("auth-iam", "a signature connects, subscribes and publishes"),
    _fact("iam-body", "a signature covers {}, or channel, or channel and events", _SIGNATURES
          + "test_a_frame_is_signed_over_its_compact_json_whether_or_not_text_is_escaped"),
    _fact("auth-token", "id and access tokens connect, with and without Bearer",
          _TOKENS + "test_access_and_id_tokens_are_accepted_with_and_without_bearer"),
    _fact("session-token", "temporary credentials sign with their session token",
          _SIGNATURES + "test_a_session_needs_its_own_token"),
)  # fmt: skip

FRAMES: Final = (
    _fact("init", "connection_init is acknowledged"),
    _fact("init-optional", "connection_init is optional"),
    _fact("ack", "connection_ack has connectionTimeoutMs 300000 at its top"),
    _fact("connect-refused-after-upgrade", "bad connect credentials do not fail the upgrade"),
    _fact("connect-error", "they give connection_error with errorType, errorCode 401 and message"),
    _fact("connect-close-code", "the connection is closed afterwards"),
    _fact("keep-alive", "ka frames come unasked and are never acknowledged"),
    _fact("keep-alive-interval", "every 60 seconds",
          _SOCKET + "test_keep_alive_frames_come_at_the_configured_interval"),
    _fact("subscribe", "subscribe has id, channel and authorization"),
    _fact("subscribe-success", "subscribe_success has the id"),
    _fact("subscribe-first", "and comes before any event of the subscription",
          "events_service/test_protocol.py::test_subscribe_success_precedes_the_subscription"),
    _fact("subscribe-error", "subscribe_error has the id and errors"),
    _fact("event-is-text", "data has the subscription's id, and one JSON document as text"),
    _fact("unsubscribe", "unsubscribe has an id and no authorization, and ends the events"),
    _fact("unsubscribe-success", "unsubscribe_success has the id"),
    _fact("unsubscribe-error", "an unknown id gives UnknownOperationError and its text"),
    _fact("publish", "publish has id, channel, events and authorization"),
    _fact("publish-success", "publish_success has successful (identifier, index) and failed"),
    _fact("unsupported", "anything else gives error, UnsupportedOperation and its text"),
    _fact("text-only", "all frames are text", _SOCKET + "test_a_binary_message_is_unsupported_and_harmless"),
    _fact("frame-types", "no other frame type is ever sent",
          "events_service/test_protocol_properties.py::TestProtocol"),
    _fact("unknown-fields", "fields that are not known are ignored",
          _SOCKET + "test_what_amplify_adds_to_its_frames_is_ignored"),
    _not_imitated("broadcast-error", "broadcast_error tells a subscriber that an event could not be delivered",
                  "never sent: events that cannot be encoded are refused when they are published"),
)  # fmt: skip

ERROR_TYPES: Final = (
    _fact("unauthorized", "UnauthorizedException: credentials or mode"),
    _fact("handler-unauthorized", "Unauthorized: util.unauthorized() in onSubscribe"),
    _fact("bad-request", "BadRequestException, Invalid Channel Format"),
    _fact("processing-error", "SubscriptionProcessingError and MessageProcessingError with their texts"),
    _fact("duplicate", "DuplicatedOperationError: the id of a live subscription"),
    _fact("too-large", "EventTooLargeException is the code of a failed item"),
    _fact("throttled", "beyond a rate a publish is refused"),
    _fact("unknown-namespace", "an unknown namespace is a service error"),
)  # fmt: skip

BEHAVIOUR: Final = (
    _fact("lifetime", "a connection is ended after 24 hours", _SOCKET + "test_a_connection_ends_after_its_lifetime"),
    _fact("publish-without-subscription", "publishing needs no subscription"),
    _fact("publish-before-init", "publishing before connection_init"),
    _fact("early-unsubscribe", "an unsubscribe before its subscribe_success is ignored"),
    _fact("one-frame-per-event", "a batch gives one data frame per event"),
    _fact("one-frame-per-subscription", "and per matching subscription"),
    _fact("echo", "a publisher that is subscribed receives its own events"),
    _fact("broadcast", "everybody who is subscribed receives an event"),
    _fact("no-history", "nothing is replayed"),
    _fact("pings", "client pings", _SOCKET + "test_a_client_ping_is_answered_while_events_flow"),
    _fact("check-order", "syntax, credentials, id, limits, handler: in this order"),
    _fact("token-expiry", "a token's end closes no socket, but new frames need a fresh one",
          _SOCKET + "test_each_frame_needs_its_own_credentials"),
    _not_imitated("ordering", "events may overtake each other",
                  "receivers get events in the order of their broadcasts; the fault switches reorder by delay"),
    _not_imitated("several-hosts", "an API is served by many machines, so publish and subscribe may race",
                  "one process; what is acknowledged is in force"),
)  # fmt: skip

HTTP: Final = (
    _fact("http-publish", "POST with channel and events"),
    _fact("leading-slash", "the leading slash is optional"),
    _fact("http-accepted", "200 with successful and failed"),
    _fact("http-too-large", "an event over 240 KB: 200, and a failed item with code, identifier, index, message"),
    _fact("http-handler-item", "an item that the handler failed is in failed"),
    _fact("http-handler-drop", "an item that it left out is in neither list"),
    _fact("util-error", "util.error(): 403 and its message"),
    _fact("util-unauthorized", "util.unauthorized(): 401 UnauthorizedException"),
    _fact("http-unauthorized", "wrong credentials: 401 UnauthorizedException"),
    _fact("http-mode", "a mode that the namespace does not allow: UnauthorizedException"),
    _fact("http-limits", "bad channels and batches: not 2xx, with errors"),
    _fact("http-crash", "a crashed handler: 5xx"),
    _fact("response-headers", "x-amzn-RequestId"),
    _fact("cors", "browsers may publish", _HTTP + "test_a_browser_may_send_what_clients_send"),
    _not_imitated("tokens-consumed", "x-amzn-appsync-TokensConsumed", "the header is absent: nothing is billed"),
)  # fmt: skip

LIMITS: Final = (
    _fact("five-events", "1 to 5 events a request"),
    _fact("event-size", "240 KB an event", _HTTP + "test_size_is_counted_in_utf8_bytes"),
    _fact("event-size-after-handler", "counted after the handler"),
    _fact("request-size", "1.2 MB a request"),
    _fact("subscriptions-limit", "200 subscriptions a connection"),
    _fact("publish-rate", "25 publishes a second and connection"),
    _fact("namespaces-limit", "50 namespaces an API", _CONTROL + "test_an_api_has_50_namespaces_at_most"),
    _fact("keys-limit", "API keys live 365 days at most",
          _CONTROL + "test_an_api_key_that_cannot_be_served_is_refused"),
    _fact("code-size", "32,768 characters of handler code",
          _LANGUAGE + "test_code_may_have_32768_characters_and_not_one_more"),
    _fact("request-seconds", "30 seconds a request", _DATA + "test_publishing_goes_on_while_a_data_source_is_slow"),
    _fact("loop-limit", "loops are capped", _HANDLERS + "test_a_loop_that_feeds_itself_ends"),
    _not_imitated("api-rates", "2,000 connections, 10,000 events in and 1,000,000 out a second and API",
                  "no rate per API: they are beyond one machine"),
    _not_imitated("request-tokens", "token rates per region", "nothing is billed"),
    _not_imitated("log-size", "1 MB of log a request", "log lines are as long as they are"),
)  # fmt: skip

CHANNELS: Final = (
    _fact("id-grammar", "ids: 1 to 128 of a-z A-Z 0-9 - _ +"),
    _fact("id-unique", "unique among the live subscriptions of a connection"),
    _fact("channel-grammar", "1 to 5 segments of 1 to 50 letters, digits and inner dashes; slashes at the ends",
          "events_service/test_channels.py::"
          "test_a_channel_is_accepted_exactly_when_the_documented_expression_matches"),
    _fact("case-sensitive", "channels are case-sensitive"),
    _fact("channel-path", "handlers see the path with one slash first and none last"),
    _fact("wildcard-place", "* is the whole last segment of a subscription"),
    _fact("wildcard-bare", "/* alone is refused"),
    _fact("wildcard-publish", "* cannot be published to"),
    _fact("wildcard-levels", "a wildcard spans all deeper levels",
          "events_service/test_channels.py::"
          "test_the_index_finds_exactly_those_whose_channel_covers_the_published_one"),
    _fact("wildcard-self", "but not its own parent"),
    _fact("wildcard-literal", "onSubscribe sees the * as it is"),
)  # fmt: skip

AUTHORISATION: Final = (
    _fact("auth-each-frame", "every subscribe and publish carries its own credentials"),
    _fact("modes-differ", "modes may differ on one socket", _SOCKET + "test_modes_may_differ_on_one_socket"),
    _fact("namespace-modes", "a namespace's modes replace the API's",
          _HTTP + "test_a_namespace_replaces_the_modes_of_its_api"),
    _fact("connect-modes", "connecting has modes of its own", _SOCKET + "test_a_mode_that_may_not_connect_is_refused"),
    _fact("key-expiry", "an API key ends", _HTTP + "test_an_api_key_must_be_known_and_alive"),
    _fact("jwt-claims", "tokens: issuer, signature, client pattern, times",
          _TOKENS + "test_a_token_with_wrong_claims_is_refused", _TOKENS + "test_a_forged_token_is_refused"),
    _fact("identity-key", "ctx.identity is empty with an API key"),
    _fact("identity-cognito", "ctx.identity of a user pool",
          _HTTP + "test_a_handler_sees_who_calls_and_how_but_no_cookie"),
    _fact("identity-iam", "ctx.identity of a signer",
          _SIGNATURES + "test_a_request_signed_by_botocore_is_identified"),
    _not_imitated("iam-policies", "IAM policies per API and namespace",
                  "not evaluated: every known signer may do what its mode may"),
)  # fmt: skip

HANDLERS: Final = (
    _fact("no-handler", "without a handler everything is forwarded and allowed",
          _HANDLERS + "test_without_code_everything_is_forwarded_and_allowed"),
    _fact("on-publish", "onPublish decides what is broadcast"),
    _fact("on-subscribe", "onSubscribe refuses by util.error or util.unauthorized; its value is ignored"),
    _fact("context-info", "ctx.info", _HANDLERS + "test_the_context_is_the_documented_one"),
    _fact("handler-list", "the list that is returned is broadcast"),
    _fact("handler-drops", "ids left out are dropped without a failure"),
    _fact("handler-item-error", "error on an item fails it; a null error does not"),
    _fact("handler-ids", "ids must be received ones, and only once"),
    _fact("handler-holes", "null items are skipped"),
    _fact("handler-null", "null broadcasts nothing"),
    _fact("handler-payload", "an item without payload"),
    _fact("data-sources", "request, data source, response; runtime.earlyReturn",
          _DATA + "test_a_subscription_is_decided_by_what_the_data_source_answers",
          _DATA + "test_a_failing_data_source_is_told_as_the_handler_puts_it"),
    _fact("append-error", "util.appendError", _HANDLERS + "test_console_and_appended_errors_become_log_lines"),
    _fact("built-ins", "util.*", _UTIL + "test_outputs_equal_those_captured_from_aws",
          _UTIL + "test_outputs_equal_the_documented_ones", _UTIL + "test_what_cannot_be_done_fails_by_name"),
    _fact("dynamodb-module", "@aws-appsync/utils/dynamodb", _DYNAMODB + "test_helpers_build_the_request_object",
          _DYNAMODB + "test_filters_become_expressions"),
    _fact("language", "the language subset", _LANGUAGE + "test_what_the_dialect_lacks_is_refused_where_it_stands",
          _LANGUAGE + "test_what_the_dialect_has_is_accepted"),
)  # fmt: skip

SECTIONS: Final[dict[str, tuple[Fact, ...]]] = {
    "Addresses": ADDRESSES,
    "Upgrade and credentials": UPGRADE,
    "Frames": FRAMES,
    "Error types": ERROR_TYPES,
    "Behaviour": BEHAVIOUR,
    "HTTP": HTTP,
    "Limits": LIMITS,
    "Channels and wildcards": CHANNELS,
    "Authorisation": AUTHORISATION,
    "Handlers": HANDLERS,
}
