"""What is wrong with a user's token. The token itself is never printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import jwt

from ops.deployed.target import Target

_LEEWAY_SECONDS: Final = 5


def issuer(target: Target, pool: str, region: str) -> str:
    """Return the address of a pool: the issuer of its tokens, or the same path of a local cloud."""
    if target.local is not None:
        return f"{target.local['userPoolEndpoint']}/{pool}"
    return f"https://cognito-idp.{region}.amazonaws.com/{pool}"


def token_faults(
    token: str,
    *,
    pool: str,
    region: str,
    clients: Sequence[str],
    keys: Mapping[str, Any],
    now: datetime | None = None,
) -> Iterator[str]:
    """Yield what is wrong with an access token, one sentence each.

    Args:
        token: the token.
        pool, region: the user pool that must have issued it.
        clients: the app clients that it may be for.
        keys: the pool's key set (JWKS).
        now: the present; by default this machine's.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        yield "it is not a JWT; the client may send a password, a session id or a truncated token"
        return
    expected = f"https://cognito-idp.{region}.amazonaws.com/{pool}"
    if claims.get("iss") != expected:
        yield f"it was issued by {_shown(claims.get('iss'))}, not by the user pool {pool}"
    elif fault := _signature_fault(token, header, keys):
        yield fault
    yield from _time_faults(claims, now or datetime.now(UTC))
    if claims.get("token_use") != "access":
        yield f"it is a token for {_shown(claims.get('token_use'))}; the services accept access tokens only"
    elif claims.get("client_id") not in clients:
        yield f"it is for the app client {_shown(claims.get('client_id'))}, not for {', '.join(clients)}"


def _signature_fault(token: str, header: Mapping[str, Any], keys: Mapping[str, Any]) -> str | None:
    for key in keys.get("keys", []):
        if key.get("kid") == header.get("kid"):
            try:
                jwt.decode(
                    token,
                    jwt.PyJWK(key).key,
                    algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False},
                )
            except jwt.InvalidTokenError:
                return "its signature is not the user pool's"
            return None
    return f"it was signed with a key that the user pool does not have ({_shown(header.get('kid'))})"


def _time_faults(claims: Mapping[str, Any], now: datetime) -> Iterator[str]:
    seconds = now.timestamp()
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float):
        yield "it has no expiry (exp)"
    elif expires <= seconds:
        yield f"it expired {seconds - expires:.0f} s ago"
    if isinstance(issued, int | float) and issued > seconds + _LEEWAY_SECONDS:
        yield f"it was issued {issued - seconds:.0f} s in the future: the clock here or at its issuer is wrong"


def _shown(value: Any) -> str:
    return "an unknown one" if value is None else str(value)[:120]
