"""The authorisation providers of an Event API: the entries of its `AuthProviders`.

Source: CloudFormation template reference, AWS::AppSync::Api AuthProvider, CognitoConfig, OpenIDConnectConfig and
LambdaAuthorizerConfig.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from appsync_events_local import limits
from appsync_events_local.model.properties import Properties, PropertyError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class AuthMode(StrEnum):
    """The authorisation modes of an Event API; the values are CloudFormation's."""

    API_KEY = "API_KEY"
    LAMBDA = "AWS_LAMBDA"
    IAM = "AWS_IAM"
    OIDC = "OPENID_CONNECT"
    COGNITO = "AMAZON_COGNITO_USER_POOLS"


@dataclass(frozen=True)
class CognitoProvider:
    """A user pool whose tokens an API accepts; the pattern (if any) must match the whole app client id of the token."""

    pool_id: str
    region: str
    app_client_pattern: str | None = None

    @property
    def issuer(self) -> str:
        suffix = ".cn" if self.region.startswith("cn-") else ""
        return f"https://cognito-idp.{self.region}.amazonaws.com{suffix}/{self.pool_id}"

    def issues(self, issuer: object) -> bool:
        """Return whether tokens of this issuer belong to this provider."""
        return issuer == self.issuer


@dataclass(frozen=True)
class OidcProvider:
    """An OpenID Connect issuer whose tokens an API accepts.

    Attributes:
        issuer: its address, under which the discovery document is published.
        client_pattern: if any, must match all of `aud` or `azp`.
        issued_ttl_ms: how long a token is valid after `iat`, milliseconds; `None` is until `exp`.
        authenticated_ttl_ms: how long a token is valid after `auth_time`, milliseconds; `None` is until `exp`.
    """

    issuer: str
    client_pattern: str | None = None
    issued_ttl_ms: float | None = None
    authenticated_ttl_ms: float | None = None

    def issues(self, issuer: object) -> bool:
        """Return whether tokens of this issuer belong to this provider, by the configured address.

        A slash at the end is ignored here; `iss` must equal the issuer of the discovery document exactly.
        """
        return isinstance(issuer, str) and issuer.rstrip("/") == self.issuer.rstrip("/")


@dataclass(frozen=True)
class LambdaProvider:
    """The Lambda authorizer of an API.

    Attributes:
        function: its ARN.
        ttl_seconds: how long a response is cached unless it has a `ttlOverride`; 0 is not at all.
        token_pattern: if any, tokens that it does not match as a whole are refused without invoking the function.
    """

    function: str
    ttl_seconds: float = 0.0
    token_pattern: str | None = None


@dataclass(frozen=True)
class Providers:
    """All providers of one API."""

    modes: frozenset[AuthMode]
    cognito: tuple[CognitoProvider, ...]
    oidc: tuple[OidcProvider, ...]
    authorizer: LambdaProvider | None


def providers_from(entries: list[Properties], where: str, region: str) -> Providers:
    """Read `AuthProviders` (at the path `where`) of an API in `region`.

    Raises:
        PropertyError: an entry is invalid, or there are too many of a kind.
    """
    if not 0 < len(entries) <= limits.AUTH_PROVIDERS_PER_API:
        raise PropertyError(where, f"1 to {limits.AUTH_PROVIDERS_PER_API} providers are required")
    by_mode = [(auth_mode(entry), entry) for entry in entries]
    functions = [_function(entry) for mode, entry in by_mode if mode is AuthMode.LAMBDA]
    if len(functions) > 1:
        raise PropertyError(where, "at most one AWS_LAMBDA provider is allowed")
    if sum(mode is AuthMode.IAM for mode, _ in by_mode) > 1:
        raise PropertyError(where, "at most one AWS_IAM provider is allowed")
    return Providers(
        modes=frozenset(mode for mode, _ in by_mode),
        cognito=tuple(_cognito(entry, region) for mode, entry in by_mode if mode is AuthMode.COGNITO),
        oidc=tuple(_oidc(entry) for mode, entry in by_mode if mode is AuthMode.OIDC),
        authorizer=functions[0] if functions else None,
    )


def auth_mode(entry: Properties) -> AuthMode:
    """Return the mode at `AuthType`.

    Raises:
        PropertyError: it is not a mode.
    """
    name = entry.text("AuthType")
    if name not in list(AuthMode):
        raise PropertyError(
            entry.at("AuthType"), f"{name!r} is not an authorisation mode; allowed are {', '.join(AuthMode)}"
        )
    return AuthMode(name)


def modes_from(entries: Iterable[Properties]) -> frozenset[AuthMode]:
    """Return the modes of a list of `{"AuthType"}`."""
    return frozenset(auth_mode(entry) for entry in entries)


def _cognito(entry: Properties, region: str) -> CognitoProvider:
    config = entry.map("CognitoConfig")
    return CognitoProvider(
        config.text("UserPoolId"), config.text("AwsRegion", region), _pattern(config, "AppIdClientRegex")
    )


def _oidc(entry: Properties) -> OidcProvider:
    config = entry.map("OpenIDConnectConfig")
    issuer = config.text("Issuer")
    address = urlsplit(issuer)
    local = address.scheme == "http" and address.hostname in LOOPBACK_NAMES
    if not (address.hostname and (address.scheme == "https" or local)):
        raise PropertyError(
            config.at("Issuer"), f"{issuer!r} is not an https address (http is allowed for loopback names only)"
        )
    return OidcProvider(
        issuer, _pattern(config, "ClientId"), _milliseconds(config, "IatTTL"), _milliseconds(config, "AuthTTL")
    )


def _function(entry: Properties) -> LambdaProvider:
    config = entry.map("LambdaAuthorizerConfig")
    function = config.text("AuthorizerUri")
    if ":function:" not in function:
        raise PropertyError(config.at("AuthorizerUri"), f"{function!r} is not the ARN of a Lambda function")
    ttl = config.number("AuthorizerResultTtlInSeconds", 0)
    if not 0 <= ttl <= limits.AUTHORIZER_LONGEST_TTL_SECONDS:
        raise PropertyError(
            config.at("AuthorizerResultTtlInSeconds"), f"must be 0 to {limits.AUTHORIZER_LONGEST_TTL_SECONDS}"
        )
    return LambdaProvider(function, ttl, _pattern(config, "IdentityValidationExpression"))


def _pattern(config: Properties, key: str) -> str | None:
    pattern: str | None = config.text(key, None)
    if not pattern:
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        raise PropertyError(config.at(key), f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def _milliseconds(config: Properties, key: str) -> float | None:
    if config.get(key) is None:
        return None
    value = config.number(key, 0)
    if value < 0:
        raise PropertyError(config.at(key), "must not be negative")
    return value or None
