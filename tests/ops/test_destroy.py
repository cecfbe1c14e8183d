"""ops.destroy: disposable environments only, after the typed name, with what stays. Recorded responses of AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops import destroy
from ops.errors import CommandError
from stacks.config.load import load
from tests.ops.recorded_cloudformation import STACK_ID, absent, described, recorded, tools

DATA, ROUTES = "PantherKolab-Data-dev", "PantherKolab-Routes-dev"
ORDER = ("Operations", "Bridge", "Routes", "Events", "Identity", "Data")
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "DeletionPolicy": "Retain",
    "Properties": {"TableName": "PantherKolab-Users-dev"},
}


def states(**status: str) -> list[tuple[Any, ...]]:
    names = [(each, f"PantherKolab-{each}-dev") for each in ORDER]
    return [
        ("describe_stacks", described(status[each], name) if each in status else absent(name), {"StackName": name})
        for each, name in names
    ]


def templates(*names: str) -> list[tuple[Any, ...]]:
    """Return the responses to reading the deployed stacks, in the order of their deployment."""
    found: list[tuple[Any, ...]] = []
    for each in reversed(ORDER):
        name = f"PantherKolab-{each}-dev"
        found.append(("describe_stacks", described("CREATE_COMPLETE", name) if name in names else absent(name)))
        if name in names:
            body = json.dumps({"Resources": {"Users": TABLE} if name == DATA else {}})
            found.append(("get_template", {"TemplateBody": body}))
    return found


def deletion(name: str, status: str = "DELETE_COMPLETE") -> list[tuple[Any, ...]]:
    return [
        ("describe_stacks", described("CREATE_COMPLETE", name), {"StackName": name}),
        ("delete_stack", {}, {"StackName": name}),
        ("describe_stacks", described(status, name), {"StackName": STACK_ID}),
    ]


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_protected_environment_is_refused(name: str) -> None:
    with recorded() as client, pytest.raises(CommandError, match=f"{name} has protected data and cannot be destroyed"):
        destroy.run(load(name, variables={}), tools(client), agreed=True)


def test_stacks_are_deleted_in_the_reverse_order_and_what_stays_is_listed() -> None:
    responses = [
        *states(Data="CREATE_COMPLETE", Routes="UPDATE_COMPLETE"),
        *templates(DATA, ROUTES),
        *deletion(ROUTES),
        *deletion(DATA),
    ]
    lines: list[str] = []
    with recorded(*responses) as client:
        destroy.run(load("dev"), tools(client, lines, read=lambda question: "dev"))
    printed = "\n".join(lines)
    assert "Stays: PantherKolab-Users-dev (AWS::DynamoDB::Table, PantherKolab-Data-dev)" in printed
    assert printed.index(f"Deleting {ROUTES}") < printed.index(f"Deleting {DATA}")
    assert "60 seconds later, because of its queues. 1 resources stay" in printed


@pytest.mark.parametrize("entered", ["y", "yes", "prod", ""])
def test_anything_but_the_typed_name_deletes_nothing(entered: str) -> None:
    with (
        recorded(*states(Data="CREATE_COMPLETE"), *templates(DATA)) as client,
        pytest.raises(CommandError, match="Not conf"),
    ):
        destroy.run(load("dev"), tools(client, read=lambda question: entered))


def test_option_yes_is_not_enough_outside_of_ci() -> None:
    with (
        recorded(*states(Data="CREATE_COMPLETE"), *templates(DATA)) as client,
        pytest.raises(CommandError, match="--yes"),
    ):
        destroy.run(load("dev"), tools(client), agreed=True)


def test_running_operation_stops_the_destruction() -> None:
    with (
        recorded(*states(Data="UPDATE_IN_PROGRESS")) as client,
        pytest.raises(CommandError, match="is UPDATE_IN_PROGRESS"),
    ):
        destroy.run(load("dev"), tools(client))


def test_environment_that_is_not_deployed_is_an_error() -> None:
    with recorded(*states()) as client, pytest.raises(CommandError, match="dev is not deployed"):
        destroy.run(load("dev"), tools(client))
