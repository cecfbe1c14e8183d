"""The sign-up trigger: it creates the profile and never fails."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from contract import tables
from handlers.adapters.cognito.identity_provider import CognitoIdentityProvider
from handlers.adapters.system import SystemClock
from handlers.core.shared.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from handlers.entry.profile import trigger
from tests.harness.emulator import AwsResources, Emulator
from tests.harness.faults import FaultInjector, FaultyClient
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def _event(user_id: str, source: str = "PostConfirmation_ConfirmSignUp", **attributes: str) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": source,
        "userName": user_id,
        "request": {
            "userAttributes": {
                "sub": user_id,
                "email": "Ada@Example.org",
                "email_verified": "true",
                "given_name": "Ada",
                "family_name": "Lovelace",
                **attributes,
            }
        },
        "response": {},
    }


def test_confirmed_sign_up_creates_a_profile_that_search_finds(harness: FunctionHarness) -> None:
    user_id = str(uuid.uuid4())
    event = _event(user_id)
    response = trigger(harness.profiles, SystemClock())(copy.deepcopy(event), None)
    assert response == event
    me = harness.call_ok(user_id, "getMe")["user"]
    assert (me["fullName"], me["email"], me["emailVerified"]) == ("Ada Lovelace", "ada@example.org", True)
    assert not {"major", "year"} & set(harness.aws.item(tables.USERS, userId=user_id) or {})
    searching = harness.user()
    harness.aws.emulator.let_reads_catch_up()
    assert [each["userId"] for each in harness.call_ok(searching, "searchUsers", q="love")["users"]] == [user_id]
    assert harness.identities.requests == 0


def test_second_run_of_the_trigger_changes_nothing(harness: FunctionHarness) -> None:
    user_id = str(uuid.uuid4())
    handle = trigger(harness.profiles, SystemClock())
    handle(_event(user_id), None)
    harness.call_ok(user_id, "updateMe", {"firstName": "Augusta"})
    handle(_event(user_id), None)
    assert harness.call_ok(user_id, "getMe")["user"]["fullName"] == "Augusta Lovelace"


@pytest.mark.parametrize("source", ["PostConfirmation_ConfirmForgotPassword", "PreSignUp_SignUp", ""])
def test_other_trigger_sources_create_no_profile(harness: FunctionHarness, source: str) -> None:
    event = _event("user", source)
    assert trigger(harness.profiles, SystemClock())(event, None) == event
    assert harness.aws.scan(tables.USERS) == []


def test_sign_up_succeeds_when_the_store_fails_and_get_me_creates_the_profile(
    harness: FunctionHarness,
) -> None:
    def fails(call: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://dynamodb")

    user_id = str(uuid.uuid4())
    event = _event(user_id)

    class UnreachableClient:
        def __getattr__(self, name: str) -> Any:
            return getattr(FaultyClient(harness.aws.dynamodb, FaultInjector(1, fails)), name)

    handle = trigger(lambda: harness.profiles(UnreachableClient()), SystemClock())
    assert handle(event, None) == event
    assert harness.aws.scan(tables.USERS) == []
    harness.identities.accounts["token"] = CognitoIdentityProvider(lambda: _CognitoClient(user_id)).account("token")
    assert harness.call_ok(user_id, "getMe", token="token")["user"]["fullName"] == "Ada Lovelace"


class _CognitoClient:
    """A Cognito client with the documented response of GetUser."""

    def __init__(self, user_id: str) -> None:
        self._attributes = _event(user_id)["request"]["userAttributes"]

    def get_user(self, **_: str) -> dict[str, Any]:
        return {"Username": "ada", "UserAttributes": [{"Name": n, "Value": v} for n, v in self._attributes.items()]}


def test_event_without_attributes_is_returned_unchanged(harness: FunctionHarness) -> None:
    event = {"triggerSource": "PostConfirmation_ConfirmSignUp", "request": {}}
    assert trigger(harness.profiles, SystemClock())(event, None) == event


@pytest.fixture(scope="module")
def signed_in(emulator: Emulator) -> Iterator[tuple[Any, str, str]]:
    """A Cognito client, and the sub and access token of a signed-in user."""
    cognito = emulator.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    attributes = {"email": "ada@example.org", "given_name": "Ada", "family_name": "Lovelace"}
    signed_up = cognito.sign_up(
        ClientId=client,
        Username="ada",
        Password="Correct-Horse-1",
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
    )
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username="ada")
    tokens = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": "Correct-Horse-1"},
    )["AuthenticationResult"]
    yield cognito, signed_up["UserSub"], tokens["AccessToken"]
    cognito.delete_user_pool(UserPoolId=pool)


def test_account_is_read_from_cognito_with_the_access_token(signed_in: tuple[Any, str, str]) -> None:
    cognito, user_id, token = signed_in
    account = CognitoIdentityProvider(lambda: cognito).account(token)
    assert (account.user_id, account.email) == (user_id, "ada@example.org")
    assert (account.given_name, account.family_name) == ("Ada", "Lovelace")


def test_invalid_token_is_unauthenticated(signed_in: tuple[Any, str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        CognitoIdentityProvider(lambda: signed_in[0]).account("not-a-token")


def test_token_without_the_scope_is_refused_with_the_scope_that_it_lacks(emulator: Emulator) -> None:
    cognito = emulator.client("cognito-idp")
    with Stubber(cognito) as stub:
        message = "Access Token does not have required scopes"
        stub.add_client_error("get_user", "NotAuthorizedException", message, http_status_code=400)
        with pytest.raises(ForbiddenError, match=r"aws\.cognito\.signin\.user\.admin"):
            CognitoIdentityProvider(lambda: cognito).account("token")


def test_unreachable_cognito_is_unavailable(emulator: Emulator) -> None:
    absent = Emulator("http://127.0.0.1:9", "").client("cognito-idp", connect_timeout=1)
    with pytest.raises(UnavailableError):
        CognitoIdentityProvider(lambda: absent).account("token")
