"""The mode of credentials follows from their form and from the providers of the API."""

import time

import jwt
import pytest
from appsync_events_local.auth.credentials import Credentials, lower_names
from appsync_events_local.auth.mode_selection import mode_of
from appsync_events_local.errors import Refusal
from appsync_events_local.model.auth_providers import (
    AuthMode,
    CognitoProvider,
    LambdaProvider,
    OidcProvider,
    Providers,
)

POOL = CognitoProvider("us-east-1_P", "us-east-1")
ISSUER = OidcProvider("https://issuer.test")
FUNCTION = LambdaProvider("arn:aws:lambda:us-east-1:000000000000:function:f")


def providers(*modes: AuthMode) -> Providers:
    return Providers(
        frozenset(modes),
        (POOL,) if AuthMode.COGNITO in modes else (),
        (ISSUER,) if AuthMode.OIDC in modes else (),
        FUNCTION if AuthMode.LAMBDA in modes else None,
    )


def token(issuer: str) -> str:
    return jwt.encode({"iss": issuer, "exp": time.time() + 60}, "k" * 32, algorithm="HS256")


SIGNED = "AWS4-HMAC-SHA256 Credential=x"
OF_POOL, OF_ISSUER, OF_UNKNOWN_ISSUER = token(POOL.issuer), token(ISSUER.issuer), token("https://unknown.test")
EVERY = tuple(AuthMode)
TABLE: list[tuple[tuple[AuthMode, ...], dict[str, str], AuthMode | None]] = [
    (EVERY, {"x-api-key": "k"}, AuthMode.API_KEY),
    (EVERY, {"X-API-KEY": "k"}, AuthMode.API_KEY),
    (EVERY, {"authorization": SIGNED}, AuthMode.IAM),
    (EVERY, {"AUTHORIZATION": OF_POOL}, AuthMode.COGNITO),
    (EVERY, {"Authorization": f"Bearer {OF_POOL}"}, AuthMode.COGNITO),
    (EVERY, {"authorization": OF_ISSUER}, AuthMode.OIDC),
    (EVERY, {"authorization": f"bearer {OF_ISSUER}"}, AuthMode.OIDC),
    (EVERY, {"authorization": OF_UNKNOWN_ISSUER}, None),
    (EVERY, {"authorization": "a secret"}, AuthMode.LAMBDA),
    (EVERY, {"authorization": "Bearer a secret"}, None),
    (EVERY, {"authorization": f"prefix-{OF_POOL}"}, AuthMode.LAMBDA),
    (EVERY, {"authorization": ""}, AuthMode.LAMBDA),
    (EVERY, {"authorization": "a secret", "x-api-key": "k"}, AuthMode.LAMBDA),
    (EVERY, {"authorization": OF_POOL, "x-api-key": "k"}, AuthMode.COGNITO),
    (EVERY, {"x-other": "k"}, None),
    (EVERY, {}, None),
    ((AuthMode.LAMBDA,), {"authorization": OF_UNKNOWN_ISSUER}, AuthMode.LAMBDA),
    ((AuthMode.LAMBDA,), {"authorization": f"Bearer {OF_POOL}"}, AuthMode.LAMBDA),
    ((AuthMode.LAMBDA,), {"authorization": SIGNED}, AuthMode.LAMBDA),
    ((AuthMode.LAMBDA, AuthMode.IAM), {"authorization": SIGNED}, AuthMode.IAM),
    ((AuthMode.LAMBDA, AuthMode.OIDC), {"authorization": OF_POOL}, None),
    ((AuthMode.COGNITO,), {"authorization": "a secret"}, None),
    ((AuthMode.COGNITO,), {"authorization": SIGNED}, AuthMode.IAM),
    ((AuthMode.OIDC,), {"authorization": OF_ISSUER}, AuthMode.OIDC),
    ((AuthMode.API_KEY,), {"authorization": "a secret"}, AuthMode.COGNITO),
]


@pytest.mark.parametrize(("modes", "headers", "mode"), TABLE)
def test_mode_follows_from_the_form_of_the_credentials_and_the_providers_of_the_api(
    modes: tuple[AuthMode, ...], headers: dict[str, str], mode: AuthMode | None
) -> None:
    presented = Credentials(lower_names(headers), "127.0.0.1", ("/event",), b"")
    if mode is None:
        with pytest.raises(Refusal):
            mode_of(presented, providers(*modes))
    else:
        assert mode_of(presented, providers(*modes)) is mode
