"""Every documented behaviour of authorisation and handlers; see `facts`."""

from __future__ import annotations

from typing import Final

from conformance_suite.fact import fact, not_imitated

_SOCKET = "http/test_socket.py::"
_HTTP = "http/test_http_publish.py::"
_TOKENS = "auth/test_tokens.py::"
_SIGNATURES = "auth/test_signatures.py::"
_DATA = "sources/test_data_sources.py::"
_AUTHORIZER = "auth/test_lambda_authorizer.py::"
_OIDC = "auth/test_oidc.py::"
_MATRIX = "auth/test_auth_matrix.py::"
_EXPIRY = "auth/test_expiry.py::"
_RIGHTS = "auth/test_rights.py::"
_SOURCES = "sources/test_lambda_http_eventbridge.py::"
_DIRECT = "handlers/test_direct_handlers.py::"
_METRICS = "observability/test_metrics.py::"
_HANDLERS = "handlers/test_namespace_handlers.py::"
_LANGUAGE = "runtime/test_language_subset.py::"
_UTIL = "runtime/test_util.py::"
_DYNAMODB = "runtime/test_dynamodb_module.py::"

AUTHORISATION: Final = (
    fact("auth-each-frame", "every subscribe and publish carries its own credentials"),
    fact("modes-differ", "modes may differ on one socket", _SOCKET + "test_modes_may_differ_on_one_socket"),
    fact("namespace-modes", "a namespace's modes replace the API's",
          _HTTP + "test_a_namespace_replaces_the_modes_of_its_api"),
    fact("connect-modes", "connecting has modes of its own", _SOCKET + "test_a_mode_that_may_not_connect_is_refused"),
    fact("key-expiry", "an expired API key is refused", _HTTP + "test_api_key_must_be_known_and_not_expired"),
    fact("jwt-claims", "tokens: issuer, signature, client pattern, times",
          _TOKENS + "test_a_token_with_wrong_claims_is_refused", _TOKENS + "test_a_forged_token_is_refused"),
    fact("identity-key", "ctx.identity is empty with an API key"),
    fact("identity-cognito", "ctx.identity of a user pool",
          _HTTP + "test_handler_sees_identity_channel_and_headers_but_no_cookie"),
    fact("identity-iam", "ctx.identity of a signer",
          _SIGNATURES + "test_a_request_signed_by_botocore_is_identified"),
    fact("identity-of-each-mode", "ctx.identity of every mode has its own shape",
          _MATRIX + "test_handlers_see_the_identity_of_each_mode"),
    fact("every-mode", "all five modes connect, subscribe and publish, over both transports",
          _MATRIX + "test_connect_succeeds_only_with_good_credentials_of_an_allowed_mode",
          _MATRIX + "test_frame_on_a_socket_opened_in_another_mode_needs_good_credentials_of_an_allowed_mode",
          _MATRIX + "test_http_publish_succeeds_only_with_good_credentials_of_an_allowed_mode"),
    fact("ends-while-connected", "keys and tokens that expire close no socket",
          _EXPIRY + "test_expired_api_key_is_refused_while_its_socket_stays_open",
          _EXPIRY + "test_expired_token_is_refused_while_its_socket_stays_open"),
    fact("authorizer-request", "the Lambda authorizer's request",
          _AUTHORIZER + "test_authorizer_receives_the_documented_request"),
    fact("authorizer-answer", "any answer but isAuthorized: true denies, and so does an exception",
          _AUTHORIZER + "test_every_answer_but_a_valid_allow_is_refused_with_its_reason"),
    fact("authorizer-cache", "answers are cached by API, channel, operation and token; ttlOverride",
          _AUTHORIZER + "test_answer_is_cached_by_operation_channel_token_and_api",
          _AUTHORIZER + "test_ttl_override_in_the_answer_sets_the_cache_time"),
    fact("authorizer-expression", "a token that does not match the expression is refused without invoking the function",
          _AUTHORIZER + "test_token_that_does_not_match_the_expression_is_refused_without_invoking_the_authorizer"),
    fact("authorizer-seconds", "the authorizer has 10 seconds to answer",
        _AUTHORIZER + "test_authorizer_timeout_is_a_refusal"),
    fact("oidc", "OpenID Connect: discovery, client pattern, times, RS, PS, ES and HS",
          _OIDC + "test_every_documented_algorithm_is_verified",
          _OIDC + "test_a_token_that_breaks_a_rule_of_its_provider_is_refused"),
    fact("iam-policies", "appsync:EventConnect, EventPublish and EventSubscribe on API and namespace",
          _RIGHTS + "test_signer_that_is_not_allowed_is_refused_and_the_refusal_is_not_cached",
          _RIGHTS + "test_connect_and_subscribe_need_separate_permissions"),
)  # fmt: skip

HANDLERS: Final = (
    fact("no-handler", "without a handler everything is forwarded and allowed",
          _HANDLERS + "test_without_code_everything_is_forwarded_and_allowed"),
    fact("on-publish", "onPublish decides what is broadcast"),
    fact("on-subscribe", "onSubscribe refuses by util.error or util.unauthorized; its value is ignored"),
    fact("context-info", "ctx.info", _HANDLERS + "test_context_has_the_documented_fields"),
    fact("handler-list", "the returned list is broadcast"),
    fact("handler-drops", "events left out of the list are dropped without a failure"),
    fact("handler-item-error", "error on an item fails it; a null error does not"),
    fact("handler-ids", "ids must be received ones, and only once"),
    fact("handler-holes", "null items are skipped"),
    fact("handler-null", "returning null broadcasts nothing"),
    fact("handler-payload", "an item without payload is broadcast as null"),
    fact("data-sources", "request, data source, response; runtime.earlyReturn",
          _DATA + "test_result_of_the_data_source_decides_a_subscription",
          _DATA + "test_handler_reports_the_error_of_its_data_source"),
    fact("early-return", "runtime.earlyReturn skips the data source and response",
          _HANDLERS + "test_early_return_skips_source_and_response"),
    fact("lambda-source", "Lambda as a data source: Invoke, its payload and its result",
          _SOURCES + "test_function_receives_the_payload_and_its_answer_is_the_result"),
    fact("http-source", "HTTP as a data source", _SOURCES + "test_http_request_is_sent_as_the_handler_describes_it",
          _SOURCES + "test_every_http_status_is_a_result"),
    fact("eventbridge-source", "EventBridge as a data source", _SOURCES + "test_events_are_put_on_the_bus"),
    fact("dynamodb-source", "DynamoDB as a data source",
          "sources/test_dynamodb.py::test_put_get_update_and_remove_an_item",
          "sources/test_dynamodb.py::test_transaction_writes_all_or_nothing_and_returns_the_reasons"),
    not_imitated("other-sources", "Aurora's Data API, OpenSearch and Bedrock as data sources",
                  "refused by name when the API is loaded"),
    fact("direct-request", "the object that a direct Lambda handler receives",
          _DIRECT + "test_direct_function_receives_the_documented_object"),
    fact("direct-publish", "the returned events are broadcast; an error is logged and nothing is broadcast",
          _DIRECT + "test_only_events_that_the_function_returns_are_broadcast",
          _DIRECT + "test_error_of_the_function_is_logged_and_nothing_is_broadcast"),
    fact("direct-subscribe", "null allows a subscription, an error refuses it",
          _DIRECT + "test_null_allows_a_subscription_and_an_error_refuses_it"),
    fact("direct-event", "an asynchronous function decides nothing",
          _DIRECT + "test_asynchronous_function_does_not_affect_the_operation"),
    fact("direct-size", "a returned event above 240 KB is dropped without an error",
          _DIRECT + "test_event_above_240_kb_from_the_function_is_dropped_without_an_error"),
    fact("metrics", "dropped, failed and successful events, and handler invocations, are counted",
          _METRICS + "test_handler_results_are_counted_by_namespace_and_logged"),
    fact("append-error", "util.appendError", _HANDLERS + "test_console_output_and_appended_errors_are_logged"),
    fact("built-ins", "util.*", _UTIL + "test_outputs_equal_those_captured_from_aws",
          _UTIL + "test_outputs_equal_the_documented_ones", _UTIL + "test_unsupported_use_fails_with_its_name"),
    fact("dynamodb-module", "@aws-appsync/utils/dynamodb", _DYNAMODB + "test_helpers_build_the_request_object",
          _DYNAMODB + "test_filters_become_expressions"),
    fact("language", "the language subset", _LANGUAGE + "test_unsupported_syntax_is_refused_with_its_location",
          _LANGUAGE + "test_supported_syntax_is_accepted"),
)  # fmt: skip
