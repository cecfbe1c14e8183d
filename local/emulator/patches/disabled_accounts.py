"""Refuses new tokens to disabled accounts.

Upstream: a refresh token of a disabled account still gets access tokens, unless ministack runs with AUTH, which this
repository cannot use.

Amazon Cognito API reference, AdminDisableUser: the user is signed out of all sessions and cannot sign in; the refresh
token is refused with NotAuthorizedException, "User is disabled."
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito


def apply() -> None:
    """Check the account wherever a refresh token is used."""
    refresh = cognito._refresh_auth_user

    def refresh_active(*arguments: Any) -> tuple[Any, Any]:
        user, error = refresh(*arguments)
        if error is None and not user.get("Enabled", True):
            return None, error_response_json("NotAuthorizedException", "User is disabled.", 400)
        return user, error

    cognito._refresh_auth_user = refresh_active
