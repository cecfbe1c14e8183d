"""Consistent reads of the tables, for look-ups. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from contract.tables import Index, Table

_READ: Final = TypeDeserializer()
_WRITE: Final = TypeSerializer()


class TableReader:
    """Reads items by key.

    Args:
        client: a botocore client of DynamoDB.
        environment: name of the environment, which the tables' names contain.
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def item(self, table: Table, **key: Any) -> dict[str, Any] | None:
        """Read one item consistently; None where there is none."""
        answer = self._client.get_item(TableName=table.name(self._environment), Key=_keys(key), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def query(self, table: Table, partition: str, *, most: int, newest_first: bool = False) -> list[dict[str, Any]]:
        """Read the items of a partition consistently, in the order of their sort keys.

        Args:
            partition: value of the partition key.
            most: most items to return.
            newest_first: whether the greatest sort keys come first.
        """
        request = {
            "TableName": table.name(self._environment),
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": table.partition.name},
            "ExpressionAttributeValues": _keys({":partition": partition}),
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        return list(self._pages(request, most))

    def query_index(self, table: Table, index: Index, partition: str, *, most: int) -> list[dict[str, Any]]:
        """Read the items of an index's partition. Indexes follow their table after a moment; there is no other read."""
        request = {
            "TableName": table.name(self._environment),
            "IndexName": index.name,
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": index.partition.name},
            "ExpressionAttributeValues": _keys({":partition": partition}),
        }
        return list(self._pages(request, most))

    def _pages(self, request: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
        left = most
        while left > 0:
            page = self._client.query(**request, Limit=left)
            for item in page["Items"]:
                yield _plain(item)
            left -= len(page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _keys(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _WRITE.serialize(value) for name, value in values.items()}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(_READ.deserialize(value)) for name, value in item.items()}


def _number(value: Any) -> Any:
    """Return a value with ordinary numbers instead of decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _number(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_number(each) for each in value]
    return {_number(each) for each in value} if isinstance(value, set) else value
