"""ops.rollback: the reasons together, the deployed revision, and the command line."""

from __future__ import annotations

import pytest

from ops.errors import CommandError
from ops.preflight import DeployedStack, Plan
from ops.rollback import __main__ as command
from ops.rollback.contracts import Stored
from tests.ops.recorded_cloudformation import recorded, tools

ROUTES = "PantherKolab-Routes-dev"
SAME = Stored("v1", 1, 1, "same", {}, {})


def plan(revision: str | None) -> Plan:
    template = {"Resources": {}}
    return Plan({ROUTES: DeployedStack("UPDATE_COMPLETE", False, revision, template)}, {ROUTES: template})


def test_deployed_revision_is_that_of_the_routes_stack() -> None:
    assert command.deployed_revision("dev", plan("v1-0-gabc-dirty")) == "v1-0-gabc"
    with pytest.raises(CommandError, match="recorded no revision"):
        command.deployed_revision("dev", plan(None))
    with pytest.raises(CommandError, match="is not deployed, so there is nothing to go back from"):
        command.deployed_revision("dev", Plan({}, {}))


def test_all_reasons_are_listed_together() -> None:
    older = {"Fn::GetAtt": []}
    needs = {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Environment": {"Variables": {"USERS_TABLE": "PantherKolab-Users-dev"}}},
            },
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"EventSourceArn": older}},
        }
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "PantherKolab-New-dev"}}
    deployed = {ROUTES: DeployedStack("UPDATE_COMPLETE", False, "v2", {"Resources": {"Queue": queue}})}
    newer = Stored("v2", 2, 2, "other", {}, {})
    responses = [
        ("get_queue_url", {"QueueUrl": "https://sqs/q"}),
        ("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "1"}}),
    ]
    with recorded(*responses, service="sqs") as client:
        reasons = command.reasons_against("dev", Plan(deployed, {ROUTES: needs}), newer, SAME, tools(client))
    assert [reason.split(" ")[0] for reason in reasons] == ["The", "The", ROUTES]
    assert "its 1 messages" in reasons[1]
    assert "uses the table PantherKolab-Users-dev" in reasons[2]


def test_routes_go_back_before_events_and_nothing_else_goes_back() -> None:
    assert command.STACKS == ("Routes", "Events")


@pytest.mark.parametrize(("name", "message"), [("local", "make up"), ("nowhere", "Known: dev, local, prod, staging")])
def test_environment_that_cannot_go_back_is_an_error(
    name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--env", name, "--to", "HEAD"]) == 1
    assert message in capsys.readouterr().err
