"""A Cognito user pool that accepts every sign-in, for the client's tests."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.harness.client.servers import ReceivedRequest, Reply

_CHALLENGE = {
    "USER_ID_FOR_SRP": "user",
    "SECRET_BLOCK": base64.b64encode(b"block").decode(),
    "SRP_B": "2",
    "SALT": "1",
}


def token(**claims: Any) -> str:
    """Return a JWT with these claims and no valid signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def tokens_reply(user_id: str = "me", *, number: int = 0, refresh: str | None = None) -> dict[str, Any]:
    """Return Cognito's response to a completed sign-in or renewal; `number` is a claim that distinguishes tokens."""
    result = {"AccessToken": token(sub=user_id, n=number), "IdToken": token(sub=user_id), "ExpiresIn": 3600}
    return {"AuthenticationResult": result | ({"RefreshToken": refresh} if refresh else {})}


def sign_in_reply(request: ReceivedRequest, user_id: str = "me") -> Reply:
    """Return the response to a request of USER_SRP_AUTH: the challenge, then the tokens."""
    if request.headers["x-amz-target"].endswith(".InitiateAuth"):
        return Reply(200, {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": _CHALLENGE})
    return Reply(200, tokens_reply(user_id, refresh="refresh"))
