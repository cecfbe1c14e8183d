"""The functions under test have exactly the permissions of their roles."""

from __future__ import annotations

import pytest

from contract import tables
from handlers.settings import ProfileSettings
from tests.harness.emulator import AwsResources
from tests.harness.permissions import AccessDeniedError, PermissionCheckedClient


def test_action_outside_the_role_fails_alone_and_in_a_transaction(aws: AwsResources) -> None:
    client = PermissionCheckedClient(aws.dynamodb, ProfileSettings.function, aws.environment)
    users, blocks = (table.name(aws.environment) for table in (tables.USERS, tables.BLOCKS))
    item = {"userId": {"S": "u"}, "blockedUserId": {"S": "v"}}
    with pytest.raises(AccessDeniedError, match="GetItem"):
        client.get_item(TableName=users, Key={"userId": {"S": "u"}})
    with pytest.raises(AccessDeniedError, match="Blocks"):
        client.transact_write_items(TransactItems=[{"Put": {"TableName": blocks, "Item": item}}])
    client.put_item(TableName=users, Item={"userId": {"S": "u"}})
