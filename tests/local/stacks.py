"""Stacks of the emulator's CloudFormation, and the resources of their templates."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess

Resource = dict[str, Any]
Template = dict[str, Any]
_FINAL = ("_COMPLETE", "_FAILED")
FAILING = {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": "us-east-1_missing"}}


class Stacks:
    """Deploys templates and waits for their end."""

    def __init__(self, emulator: EmulatorProcess) -> None:
        self.client = emulator.aws("cloudformation")
        self.emulator = emulator
        self.suffix = uuid.uuid4().hex[:8]
        self._names: list[str] = []

    def create(self, stack: str, template: Template, **more: Any) -> str:
        self._names.append(stack)
        self.client.create_stack(
            StackName=self.name(stack), TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
        return self.end(stack)

    def update(self, stack: str, template: Template, **more: Any) -> str:
        self.client.update_stack(
            StackName=self.name(stack), TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
        return self.end(stack)

    def delete(self, stack: str) -> str:
        self.client.delete_stack(StackName=self.name(stack))
        return self.end(stack)

    def end(self, stack: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                status = self.client.describe_stacks(StackName=self.name(stack))["Stacks"][0]["StackStatus"]
            except ClientError:
                return "DELETE_COMPLETE"
            if status.endswith(_FINAL):
                return str(status)
            time.sleep(0.05)
        raise AssertionError(f"{stack} is still {status}")

    def reasons(self, stack: str) -> str:
        events = self.client.describe_stack_events(StackName=self.name(stack))["StackEvents"]
        return " | ".join(event.get("ResourceStatusReason") or "" for event in events)

    def name(self, stack: str) -> str:
        return f"{stack}-{self.suffix}"

    def clean(self) -> None:
        for stack in reversed(self._names):
            self.delete(stack)


def template(**resources: Resource) -> Template:
    return {"Resources": resources}


def table(name: str, *indexes: str, key: str = "pk", **more: Any) -> Resource:
    attributes = sorted({key, *indexes})
    properties = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in attributes],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": each,
                "KeySchema": [{"AttributeName": each, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for each in indexes
        ]
    return {"Type": "AWS::DynamoDB::Table", "Properties": {**properties, **more}}


def pool(**properties: Any) -> Resource:
    return {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "users", **properties}}


def attribute(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "AttributeDataType": "String", "Mutable": True, **more}


def export(value: str, name: str) -> dict[str, Any]:
    return {"Shared": {"Value": value, "Export": {"Name": name}}}


def table_exists(stacks: Stacks, name: str) -> bool:
    return name in stacks.emulator.aws("dynamodb").list_tables()["TableNames"]


def unprotect_pools(stacks: Stacks) -> None:
    """Switch the deletion protection of every user pool off."""
    cognito = stacks.emulator.aws("cognito-idp")
    for each in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        cognito.update_user_pool(UserPoolId=each["Id"], DeletionProtection="INACTIVE")
