"""Which mode credentials are for. Their form tells, together with what the API has providers for.

Source: AWS AppSync: "Configuring authorization and authentication", circumventing SigV4 and OIDC token authorization
limitations of AWS_LAMBDA.
"""

from appsync_events_local.auth.credentials import API_KEY_HEADER, SIGNATURE_ALGORITHM, Credentials
from appsync_events_local.auth.tokens.verifier import bare_token, has_bearer, issuer_of
from appsync_events_local.errors import unauthorized
from appsync_events_local.limits import AUTHORIZATION_CHARACTERS
from appsync_events_local.model.auth_providers import AuthMode, Providers


def mode_of(credentials: Credentials, providers: Providers) -> AuthMode:
    """The mode that the credentials are for at an API with these providers.

    A signature is IAM's where the API has IAM, a JSON Web Token or a bearer token is an issuer's where the API has any
    issuer; everything else is for the API's Lambda authorizer, if it has one.

    Raises:
        Refusal: there are no credentials, or none of a kind that the API knows.
    """
    authorization, key = credentials.headers.get("authorization"), credentials.headers.get(API_KEY_HEADER)
    if max(len(authorization or ""), len(key or "")) > AUTHORIZATION_CHARACTERS:
        raise unauthorized(f"credentials of more than {AUTHORIZATION_CHARACTERS} characters")
    if authorization is None and key is None:
        raise unauthorized("neither an authorization nor an x-api-key header")
    if authorization is None:
        return AuthMode.API_KEY
    asks_function = providers.authorizer is not None
    if authorization.startswith(SIGNATURE_ALGORITHM):
        return AuthMode.IAM if AuthMode.IAM in providers.modes or not asks_function else AuthMode.LAMBDA
    if not providers.cognito and not providers.oidc:
        return AuthMode.LAMBDA if asks_function else AuthMode.COGNITO
    issuer = issuer_of(bare_token(authorization))
    if issuer is None and asks_function and not has_bearer(authorization):
        return AuthMode.LAMBDA
    if issuer is None:
        raise unauthorized("no JSON Web Token")
    if any(provider.issues(issuer) for provider in providers.cognito):
        return AuthMode.COGNITO
    if any(provider.issues(issuer) for provider in providers.oidc):
        return AuthMode.OIDC
    raise unauthorized(f"issuer {issuer!r} is no provider of this API")
