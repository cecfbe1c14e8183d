"""Deploying and what follows it: guards, the front end's environment file, and the errors people get."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest
from botocore.stub import Stubber

from ops import deploy, outputs, verify
from ops.cdk import ROOT
from ops.errors import CommandError
from stacks.config.load import load
from stacks.outputs import OUTPUTS
from tests.stacks.synthesis import EVERYTHING, templates

STACKS = {
    "PantherKolab-Identity-dev": {
        "UserPoolId": "us-east-1_AbC",
        "UserPoolClientId": "client",
        "Region": "us-east-1",
    },
    "PantherKolab-Events-dev": {
        "EventsHttpEndpoint": "https://e.example.edu/event",
        "EventsRealtimeEndpoint": "wss://e.example.edu/event/realtime",
    },
    "PantherKolab-Routes-dev": {"ApiAddress": "https://api.example.edu"},
}


def _variables(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_environment_file_has_the_names_that_the_front_end_reads() -> None:
    assert _variables(outputs.environment_file("dev", STACKS)) == {
        "NEXT_PUBLIC_COGNITO_USER_POOL_ID": "us-east-1_AbC",
        "NEXT_PUBLIC_COGNITO_CLIENT_ID": "client",
        "NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT": "https://e.example.edu/event",
        "NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT": "wss://e.example.edu/event/realtime",
        "NEXT_PUBLIC_API_URL": "https://api.example.edu",
        "NEXT_PUBLIC_AWS_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_CHIME_REGION": "us-east-1",
        "DYNAMODB_USERS_TABLE": "PantherKolab-Users-dev",
        "DYNAMODB_CONVERSATIONS_TABLE": "PantherKolab-Conversations-dev",
        "DYNAMODB_MESSAGES_TABLE": "PantherKolab-Messages-dev",
        "DYNAMODB_GROUPS_TABLE": "PantherKolab-Groups-dev",
        "DYNAMODB_CALLS_TABLE": "PantherKolab-Calls-dev",
    }


def test_every_output_is_where_it_is_said_to_be() -> None:
    made = {(stack, name) for stack, template in templates(EVERYTHING).items() for name in template.get("Outputs", {})}
    exported = {(stack, name) for stack, name in made if name.startswith("Export")}
    assert made - exported == {(output.stack, output.id) for output in OUTPUTS}


def test_the_file_is_written_from_the_clis_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(STACKS), encoding="utf-8")
    target = tmp_path / ".env.local"
    arguments = ["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--write"]
    assert outputs.main([*arguments, str(target)]) == 0
    assert _variables(target.read_text(encoding="utf-8"))["NEXT_PUBLIC_API_URL"] == "https://api.example.edu"
    capsys.readouterr()
    assert outputs.main([*arguments, "-"]) == 0
    assert capsys.readouterr().out == target.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stacks", "said"),
    [
        ({}, "There are no outputs of PantherKolab-Identity-dev. Deploy it: make deploy ENV=dev"),
        ({**STACKS, "PantherKolab-Routes-dev": {}}, "PantherKolab-Routes-dev has no output ApiAddress"),
    ],
)
def test_missing_outputs_are_named(
    stacks: dict[str, dict[str, str]], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(stacks), encoding="utf-8")
    assert outputs.main(["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--write", "-"]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read"), ("not json", "is not an outputs file")])
def test_an_unreadable_file_is_named(text: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=said):
        outputs.read_file(path)


def test_deployed_stacks_are_read() -> None:
    client = botocore.session.Session().create_client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as answers:
        for name in sorted(STACKS):
            described = [{"OutputKey": key, "OutputValue": value} for key, value in STACKS[name].items()]
            stack = {
                "StackName": name,
                "CreationTime": "2026-01-01T00:00:00Z",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": described,
            }
            answers.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})
        assert outputs.read_stacks("dev", lambda: client) == STACKS


@pytest.mark.parametrize(
    ("message", "said"),
    [("Stack with id X does not exist", "is not deployed here"), ("Access denied", "Are these the credentials of dev")],
)
def test_a_refusal_of_aws_says_what_helps(message: str, said: str) -> None:
    client = botocore.session.Session().create_client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as answers:
        answers.add_client_error("describe_stacks", "ValidationError", message)
        with pytest.raises(CommandError, match=said):
            outputs.read_stacks("dev", lambda: client)


def test_missing_credentials_say_what_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CommandError, match="Check AWS_PROFILE, AWS_REGION and the network"):
        outputs.read_stacks("dev", outputs.cloudformation)


def test_local_is_not_deployed() -> None:
    with pytest.raises(CommandError, match="make up"):
        deploy.check(load("local"), {})


@pytest.mark.parametrize("variables", [{}, {"CONFIRM": "yes"}, {"CONFIRM": "staging"}])
def test_prod_is_deployed_only_with_a_word(variables: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="CONFIRM=prod"):
        deploy.check(load("prod"), variables)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_a_protected_environment_needs_somebody_who_hears_its_alarms(name: str) -> None:
    environment = load(name)
    deaf = replace(environment, operations=replace(environment.operations, alarm_recipients=()))
    with pytest.raises(CommandError, match=r"operations\.alarm_recipients in environments/"):
        deploy.check(deaf, {"CONFIRM": name})
    heard = replace(environment, operations=replace(environment.operations, alarm_recipients=("a@example.edu",)))
    deploy.check(heard, {"CONFIRM": name})


def test_changes_are_shown_before_they_are_made() -> None:
    ran: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        ran.append(arguments)
        return 0

    assert deploy.deploy(load("dev"), run, approved=False) == 0
    assert [arguments[0] for arguments in ran] == ["diff", "deploy"]
    assert ran[1][4:6] == ["--require-approval", "broadening"]
    assert str(ROOT / "cdk.out.dev" / "outputs.json") in ran[1]


def test_what_cannot_be_compared_is_not_deployed() -> None:
    ran: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        ran.append(arguments)
        return 1

    assert deploy.deploy(load("dev"), run, approved=True) == 1
    assert [arguments[0] for arguments in ran] == ["diff"]


def test_an_unknown_environment_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["--env", "production"]) == 1
    assert "Known: dev, local, prod, staging" in capsys.readouterr().err


def test_the_suite_starts_against_a_deployed_environment(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(STACKS), encoding="utf-8")
    arguments = ["--env", "dev", "--outputs-file", str(tmp_path / "outputs.json"), "--", "--collect-only", "-q"]
    assert verify.main(arguments) == 0
    printed = capfd.readouterr().out
    assert "tests/e2e/test_messaging.py" in printed
    assert "deselected" in printed


def test_the_suite_does_not_leave_users_in_prod_unasked() -> None:
    with pytest.raises(CommandError, match="CONFIRM=prod"):
        verify.check(load("prod"), {})
    verify.check(load("prod"), {"CONFIRM": "prod"})
    verify.check(load("dev"), {})
    with pytest.raises(CommandError, match="make test"):
        verify.check(load("local"), {})
