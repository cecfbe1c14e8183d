"""Tokens of user pools and OpenID Connect issuers, and Lambda authorizers."""

from typing import Any, Final

from appsync_events_local.assumptions.assumption import Assumption, behaviour

ASSUMPTIONS: Final[tuple[Assumption[Any], ...]] = (
    behaviour(
        "token-use",
        "Are id and access tokens both accepted?",
        "yes",
        "the documentation shows id tokens, Amplify sends access tokens, both work on AWS",
    ),
    behaviour(
        "app-client-pattern",
        "Must the app client pattern match the whole id?",
        "yes, from start to end",
        "the strict reading; a pattern that should match a part can say so (.*)",
    ),
    behaviour(
        "oidc-algorithms",
        "Which algorithms may an OpenID Connect issuer sign with?",
        "RS, PS, ES and HS 256 to 512, if the published key is of that type; HS only with a key of type oct in "
        "the key set, never with the text of a public key",
        "all are documented, and the key set is the only source of keys; the log warns of a published secret",
    ),
    behaviour(
        "oidc-issuer",
        "Must the configured issuer equal `iss`?",
        "except for a slash at the end; `issuer` of the discovery document must equal `iss` exactly",
        "AWS compares with the discovery document; a missing slash finds the same document",
    ),
    behaviour(
        "oidc-local-issuer",
        "An issuer over http?",
        "accepted on a loopback name, else refused when the API is registered",
        "a test's own issuer has no certificate; everything else must be encrypted",
    ),
    behaviour(
        "auth-time",
        "AuthTTL is set, but the token has no auth_time (or IatTTL, and no iat)?",
        "refused",
        "the limit could not be enforced otherwise",
    ),
    behaviour(
        "jwks-unreachable",
        "The issuer's keys cannot be fetched?",
        "500 InternalFailureException (connection_error with errorCode 500)",
        "clients treat 401 as final, but this error is worth a retry",
    ),
    behaviour(
        "authorizer-pattern",
        "Must IdentityValidationExpression match the whole token?",
        "yes, from start to end, and before the function is invoked",
        "the strict reading, as with app clients",
    ),
    behaviour(
        "authorizer-ttl",
        "How long is an authorizer's answer cached without ttlOverride?",
        "AuthorizerResultTtlInSeconds; not at all (0) if that is missing",
        "the default in CloudFormation's reference; a denial is cached like an approval, a failure is not",
    ),
    behaviour(
        "authorizer-context",
        "handlerContext with values that are not strings, or no handlerContext?",
        "refused; a missing one is an empty object",
        "a flat map of strings is documented; what is accepted here must not fail on AWS",
    ),
    behaviour(
        "authorizer-headers",
        "requestHeaders of the authorizer's request?",
        "the same as ctx.request.headers",
        "both are described as the headers of the request",
    ),
)
