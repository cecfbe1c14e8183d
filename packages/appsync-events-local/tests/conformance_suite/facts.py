"""Every behaviour of AppSync Events that AWS documents or that clients have observed, one a line.

Each is shown by rows of the table or by the tests named here, or it says what the service does instead;
`conformance/test_coverage.py` fails otherwise. `page` writes the conformance page from this list.

Sources: AppSync Events developer guide: "WebSocket protocol", "Publish events via HTTP", "Concepts", "Channel
namespaces", "Configure authorization", "Context reference", "Channel namespace handlers", "Writing event handlers",
"Data source integrations", "Direct Lambda integrations", "Runtime supported features"; AWS general reference: AppSync
quotas; clients that run on AWS: aws-appsync-events (auvred), aws-appsync-events-swift, Amplify JS.
"""

from __future__ import annotations

from typing import Final

from conformance_suite.fact import Fact, fact, not_imitated
from conformance_suite.handler_facts import AUTHORISATION, HANDLERS

_SOCKET = "http/test_socket.py::"
_HTTP = "http/test_http_publish.py::"
_TOKENS = "auth/test_tokens.py::"
_SIGNATURES = "auth/test_signatures.py::"
_CONTROL = "http/test_control.py::"
_DATA = "sources/test_data_sources.py::"
_STANDALONE = "template/test_templates_served.py::"
_HANDLERS = "handlers/test_namespace_handlers.py::"
_LANGUAGE = "runtime/test_language_subset.py::"

ADDRESSES: Final = (
    fact("http-address", "publishing is the only operation of the HTTP address"),
    fact("realtime-address", "sockets are opened at the publish address + /realtime"),
    fact("get-att", "CloudFormation gives hosts without scheme and path",
          repository_tests=(
              "tests/local/emulator/test_providers.py::"
              "test_ref_and_attributes_are_those_of_the_template_reference",)),
    fact("several-apis", "each API has a host name of its own",
          _HTTP + "test_api_is_selected_by_path_or_host_or_by_being_the_only_one",
          _SOCKET + "test_the_realtime_path_may_name_the_api",
          _STANDALONE + "test_several_apis_are_served_at_once_by_path_and_by_host_name"),
)  # fmt: skip

UPGRADE: Final = (
    fact("subprotocols", "aws-appsync-event-ws and header-... are offered, in any order"),
    fact("selected", "the upgrade selects aws-appsync-event-ws"),
    fact("header-encoding", "header-... is base64url of a JSON object, without padding"),
    fact("upgrade-headers", "connect credentials may be plain headers of the upgrade"),
    fact("host-required", "connect credentials name the host; later frames need not"),
    fact("host-http", "that host is the HTTP host of the API"),
    fact("authorization-case", "names of credentials are compared without case"),
    fact("auth-key", "an API key connects"),
    fact("auth-iam", "a signature connects, subscribes and publishes"),
    fact("iam-body", "a signature covers {}, or channel, or channel and events", _SIGNATURES
          + "test_frame_signature_covers_the_compact_json_with_or_without_escaped_text"),
    fact("auth-token", "id and access tokens connect, with and without Bearer",
          _TOKENS + "test_access_and_id_tokens_are_accepted_with_and_without_bearer"),
    fact("session-token", "temporary credentials sign with their session token",
          _SIGNATURES + "test_session_credentials_need_their_session_token"),
)  # fmt: skip

CUSTOM: Final = (
    not_imitated("custom-domains", "custom domain names, and ctx.request.domainName",
                 "an API answers to its hosts, to its id in the path, and to loopback names; domainName is null"),
    not_imitated("query-credentials", "GraphQL's ?header=...&payload=... at connect, undocumented for Events",
                 "not read: credentials are in the subprotocol or in headers"),
)  # fmt: skip

FRAMES: Final = (
    fact("init", "connection_init is acknowledged"),
    fact("init-optional", "connection_init is optional"),
    fact("ack", "connection_ack has connectionTimeoutMs 300000 at its top"),
    fact("connect-refused-after-upgrade", "bad connect credentials do not fail the upgrade"),
    fact("connect-error", "bad connect credentials give connection_error: errorType, errorCode 401, message"),
    fact("connect-close-code", "the connection is closed after connection_error"),
    fact("keep-alive", "the server sends ka frames; clients never acknowledge them"),
    fact("keep-alive-interval", "a ka frame every 60 seconds",
          _SOCKET + "test_keep_alive_frames_come_at_the_configured_interval"),
    fact("subscribe", "subscribe has id, channel and authorization"),
    fact("subscribe-success", "subscribe_success has the id"),
    fact("subscribe-first", "subscribe_success comes before any event of the subscription",
          "protocol/test_protocol.py::test_subscribe_success_precedes_the_subscription"),
    fact("subscribe-error", "subscribe_error has the id and errors"),
    fact("event-is-text", "data has the subscription's id, and one JSON document as text"),
    fact("unsubscribe", "unsubscribe has an id and no authorization, and ends the events"),
    fact("unsubscribe-success", "unsubscribe_success has the id"),
    fact("unsubscribe-error", "an unknown id gives UnknownOperationError and its text"),
    fact("publish", "publish has id, channel, events and authorization"),
    fact("publish-success", "publish_success has successful (identifier, index) and failed"),
    fact("unsupported", "any other frame is answered with error, UnsupportedOperation and its text"),
    fact("text-only", "all frames are text",
        _SOCKET + "test_binary_message_is_unsupported_and_the_connection_stays_usable"),
    fact("frame-types", "no other frame type is ever sent",
          "protocol/test_protocol_properties.py::TestProtocol"),
    fact("unknown-fields", "fields that are not known are ignored",
          _SOCKET + "test_extra_fields_of_amplify_frames_are_ignored"),
    not_imitated("broadcast-error", "broadcast_error reports to a subscriber that an event could not be delivered",
                  "never sent: events that cannot be encoded are refused when they are published"),
)  # fmt: skip

ERROR_TYPES: Final = (
    fact("unauthorized", "UnauthorizedException: credentials or mode"),
    fact("handler-unauthorized", "Unauthorized: util.unauthorized() in onSubscribe"),
    fact("bad-request", "BadRequestException, Invalid Channel Format"),
    fact("processing-error", "SubscriptionProcessingError and MessageProcessingError with their texts"),
    fact("duplicate", "DuplicatedOperationError: the id of a live subscription"),
    fact("too-large", "EventTooLargeException is the code of a failed item"),
    fact("throttled", "beyond a rate a publish is refused"),
    fact("unknown-namespace", "an unknown namespace is a service error"),
)  # fmt: skip

BEHAVIOUR: Final = (
    fact("lifetime", "a connection is ended after 24 hours", _SOCKET + "test_a_connection_ends_after_its_lifetime"),
    fact("publish-without-subscription", "publishing needs no subscription"),
    fact("publish-before-init", "publishing before connection_init"),
    fact("early-unsubscribe", "an unsubscribe before its subscribe_success is ignored"),
    fact("one-frame-per-event", "a batch gives one data frame per event"),
    fact("one-frame-per-subscription", "an event gives one data frame per matching subscription"),
    fact("echo", "a publisher that is subscribed receives its own events"),
    fact("broadcast", "every subscriber of the channel receives an event"),
    fact("no-history", "nothing is replayed"),
    fact("pings", "a client's ping is answered with a pong",
        _SOCKET + "test_a_client_ping_is_answered_while_events_flow"),
    fact("check-order", "syntax, credentials, id, limits, handler: in this order"),
    fact("token-expiry", "an expired token closes no socket, but a new frame needs a valid one",
          _SOCKET + "test_each_frame_needs_its_own_credentials"),
    not_imitated("ordering", "events may overtake each other",
                  "receivers get events in the order of their broadcasts, unless --fault reorder changes that"),
    not_imitated("several-hosts", "an API is served by many machines, so publish and subscribe may race",
                  "one process: an acknowledged operation is in effect"),
)  # fmt: skip

HTTP: Final = (
    fact("http-publish", "POST with channel and events"),
    fact("leading-slash", "the leading slash is optional"),
    fact("http-accepted", "200 with successful and failed"),
    fact("http-too-large", "an event over 240 KB: 200, and a failed item with code, identifier, index, message"),
    fact("http-handler-item", "an event that the handler fails is listed in failed"),
    fact("http-handler-drop", "an event that the handler leaves out is in neither list"),
    fact("util-error", "util.error(): 403 and its message"),
    fact("util-unauthorized", "util.unauthorized(): 401 UnauthorizedException"),
    fact("http-unauthorized", "wrong credentials: 401 UnauthorizedException"),
    fact("http-mode", "a mode that the namespace does not allow: UnauthorizedException"),
    fact("http-limits", "bad channels and batches: not 2xx, with errors"),
    fact("http-crash", "a crashed handler: 5xx"),
    fact("response-headers", "x-amzn-RequestId"),
    fact("cors", "browsers may publish", _HTTP + "test_cors_preflight_allows_the_headers_of_clients"),
    not_imitated("tokens-consumed", "x-amzn-appsync-TokensConsumed", "the header is absent, since nothing is billed"),
)  # fmt: skip

LIMITS: Final = (
    fact("five-events", "1 to 5 events a request"),
    fact("event-size", "240 KB an event", _HTTP + "test_size_is_counted_in_utf8_bytes"),
    fact("event-size-after-handler", "the size is counted after the handler"),
    fact("request-size", "1.2 MB a request"),
    fact("subscriptions-limit", "200 subscriptions a connection"),
    fact("publish-rate", "25 publishes a second and connection"),
    fact("namespaces-limit", "50 namespaces an API", _CONTROL + "test_an_api_has_50_namespaces_at_most"),
    fact("keys-limit", "API keys live 365 days at most", _CONTROL + "test_invalid_api_key_is_refused_with_the_reason"),
    fact("keys-count", "50 API keys an API", _CONTROL + "test_an_api_has_50_keys_at_most"),
    fact("providers-limit", "50 authorisation providers an API",
         _CONTROL + "test_invalid_api_is_refused_with_the_name_of_the_property"),
    fact("handler-caps", "time and memory of a handler are capped",
        _HANDLERS + "test_call_is_stopped_at_its_time_limit",
         _HANDLERS + "test_call_is_stopped_at_its_memory_limit"),
    fact("code-size", "32,768 characters of handler code",
          _LANGUAGE + "test_code_can_have_at_most_32768_characters"),
    fact("request-seconds", "30 seconds a request", _DATA + "test_publish_succeeds_while_a_data_source_is_slow"),
    fact("loop-limit", "loops are capped", _HANDLERS + "test_loop_is_stopped_at_its_iteration_limit"),
    not_imitated("apis-per-region", "50 Event APIs per region", "as many as are registered"),
    fact("api-rates", "2,000 new connections and 10,000 events in a second and API",
         "publish/test_quotas.py::test_a_publish_above_the_rate_of_its_api_is_refused_with_429",
         "publish/test_quotas.py::test_a_connection_above_the_rate_of_its_api_is_refused_with_429"),
    not_imitated("outbound-rate", "1,000,000 messages out a second and API", "no rate: it is beyond one machine"),
    not_imitated("request-tokens", "token rates per region", "nothing is billed"),
    not_imitated("log-size", "1 MB of log a request", "log lines are as long as they are"),
)  # fmt: skip

CHANNELS: Final = (
    fact("id-grammar", "ids: 1 to 128 of a-z A-Z 0-9 - _ +"),
    fact("id-unique", "ids are unique among the live subscriptions of a connection"),
    fact("channel-grammar", "1 to 5 segments of 1 to 50 letters, digits and inner dashes; slashes at the ends",
          "protocol/test_channels.py::"
          "test_a_channel_is_accepted_exactly_when_the_documented_expression_matches"),
    fact("case-sensitive", "channels are case-sensitive"),
    fact("channel-path", "handlers see the path with one slash first and none last"),
    fact("wildcard-place", "* is the whole last segment of a subscription"),
    fact("wildcard-bare", "/* alone is refused"),
    fact("wildcard-publish", "* cannot be published to"),
    fact("wildcard-levels", "a wildcard spans all deeper levels",
          "protocol/test_channels.py::"
          "test_index_finds_exactly_the_subscriptions_that_cover_the_published_channel"),
    fact("wildcard-self", "a wildcard does not cover its own parent"),
    fact("wildcard-literal", "onSubscribe receives the * literally"),
)  # fmt: skip

SECTIONS: Final[dict[str, tuple[Fact, ...]]] = {
    "Addresses": ADDRESSES,
    "Upgrade and credentials": UPGRADE,
    "Addresses that are AWS's own": CUSTOM,
    "Frames": FRAMES,
    "Error types": ERROR_TYPES,
    "Behaviour": BEHAVIOUR,
    "HTTP": HTTP,
    "Limits": LIMITS,
    "Channels and wildcards": CHANNELS,
    "Authorisation": AUTHORISATION,
    "Handlers": HANDLERS,
}
