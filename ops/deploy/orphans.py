"""Tables that exist outside of every stack although a stack is about to create them.

They are left over from a failed creation or a deleted stack, and their name is taken. An empty one is deleted; one with
data is imported into the stack, if the stack retains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.aws import explained_errors
from ops.change_report.comparison import RETAINED
from ops.deploy.tools import MakeClient, Tools
from ops.errors import CommandError
from ops.preflight import Plan

_TABLE: Final = "AWS::DynamoDB::Table"
_POOL: Final = "AWS::Cognito::UserPool"
_MISSING: Final = "ResourceNotFoundException"


@dataclass(frozen=True)
class Orphan:
    """A table that is left over.

    Args:
        stack: name of the stack that is about to create it.
        table: its name.
        empty: whether it has no item.
        problem: why it cannot be imported; empty if it can.
    """

    stack: str
    table: str
    empty: bool
    problem: str = ""

    @property
    def text(self) -> str:
        """Return what happens to it."""
        what = "is empty and will be deleted" if self.empty else "has data and will be imported"
        return f"the table {self.table} is left over, {what} ({self.stack})"


def find_orphans(plan: Plan, make_client: MakeClient) -> list[Orphan]:
    """Return the left-over tables under names that a stack is about to use.

    Raises:
        CommandError: one has data and cannot be imported, or AWS refused a request.
    """
    dynamodb = make_client("dynamodb")
    with explained_errors():
        found = [
            orphan
            for stack, resource in _new_tables(plan)
            if (orphan := _orphan(stack, resource, dynamodb)) is not None
        ]
    if problems := [each for each in found if not each.empty and each.problem]:
        raise CommandError(
            "These tables are left over and have data, and they cannot be imported:\n"
            + "\n".join(f"  {each.table}: {each.problem}" for each in problems)
            + "\nExport what must be kept, delete them, and repeat the command."
        )
    return found


def _new_tables(plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for stack, template in plan.synthesised.items():
        deployed = plan.templates.get(stack, {}).get("Resources", {})
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] == _TABLE and logical_id not in deployed:
                yield stack, resource


def _orphan(stack: str, resource: Mapping[str, Any], client: Any) -> Orphan | None:
    properties = resource["Properties"]
    name = properties.get("TableName")
    if not isinstance(name, str):
        return None
    try:
        table = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == _MISSING:
            return None
        raise
    page = client.scan(TableName=name, Limit=1, Select="COUNT", ConsistentRead=True)
    empty = not page["Count"] and "LastEvaluatedKey" not in page
    return Orphan(stack, name, empty, _problem(resource, properties["KeySchema"], table))


def _problem(resource: Mapping[str, Any], key: Sequence[Mapping[str, str]], table: Mapping[str, Any]) -> str:
    if resource.get("DeletionPolicy") not in RETAINED:
        return "the environment does not retain its tables, and CloudFormation imports only retained ones"
    if _key(table["KeySchema"]) != _key(key):
        return "its key differs from the template's"
    return ""


def _key(schema: Sequence[Mapping[str, str]]) -> set[tuple[str, str]]:
    return {(each["AttributeName"], each["KeyType"]) for each in schema}


def delete_empty(orphan: Orphan, tools: Tools) -> None:
    """Delete a left-over table after a second look: it may have got items since.

    Raises:
        CommandError: it has items now, or AWS refused the deletion.
    """
    client = tools.make_client("dynamodb")
    with explained_errors():
        if client.scan(TableName=orphan.table, Limit=1, Select="COUNT", ConsistentRead=True)["Count"]:
            raise CommandError(f"{orphan.table} has items now, so it was not deleted. Repeat the command.")
        client.update_table(TableName=orphan.table, DeletionProtectionEnabled=False)
        client.get_waiter("table_exists").wait(TableName=orphan.table)
        client.delete_table(TableName=orphan.table)
        client.get_waiter("table_not_exists").wait(TableName=orphan.table)


def left_over_pools(plan: Plan, make_client: MakeClient) -> list[str]:
    """Return the ids of user pools with the name of a pool that is about to be created.

    The name of a pool is not unique, so that the creation succeeds; the other pool stays until it is deleted by hand.

    Raises:
        CommandError: AWS refused the request or did not respond.
    """
    names = {
        resource["Properties"].get("UserPoolName")
        for stack, template in plan.synthesised.items()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == _POOL and logical_id not in plan.templates.get(stack, {}).get("Resources", {})
    }
    if not names:
        return []
    with explained_errors():
        pages = make_client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
        return [pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] in names]
