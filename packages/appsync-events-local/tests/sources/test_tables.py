"""--create-tables creates missing tables with their indexes and leaves existing ones unchanged."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, aws_client
from appsync_events_local.cli.tables import TableError, create_missing
from appsync_events_local.template import Templates
from service_harness.templates import api, read, write_template


def table(name: str, **changes: Any) -> dict[str, Any]:
    own = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in ("id", "owner")],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "ByOwner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }
        ],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    }
    return {"Type": "AWS::DynamoDB::Table", "Properties": own | changes}


def templates(folder: Path, **tables: dict[str, Any]) -> Templates:
    return read(write_template(folder, {"Api": api(), **tables}))


async def test_missing_tables_are_created_once_with_their_indexes(tmp_path: Path, dynamodb_endpoint: str) -> None:
    found = templates(tmp_path, Orders=table("made-orders"), Odd={"Type": "AWS::DynamoDB::Table"}).tables
    assert [each.name for each in found] == ["made-orders"], "a table without keys is skipped"
    client = aws_client(
        "dynamodb", region="us-east-1", endpoint_url=dynamodb_endpoint, credentials=LOCAL_CREDENTIALS,
        connections=1, read_seconds=10, attempts=1,
    )  # fmt: skip
    await asyncio.to_thread(create_missing, found, dynamodb_endpoint)
    item = {"id": {"S": "1"}, "owner": {"S": "ada"}}
    await asyncio.to_thread(client.put_item, TableName="made-orders", Item=item)
    await asyncio.to_thread(create_missing, found, dynamodb_endpoint)
    owned = await asyncio.to_thread(
        client.query, TableName="made-orders", IndexName="ByOwner", KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":o": {"S": "ada"}},
    )  # fmt: skip
    client.close()
    assert owned["Items"] == [item]


def test_table_that_dynamodb_refuses_is_named(tmp_path: Path, dynamodb_endpoint: str) -> None:
    wrong = table("refused-orders", KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}])
    with pytest.raises(TableError, match="Wrong: table refused-orders cannot be created"):
        create_missing(templates(tmp_path, Wrong=wrong).tables, dynamodb_endpoint)
