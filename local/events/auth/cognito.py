"""Tokens of Cognito user pools, verified (Amazon Cognito: "Verifying JSON web tokens").

Signature by the pool's published key, issuer, times, use and app client are all checked. A verified token is
remembered until it expires, because clients send the same one with every frame.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import jwt

from local.events.api import CognitoProvider
from local.events.auth.jwks import KeySets
from local.events.errors import unauthorized
from local.events.limits import JWT_LEEWAY_SECONDS

ALGORITHM: Final = "RS256"
REMEMBERED_TOKENS: Final = 4096
_BEARER: Final = re.compile(r"bearer\s+", re.IGNORECASE)


class TokenVerifier:
    """Verifies user pool tokens.

    Args:
        key_sets: where the pools' keys come from.
        clock: seconds since the epoch.
    """

    def __init__(self, key_sets: KeySets, clock: Callable[[], float]) -> None:
        self._key_sets = key_sets
        self._clock = clock
        self._verified: OrderedDict[str, tuple[CognitoProvider, Mapping[str, Any]]] = OrderedDict()

    async def verify(self, authorization: str, providers: Collection[CognitoProvider]) -> Mapping[str, Any]:
        """The claims of the token in an authorization value; a `Bearer` prefix is optional.

        Raises:
            Refusal: the token is not good, or the pool's keys cannot be fetched.
        """
        token = _BEARER.sub("", authorization.strip(), count=1)
        known = self._verified.get(token)
        if known is not None and known[0] in providers:
            self._check_expiry(known[1])
            return known[1]
        header, unverified = _peek(token)
        provider = next((p for p in providers if p.issuer == unverified.get("iss")), None)
        if provider is None:
            raise unauthorized(f"issuer {unverified.get('iss')!r} is not a user pool of this API")
        claims = await self._claims(token, header, provider)
        self._verified[token] = (provider, claims)
        if len(self._verified) > REMEMBERED_TOKENS:
            self._verified.popitem(last=False)
        return claims

    async def _claims(self, token: str, header: Mapping[str, Any], provider: CognitoProvider) -> Mapping[str, Any]:
        key_id = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
            raise unauthorized(f"the token is not signed by {ALGORITHM} with a named key")
        key = await self._key_sets.find(provider.pool_id, key_id)
        if key is None:
            raise unauthorized(f"user pool {provider.pool_id} has no key {key_id!r}")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=provider.issuer,
                leeway=JWT_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise unauthorized(f"bad token: {error}") from error
        _check_client(claims, provider)
        return claims

    def _check_expiry(self, claims: Mapping[str, Any]) -> None:
        if self._clock() > float(claims["exp"]) + JWT_LEEWAY_SECONDS:
            raise unauthorized("bad token: Signature has expired")


def _peek(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        decoded = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise unauthorized(f"no JSON Web Token: {error}") from error
    return decoded["header"], decoded["payload"]


def _check_client(claims: Mapping[str, Any], provider: CognitoProvider) -> None:
    use = claims.get("token_use")
    if use not in ("access", "id"):
        raise unauthorized(f"token_use is {use!r}, neither access nor id")
    client = claims.get("client_id") if use == "access" else claims.get("aud")
    if not isinstance(client, str):
        raise unauthorized(f"the {use} token names no app client")
    pattern = provider.app_client_pattern
    if pattern is not None and re.fullmatch(pattern, client) is None:
        raise unauthorized(f"app client {client} does not match {pattern}")
