"""Strict mode: CloudFormation refuses and leaves behind what AWS documents."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess
from tests.local.stacks import (
    FAILING,
    Resource,
    Stacks,
    Template,
    attribute,
    export,
    pool,
    table,
    table_exists,
    template,
    unprotect_pools,
)


@pytest.fixture
def stacks(emulator: EmulatorProcess) -> Iterator[Stacks]:
    made = Stacks(emulator)
    yield made
    emulator.faults.set_strict({})
    made.clean()


NAMED: dict[str, tuple[Resource, dict[str, Any]]] = {
    "AWS::DynamoDB::Table": (table("NAME"), {"KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "other", "AttributeType": "S"}]}),
    "AWS::SQS::Queue": ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "NAME.fifo", "FifoQueue": True}},
        {"FifoQueue": False}),
    "AWS::Lambda::Function": ({"Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": "NAME", "Role": "arn:aws:iam::000000000000:role/test", "Handler": "main.handler",
        "Runtime": "python3.13", "PackageType": "Zip", "Code": {"ZipFile": "def handler(*_): pass"}}},
        {"PackageType": "Image", "Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/a:1"}}),
    "AWS::Events::Rule": ({"Type": "AWS::Events::Rule", "Properties": {
        "Name": "NAME", "EventBusName": "default", "EventPattern": {"source": ["a"]}}}, {"EventBusName": "other"}),
    "AWS::IAM::Role": ({"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": "NAME", "Path": "/", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
        {"Path": "/other/"}),
    "AWS::SNS::Topic": ({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "NAME.fifo", "FifoTopic": True}},
        {"FifoTopic": False}),
}  # fmt: skip


def named(kind: str, name: str) -> tuple[Resource, Resource]:
    """Return a resource with a custom name, and one of the same name that replaces it."""
    resource, change = NAMED[kind]
    first = json.loads(json.dumps(resource).replace("NAME", name))
    second = copy.deepcopy(first)
    second["Properties"].update(change)
    return first, second


@pytest.mark.parametrize("kind", NAMED)
def test_a_replacement_under_an_unchanged_name_is_refused(stacks: Stacks, kind: str) -> None:
    first, second = named(kind, f"named-{stacks.suffix}")
    assert stacks.create("named", template(One=first)) == "CREATE_COMPLETE"
    assert stacks.update("named", template(One=second)) == "UPDATE_ROLLBACK_COMPLETE"
    assert re.search("custom-named resource requires replacing|already exists", stacks.reasons("named"))


@pytest.mark.parametrize("kind", NAMED)
def test_a_name_that_is_taken_is_refused(stacks: Stacks, kind: str) -> None:
    resource, _ = named(kind, f"taken-{stacks.suffix}")
    assert stacks.create("first", template(One=resource)) == "CREATE_COMPLETE"
    assert stacks.create("second", template(One=resource)) == "ROLLBACK_COMPLETE"
    assert "already exists" in stacks.reasons("second")
    assert stacks.update("first", template(Other=resource)) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_resource_made_without_a_stack_takes_its_name(stacks: Stacks) -> None:
    name = f"outside-{stacks.suffix}"
    stacks.emulator.table(name)
    assert stacks.create("after", template(One=table(name))) == "ROLLBACK_COMPLETE"
    assert "already exists" in stacks.reasons("after")
    described = stacks.emulator.aws("dynamodb").describe_table(TableName=name)["Table"]
    assert len(described["KeySchema"]) == 2  # the other table


@pytest.mark.parametrize(("policy", "stays"), [("Retain", True), ("RetainExceptOnCreate", False), ("Delete", False)])
def test_a_creation_that_rolls_back_keeps_only_what_is_retained(stacks: Stacks, policy: str, stays: bool) -> None:
    name = f"{policy.lower()}-{stacks.suffix}"
    made = {**table(name), "DeletionPolicy": policy}
    failing = {**FAILING, "DependsOn": "One"}
    assert stacks.create("kept", template(One=made, Two=failing)) == "ROLLBACK_COMPLETE"
    assert table_exists(stacks, name) is stays
    with pytest.raises(ClientError, match="in ROLLBACK_COMPLETE state"):
        stacks.update("kept", template(One=made))
    with pytest.raises(ClientError, match="already exists"):
        stacks.create("kept", template(One=made))
    assert stacks.delete("kept") == "DELETE_COMPLETE"
    assert stacks.create("kept", template(One=made)) == ("ROLLBACK_COMPLETE" if stays else "CREATE_COMPLETE")


def test_what_is_retained_except_on_creation_survives_its_stack(stacks: Stacks) -> None:
    name = f"survives-{stacks.suffix}"
    made = {**table(name), "DeletionPolicy": "RetainExceptOnCreate"}
    stacks.create("gone", template(One=made))
    assert stacks.delete("gone") == "DELETE_COMPLETE"
    assert table_exists(stacks, name)


def test_a_protected_stack_cannot_be_deleted(stacks: Stacks) -> None:
    queue = {"Type": "AWS::SQS::Queue"}
    stacks.create("protected", template(One=queue), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stacks.delete("protected")
    stacks.client.update_termination_protection(StackName=stacks.name("protected"), EnableTerminationProtection=False)


def test_a_table_with_deletion_protection_stays(stacks: Stacks) -> None:
    name = f"deletion-{stacks.suffix}"
    stacks.create("deletion", template(One=table(name, DeletionProtectionEnabled=True)))
    assert stacks.delete("deletion") == "DELETE_FAILED"
    assert "protected against deletion" in stacks.reasons("deletion")
    assert table_exists(stacks, name)
    stacks.emulator.aws("dynamodb").update_table(TableName=name, DeletionProtectionEnabled=False)


def test_a_pool_with_deletion_protection_stays(stacks: Stacks) -> None:
    stacks.create("pool", template(One=pool(DeletionProtection="ACTIVE")))
    assert stacks.delete("pool") == "DELETE_FAILED"
    unprotect_pools(stacks)


@pytest.mark.parametrize("change", ["removed", "changed", "renamed"])
def test_an_export_in_use_cannot_change(stacks: Stacks, change: str) -> None:
    name = f"shared-{stacks.suffix}"
    queue = template(One={"Type": "AWS::SQS::Queue"})
    stacks.create("exporting", {**queue, "Outputs": export("a", name)})
    importing = template(
        One={"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": name}}}
    )
    stacks.create("importing", importing)
    outputs = {
        "removed": {"Other": {"Value": "a"}},
        "changed": export("b", name),
        "renamed": export("a", f"{name}-new"),
    }[change]
    assert stacks.update("exporting", {**queue, "Outputs": outputs}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "in use by" in stacks.reasons("exporting")
    with pytest.raises(ClientError, match="is imported by"):
        stacks.delete("exporting")


def test_an_update_changes_one_index_of_a_table(stacks: Stacks) -> None:
    name = f"indexes-{stacks.suffix}"
    stacks.create("indexes", template(One=table(name, "a")))
    assert stacks.update("indexes", template(One=table(name, "a", "b", "c"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "more than one GSI creation or deletion in a single update" in stacks.reasons("indexes")
    assert stacks.update("indexes", template(One=table(name, "b"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.update("indexes", template(One=table(name, "a", "b"))) == "UPDATE_COMPLETE"
    changed = table(name, "a", "b")
    changed["Properties"]["GlobalSecondaryIndexes"][0]["Projection"]["ProjectionType"] = "ALL"
    assert stacks.update("indexes", template(One=changed)) == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_cannot_move_the_time_to_live_to_another_attribute(stacks: Stacks) -> None:
    name = f"expiring-{stacks.suffix}"

    def expiring(attribute_name: str) -> Template:
        specification = {"AttributeName": attribute_name, "Enabled": True}
        return template(One=table(name, TimeToLiveSpecification=specification))

    stacks.create("expiring", expiring("a"))
    assert stacks.update("expiring", expiring("b")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "TimeToLive is active on a different AttributeName" in stacks.reasons("expiring")


IMMUTABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "attribute removed": ({"Schema": [attribute("a"), attribute("b")]}, {"Schema": [attribute("a")]}),
    "attribute altered": ({"Schema": [attribute("a")]}, {"Schema": [attribute("a", Mutable=False)]}),
    "user names": ({"UsernameAttributes": ["email"]}, {"UsernameAttributes": ["email", "phone_number"]}),
    "aliases": ({"AliasAttributes": ["email"]}, {"AliasAttributes": []}),
    "case of user names": (
        {"UsernameConfiguration": {"CaseSensitive": False}},
        {"UsernameConfiguration": {"CaseSensitive": True}},
    ),
}


@pytest.mark.parametrize("change", IMMUTABLE)
def test_immutable_attributes_of_a_pool_cannot_change(stacks: Stacks, change: str) -> None:
    before, after = IMMUTABLE[change]
    stacks.create("pool", template(One=pool(**before)))
    assert stacks.update("pool", template(One=pool(**after))) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_pool_accepts_a_new_attribute(stacks: Stacks) -> None:
    stacks.create("pool", template(One=pool(Schema=[attribute("a")])))
    assert stacks.update("pool", template(One=pool(Schema=[attribute("a"), attribute("b")]))) == "UPDATE_COMPLETE"


def test_an_update_without_change_is_refused(stacks: Stacks) -> None:
    queue = template(One={"Type": "AWS::SQS::Queue"})
    stacks.create("same", queue)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update("same", queue)
