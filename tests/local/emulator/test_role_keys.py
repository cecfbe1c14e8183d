"""A data source acts with the keys that were issued for its role."""

from __future__ import annotations

import json
from pathlib import Path

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS
from appsync_events_local.model.data_sources import data_source_from
from appsync_events_local.sources.role_keys import RoleKeys, local_keys

from local.emulator.credentials import CredentialStore

ROLE = "arn:aws:iam::000000000000:role/reader"


class _Api:
    region = "us-east-1"


def test_the_keys_are_those_that_the_local_cloud_issued_for_the_role(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    issued = CredentialStore(file).for_service(ROLE, "APPSYNC_ASSUME_ROLE")
    keys = RoleKeys(file)(ROLE)
    assert (keys.access_key_id, keys.secret_access_key) == (issued.accessKeyId, issued.secretAccessKey)
    assert keys.session_token == issued.sessionToken
    session = CredentialStore(file).session_of(issued.accessKeyId)
    assert session is not None
    assert (session.role, session.arn) == (
        "reader",
        "arn:aws:sts::000000000000:assumed-role/reader/APPSYNC_ASSUME_ROLE",
    )


def test_without_a_role_or_without_issued_keys_the_service_calls_as_itself(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    assert RoleKeys(file)(ROLE) == LOCAL_CREDENTIALS
    file.write_text(json.dumps({}))
    assert RoleKeys(file)(ROLE) == LOCAL_CREDENTIALS
    assert RoleKeys(file)(None) == local_keys(ROLE) == LOCAL_CREDENTIALS


def test_the_role_is_read_from_the_template() -> None:
    table = {"TableName": "T"}
    properties = {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": table, "ServiceRoleArn": ROLE}
    assert data_source_from("t", {"properties": properties}, _Api()).target.role == ROLE  # type: ignore[arg-type, union-attr]
    del properties["ServiceRoleArn"]
    assert data_source_from("t", {"properties": properties}, _Api()).target.role is None  # type: ignore[arg-type, union-attr]
