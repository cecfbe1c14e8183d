"""Each possible answer of CloudFormation, Lambda and the HTTP API, from recorded responses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import ANY

from contract.routes import ROUTES
from ops.verify.asking import ask
from ops.verify.catalogue import selected
from ops.verify.deployment import HttpResponse, InterruptedAskingError
from ops.verify.question import Answer, State
from tests.ops.verify.recorded import ACCOUNT, RecordedAws

CF = "cloudformation"
TIME = "2026-11-01T00:00:00Z"


def answered(recorded: RecordedAws, id: str) -> Answer:
    (question,) = selected([id])
    return ask(question, recorded.deployment())


def described(status: str, **outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
    return {"Stacks": [{"StackName": "s", "CreationTime": TIME, "StackStatus": status, "Outputs": listed}]}


def event(resource: str, status: str, reason: str = "", type: str = "AWS::ApiGatewayV2::Route") -> dict[str, Any]:
    return {
        "StackId": "s",
        "EventId": f"{resource}-{status}",
        "StackName": "s",
        "Timestamp": TIME,
        "LogicalResourceId": resource,
        "ResourceType": type,
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


def create(recorded: RecordedAws, status: str, *, failure: str = "", type: str = "", **outputs: str) -> None:
    recorded.answers(CF, "create_stack", {"StackId": "s"})
    recorded.answers(CF, "describe_stacks", described("CREATE_IN_PROGRESS"))
    recorded.answers(CF, "describe_stacks", described(status, **outputs))
    if status != "CREATE_COMPLETE":
        events = [event("R", "DELETE_COMPLETE"), event("R", "CREATE_FAILED", failure, type or "AWS::X::Y")]
        recorded.answers(CF, "describe_stack_events", {"StackEvents": events})


def delete(recorded: RecordedAws) -> None:
    recorded.answers(CF, "delete_stack")
    recorded.answers(CF, "describe_stacks", described("DELETE_IN_PROGRESS"))
    recorded.refuses(CF, "describe_stacks", "ValidationError", "Stack with id s does not exist")


CONFLICT = "Unable to complete operation due to concurrent modification (ConflictException)"


@pytest.mark.parametrize(
    ("events", "key"),
    [
        ([event("A", "CREATE_COMPLETE"), event("B", "CREATE_COMPLETE")], "none"),
        ([event("A", "CREATE_COMPLETE"), event("A", "CREATE_IN_PROGRESS", CONFLICT)], "retried"),
        ([event("A", "CREATE_FAILED", CONFLICT)], "failed"),
        ([event("A", "DELETE_COMPLETE")], None),
    ],
)
def test_routes_in_parallel(recorded: RecordedAws, events: list[dict[str, Any]], key: str | None) -> None:
    recorded.answers(CF, "describe_stack_events", {"StackEvents": events}, StackName="PantherKolab-Routes-dev")
    answer = answered(recorded, "http-routes-in-parallel")
    assert answer.given == (answer.question.answer(key) if key else None)


@pytest.mark.parametrize(
    ("status", "exists", "key"),
    [
        ("ROLLBACK_COMPLETE", False, "deleted"),
        ("ROLLBACK_COMPLETE", True, "kept"),
        ("ROLLBACK_FAILED", True, "stuck"),
        ("CREATE_COMPLETE", True, None),
    ],
)
def test_table_of_a_failed_creation(recorded: RecordedAws, status: str, exists: bool, key: str | None) -> None:
    create(recorded, status, failure="WaitCondition timed out")
    if key:
        if exists:
            recorded.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE"}})
        else:
            recorded.refuses("dynamodb", "describe_table", "ResourceNotFoundException")
    delete(recorded)
    if exists:
        recorded.answers("dynamodb", "update_table", TableName=ANY, DeletionProtectionEnabled=False)
        recorded.answers("dynamodb", "delete_table")
    else:
        recorded.refuses("dynamodb", "update_table", "ResourceNotFoundException")
    answer = answered(recorded, "failed-creation-of-a-table")
    assert answer.given == (answer.question.answer(key) if key else None)


POOL = {
    "Type": "AWS::Cognito::UserPool",
    "Properties": {
        "Schema": [{"Name": "email", "Required": True}],
        "UserPoolName": "P",
        "DeletionProtection": "ACTIVE",
    },
}


@pytest.mark.parametrize(("status", "key"), [("UPDATE_COMPLETE", "updated"), ("UPDATE_ROLLBACK_COMPLETE", "refused")])
def test_update_of_a_pool(recorded: RecordedAws, status: str, key: str) -> None:
    recorded.answers(CF, "get_template", {"TemplateBody": json.dumps({"Resources": {"UserPool": POOL}})})
    create(recorded, "CREATE_COMPLETE")
    recorded.answers(CF, "update_stack", {"StackId": "s"})
    recorded.answers(CF, "describe_stacks", described(status))
    events = [event("Pool", "UPDATE_FAILED", "Invalid AttributeDataType input", "AWS::Cognito::UserPool")]
    recorded.answers(CF, "describe_stack_events", {"StackEvents": events if key == "refused" else []})
    delete(recorded)
    answer = answered(recorded, "pool-update-without-types")
    assert answer.given == answer.question.answer(key)
    assert ("Invalid AttributeDataType" in answer.seen) is (key == "refused")


def version(status: str) -> dict[str, Any]:
    state = {"ApplyOn": "PublishedVersions", "OptimizationStatus": status}
    return {"Runtime": "python3.13", "Architectures": ["arm64"], "SnapStart": state}


@pytest.mark.parametrize(("status", "key"), [("On", "on"), ("Off", "off")])
def test_snap_start_of_a_version(recorded: RecordedAws, status: str, key: str) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:1"
    create(recorded, "CREATE_COMPLETE", Version=arn)
    recorded.answers("lambda", "get_function_configuration", version(status), FunctionName=arn)
    delete(recorded)
    answer = answered(recorded, "snapstart-on-arm64")
    assert answer.given == answer.question.answer(key)


@pytest.mark.parametrize(
    ("failure", "key"), [("SnapStart is not supported for arm64", "refused"), ("not authorized to create a role", None)]
)
def test_refused_function(recorded: RecordedAws, failure: str, key: str | None) -> None:
    create(recorded, "ROLLBACK_COMPLETE", failure=failure, type="AWS::Lambda::Function")
    delete(recorded)
    answer = answered(recorded, "snapstart-on-arm64")
    assert answer.given == (answer.question.answer(key) if key else None)
    assert failure in answer.seen


def test_stack_is_deleted_after_an_interrupt(recorded: RecordedAws) -> None:
    """The deletion is awaited although the operator has interrupted the command."""
    recorded.answers(CF, "create_stack", {"StackId": "s"})
    recorded.answers(CF, "describe_stacks", described("CREATE_IN_PROGRESS"))
    delete(recorded)

    def interrupted(seconds: float) -> None:
        raise InterruptedAskingError

    (question,) = selected(["snapstart-on-arm64"])
    answer = ask(question, recorded.deployment(interrupted))
    assert (answer.state, answer.seen) == (State.NOT_ASKED, "the command was interrupted")


def test_failed_deletion_is_repeated_and_then_reported(
    recorded: RecordedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    create(recorded, "ROLLBACK_COMPLETE", failure="SnapStart is not supported", type="AWS::Lambda::Function")
    for _ in range(6):
        recorded.refuses(CF, "delete_stack", "Throttling")
    answered(recorded, "snapstart-on-arm64")
    assert "could not be deleted; delete it by hand" in capsys.readouterr().err


ALLOWED = {"access-control-allow-origin": "http://localhost:3000"}


@pytest.mark.parametrize(("id", "status"), [("cors-of-the-authorizer", 401), ("cors-of-an-unknown-route", 404)])
@pytest.mark.parametrize(
    ("headers", "key"),
    [({}, "unreadable"), ({"access-control-allow-origin": "https://other"}, "unreadable"), (ALLOWED, "readable")],
)
def test_headers_of_the_gateway(recorded: RecordedAws, id: str, status: int, headers: dict[str, str], key: str) -> None:
    recorded.response = HttpResponse(status, headers)
    answer = answered(recorded, id)
    assert answer.given == answer.question.answer(key)
    ((method, url, sent),) = recorded.requests
    assert (method, sent["Origin"]) == ("GET", "http://localhost:3000")
    routed = any(url == f"https://api.example.edu{route.path}" for route in ROUTES)
    assert routed is (status == 401)


def test_other_status_of_the_gateway_gives_no_answer(recorded: RecordedAws) -> None:
    recorded.response = HttpResponse(503, {})
    assert answered(recorded, "cors-of-the-authorizer").state is State.NOT_ASKED
