"""Tokens at the JWT authorizer of HTTP APIs.

Upstream: a token without `exp` is accepted for ever, one whose header or claims are no objects ends in 500, and the
response names no challenge. Amazon API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers":
`exp` must be after the current time. "Troubleshooting issues with HTTP API JWT authorizers": 401 comes with
`www-authenticate`.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from ministack.services import apigateway

Answer = tuple[dict[str, Any] | None, list[str] | None, tuple[int, dict[str, str], bytes] | None]
_CHALLENGE: Final = "www-authenticate"
_INVALID: Final = 'Bearer scope="" error="invalid_token" error_description="{}"'


def apply() -> None:
    """Check the form of a token before upstream does, and name the challenge in refusals."""
    validate = apigateway._validate_jwt_authorizer

    async def validate_completely(
        route: dict[str, Any], authorizer: dict[str, Any], headers: dict[str, str], query: dict[str, Any]
    ) -> Answer:
        token = apigateway._extract_token_from_identity_source(authorizer.get("identitySource", []), headers, query)
        if not token:
            return _refused("Bearer")
        reason = _malformed(token)
        if reason is not None:
            return _refused(_INVALID.format(reason))
        claims, scopes, refusal = await validate(route, authorizer, headers, query)
        if refusal is not None and refusal[0] == 401:
            return _refused(_INVALID.format("the token is not valid"))
        return claims, scopes, refusal

    apigateway._validate_jwt_authorizer = validate_completely


def _malformed(token: str) -> str | None:
    pieces = token.split(".")
    if len(pieces) != 3:
        return "the token is malformed"
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))) for piece in pieces[:2])
    except (ValueError, RecursionError):
        return "the token is malformed"
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return "the token is malformed"
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is None and name != "exp":
            continue
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e15:
            return f"the token does not have a valid {name}"
    return None


def _refused(challenge: str) -> Answer:
    status, headers, body = apigateway._jwt_unauthorized()
    return None, None, (status, {**headers, _CHALLENGE: challenge}, body)
