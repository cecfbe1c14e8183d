"""ops.accounts on the emulator's Cognito and DynamoDB: accounts that are disabled, enabled, deleted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract import tables
from ops.accounts import AccountControl, Difference
from ops.errors import CommandError
from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator
from tests.harness.functions import FunctionHarness

PASSWORD = "Correct-horse-7"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Cognito, DynamoDB and SQS in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@dataclass
class Campus:
    """A user pool with its client, and the functions on the tables of the same environment."""

    aws: AwsResources
    cognito: Any
    pool_id: str
    client_id: str
    control: AccountControl
    functions: FunctionHarness

    def sign_up(self, email: str, *, profile: bool = True) -> str:
        """Create a confirmed account, by default with a profile of January, and return its user id."""
        created = self.cognito.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
        self.cognito.admin_set_user_password(UserPoolId=self.pool_id, Username=email, Password=PASSWORD, Permanent=True)
        user_id = next(each["Value"] for each in created["User"]["Attributes"] if each["Name"] == "sub")
        if profile:
            item = {"userId": user_id, "firstName": "Ada", "fullName": "Ada", "createdAt": "2026-01-01T00:00:00.000Z"}
            self.aws.put(tables.USERS, item)
        return str(user_id)

    def sign_in(self, email: str) -> dict[str, Any]:
        """Sign in with the password and return Cognito's tokens."""
        answer = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        tokens: dict[str, Any] = answer["AuthenticationResult"]
        return tokens

    def flag(self, user_id: str) -> str | None:
        """Return when the account was disabled, as the functions read it."""
        return (self.aws.item(tables.USERS, userId=user_id) or {}).get("disabledAt")


@pytest.fixture
def campus(emulator: Emulator) -> Campus:
    aws, cognito = create_resources(emulator), emulator.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="test", UsernameAttributes=["email"])["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="test", ExplicitAuthFlows=flows)
    control = AccountControl(cognito, aws.dynamodb, pool, aws.table(tables.USERS))
    return Campus(aws, cognito, pool, client["UserPoolClient"]["ClientId"], control, FunctionHarness(aws))


@pytest.mark.parametrize("by", ["email", "sub"])
def test_disabled_account_can_neither_sign_in_nor_renew_nor_request(campus: Campus, by: str) -> None:
    email = f"{uuid.uuid4()}@example.edu"
    user_id = campus.sign_up(email)
    tokens = campus.sign_in(email)
    assert campus.functions.call(user_id, "listConversations").status == 200
    time.sleep(1.1)  # the emulator compares the times of the token and of the sign-out in whole seconds
    assert campus.control.disable(email if by == "email" else user_id) == user_id
    with pytest.raises(campus.cognito.exceptions.ClientError):
        campus.sign_in(email)
    with pytest.raises(campus.cognito.exceptions.ClientError):
        campus.cognito.initiate_auth(
            ClientId=campus.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
        )
    assert FunctionHarness(campus.aws).call(user_id, "listConversations").status == 403
    first = campus.flag(user_id)
    campus.control.disable(user_id)
    assert campus.flag(user_id) == first


def test_enabled_account_can_sign_in_and_request_again(campus: Campus) -> None:
    email = f"{uuid.uuid4()}@example.edu"
    user_id = campus.sign_up(email)
    campus.control.disable(email)
    assert campus.control.enable(email) == user_id
    assert campus.sign_in(email)["AccessToken"]
    assert FunctionHarness(campus.aws).call(user_id, "listConversations").status == 200
    assert (campus.aws.item(tables.USERS, userId=user_id) or {})["fullName"] == "Ada"


def test_disabled_account_without_a_profile_cannot_create_one(campus: Campus) -> None:
    email = f"{uuid.uuid4()}@example.edu"
    user_id = campus.sign_up(email, profile=False)
    campus.control.disable(email)
    assert FunctionHarness(campus.aws).call(user_id, "getMe").status == 403


def test_sync_finds_accounts_that_were_disabled_deleted_or_enabled_in_cognito(campus: Campus) -> None:
    emails = [f"{uuid.uuid4()}@example.edu" for _ in range(4)]
    active, disabled, deleted, enabled = (campus.sign_up(email) for email in emails)
    campus.control.disable(enabled)
    campus.cognito.admin_disable_user(UserPoolId=campus.pool_id, Username=emails[1])
    campus.cognito.admin_delete_user(UserPoolId=campus.pool_id, Username=emails[2])
    campus.cognito.admin_enable_user(UserPoolId=campus.pool_id, Username=emails[3])
    found = campus.control.differences()
    assert {each.user_id: each.disable for each in found} == {disabled: True, deleted: True, enabled: False}
    assert campus.flag(deleted) is None
    for difference in found:
        campus.control.apply(difference)
    assert [bool(campus.flag(each)) for each in (active, disabled, deleted, enabled)] == [False, True, True, False]
    assert campus.control.differences() == []


def test_sync_reads_every_page_and_leaves_out_accounts_that_cognito_may_not_list_yet(campus: Campus) -> None:
    known = {campus.sign_up(f"{uuid.uuid4()}@example.edu") for _ in range(65)}
    new = str(uuid.uuid4())
    campus.aws.put(tables.USERS, {"userId": new, "createdAt": "9999-01-01T00:00:00.000Z"})
    assert campus.control.differences() == []
    assert len(known) == 65
    old = str(uuid.uuid4())
    campus.aws.put(tables.USERS, {"userId": old, "createdAt": "2026-01-01T00:00:00.000Z"})
    assert campus.control.differences() == [Difference(old, True)]


@pytest.mark.parametrize("user", ["unknown@example.edu", "no-such-sub", 'x" or sub ^= "'])
def test_unknown_user_is_an_error_that_names_the_user(campus: Campus, user: str) -> None:
    with pytest.raises(CommandError) as refused:
        campus.control.disable(user)
    assert user in str(refused.value)
