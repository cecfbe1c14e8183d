"""Checks before a deployment: settings, account, confirmation, bootstrap stack."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ops.confirmation import confirm
from ops.deploy import __main__ as deploy
from ops.deploy.bootstrap import check_bootstrap
from ops.deploy.checks import check_account, check_settings
from ops.errors import CommandError
from stacks.config.fields import Aws, Environment
from stacks.config.load import load
from tests.ops.recorded_cloudformation import recorded


def deployable(name: str) -> Environment:
    """Return a protected environment of the repository with everything that a deployment needs."""
    environment = load(name, variables={})
    return replace(
        environment,
        aws=Aws(account="111111111111", region="us-east-1"),
        identity=replace(environment.identity, email_from="hello@example.edu"),
        operations=replace(environment.operations, alarm_recipients=("a@example.edu",)),
    )


def test_environment_local_cannot_be_deployed() -> None:
    with pytest.raises(CommandError, match="make up"):
        check_settings(load("local"))


def test_deploying_protected_data_requires_a_known_account() -> None:
    with pytest.raises(CommandError, match="set PROD_AWS_ACCOUNT and PROD_AWS_REGION"):
        check_settings(replace(deployable("prod"), aws=load("prod", variables={}).aws))
    check_settings(deployable("prod"))


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_deploying_protected_data_requires_alarm_recipients_and_an_email_sender(name: str) -> None:
    environment = deployable(name)
    with pytest.raises(CommandError, match=r"operations\.alarm_recipients is empty"):
        check_settings(replace(environment, operations=replace(environment.operations, alarm_recipients=())))
    with pytest.raises(CommandError, match=r"identity\.email_from is missing: .* at most 50 e-mails a day"):
        check_settings(replace(environment, identity=replace(environment.identity, email_from=None)))


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(CommandError, match="belong to account 222222222222, but prod belongs to 111111111111"):
        check_account(deployable("prod"), lambda: "222222222222")
    assert check_account(deployable("prod"), lambda: "111111111111") == "111111111111"
    assert check_account(load("dev"), lambda: "222222222222") == "222222222222"


@pytest.mark.parametrize(("typed", "entered"), [(True, "prod"), (False, "y"), (False, "YES")])
def test_change_is_confirmed_by_the_typed_name_or_by_yes(typed: bool, entered: str) -> None:
    confirm("Deployment", "prod", typed=typed, agreed=False, variables={}, read=lambda question: entered)


@pytest.mark.parametrize(("typed", "entered"), [(True, "y"), (True, "dev"), (True, ""), (False, ""), (False, "n")])
def test_any_other_input_changes_nothing(typed: bool, entered: str) -> None:
    with pytest.raises(CommandError, match=r"Not confirmed\. Nothing was changed"):
        confirm("Deployment", "prod", typed=typed, agreed=False, variables={}, read=lambda question: entered)


@pytest.mark.parametrize(
    "variables", [{}, {"CI": "true"}, {"APPROVED_ENVIRONMENT": "prod"}, {"CI": "true", "APPROVED_ENVIRONMENT": "dev"}]
)
def test_option_yes_is_refused_for_protected_data_outside_of_an_approved_ci_job(variables: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="--yes is refused"):
        confirm("Deployment", "prod", typed=True, agreed=True, variables=variables)


def test_option_yes_confirms_in_an_approved_ci_job_and_for_disposable_data() -> None:
    approved = {"CI": "true", "APPROVED_ENVIRONMENT": "prod"}
    confirm("Deployment", "prod", typed=True, agreed=True, variables=approved)
    confirm("Deployment", "dev", typed=False, agreed=True, variables={})


def test_confirmation_without_a_terminal_is_an_error() -> None:
    def closed(question: str) -> str:
        raise EOFError

    with pytest.raises(CommandError, match="no terminal to ask on"):
        confirm("Deployment", "prod", typed=True, agreed=False, variables={}, read=closed)


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A cloud assembly that needs bootstrap version 6."""
    properties = {
        "requiresBootstrapStackVersion": 6,
        "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/hnb659fds/version",
    }
    artifacts = {"Data": {"type": "aws:cloudformation:stack", "properties": properties}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return tmp_path


def test_bootstrap_version_is_compared_with_the_assembly(assembly: Path) -> None:
    request = {"Name": "/cdk-bootstrap/hnb659fds/version"}
    responses = [("get_parameter", {"Parameter": {"Value": value}}, request) for value in ("6", "5")]
    with recorded(*responses, service="ssm") as client:
        assert check_bootstrap(assembly, client) == 6
        with pytest.raises(CommandError, match="has version 5, and version 6 is needed"):
            check_bootstrap(assembly, client)


def test_account_that_is_not_bootstrapped_is_an_error(assembly: Path) -> None:
    missing = ("get_parameter", ("ParameterNotFound", "not found"))
    with recorded(missing, service="ssm") as client, pytest.raises(CommandError, match="not bootstrapped in us-east-1"):
        check_bootstrap(assembly, client)


def test_error_about_an_unknown_environment_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["--env", "production"]) == 1
    assert "Known: dev, local, prod, staging" in capsys.readouterr().err
