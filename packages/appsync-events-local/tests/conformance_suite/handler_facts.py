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
    fact("key-expiry", "an expired API key is refused", _HTTP + "test_an_api_key_must_be_known_and_alive"),
    fact("jwt-claims", "tokens: issuer, signature, client pattern, times",
          _TOKENS + "test_a_token_with_wrong_claims_is_refused", _TOKENS + "test_a_forged_token_is_refused"),
    fact("identity-key", "ctx.identity is empty with an API key"),
    fact("identity-cognito", "ctx.identity of a user pool",
          _HTTP + "test_a_handler_sees_who_calls_and_how_but_no_cookie"),
    fact("identity-iam", "ctx.identity of a signer",
          _SIGNATURES + "test_a_request_signed_by_botocore_is_identified"),
    fact("identity-of-each-mode", "ctx.identity of every mode has its own shape",
          _MATRIX + "test_each_mode_shows_handlers_its_own_identity"),
    fact("every-mode", "all five modes connect, subscribe and publish, over both transports",
          _MATRIX + "test_connect", _MATRIX + "test_a_frame_on_a_socket_that_another_mode_has_opened",
          _MATRIX + "test_publish_over_http"),
    fact("ends-while-connected", "keys and tokens that expire close no socket",
          _EXPIRY + "test_an_api_key_ends_while_its_socket_stays",
          _EXPIRY + "test_a_token_ends_while_its_socket_stays"),
    fact("authorizer-request", "the Lambda authorizer's request",
          _AUTHORIZER + "test_the_function_is_asked_with_the_documented_request"),
    fact("authorizer-answer", "any answer but isAuthorized: true denies, and so does an exception",
          _AUTHORIZER + "test_whatever_is_not_a_clear_yes_is_a_no_with_its_reason"),
    fact("authorizer-cache", "answers are cached by API, channel, operation and token; ttlOverride",
          _AUTHORIZER + "test_an_answer_is_remembered_by_operation_channel_token_and_api",
          _AUTHORIZER + "test_an_answer_can_say_itself_how_long_it_holds"),
    fact("authorizer-expression", "a token that does not match the expression is refused without invoking the function",
          _AUTHORIZER + "test_a_token_that_does_not_match_the_expression_is_refused_without_asking"),
    fact("authorizer-seconds", "the authorizer has 10 seconds to answer",
        _AUTHORIZER + "test_a_function_that_takes_too_long_lets_nobody_in"),
    fact("oidc", "OpenID Connect: discovery, client pattern, times, RS, PS, ES and HS",
          _OIDC + "test_every_documented_algorithm_is_verified",
          _OIDC + "test_a_token_that_breaks_a_rule_of_its_provider_is_refused"),
    fact("iam-policies", "appsync:EventConnect, EventPublish and EventSubscribe on API and namespace",
          _RIGHTS + "test_a_signer_that_is_not_allowed_is_refused_each_time",
          _RIGHTS + "test_connecting_and_subscribing_need_their_own_rights"),
)  # fmt: skip

HANDLERS: Final = (
    fact("no-handler", "without a handler everything is forwarded and allowed",
          _HANDLERS + "test_without_code_everything_is_forwarded_and_allowed"),
    fact("on-publish", "onPublish decides what is broadcast"),
    fact("on-subscribe", "onSubscribe refuses by util.error or util.unauthorized; its value is ignored"),
    fact("context-info", "ctx.info", _HANDLERS + "test_the_context_is_the_documented_one"),
    fact("handler-list", "the returned list is broadcast"),
    fact("handler-drops", "events left out of the list are dropped without a failure"),
    fact("handler-item-error", "error on an item fails it; a null error does not"),
    fact("handler-ids", "ids must be received ones, and only once"),
    fact("handler-holes", "null items are skipped"),
    fact("handler-null", "returning null broadcasts nothing"),
    fact("handler-payload", "an item without payload is broadcast as null"),
    fact("data-sources", "request, data source, response; runtime.earlyReturn",
          _DATA + "test_a_subscription_is_decided_by_what_the_data_source_answers",
          _DATA + "test_a_failing_data_source_is_told_as_the_handler_puts_it"),
    fact("early-return", "runtime.earlyReturn skips the data source and response",
          _HANDLERS + "test_early_return_skips_source_and_response"),
    fact("lambda-source", "Lambda as a data source: Invoke, its payload and its result",
          _SOURCES + "test_a_function_gets_the_payload_and_its_answer_is_the_result"),
    fact("http-source", "HTTP as a data source", _SOURCES + "test_a_request_goes_out_as_it_was_asked_for",
          _SOURCES + "test_every_status_is_a_result"),
    fact("eventbridge-source", "EventBridge as a data source", _SOURCES + "test_events_are_put_on_the_bus"),
    fact("dynamodb-source", "DynamoDB as a data source",
          "sources/test_dynamodb.py::test_put_get_update_remove",
          "sources/test_dynamodb.py::test_transactions_write_all_or_nothing_and_say_why"),
    not_imitated("other-sources", "Aurora's Data API, OpenSearch and Bedrock as data sources",
                  "refused by name when the API is loaded"),
    fact("direct-request", "the object that a direct Lambda handler receives",
          _DIRECT + "test_the_function_gets_the_documented_object"),
    fact("direct-publish", "the returned events are broadcast; an error is logged and nothing is broadcast",
          _DIRECT + "test_what_the_function_returns_is_broadcast_and_what_it_leaves_out_is_not",
          _DIRECT + "test_an_error_of_the_function_broadcasts_nothing_and_its_text_is_only_logged"),
    fact("direct-subscribe", "null allows a subscription, an error refuses it",
          _DIRECT + "test_a_subscription_is_allowed_by_null_and_refused_by_an_error"),
    fact("direct-event", "an asynchronous function decides nothing",
          _DIRECT + "test_an_asynchronous_function_decides_nothing"),
    fact("direct-size", "a returned event above 240 KB is dropped without an error",
          _DIRECT + "test_an_event_that_the_function_makes_too_large_is_dropped_without_telling"),
    fact("metrics", "dropped, failed and successful events, and handler invocations, are counted",
          _METRICS + "test_what_handlers_decide_is_counted_by_namespace_and_told"),
    fact("append-error", "util.appendError", _HANDLERS + "test_console_and_appended_errors_become_log_lines"),
    fact("built-ins", "util.*", _UTIL + "test_outputs_equal_those_captured_from_aws",
          _UTIL + "test_outputs_equal_the_documented_ones", _UTIL + "test_what_cannot_be_done_fails_by_name"),
    fact("dynamodb-module", "@aws-appsync/utils/dynamodb", _DYNAMODB + "test_helpers_build_the_request_object",
          _DYNAMODB + "test_filters_become_expressions"),
    fact("language", "the language subset", _LANGUAGE + "test_what_the_dialect_lacks_is_refused_where_it_stands",
          _LANGUAGE + "test_what_the_dialect_has_is_accepted"),
)  # fmt: skip
