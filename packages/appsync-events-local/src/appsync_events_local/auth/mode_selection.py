"""Selects the mode of credentials by their form and by the providers of the API.

Source: AWS AppSync: "Configuring authorization and authentication", circumventing SigV4 and OIDC token authorization
limitations of AWS_LAMBDA.
"""

from appsync_events_local.auth.credentials import API_KEY_HEADER, SIGNATURE_ALGORITHM, Credentials
from appsync_events_local.auth.tokens.verifier import bare_token, has_bearer, issuer_of
from appsync_events_local.errors import unauthorized
from appsync_events_local.limits import AUTHORIZATION_CHARACTERS
from appsync_events_local.model.auth_providers import AuthMode, Providers


def mode_of(credentials: Credentials, providers: Providers) -> AuthMode:
    """Return the mode of the credentials at an API with these providers.

    A signature is AWS_IAM if the API has that provider. A JSON Web Token or a bearer token belongs to its issuer if the
    API has any issuer. Everything else goes to the API's Lambda authorizer, if it has one.

    Raises:
        Refusal: there are no credentials, or none for a provider of the API.
    """
    authorization, key = credentials.headers.get("authorization"), credentials.headers.get(API_KEY_HEADER)
    if max(len(authorization or ""), len(key or "")) > AUTHORIZATION_CHARACTERS:
        raise unauthorized(f"credentials of more than {AUTHORIZATION_CHARACTERS} characters")
    if authorization is None and key is None:
        raise unauthorized("neither an authorization nor an x-api-key header")
    if authorization is None:
        return AuthMode.API_KEY
    has_authorizer = providers.authorizer is not None
    if authorization.startswith(SIGNATURE_ALGORITHM):
        return AuthMode.IAM if AuthMode.IAM in providers.modes or not has_authorizer else AuthMode.LAMBDA
    if not providers.cognito and not providers.oidc:
        return AuthMode.LAMBDA if has_authorizer else AuthMode.COGNITO
    issuer = issuer_of(bare_token(authorization))
    if issuer is None and has_authorizer and not has_bearer(authorization):
        return AuthMode.LAMBDA
    if issuer is None:
        raise unauthorized("the authorization is not a JSON Web Token")
    if any(provider.issues(issuer) for provider in providers.cognito):
        return AuthMode.COGNITO
    if any(provider.issues(issuer) for provider in providers.oidc):
        return AuthMode.OIDC
    raise unauthorized(f"the API has no provider for issuer {issuer!r}")
