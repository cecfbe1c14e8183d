"""ops.outputs: the environment file of the front end, its two sources, and the errors for operators."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.stub import Stubber

from ops import outputs
from ops.errors import CommandError
from stacks.outputs import OUTPUTS
from tests.ops.deployed_stacks import STACK_OUTPUTS
from tests.stacks.synthesis import EVERYTHING, templates


def _variables(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_environment_file_has_the_names_that_the_front_end_reads() -> None:
    assert _variables(outputs.environment_file("dev", STACK_OUTPUTS)) == {
        "NEXT_PUBLIC_COGNITO_USER_POOL_ID": "us-east-1_AbC",
        "NEXT_PUBLIC_COGNITO_CLIENT_ID": "client",
        "NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT": "https://e.example.edu/event",
        "NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT": "wss://e.example.edu/event/realtime",
        "NEXT_PUBLIC_API_URL": "https://api.example.edu",
        "NEXT_PUBLIC_AWS_REGION": "eu-west-1",
        "AWS_REGION": "us-east-1",
        "AWS_CHIME_REGION": "us-east-1",
        "DYNAMODB_USERS_TABLE": "PantherKolab-Users-dev",
        "DYNAMODB_CONVERSATIONS_TABLE": "PantherKolab-Conversations-dev",
        "DYNAMODB_MESSAGES_TABLE": "PantherKolab-Messages-dev",
        "DYNAMODB_GROUPS_TABLE": "PantherKolab-Groups-dev",
        "DYNAMODB_CALLS_TABLE": "PantherKolab-Calls-dev",
    }


def test_every_declared_output_is_in_its_stack() -> None:
    created = {
        (stack, name) for stack, template in templates(EVERYTHING).items() for name in template.get("Outputs", {})
    }
    exported = {(stack, name) for stack, name in created if name.startswith("Export")}
    assert created - exported == {(output.stack, output.id) for output in OUTPUTS}


def test_environment_file_is_written_from_the_outputs_file_of_the_cdk_cli(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(STACK_OUTPUTS), encoding="utf-8")
    target = tmp_path / ".env.local"
    arguments = ["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--write"]
    assert outputs.main([*arguments, str(target)]) == 0
    assert _variables(target.read_text(encoding="utf-8"))["NEXT_PUBLIC_API_URL"] == "https://api.example.edu"
    capsys.readouterr()
    assert outputs.main([*arguments, "-"]) == 0
    assert capsys.readouterr().out == target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        ({}, "The stack PantherKolab-Identity-dev has no outputs. Deploy it: make deploy ENV=dev"),
        (
            {**STACK_OUTPUTS, "PantherKolab-Routes-dev": {}},
            "The stack PantherKolab-Routes-dev has no output ApiAddress",
        ),
    ],
)
def test_error_names_a_missing_stack_or_output(
    stacks: dict[str, dict[str, str]], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(stacks), encoding="utf-8")
    assert outputs.main(["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--write", "-"]) == 1
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"), [(None, "cannot be read"), ("not json", "is not a file of `cdk deploy --outputs-file`")]
)
def test_error_names_an_unreadable_outputs_file(text: str | None, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=expected):
        outputs.read_file(path)


def test_outputs_are_read_from_deployed_stacks() -> None:
    client = botocore.session.Session().create_client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        for name in sorted(STACK_OUTPUTS):
            described = [{"OutputKey": key, "OutputValue": value} for key, value in STACK_OUTPUTS[name].items()]
            stack = {
                "StackName": name,
                "CreationTime": "2026-01-01T00:00:00Z",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": described,
            }
            stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})
        assert outputs.read_stacks("dev", lambda: client) == STACK_OUTPUTS


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Stack with id X does not exist", "is not deployed in this account and region"),
        ("Access denied", "Check that the credentials belong to the account of dev"),
    ],
)
def test_error_of_aws_says_what_to_do(message: str, expected: str) -> None:
    client = botocore.session.Session().create_client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", message)
        with pytest.raises(CommandError, match=expected):
            outputs.read_stacks("dev", lambda: client)


def test_error_about_missing_credentials_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CommandError, match="Check AWS_PROFILE, AWS_REGION and the network"):
        outputs.read_stacks("dev", outputs.cloudformation)
