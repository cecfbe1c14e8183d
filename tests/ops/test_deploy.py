"""ops.deploy: the checks before a deployment, and the order of its steps."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest
from botocore.stub import Stubber

from ops import aws, deploy
from ops.cdk import ROOT
from ops.errors import CommandError
from stacks.config.fields import Aws, Environment
from stacks.config.load import load


def test_environment_local_cannot_be_deployed() -> None:
    with pytest.raises(CommandError, match="make up"):
        deploy.check(load("local"), {})


def deployable(name: str) -> Environment:
    """Return a protected environment of the repository with everything that a deployment needs."""
    environment = load(name, variables={})
    return replace(
        environment,
        aws=Aws(account="111111111111", region="us-east-1"),
        identity=replace(environment.identity, email_from="hello@example.edu"),
        operations=replace(environment.operations, alarm_recipients=("a@example.edu",)),
    )


@pytest.mark.parametrize("name", ["prod", "staging"])
@pytest.mark.parametrize("variables", [{}, {"CONFIRM": "yes"}, {"CONFIRM": "dev"}])
def test_deploying_protected_data_requires_confirmation(name: str, variables: dict[str, str]) -> None:
    with pytest.raises(CommandError, match=f"Deploying {name} requires confirmation, .* add CONFIRM={name}"):
        deploy.check(deployable(name), variables)
    deploy.check(deployable(name), {"CONFIRM": name})


def test_confirmation_depends_on_the_protection_of_the_data_and_not_on_the_name() -> None:
    copy = replace(deployable("prod"), name="production")
    with pytest.raises(CommandError, match="add CONFIRM=production"):
        deploy.check(copy, {})
    deploy.check(load("dev"), {})


def test_deploying_protected_data_requires_a_known_account() -> None:
    unpinned = replace(deployable("prod"), aws=load("prod", variables={}).aws)
    with pytest.raises(CommandError, match="set PROD_AWS_ACCOUNT and PROD_AWS_REGION"):
        deploy.check(unpinned, {"CONFIRM": "prod"})


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(CommandError, match="belong to account 222222222222, but prod belongs to 111111111111"):
        deploy.check_account(deployable("prod"), lambda: "222222222222")
    deploy.check_account(deployable("prod"), lambda: "111111111111")
    deploy.check_account(load("dev"), lambda: "222222222222")


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_deploying_protected_data_requires_alarm_recipients_and_an_email_sender(name: str) -> None:
    environment = deployable(name)
    silent = replace(environment, operations=replace(environment.operations, alarm_recipients=()))
    with pytest.raises(CommandError, match=r"operations\.alarm_recipients is empty"):
        deploy.check(silent, {"CONFIRM": name})
    without_sender = replace(environment, identity=replace(environment.identity, email_from=None))
    with pytest.raises(CommandError, match=r"identity\.email_from is missing: .* at most 50 e-mails a day"):
        deploy.check(without_sender, {"CONFIRM": name})


def test_deploy_shows_the_changes_first() -> None:
    commands: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        commands.append(arguments)
        return 0

    assert deploy.deploy(load("dev"), run, approved=False) == 0
    assert [arguments[0] for arguments in commands] == ["diff", "deploy"]
    assert commands[1][3] == "--all"
    assert commands[1][4:6] == ["--require-approval", "broadening"]
    assert str(ROOT / "cdk.out.dev" / "outputs.json") in commands[1]


def test_chosen_stacks_are_deployed_without_those_that_they_depend_on() -> None:
    commands: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        commands.append(arguments)
        return 0

    assert deploy.deploy(load("dev"), run, approved=False, only=["Events", "Routes"]) == 0
    for arguments in commands:
        assert arguments[3:6] == ["Events", "Routes", "--exclusively"]


def test_deploy_stops_when_the_diff_fails() -> None:
    commands: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        commands.append(arguments)
        return 1

    assert deploy.deploy(load("dev"), run, approved=True) == 1
    assert [arguments[0] for arguments in commands] == ["diff"]


def test_error_about_an_unknown_environment_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["--env", "production"]) == 1
    assert "Known: dev, local, prod, staging" in capsys.readouterr().err


def test_account_of_the_credentials_comes_from_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    client = botocore.session.Session().create_client(
        "sts", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    monkeypatch.setattr(aws, "client", lambda service, region: client)
    with Stubber(client) as stub:
        stub.add_response("get_caller_identity", {"Account": "111111111111"}, {})
        assert aws.caller_account() == "111111111111"
        stub.add_client_error("get_caller_identity", "ExpiredToken", "expired")
        with pytest.raises(CommandError, match="AWS refused the request"):
            aws.caller_account()


def test_preparation_checks_account_and_deployed_stacks_and_records_the_revision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[object] = []
    client = object()
    monkeypatch.setattr(aws, "caller_account", lambda: "111111111111")
    monkeypatch.setattr(aws, "client", lambda service, region: steps.append((service, region)) or client)
    monkeypatch.setattr(deploy.revision, "current", lambda root: "v1-0-gabc")
    monkeypatch.setattr(deploy.cdk, "synthesise", lambda root, name, output, revision: steps.append((name, revision)))
    monkeypatch.setattr(deploy.preflight, "read_deployed", lambda name, given: {} if given is client else None)
    monkeypatch.setattr(deploy.preflight, "plan", lambda deployed, assembly, only: only)
    monkeypatch.setattr(deploy.preflight, "check_changes", lambda plan: steps.append(("changes", plan)))
    monkeypatch.setattr(deploy.preflight, "check_data_risks", lambda plan: steps.append(("risks", plan)))
    monkeypatch.setattr(
        deploy.preflight, "release_failed_creations", lambda deployed, given: ["PantherKolab-Data-prod"]
    )
    monkeypatch.setattr(deploy.quotas, "account_warnings", lambda environment, make_client: ["SES is in its sandbox"])
    deploy.prepare(deployable("prod"), ["Events"])
    first = [("prod", "v1-0-gabc"), ("cloudformation", "us-east-1"), ("changes", ["Events"])]
    assert steps == [*first, ("risks", ["Events"])]
    printed = capsys.readouterr()
    assert "PantherKolab-Data-prod: its first creation failed" in printed.out
    assert "Warning: SES is in its sandbox" in printed.err
    steps.clear()
    deploy.prepare(deployable("prod"), ["Events"], accept_data_risks=True)
    assert steps == first
