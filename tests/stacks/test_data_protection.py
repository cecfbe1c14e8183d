"""Data protection of every environment: tables, user pool, retention and termination protection."""

from __future__ import annotations

import json

import pytest

from contract import tables
from tests.stacks.synthesis import (
    ALL,
    IMPORTED_POOL,
    PROTECTED,
    STATEFUL,
    assembly,
    properties,
    readable,
    resources,
    settings_of,
    templates,
)

every_variant = pytest.mark.parametrize("variant", ALL)
protected_variants = pytest.mark.parametrize("variant", PROTECTED)


@every_variant
def test_tables_are_exactly_those_of_the_contract(variant: str) -> None:
    environment = settings_of(variant).name
    created = {table["TableName"]: table for table in properties(variant, "AWS::DynamoDB::Table")}
    assert set(created) == {table.name(environment) for table in tables.TABLES}
    for table in tables.TABLES:
        template = created[table.name(environment)]
        types = {each["AttributeName"]: each["AttributeType"] for each in template["AttributeDefinitions"]}
        keys = [table.partition, table.sort, *(key for index in table.indexes for key in (index.partition, index.sort))]
        assert types == {key.name: key.type for key in keys if key}
        assert template["KeySchema"] == _key_schema(table.partition, table.sort)
        assert template.get("TimeToLiveSpecification") == (
            {"AttributeName": table.ttl, "Enabled": True} if table.ttl else None
        )
        assert template.get("StreamSpecification") == ({"StreamViewType": table.stream} if table.stream else None)
        assert template["BillingMode"] == "PAY_PER_REQUEST"
        assert template.get("GlobalSecondaryIndexes", []) == [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition, index.sort),
                "Projection": {"ProjectionType": index.projection},
            }
            for index in table.indexes
        ]


def _key_schema(partition: tables.Key, sort: tables.Key | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": partition.name, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": sort.name, "KeyType": "RANGE"}] if sort else schema


@protected_variants
def test_data_of_protected_environments_is_retained_protected_and_recoverable(variant: str) -> None:
    """Requirement P6."""
    kinds = ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"]
    kept = {
        name: resource
        for kind in kinds
        for name, resource in resources(variant, kind).items()
        if "CanaryClient" not in name  # deleted with the canary, since no deployed front end knows it
    }
    assert len(kept) >= len(tables.TABLES)
    for resource in kept.values():
        # A rolled-back creation leaves no empty table behind, whose name would make the retry fail.
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
    for table in properties(variant, "AWS::DynamoDB::Table"):
        assert table["DeletionProtectionEnabled"] is True
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    for pool in properties(variant, "AWS::Cognito::UserPool"):
        assert pool["DeletionProtection"] == "ACTIVE"


@every_variant
def test_resources_with_data_are_in_the_stateful_stacks_only(variant: str) -> None:
    for name, resource in resources(variant).items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::S3::Bucket"):
            assert name.partition("/")[0] in STATEFUL


@every_variant
def test_created_pool_accepts_strong_passwords_and_srp_of_users_only(variant: str) -> None:
    for pool in properties(variant, "AWS::Cognito::UserPool"):
        policy = pool["Policies"]["PasswordPolicy"]
        assert policy["MinimumLength"] >= 8
        assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
        assert pool["UsernameAttributes"] == ["email"]
        assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
        assert pool["AutoVerifiedAttributes"] == ["email"]
        assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Name": "verified_email", "Priority": 1}]
        assert "PostConfirmation" in pool["LambdaConfig"]
    for client in properties(variant, "AWS::Cognito::UserPoolClient"):
        flow = "PASSWORD" if "-Canary-" in client["ClientName"] else "SRP"
        assert client["ExplicitAuthFlows"] == [f"ALLOW_USER_{flow}_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        assert client["GenerateSecret"] is False
        assert client["PreventUserExistenceErrors"] == "ENABLED"
        assert "email_verified" not in client["WriteAttributes"]


def test_imported_pool_is_not_changed() -> None:
    assert properties(IMPORTED_POOL, "AWS::Cognito::UserPool") == []
    assert properties(IMPORTED_POOL, "AWS::Cognito::UserPoolClient") == []
    assert not [name for name in resources(IMPORTED_POOL, "AWS::Lambda::Function") if name.startswith("Identity/")]


@every_variant
def test_stacks_of_protected_environments_have_termination_protection(variant: str) -> None:
    """Requirement P6."""
    manifest = json.loads((assembly(variant) / "manifest.json").read_text(encoding="utf-8"))
    stacks = {
        name: artifact["properties"].get("terminationProtection", False)
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert stacks == dict.fromkeys(["Data", "Events", "Identity", "Operations", "Routes"], variant in PROTECTED)


@every_variant
def test_protected_environment_without_a_known_account_cannot_be_deployed(variant: str) -> None:
    """The CDK CLI refuses to deploy stacks of another account than that of the credentials; no account has this id."""
    manifest = json.loads((assembly(variant) / "manifest.json").read_text(encoding="utf-8"))
    targets = {each["environment"] for each in manifest["artifacts"].values() if "stack" in each["type"]}
    account = "000000000000" if variant in PROTECTED else "unknown-account"
    assert targets == {f"aws://{account}/unknown-region"}


@every_variant
def test_data_stack_exports_the_outbox_stream_only(variant: str) -> None:
    exported = [output["Value"] for output in templates(variant)["Data"].get("Outputs", {}).values()]
    assert [readable(value).split(".")[1] for value in exported] == ["StreamArn}"]
