"""Checks the claims of user pool tokens (Amazon Cognito: "Verifying JSON web tokens")."""

import re
from collections.abc import Mapping
from typing import Any

from appsync_events_local.errors import unauthorized
from appsync_events_local.model.auth_providers import CognitoProvider


def check_cognito_claims(claims: Mapping[str, Any], provider: CognitoProvider) -> None:
    """Check that the token is an access or id token of an app client that the provider accepts.

    Raises:
        Refusal: it is not.
    """
    use = claims.get("token_use")
    if use not in ("access", "id"):
        raise unauthorized(f"token_use is {use!r}, neither access nor id")
    client = claims.get("client_id") if use == "access" else claims.get("aud")
    if not isinstance(client, str):
        raise unauthorized(f"the {use} token names no app client")
    pattern = provider.app_client_pattern
    if pattern is not None and re.fullmatch(pattern, client) is None:
        raise unauthorized(f"app client {client} does not match {pattern}")
