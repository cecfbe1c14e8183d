"""ops.canary on the emulator: users, credentials, repetition and removal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract import tables
from contract.canary import DIRECT_ID, GROUP_ID, credentials_parameter
from handlers.adapters.canary.credentials import SsmCredentials
from handlers.adapters.cognito.password_sign_in import PasswordSignIn
from handlers.core.canary.ports import CanaryError
from ops import canary, outputs
from ops.canary import CanaryUsers
from ops.errors import CommandError
from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Cognito, DynamoDB and SSM in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@dataclass
class Deployed:
    """An environment with a user pool, and what reads the credentials as the function does."""

    aws: AwsResources
    users: CanaryUsers
    credentials: SsmCredentials
    sign_in: PasswordSignIn
    cognito: Any
    pool_id: str


@pytest.fixture
def deployed(emulator: Emulator) -> Deployed:
    aws = create_resources(emulator)
    cognito, ssm = emulator.client("cognito-idp"), emulator.client("ssm")
    pool = cognito.create_user_pool(PoolName="test", UsernameAttributes=["email"])["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="test", ExplicitAuthFlows=flows)
    users = CanaryUsers(cognito, aws.dynamodb, ssm, pool_id=pool, environment=aws.environment)
    credentials = SsmCredentials(lambda: ssm, credentials_parameter(aws.environment))
    sign_in = PasswordSignIn(lambda: cognito, client["UserPoolClient"]["ClientId"])
    return Deployed(aws, users, credentials, sign_in, cognito, pool)


def test_created_users_can_sign_in_with_the_stored_credentials(deployed: Deployed) -> None:
    ids = deployed.users.create()
    stored = deployed.credentials.read()
    signed_in = [deployed.sign_in.sign_in(user).user_id for user in (stored.sender, stored.recipient)]
    assert signed_in == ids
    for conversation_id in (DIRECT_ID, GROUP_ID):
        conversation = deployed.aws.item(tables.CONVERSATIONS, conversationId=conversation_id)
        assert conversation is not None
        assert conversation["participants"] == ids


def test_credentials_are_encrypted(deployed: Deployed, emulator: Emulator) -> None:
    deployed.users.create()
    plain = emulator.client("ssm").get_parameter(Name=deployed.users.parameter)["Parameter"]
    assert plain["Type"] == "SecureString"
    assert deployed.credentials.read().sender.password not in plain["Value"]


def test_no_search_word_is_stored_for_the_users(deployed: Deployed) -> None:
    deployed.users.create()
    assert deployed.aws.scan(tables.USER_SEARCH) == []


def test_repeated_command_keeps_the_users_and_changes_their_passwords(deployed: Deployed) -> None:
    ids = deployed.users.create()
    before = deployed.credentials.read()
    deployed.aws.dynamodb.update_item(
        TableName=deployed.aws.table(tables.CONVERSATIONS),
        Key={"conversationId": {"S": DIRECT_ID}},
        UpdateExpression="SET latestSeq = :seq",
        ExpressionAttributeValues={":seq": {"N": "7"}},
    )
    assert deployed.users.create() == ids
    assert deployed.credentials.read() != before
    with pytest.raises(CanaryError, match="did not sign in"):
        deployed.sign_in.sign_in(before.sender)
    conversation = deployed.aws.item(tables.CONVERSATIONS, conversationId=DIRECT_ID)
    assert conversation is not None
    assert conversation["latestSeq"] == 7


def test_account_that_another_person_began_under_the_same_address_is_taken_over(deployed: Deployed) -> None:
    """A sign-up with the address can be started by all, and confirmed by none."""
    address = f"sender.{deployed.aws.environment}@canary.invalid"
    deployed.cognito.admin_create_user(UserPoolId=deployed.pool_id, Username=address, MessageAction="SUPPRESS")
    ids = deployed.users.create()
    assert deployed.sign_in.sign_in(deployed.credentials.read().sender).user_id == ids[0]


def test_removed_users_and_credentials_are_gone(deployed: Deployed) -> None:
    deployed.users.create()
    stored = deployed.credentials.read()
    deployed.users.remove()
    deployed.users.remove()
    with pytest.raises(CanaryError, match="make canary"):
        deployed.credentials.read()
    with pytest.raises(CanaryError, match="did not sign in"):
        deployed.sign_in.sign_in(stored.sender)


def test_parameter_that_is_not_ours_is_an_error_without_its_value(deployed: Deployed, emulator: Emulator) -> None:
    emulator.client("ssm").put_parameter(Name=deployed.users.parameter, Value="secret-text", Type="SecureString")
    with pytest.raises(CanaryError, match="make canary") as failed:
        deployed.credentials.read()
    assert "secret-text" not in str(failed.value)


def test_environment_without_canary_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"canary\.enabled = true"):
        canary.deployed_users("dev", {"PantherKolab-Identity-dev": {"UserPoolId": "us-east-1_x"}})


@pytest.mark.parametrize("option", [[], ["--json"], ["--remove"]])
def test_command_prints_what_it_did_and_no_password(
    deployed: Deployed, option: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outputs, "read_stacks", lambda environment, client: {})
    monkeypatch.setattr(canary, "deployed_users", lambda environment, stacks: deployed.users)
    assert canary.main(["--env", "test", *option]) == 0
    printed = capsys.readouterr().out
    if option == ["--remove"]:
        assert "deleted" in printed
        return
    assert deployed.users.parameter in printed
    assert deployed.credentials.read().sender.password not in printed
    if option == ["--json"]:
        assert len(json.loads(printed)["users"]) == 2
