"""Tokens that callers of Cognito present.

Upstream: signature, expiry, revocation and scope of an access token, and the signature of a refresh token, are checked
only with AUTH=true, which also refuses every request without TLS. So GetUser, DeleteUser and the rest answer any text
that names a user, a forged refresh token is exchanged for real tokens, and one that is nested deep enough ends in 500.

Amazon Cognito user pools API reference, GetUser and InitiateAuth: NotAuthorizedException (400).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]
_REFRESH_FLOWS = frozenset({"REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"})


def apply() -> None:
    """Verify tokens before any operation reads them."""
    dispatch, refresh_user, user_info = (
        cognito._dispatch_idp,
        cognito._refresh_auth_user,
        cognito.handle_oauth2_userinfo,
    )

    async def dispatch_verified(action: str, data: dict[str, Any]) -> Response:
        refusal = _refusal(data)
        if refusal is not None:
            return refusal
        response: Response = await dispatch(action, data)
        return response

    def refresh_user_verified(pool: Any, pool_id: str, client_id: str, token: str) -> tuple[Any, Response | None]:
        if token and not (_is_readable(token) and cognito._signature_valid(token)):
            return None, _refused("Invalid Refresh Token")
        user, error = refresh_user(pool, pool_id, client_id, token)
        if error is None and not user.get("Enabled", True):
            return None, _refused("User is disabled.")
        if error is None and cognito._token_claims(token).get("origin_jti") in cognito._revoked_tokens:
            return None, _refused("Refresh Token has been revoked")
        return user, error

    def user_info_verified(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        _, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        if token and (not _is_readable(token) or cognito._userinfo_token_error(token) is not None):
            answer = json.dumps({"error": "invalid_token", "error_description": "Access token is not valid"})
            headers = {"Content-Type": "application/json", "WWW-Authenticate": "Bearer error=INVALID_TOKEN"}
            return 401, headers, answer.encode()
        response: Response = user_info(method, path, headers, body, query)
        return response

    cognito._dispatch_idp = dispatch_verified
    cognito._refresh_auth_user = refresh_user_verified
    cognito.handle_oauth2_userinfo = user_info_verified


def _refusal(data: Any) -> Response | None:
    if not isinstance(data, dict):
        return None
    access = data.get("AccessToken")
    if access is not None:
        if not isinstance(access, str) or not _is_readable(access):
            return _refused("Invalid Access Token")
        error: Response | None = cognito._access_token_error(data)
        return error
    parameters = data.get("AuthParameters")
    exchanged = [data.get("RefreshToken")]
    if isinstance(parameters, dict) and data.get("AuthFlow") in _REFRESH_FLOWS:
        exchanged.append(parameters.get("REFRESH_TOKEN"))
    if any(isinstance(token, str) and token and not _is_readable(token) for token in exchanged):
        return _refused("Invalid Refresh Token")
    return None


def _is_readable(token: str) -> bool:
    """Return whether a token has a header for RS256, claims and a signature: only then may upstream parse it."""
    pieces = token.split(".")
    if len(pieces) != 3:
        return False
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))) for piece in pieces[:2])
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and isinstance(claims, dict) and header.get("alg") == "RS256"


def _refused(message: str) -> Response:
    response: Response = error_response_json("NotAuthorizedException", message, 400)
    return response
