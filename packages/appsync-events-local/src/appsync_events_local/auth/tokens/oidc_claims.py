"""Checks the claims of OpenID Connect tokens.

Source: AWS AppSync: "Configuring authorization and authentication", OPENID_CONNECT.
"""

import re
from collections.abc import Mapping
from typing import Any

from appsync_events_local.errors import unauthorized
from appsync_events_local.limits import JWT_LEEWAY_SECONDS
from appsync_events_local.model.auth_providers import OidcProvider


def check_oidc_claims(claims: Mapping[str, Any], provider: OidcProvider, now: float) -> None:
    """Check that the token is for a client that the provider accepts, and not too old at `now` (seconds since the
    epoch).

    Raises:
        Refusal: it is not.
    """
    _check_client(claims, provider.client_pattern)
    _check_age(claims, "iat", provider.issued_ttl_ms, now)
    _check_age(claims, "auth_time", provider.authenticated_ttl_ms, now)


def _check_client(claims: Mapping[str, Any], pattern: str | None) -> None:
    if pattern is None:
        return
    audience, party = claims.get("aud"), claims.get("azp")
    named = [*(audience if isinstance(audience, list) else [audience]), party]
    if not any(isinstance(client, str) and re.fullmatch(pattern, client) for client in named):
        raise unauthorized(f"neither aud {audience!r} nor azp {party!r} matches {pattern}")


def _check_age(claims: Mapping[str, Any], claim: str, ttl_ms: float | None, now: float) -> None:
    if ttl_ms is None:
        return
    since = claims.get(claim)
    if isinstance(since, bool) or not isinstance(since, int | float):
        raise unauthorized(f"the token has no {claim}, but the API limits the time since it")
    age = now - since
    if age > ttl_ms / 1000 + JWT_LEEWAY_SECONDS:
        raise unauthorized(f"{claim} is {age:.0f} s ago; the API accepts {ttl_ms:.0f} ms at most")
