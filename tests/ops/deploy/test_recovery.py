"""Half-way states of stacks: each has a procedure that the command follows or prints. Recorded responses of AWS."""

from __future__ import annotations

from typing import Any

import pytest

from ops.deploy.recovery import Recovery, find_recoveries, recover
from ops.deploy.stack_states import StackState, State
from ops.errors import CommandError
from tests.ops.recorded_cloudformation import NOW, STACK, STACK_ID, absent, described, events, recorded, tools

TABLE = "AWS::DynamoDB::Table"
OWN = "AWS::CloudFormation::Stack"


def found(status: str, protected: bool = False) -> Recovery:
    return Recovery(StackState(STACK, status, protected, NOW.isoformat()))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATE_COMPLETE", State.READY),
        ("UPDATE_ROLLBACK_COMPLETE", State.READY),
        ("IMPORT_ROLLBACK_COMPLETE", State.READY),
        ("ROLLBACK_COMPLETE", State.NEVER_COMPLETE),
        ("ROLLBACK_FAILED", State.NEVER_COMPLETE),
        ("CREATE_FAILED", State.NEVER_COMPLETE),
        ("UPDATE_ROLLBACK_FAILED", State.ROLLBACK_STUCK),
        ("DELETE_FAILED", State.HALF_DELETED),
        ("REVIEW_IN_PROGRESS", State.REVIEW),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", State.BUSY),
        ("DELETE_IN_PROGRESS", State.BUSY),
        ("", State.ABSENT),
    ],
)
def test_every_status_says_what_a_deployment_can_do(status: str, state: State) -> None:
    assert StackState(STACK, status).state is state


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_stack_that_can_be_updated_needs_nothing(status: str) -> None:
    with recorded(("describe_stacks", described(status)), ("describe_stacks", absent())) as client:
        assert find_recoveries([STACK, "PantherKolab-Routes-staging"], tools(client)) == []


def test_running_operation_of_another_operator_stops_the_deployment() -> None:
    response = described("UPDATE_IN_PROGRESS", LastUpdatedTime=NOW)
    with recorded(("describe_stacks", response)) as client, pytest.raises(CommandError) as error:
        find_recoveries([STACK], tools(client))
    text = str(error.value)
    assert f"{STACK} is UPDATE_IN_PROGRESS since 2026-11-01T12:00:00+00:00" in text
    assert "aws cloudtrail lookup-events" in text
    assert "cancel-update-stack" in text


def test_stack_whose_deletion_failed_stops_the_deployment() -> None:
    with (
        recorded(("describe_stacks", described("DELETE_FAILED"))) as client,
        pytest.raises(CommandError, match="delete-stack --stack-name PantherKolab-Data-staging --retain-resources"),
    ):
        find_recoveries([STACK], tools(client))


def summaries(*names: str) -> dict[str, Any]:
    return {"Summaries": [{"ChangeSetName": name, "CreationTime": NOW, "StackId": STACK_ID} for name in names]}


def test_review_of_another_tool_stops_the_deployment() -> None:
    responses = [
        ("describe_stacks", described("REVIEW_IN_PROGRESS")),
        ("list_change_sets", summaries("make-deploy", "console-2026"), {"StackName": STACK}),
    ]
    with recorded(*responses) as client, pytest.raises(CommandError, match=r"console-2026 of 2026(.|\n)*delete-stack"):
        find_recoveries([STACK], tools(client))


def test_review_of_an_interrupted_deployment_is_deleted() -> None:
    responses = [
        ("describe_stacks", described("REVIEW_IN_PROGRESS")),
        ("list_change_sets", summaries("make-deploy"), {"StackName": STACK}),
        ("describe_stacks", described("REVIEW_IN_PROGRESS")),
        ("delete_stack", {}, {"StackName": STACK}),
        ("describe_stacks", described("DELETE_COMPLETE"), {"StackName": STACK_ID}),
    ]
    with recorded(*responses) as client:
        (recovery,) = find_recoveries([STACK], tools(client))
        assert "was interrupted; the stack has no resource and is deleted" in recovery.text
        recover(recovery, tools(client))


def test_failed_first_creation_loses_its_termination_protection_and_is_deleted() -> None:
    off = {"StackName": STACK, "EnableTerminationProtection": False}
    responses = [
        ("describe_stacks", described("ROLLBACK_COMPLETE", EnableTerminationProtection=True)),
        ("update_termination_protection", {"StackId": STACK_ID}, off),
        ("describe_stacks", described("ROLLBACK_COMPLETE")),
        ("delete_stack", {}, {"StackName": STACK}),
        ("describe_stacks", described("DELETE_IN_PROGRESS"), {"StackName": STACK_ID}),
        ("describe_stacks", described("DELETE_COMPLETE"), {"StackName": STACK_ID}),
    ]
    with recorded(*responses) as client:
        (recovery,) = find_recoveries([STACK], tools(client))
        assert recovery.text.endswith("it is deleted, its termination protection turned off, and created again")
        recover(recovery, tools(client))


def test_resources_that_cannot_be_deleted_after_a_failed_creation_are_kept_outside_of_the_stack() -> None:
    failed = events(
        (STACK, OWN, "DELETE_FAILED", "The following resource(s) failed to delete: [Messages]."),
        (
            "Messages",
            TABLE,
            "DELETE_FAILED",
            "Resource cannot be deleted as it is currently protected against deletion.",
        ),
        (STACK, OWN, "DELETE_IN_PROGRESS", "User Initiated"),
        ("Users", TABLE, "DELETE_FAILED", "of the operation before"),
    )
    responses = [
        ("describe_stacks", described("ROLLBACK_FAILED")),
        ("delete_stack", {}, {"StackName": STACK}),
        ("describe_stacks", described("DELETE_FAILED"), {"StackName": STACK_ID}),
        ("describe_stack_events", failed),
        ("delete_stack", {}, {"StackName": STACK, "RetainResources": ["Messages"]}),
        ("describe_stacks", described("DELETE_COMPLETE"), {"StackName": STACK_ID}),
    ]
    lines: list[str] = []
    with recorded(*responses) as client:
        recover(found("ROLLBACK_FAILED"), tools(client, lines))
    assert lines == [f"         {STACK}: kept outside of the stack: Messages"]


STUCK = events(
    (STACK, OWN, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Relay]."),
    ("Relay", "AWS::Lambda::EventSourceMapping", "UPDATE_FAILED", "The resource you requested does not exist."),
    ("Users", TABLE, "UPDATE_COMPLETE", ""),
    (STACK, OWN, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Users]."),
    ("Users", TABLE, "UPDATE_FAILED", "index"),
    (STACK, OWN, "UPDATE_IN_PROGRESS", "User Initiated"),
)


def test_failed_rollback_is_continued() -> None:
    responses = [
        ("describe_stacks", described("UPDATE_ROLLBACK_FAILED")),
        ("describe_stack_events", STUCK),
        ("continue_update_rollback", {}, {"StackName": STACK}),
        ("describe_stacks", described("UPDATE_ROLLBACK_IN_PROGRESS")),
        ("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE")),
    ]
    with recorded(*responses) as client:
        (recovery,) = find_recoveries([STACK], tools(client))
        assert recovery.text.endswith("its rollback is continued")
        recover(recovery, tools(client))


def test_rollback_that_fails_again_names_the_resources_to_skip() -> None:
    responses = [
        ("describe_stack_events", STUCK),
        ("continue_update_rollback", {}, {"StackName": STACK}),
        ("describe_stacks", described("UPDATE_ROLLBACK_FAILED")),
        ("describe_stack_events", STUCK),
    ]
    with recorded(*responses) as client, pytest.raises(CommandError) as error:
        recover(found("UPDATE_ROLLBACK_FAILED"), tools(client))
    assert "Relay (AWS::Lambda::EventSourceMapping): The resource you requested does not exist." in str(error.value)
    assert "python -m ops.deploy --env staging --skip-resources Data.Relay" in str(error.value)


def test_chosen_resources_of_this_stack_are_skipped() -> None:
    responses = [
        ("describe_stack_events", STUCK),
        ("continue_update_rollback", {}, {"StackName": STACK, "ResourcesToSkip": ["Relay"]}),
        ("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE")),
    ]
    with recorded(*responses) as client:
        recover(found("UPDATE_ROLLBACK_FAILED"), tools(client), ["Data.Relay", "Routes.Other"])
