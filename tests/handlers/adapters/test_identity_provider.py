"""CognitoIdentityProvider: the region of the user pool, and the error of a token without the required scope."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.adapters import aws_clients
from handlers.adapters.cognito.identity_provider import CognitoIdentityProvider
from handlers.core.shared.errors import ChatError, ForbiddenError, UnauthenticatedError


class _RefusingCognito:
    """A Cognito client that refuses every token with one message."""

    def __init__(self, message: str) -> None:
        self._message = message

    def get_user(self, **_: str) -> Any:
        raise ClientError({"Error": {"Code": "NotAuthorizedException", "Message": self._message}}, "GetUser")


@pytest.mark.parametrize(
    ("message", "expected", "said"),
    [
        ("Access Token does not have required scopes", ForbiddenError, r"lacks the scope aws\.cognito\.signin\.user"),
        ("Access Token has expired", UnauthenticatedError, "sign in again"),
        ("Access Token has been revoked", UnauthenticatedError, "sign in again"),
    ],
)
def test_token_without_the_scope_of_get_user_is_forbidden_and_not_a_reason_to_sign_in_again(
    message: str, expected: type[ChatError], said: str
) -> None:
    with pytest.raises(expected, match=said):
        CognitoIdentityProvider(lambda: _RefusingCognito(message)).account("token")


def test_client_of_an_imported_pool_asks_the_region_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for cached in (aws_clients.client, aws_clients.session):
        cached.cache_clear()
    try:
        assert aws_clients.client("cognito-idp", "eu-west-1").meta.region_name == "eu-west-1"
        assert aws_clients.client("sqs").meta.region_name == "us-east-1"
    finally:
        for cached in (aws_clients.client, aws_clients.session):
            cached.cache_clear()
