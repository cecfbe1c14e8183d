"""Tables that are left over outside of every stack: empty ones are deleted, the others imported. Recorded responses."""

from __future__ import annotations

from typing import Any

import pytest

from ops.deploy.orphans import Orphan, delete_empty, find_orphans, left_over_pools
from ops.errors import CommandError
from ops.preflight import DeployedStack, Plan
from tests.ops.recorded_cloudformation import recorded, tools

STACK = "PantherKolab-Data-staging"
NAME = "PantherKolab-Blocks-staging"
KEY = [{"AttributeName": "userId", "KeyType": "HASH"}]
MISSING = ("describe_table", ("ResourceNotFoundException", "Requested resource not found"), {"TableName": NAME})
COUNT = {"TableName": NAME, "Limit": 1, "Select": "COUNT", "ConsistentRead": True}


def plan(policy: str = "RetainExceptOnCreate", *, deployed: bool = False) -> Plan:
    table = {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "Properties": {"TableName": NAME, "KeySchema": KEY},
    }
    template = {"Resources": {"Blocks": table, "Meta": {"Type": "AWS::CDK::Metadata", "Properties": {}}}}
    before = {STACK: DeployedStack("CREATE_COMPLETE", True, None, template)} if deployed else {}
    return Plan(before, {STACK: template})


def existing(*, items: int, key: list[dict[str, str]] | None = None) -> list[tuple[Any, ...]]:
    return [
        ("describe_table", {"Table": {"TableName": NAME, "KeySchema": key or KEY}}, {"TableName": NAME}),
        ("scan", {"Count": items, "ScannedCount": items}, COUNT),
    ]


def test_table_that_the_stack_has_already_is_not_left_over() -> None:
    with recorded(service="dynamodb") as client:
        assert find_orphans(plan(deployed=True), lambda service: client) == []


def test_free_name_is_no_left_over_table() -> None:
    with recorded(MISSING, service="dynamodb") as client:
        assert find_orphans(plan(), lambda service: client) == []


@pytest.mark.parametrize(("items", "fate"), [(0, "is empty and will be deleted"), (1, "has data and will be imported")])
def test_left_over_table_is_deleted_if_it_is_empty_and_imported_if_it_has_data(items: int, fate: str) -> None:
    with recorded(*existing(items=items), service="dynamodb") as client:
        (orphan,) = find_orphans(plan(), lambda service: client)
    assert orphan.text == f"the table {NAME} is left over, {fate} ({STACK})"


@pytest.mark.parametrize(
    ("policy", "key", "problem"),
    [
        ("Delete", KEY, "imports only retained ones"),
        ("Retain", [{"AttributeName": "id", "KeyType": "HASH"}], "its key differs"),
    ],
)
def test_left_over_table_with_data_that_cannot_be_imported_stops_the_deployment(
    policy: str, key: list[dict[str, str]], problem: str
) -> None:
    expected = f"{NAME}: .*{problem}(.|\n)*Export what must be kept"
    responses = existing(items=1, key=key)
    with recorded(*responses, service="dynamodb") as client, pytest.raises(CommandError, match=expected):
        find_orphans(plan(policy), lambda service: client)


def test_empty_table_is_deleted_with_its_deletion_protection() -> None:
    described = {"Table": {"TableName": NAME, "TableStatus": "ACTIVE"}}
    responses = [
        ("scan", {"Count": 0, "ScannedCount": 0}, COUNT),
        ("update_table", {}, {"TableName": NAME, "DeletionProtectionEnabled": False}),
        ("describe_table", described, {"TableName": NAME}),
        ("delete_table", {}, {"TableName": NAME}),
        MISSING,
    ]
    with recorded(*responses, service="dynamodb") as client:
        delete_empty(Orphan(STACK, NAME, empty=True), tools(client))


def test_table_that_got_items_since_is_not_deleted() -> None:
    items, expected = ("scan", {"Count": 1, "ScannedCount": 1}, COUNT), "has items now, so it was not deleted"
    with recorded(items, service="dynamodb") as client, pytest.raises(CommandError, match=expected):
        delete_empty(Orphan(STACK, NAME, empty=True), tools(client))


def test_user_pool_of_an_earlier_creation_is_named() -> None:
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "PantherKolab-Users-staging"}}
    page = {"UserPools": [{"Id": "us-east-1_a", "Name": "PantherKolab-Users-staging"}, {"Id": "b", "Name": "other"}]}
    new = Plan({}, {"PantherKolab-Identity-staging": {"Resources": {"Pool": pool}}})
    with recorded(("list_user_pools", page, {"MaxResults": 60}), service="cognito-idp") as client:
        assert left_over_pools(new, lambda service: client) == ["us-east-1_a"]
