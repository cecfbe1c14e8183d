"""ops.deploy: the checks before a deployment, and the order of its steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops import deploy
from ops.cdk import ROOT
from ops.errors import CommandError
from stacks.config.load import load


def test_environment_local_cannot_be_deployed() -> None:
    with pytest.raises(CommandError, match="make up"):
        deploy.check(load("local"), {})


@pytest.mark.parametrize("variables", [{}, {"CONFIRM": "yes"}, {"CONFIRM": "staging"}])
def test_deploying_prod_requires_confirmation(variables: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="Deploying prod requires confirmation: add CONFIRM=prod"):
        deploy.check(load("prod"), variables)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_deploying_a_protected_environment_requires_alarm_recipients(name: str) -> None:
    environment = load(name)
    without_recipients = replace(environment, operations=replace(environment.operations, alarm_recipients=()))
    with pytest.raises(CommandError, match=r"operations\.alarm_recipients in environments/"):
        deploy.check(without_recipients, {"CONFIRM": name})
    with_recipients = replace(
        environment, operations=replace(environment.operations, alarm_recipients=("a@example.edu",))
    )
    deploy.check(with_recipients, {"CONFIRM": name})


def test_deploy_shows_the_changes_first() -> None:
    commands: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        commands.append(arguments)
        return 0

    assert deploy.deploy(load("dev"), run, approved=False) == 0
    assert [arguments[0] for arguments in commands] == ["diff", "deploy"]
    assert commands[1][4:6] == ["--require-approval", "broadening"]
    assert str(ROOT / "cdk.out.dev" / "outputs.json") in commands[1]


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
