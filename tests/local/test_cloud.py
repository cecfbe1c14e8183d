"""The whole local cloud, as `make up` starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from local.cloud import PROJECT_FOLDER
from local.demo_users import DemoUser
from local.emulator.credentials import CredentialStore
from local.processes.loopback import exposed_listeners, listeners
from local.testing import LocalCloud


def access_token(cloud: LocalCloud, user: DemoUser) -> str:
    answer = cloud.aws("cognito-idp").initiate_auth(
        ClientId=cloud.outputs.userPoolClientId,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.email, "PASSWORD": user.password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def call(url: str, token: str | None = None, **options: Any) -> tuple[int, Any]:
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, headers=headers, **options)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            content = response.read()
            return response.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def command(cloud: LocalCloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments, "--state", str(cloud.state.root)],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_nothing_listens_off_loopback_while_functions_run(local_cloud: LocalCloud) -> None:
    """Requirement P5."""
    token = access_token(local_cloud, local_cloud.users[0])
    assert call(f"{local_cloud.outputs.apiUrl}/api/users/me", token)[0] == 200
    pids = list(local_cloud.pids().values())
    assert {each.port for each in listeners(pids)} == {
        local_cloud.document["ports"][name] for name in local_cloud.pids()
    }
    assert exposed_listeners(pids) == []


def test_demo_users_sign_in_and_have_the_profiles_that_the_trigger_made(local_cloud: LocalCloud) -> None:
    assert [user.name for user in local_cloud.users] == ["Ada Lovelace", "Grace Hopper"]
    for user in local_cloud.users:
        status, answer = call(f"{local_cloud.outputs.apiUrl}/api/users/me", access_token(local_cloud, user))
        assert status == 200
        assert user.name in json.dumps(answer)


def test_the_api_refuses_callers_without_a_token(local_cloud: LocalCloud) -> None:
    assert call(f"{local_cloud.outputs.apiUrl}/api/users/me")[0] == 401


def test_the_cause_of_a_function_failure_is_hidden_from_clients(local_cloud: LocalCloud) -> None:
    token = access_token(local_cloud, local_cloud.users[0])
    local_cloud.faults.set_aws({"service": "lambda", "operation": "Invoke", "effect": "kill", "times": 1})
    status, answer = call(f"{local_cloud.outputs.apiUrl}/api/users/me", token)
    assert (status, answer) == (500, b'{"message":"Internal Server Error"}')
    assert call(f"{local_cloud.outputs.apiUrl}/api/users/me", token)[0] == 200


def test_a_crash_of_everything_loses_nothing_and_it_starts_again(local_cloud: LocalCloud) -> None:
    user = local_cloud.users[1]
    queue = local_cloud.aws("sqs").create_queue(QueueName="kept")["QueueUrl"]
    local_cloud.aws("sqs").send_message(QueueUrl=queue, MessageBody="kept")
    tables = local_cloud.aws("dynamodb").list_tables()["TableNames"]
    local_cloud.kill9()
    local_cloud.restart()
    assert local_cloud.aws("dynamodb").list_tables()["TableNames"] == tables
    assert local_cloud.aws("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    local_cloud.aws("sqs").delete_queue(QueueUrl=queue)
    assert call(f"{local_cloud.outputs.apiUrl}/api/users/me", access_token(local_cloud, user))[0] == 200
    event = json.dumps({"channel": "/chats/some-user", "events": ["{}"]}).encode()
    status, answer = call(local_cloud.outputs.eventsHttpEndpoint, method="POST", data=event)
    assert status == 401
    assert b"UnauthorizedException" in answer


def test_the_commands_know_the_running_cloud(local_cloud: LocalCloud) -> None:
    printed = json.loads(command(local_cloud, "outputs").stdout)
    assert printed == local_cloud.document
    assert printed["userPoolId"] == local_cloud.outputs.userPoolId
    assert [user["email"] for user in printed["demoUsers"]] == ["ada@example.edu", "grace@example.edu"]
    keys = json.loads(command(local_cloud, "credentials").stdout)
    assert keys == CredentialStore(local_cloud.state.credentials_file).operator().environment()
    status = command(local_cloud, "status")
    assert status.returncode == 0
    assert str(printed["ports"]["emulator"]) in status.stdout
    second = command(local_cloud, "up")
    assert second.returncode == 1
    assert "already runs" in second.stderr


def test_the_front_ends_files_name_this_cloud(local_cloud: LocalCloud) -> None:
    lines = (local_cloud.state.root / "front-end.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    assert variables["NEXT_PUBLIC_COGNITO_USER_POOL_ID"] == local_cloud.outputs.userPoolId
    assert variables["NEXT_PUBLIC_API_URL"] == local_cloud.outputs.apiUrl
    # Amplify turns a lower-case http:// into wss://, which a plain port cannot serve.
    assert variables["NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT"].startswith("HTTP://localhost:")
    config = json.loads((local_cloud.state.root / "web-config.json").read_text())
    assert config["apiUrl"] == local_cloud.outputs.apiUrl
    assert config["userPoolEndpoint"] == local_cloud.outputs.userPoolEndpoint
    assert {user["name"] for user in config["demoUsers"]} == {"Ada Lovelace", "Grace Hopper"}


@pytest.mark.parametrize("stack", ["Data", "Identity", "Events", "Routes", "Operations"])
def test_every_stack_of_the_app_is_deployed(local_cloud: LocalCloud, stack: str) -> None:
    """Requirement P5."""
    described = local_cloud.aws("cloudformation").describe_stacks(StackName=f"PantherKolab-{stack}-local")
    assert described["Stacks"][0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
