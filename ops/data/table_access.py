"""Reads and writes the tables of one environment, or their restored copies, as stored items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import botocore.exceptions
import msgspec

from contract.tables import Table
from handlers.adapters.dynamodb.codec import from_item, to_item

_NAME: Final = re.compile(r"#(\w+)")
RESTORED: Final = "-restored-"
"""Stands between the name of a live table and the time of its restored copy."""


class TableAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of an environment.

    Args:
        client: a botocore `dynamodb` client.
        environment: name of the environment.
        stamp: time in the names of restored copies; empty for the live tables.
    """

    client: Any
    environment: str
    stamp: str = ""

    def name(self, table: Table) -> str:
        """Return the physical name of a table."""
        live = table.name(self.environment)
        return f"{live}{RESTORED}{self.stamp}" if self.stamp else live

    def restored(self, stamp: str) -> TableAccess:
        """Return the restored copies that have a time in their names."""
        return TableAccess(client=self.client, environment=self.environment, stamp=stamp)

    def get(self, table: Table, **key: Any) -> dict[str, Any] | None:
        """Read one item consistently; None where it does not exist."""
        answer = self.client.get_item(TableName=self.name(table), Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def pages(
        self, table: Table, start: Mapping[str, Any] | None = None, **request: Any
    ) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any] | None]]:
        """Scan a table consistently; yield the items of each page, in DynamoDB's format, with the key of the next page.

        Args:
            table: the table.
            start: the key of an earlier page, in DynamoDB's format; None begins with the first item.
            request: further parameters of Scan.
        """
        if start:
            request["ExclusiveStartKey"] = dict(start)
        while True:
            page = self.client.scan(TableName=self.name(table), ConsistentRead=True, **request)
            after = page.get("LastEvaluatedKey")
            yield page["Items"], after
            if not after:
                return
            request["ExclusiveStartKey"] = after

    def scan(self, table: Table, condition: str = "", **values: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a table that meet a condition.

        Args:
            table: the table.
            condition: a filter expression; a name with `#` stands for the attribute of that name.
            values: the values of the condition by name, without the colon.
        """
        request: dict[str, Any] = {}
        if condition:
            request = _expressions({"FilterExpression": condition}, values)
        for items, _ in self.pages(table, **request):
            yield from map(from_item, items)

    def query(self, table: Table, value: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of one partition, consistently, in the order of their sort keys."""
        request |= {
            "TableName": self.name(table),
            "KeyConditionExpression": "#p = :p",
            "ExpressionAttributeNames": {"#p": table.partition.name},
            "ExpressionAttributeValues": to_item({":p": value}),
            "ConsistentRead": True,
        }
        while True:
            page = self.client.query(**request)
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page or "Limit" in request:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, table: Table, item: Mapping[str, Any], condition: str, **values: Any) -> bool:
        """Store an item in DynamoDB's format; return False where the condition failed. Condition as in `scan`."""
        request: dict[str, Any] = {"TableName": self.name(table), "Item": dict(item)}
        request |= _expressions({"ConditionExpression": condition}, values)
        return self._write(self.client.put_item, request)

    def update(self, table: Table, key: Mapping[str, Any], change: str, condition: str, **values: Any) -> bool:
        """Update an item; return False where the condition failed. Condition and values as in `scan`."""
        expressions = {"UpdateExpression": change, "ConditionExpression": condition}
        request = {"TableName": self.name(table), "Key": to_item(key), **_expressions(expressions, values)}
        return self._write(self.client.update_item, request)

    def delete(self, table: Table, key: Mapping[str, Any]) -> None:
        """Delete an item."""
        self.client.delete_item(TableName=self.name(table), Key=to_item(key))

    def _write(self, operation: Any, request: dict[str, Any]) -> bool:
        try:
            operation(**request)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def key_of(table: Table, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of an item."""
    return {key.name: item[key.name] for key in (table.partition, table.sort) if key}


def _expressions(expressions: dict[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return expressions with their names and values; the value `names` maps `#x` to names that `x` does not spell."""
    given: dict[str, str] = dict(values.get("names") or {})
    spelled = {f"#{name}": name for text in expressions.values() for name in _NAME.findall(text)}
    names = {**spelled, **given}
    used = {f":{name}": value for name, value in values.items() if name != "names"}
    request: dict[str, Any] = dict(expressions)
    if names:
        request["ExpressionAttributeNames"] = names
    if used:
        request["ExpressionAttributeValues"] = to_item(used)
    return request
