"""Cognito refuses every call whose token it has not signed for the caller."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.tokens import (
    SignedIn,
    later,
    nested_claims,
    nested_header,
    sign_in,
    signed_by_foreign_key,
    unsigned,
    with_claims,
)

Forge = Callable[[SignedIn, SignedIn], str]

FORGERIES: dict[str, Forge] = {
    "no signature": lambda ada, _: unsigned(ada.access),
    "no signature, another user": lambda ada, grace: unsigned(ada.access, username=grace.name, sub=grace.name),
    "foreign key": lambda ada, _: signed_by_foreign_key(ada.access),
    "foreign key, another user": lambda ada, grace: signed_by_foreign_key(ada.access, username=grace.name),
    "own signature, another user": lambda ada, grace: with_claims(ada.access, username=grace.name),
    "own signature, later expiry": lambda ada, _: with_claims(ada.access, exp=later(9_000)),
    "unknown pool": lambda ada, _: signed_by_foreign_key(ada.access, iss="https://cognito-idp.us-east-1/us-east-1_no"),
    "deeply nested header": lambda ada, _: nested_header(ada.access),
    "deeply nested claims": lambda ada, _: nested_claims(ada.access),
    "refresh token": lambda ada, _: ada.refresh,
    "two parts": lambda ada, _: ada.access.rsplit(".", 1)[0],
    "no token": lambda _, __: "token",
}
OPERATIONS: dict[str, dict[str, Any]] = {
    "get_user": {},
    "update_user_attributes": {"UserAttributes": [{"Name": "given_name", "Value": "Mallory"}]},
    "delete_user": {},
    "change_password": {"PreviousPassword": "Secret-123", "ProposedPassword": "Secret-456"},
    "global_sign_out": {},
    "associate_software_token": {},
    "set_user_mfa_preference": {"SoftwareTokenMfaSettings": {"Enabled": True}},
}


@pytest.fixture(scope="module")
def users(emulator: EmulatorProcess) -> list[SignedIn]:
    return sign_in(emulator, "ada", "grace")


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def requested(
    emulator: EmulatorProcess, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, bytes]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", emulator.ports.emulator, timeout=10)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_get_user_refuses_a_token_that_the_pool_has_not_signed(
    emulator: EmulatorProcess, users: list[SignedIn], forgery: str
) -> None:
    token = FORGERIES[forgery](users[0], users[1])
    assert refused(emulator.aws("cognito-idp").get_user, AccessToken=token) == ("NotAuthorizedException", 400)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_with_an_access_token_verifies_it(
    emulator: EmulatorProcess, users: list[SignedIn], operation: str
) -> None:
    call = getattr(emulator.aws("cognito-idp"), operation)
    token = signed_by_foreign_key(users[0].access)
    assert refused(call, AccessToken=token, **OPERATIONS[operation]) == ("NotAuthorizedException", 400)
    assert emulator.aws("cognito-idp").get_user(AccessToken=users[0].access)["Username"] == "ada"


def test_the_pools_own_tokens_are_accepted(emulator: EmulatorProcess, users: list[SignedIn]) -> None:
    cognito = emulator.aws("cognito-idp")
    assert cognito.get_user(AccessToken=users[1].access)["Username"] == "grace"
    renewed = cognito.initiate_auth(
        ClientId=users[1].client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": users[1].refresh},
    )["AuthenticationResult"]
    assert cognito.get_user(AccessToken=renewed["AccessToken"])["Username"] == "grace"


@pytest.mark.parametrize("forge", [unsigned, signed_by_foreign_key, nested_header, nested_claims])
def test_a_forged_refresh_token_is_not_exchanged(
    emulator: EmulatorProcess, users: list[SignedIn], forge: Callable[[str], str]
) -> None:
    cognito = emulator.aws("cognito-idp")
    forged, client = forge(users[0].refresh), users[0].client
    flow = {"ClientId": client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": forged}}
    assert refused(cognito.initiate_auth, **flow) == ("NotAuthorizedException", 400)
    exchange = {"ClientId": client, "RefreshToken": forged}
    assert refused(cognito.get_tokens_from_refresh_token, **exchange) == ("NotAuthorizedException", 400)


def test_a_disabled_users_tokens_are_refused(emulator: EmulatorProcess) -> None:
    [user] = sign_in(emulator, "carol")
    cognito = emulator.aws("cognito-idp")
    cognito.admin_disable_user(UserPoolId=user.pool, Username=user.name)
    assert refused(cognito.get_user, AccessToken=user.access) == ("NotAuthorizedException", 400)
    flow = {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": user.refresh}}
    assert refused(cognito.initiate_auth, ClientId=user.client, **flow) == ("NotAuthorizedException", 400)


def test_a_signed_out_users_access_token_is_refused(emulator: EmulatorProcess) -> None:
    [user] = sign_in(emulator, "dan")
    cognito = emulator.aws("cognito-idp")
    cognito.global_sign_out(AccessToken=user.access)
    assert refused(cognito.get_user, AccessToken=user.access) == ("NotAuthorizedException", 400)


@pytest.mark.parametrize("forgery", ["foreign key", "no signature", "two parts"])
def test_user_info_refuses_a_token_that_the_pool_has_not_signed(
    emulator: EmulatorProcess, users: list[SignedIn], forgery: str
) -> None:
    token = FORGERIES[forgery](users[0], users[1])
    assert requested(emulator, "GET", "/oauth2/userInfo", b"", {"authorization": f"Bearer {token}"})[0] == 401


@pytest.mark.parametrize("target", ["AWSCognitoIdentityProviderService.GetUser", "DynamoDB_20120810.GetItem"])
def test_a_body_that_is_nested_too_deep_is_refused_as_unreadable(emulator: EmulatorProcess, target: str) -> None:
    body = b'{"AccessToken":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
    status, text = requested(emulator, "POST", "/", body, headers)
    assert (status, b"SerializationException" in text) == (400, True)
