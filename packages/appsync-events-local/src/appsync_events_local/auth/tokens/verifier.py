"""Verifies JSON Web Tokens: key, signature, issuer, times, and the claims that the provider requires.

A verified token is cached, because clients send the same token with every frame; its expiry and the claims that depend
on the API are checked every time. Sources: AppSync Events: "Configuring authorization and authentication"; RFC 7519.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

import jwt

from appsync_events_local.auth.tokens.cognito_claims import check_cognito_claims
from appsync_events_local.auth.tokens.key_sets import KeySetCache
from appsync_events_local.auth.tokens.oidc_claims import check_oidc_claims
from appsync_events_local.errors import Refusal, unauthorized
from appsync_events_local.limits import JWT_LEEWAY_SECONDS
from appsync_events_local.model.auth_providers import CognitoProvider, OidcProvider

CACHED_TOKENS: Final = 4096
CACHED_ISSUERS: Final = 1024
COGNITO_ALGORITHM: Final = "RS256"
_BEARER: Final = re.compile(r"bearer\s+", re.IGNORECASE)


def bare_token(authorization: str) -> str:
    """Return the token in an authorization value, without the optional `Bearer` prefix."""
    return _BEARER.sub("", authorization.strip(), count=1)


def has_bearer(authorization: str) -> bool:
    """Return whether the value has a `Bearer` prefix."""
    return _BEARER.match(authorization.strip()) is not None


@lru_cache(maxsize=CACHED_ISSUERS)
def issuer_of(token: str) -> str | None:
    """Return the unverified `iss` of a JSON Web Token; empty if it has none, `None` if the text is not such a token.

    The text may be anything, for example JSON that is nested too deeply, or not valid Unicode.
    """
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    return issuer if isinstance(issuer, str) else ""


class TokenVerifier:
    """Verifies tokens of user pools and of OpenID Connect issuers.

    Args:
        key_sets: the key sets of their issuers.
        clock: seconds since the epoch.
    """

    def __init__(self, key_sets: KeySetCache, clock: Callable[[], float]) -> None:
        self._key_sets = key_sets
        self._clock = clock
        self._verified: OrderedDict[tuple[type, str], Mapping[str, Any]] = OrderedDict()

    async def verify(
        self, authorization: str, providers: Collection[CognitoProvider] | Collection[OidcProvider]
    ) -> Mapping[str, Any]:
        """Return the claims of the token in an authorization value, if one of the providers accepts it.

        Args:
            authorization: the value, with or without a `Bearer` prefix.
            providers: providers of one kind.

        Raises:
            Refusal: the token is not valid, or its issuer's keys cannot be fetched.
        """
        token = bare_token(authorization)
        issuer = issuer_of(token)
        if issuer is None:
            raise unauthorized("the authorization is not a JSON Web Token")
        issuing = [provider for provider in providers if provider.issues(issuer)]
        if not issuing:
            raise unauthorized(f"the API has no provider for issuer {issuer!r}")
        claims = await self._verified_claims(token, issuing[0])
        if self._clock() > float(claims["exp"]) + JWT_LEEWAY_SECONDS:
            raise unauthorized("invalid token: Signature has expired")
        _check_any(claims, issuing, self._clock())
        return claims

    async def _verified_claims(self, token: str, provider: CognitoProvider | OidcProvider) -> Mapping[str, Any]:
        source = (type(provider), token)
        known = self._verified.get(source)
        if known is None:
            known = self._verified[source] = await self._claims(token, provider)
            if len(self._verified) > CACHED_TOKENS:
                self._verified.popitem(last=False)
        return known

    async def _claims(self, token: str, provider: CognitoProvider | OidcProvider) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or not isinstance(key_id, str):
            raise unauthorized("the token is not signed by a named key")
        if isinstance(provider, CognitoProvider) and algorithm != COGNITO_ALGORITHM:
            raise unauthorized(f"user pools sign with {COGNITO_ALGORITHM}, not {algorithm}")
        key_set = await self._key_sets.find(provider, key_id)
        published = key_set.keys.get(key_id)
        key = published.verifying(algorithm) if published else None
        if key is None:
            raise unauthorized(f"{provider.issuer} has no key {key_id!r} for {algorithm}")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=key_set.issuer,
                leeway=JWT_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise unauthorized(f"invalid token: {error}") from error
        return claims


def _check_any(claims: Mapping[str, Any], providers: Collection[CognitoProvider | OidcProvider], now: float) -> None:
    """Check that at least one provider accepts the claims; otherwise the refusal of the last one is raised."""
    refused: Refusal | None = None
    for provider in providers:
        try:
            if isinstance(provider, CognitoProvider):
                check_cognito_claims(claims, provider)
            else:
                check_oidc_claims(claims, provider, now)
            return
        except Refusal as refusal:
            refused = refusal
    assert refused is not None, "there is at least one provider"
    raise refused
