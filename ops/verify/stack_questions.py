"""Questions about CloudFormation: creating many routes, a creation that fails, updating the user pool."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.verify.chime_questions import error_code
from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question
from ops.verify.temporary import deleted_after, ended, stack, temporary_name
from stacks import outputs

_ROUTE: Final = "AWS::ApiGatewayV2::Route"
_USER_POOL: Final = "AWS::Cognito::UserPool"
_POOL_PROPERTIES: Final = ("Schema", "UsernameAttributes", "UsernameConfiguration", "AutoVerifiedAttributes")
"""The properties of the deployed pool that an update repeats unchanged."""


def _ask_routes(deployment: Deployment) -> Observation:
    client, name = deployment.make_client("cloudformation"), deployment.names.of(outputs.ROUTES)
    events = [
        event
        for page in client.get_paginator("describe_stack_events").paginate(StackName=name)
        for event in page["StackEvents"]
        if event.get("ResourceType") == _ROUTE
    ]
    created = {each["LogicalResourceId"] for each in events if each.get("ResourceStatus") == "CREATE_COMPLETE"}
    conflicts = [each for each in events if "conflict" in each.get("ResourceStatusReason", "").lower()]
    if not created and not conflicts:
        raise CannotAskError(f"CloudFormation no longer has the events of the creation of {name}")
    failed = [each for each in conflicts if each.get("ResourceStatus", "").endswith("FAILED")]
    seen = f"{len(created)} routes created, {len(conflicts)} conflicts"
    if failed:
        return Observation("failed", f"{seen}: {failed[0]['ResourceStatusReason']}")
    return Observation("retried" if conflicts else "none", seen)


def _ask_failed_creation(deployment: Deployment) -> Observation:
    table = temporary_name("table")
    dynamodb = deployment.make_client("dynamodb")
    with (
        deleted_after(f"The table {table}", lambda: _delete_table(dynamodb, table)),
        stack(deployment, "failure", _failing_template(table)) as failed,
    ):
        if failed.complete:
            raise CannotAskError("the creation of the temporary stack did not fail")
        try:
            dynamodb.describe_table(TableName=table)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return Observation("deleted", f"{failed.status}; the table is gone")
        kept = "kept" if failed.status == "ROLLBACK_COMPLETE" else "stuck"
        return Observation(kept, f"{failed.status}; the table exists")


def _failing_template(table: str) -> dict[str, Any]:
    """Return a template with a protected table, and a condition that never occurs after it."""
    return {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "RetainExceptOnCreate",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "TableName": table,
                    "BillingMode": "PAY_PER_REQUEST",
                    "DeletionProtectionEnabled": True,
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                },
            },
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "Never": {
                "Type": "AWS::CloudFormation::WaitCondition",
                "DependsOn": "Table",
                "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
            },
        }
    }


def _delete_table(dynamodb: Any, table: str) -> None:
    steps: tuple[Callable[[], Any], ...] = (
        lambda: dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False),
        lambda: dynamodb.delete_table(TableName=table),
    )
    for step in steps:
        try:
            step()
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return
            raise


def _ask_pool_update(deployment: Deployment) -> Observation:
    if deployment.environment.identity.source != "create":
        raise CannotAskError("the environment imports its user pool")
    client = deployment.make_client("cloudformation")
    template = _pool_template(client, deployment.names.of(outputs.IDENTITY))
    with stack(deployment, "pool", template) as created:
        if not created.complete:
            raise CannotAskError(f"the temporary user pool was not created: {created.failure}")
        template["Resources"]["Pool"]["Properties"]["UserPoolTags"] = {"verify": "updated"}
        client.update_stack(StackName=created.name, TemplateBody=json.dumps(template))
        updated = ended(deployment, client, created.name)
        if updated.status == "UPDATE_COMPLETE":
            return Observation("updated", "a tag was added")
        return Observation("refused", f"{updated.status}: {updated.failure}")


def _pool_template(client: Any, identity_stack: str) -> dict[str, Any]:
    body = client.get_template(StackName=identity_stack, TemplateStage="Original")["TemplateBody"]
    deployed = json.loads(body) if isinstance(body, str) else body
    pools = [each for each in deployed["Resources"].values() if each["Type"] == _USER_POOL]
    if not pools:
        raise CannotAskError(f"the stack {identity_stack} has no user pool")
    properties = {name: pools[0]["Properties"][name] for name in _POOL_PROPERTIES if name in pools[0]["Properties"]}
    return {
        "Resources": {
            "Pool": {"Type": _USER_POOL, "DeletionPolicy": "Delete", "Properties": properties},
        }
    }


QUESTIONS: Final = (
    Question(
        id="http-routes-in-parallel",
        text="Can CloudFormation create all routes of an HTTP API with automatic deployment in parallel?",
        how="reads the events of the Routes stack",
        source="ConflictException is reported for many routes of one API",
        answers=(
            PossibleAnswer(
                "none", "yes, without a conflict", "the routes need no order (`stacks/constructs/http_api.py`)"
            ),
            PossibleAnswer(
                "retried", "yes, after conflicts that CloudFormation repeated", "none; creations take longer"
            ),
            PossibleAnswer(
                "failed",
                "no, a route failed",
                "let each route depend on the one before it (`stacks/constructs/http_api.py`)",
            ),
        ),
        ask=_ask_routes,
    ),
    Question(
        id="failed-creation-of-a-table",
        text="Does a creation that fails delete a table with deletion protection and RetainExceptOnCreate?",
        how="creates a stack with such a table and a resource that fails, then looks for the table",
        source="the two were not tried together",
        answers=(
            PossibleAnswer("deleted", "yes", "a creation that failed can be repeated at once"),
            PossibleAnswer(
                "kept",
                "no, the table is left over",
                "none for `make deploy`, which deletes empty left-over tables (`ops/deploy/orphans.py`); correct the "
                "local cloud (`local/emulator/patches/table_settings.py`)",
            ),
            PossibleAnswer(
                "stuck",
                "no, the stack is in ROLLBACK_FAILED",
                "none for `make deploy`, which deletes the stack and then the empty table (`ops/deploy/recovery.py`); "
                "correct the local cloud (`local/emulator/patches/table_settings.py`)",
            ),
        ),
        ask=_ask_failed_creation,
        creates="a stack with an empty table",
        minutes=4,
    ),
    Question(
        id="pool-update-without-types",
        text="Can a user pool be updated whose schema entries have no AttributeDataType?",
        how="creates a stack with a pool of the deployed schema, adds a tag, and reads the result",
        source='an issue of the Amplify backend reports "Invalid AttributeDataType input" for every later update',
        answers=(
            PossibleAnswer("updated", "yes", "the pool of `stacks/identity.py` can be updated"),
            PossibleAnswer(
                "refused",
                "no",
                "write the type of each standard attribute in `stacks/identity.py` before users sign up, because a "
                "pool without types could never be changed",
            ),
        ),
        ask=_ask_pool_update,
        creates="a stack with a user pool",
        minutes=2,
    ),
)
