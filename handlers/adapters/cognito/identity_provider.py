"""Accounts in Cognito."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.dynamodb.client import error_code
from handlers.core.shared.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from handlers.core.users.ports import IdentityProvider
from handlers.core.users.profile_rules import Account

_SCOPE = "aws.cognito.signin.user.admin"
"""The scope that GetUser requires; tokens of the Hosted UI have it only where the app client allows it."""
_REFUSED = frozenset({"NotAuthorizedException", "UserNotFoundException", "InvalidParameterException"})


def account(attributes: Mapping[str, str]) -> Account:
    """Return the account that Cognito's user attributes describe.

    Args:
        attributes: name to value, as in the user pool; `sub` is always present.
    """
    return Account(
        user_id=attributes["sub"],
        email=attributes.get("email", ""),
        email_verified=attributes.get("email_verified", "").lower() == "true",
        given_name=attributes.get("given_name", ""),
        family_name=attributes.get("family_name", ""),
    )


class CognitoIdentityProvider(IdentityProvider):
    """Reads accounts with the user's own access token (Amazon Cognito: GetUser). The function needs no permission.

    Args:
        client: returns the `cognito-idp` client; called on first use, since few requests need it.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def account(self, access_token: str) -> Account:
        try:
            answer = self._client().get_user(AccessToken=access_token)
        except ClientError as error:
            if "scope" in error.response["Error"].get("Message", "").lower():
                raise ForbiddenError(
                    f"the access token lacks the scope {_SCOPE}: the app must request it at sign-in"
                ) from error
            if error_code(error) in _REFUSED:
                raise UnauthenticatedError("the access token is no longer valid; sign in again") from error
            raise UnavailableError("Cognito could not read your account; try again") from error
        except BotoCoreError as error:
            raise UnavailableError("Cognito could not read your account; try again") from error
        return account({each["Name"]: each["Value"] for each in answer["UserAttributes"]})
