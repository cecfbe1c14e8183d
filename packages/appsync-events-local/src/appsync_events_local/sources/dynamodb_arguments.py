"""Converts request objects of handlers to the arguments of DynamoDB calls, in botocore's format."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from appsync_events_local.sources.attributes import item_to_wire, to_wire
from appsync_events_local.sources.data_source import DataSourceError

Json = dict[str, Any]


def projection(request: Json) -> Json:
    """Return the projection of a read."""
    return _expression({"ProjectionExpression": request.get("projection")})


def single_condition(request: Json) -> Json:
    """Return the condition of a single write; if it fails, DynamoDB returns the stored item."""
    condition = _condition(request)
    return condition | ({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if condition else {})


def update(request: Json) -> Json:
    """Return the update expression and the condition of an update."""
    _condition(request)
    return _expression({"UpdateExpression": request["update"], "ConditionExpression": request.get("condition")})


def whole_item(request: Json) -> Json:
    """Return the item to put: its attributes and its key."""
    return item_to_wire(request.get("attributeValues")) | item_to_wire(request["key"])


def page(table: str, request: Json, own: Mapping[str, Any]) -> Json:
    """Return the common arguments of queries and scans, with the operation's `own` expressions."""
    arguments: Json = {"TableName": table}
    arguments |= _expression(
        {**own, "FilterExpression": request.get("filter"), "ProjectionExpression": request.get("projection")}
    )
    if request.get("index"):
        arguments["IndexName"] = request["index"]
    if request.get("limit"):
        arguments["Limit"] = int(request["limit"])
    if request.get("select"):
        arguments["Select"] = request["select"]
    if request.get("consistentRead"):
        arguments["ConsistentRead"] = True
    if request.get("nextToken"):
        arguments["ExclusiveStartKey"] = _from_token(request["nextToken"])
    return arguments


def transact_item(item: Json) -> Json:
    """Return one action of a transaction.

    Raises:
        DataSourceError: the operation does not exist.
    """
    target: Json = {"TableName": item["table"]}
    condition = item.get("condition") or {}
    if condition.get("returnValuesOnConditionCheckFailure"):
        target["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    match item["operation"]:
        case "PutItem":
            return {"Put": target | {"Item": whole_item(item)} | _condition(item)}
        case "UpdateItem":
            return {"Update": target | {"Key": item_to_wire(item["key"])} | update(item)}
        case "DeleteItem":
            return {"Delete": target | {"Key": item_to_wire(item["key"])} | _condition(item)}
        case "ConditionCheck":
            return {"ConditionCheck": target | {"Key": item_to_wire(item["key"])} | _condition(item)}
        case other:
            raise DataSourceError("DynamoDB:ValidationException", f"unknown operation {other!r} in a transaction")


def _expression(parts: Mapping[str, Mapping[str, Any] | None]) -> Json:
    """Merge AppSync's separate expressions into the arguments of one call, whose expressions share names and values."""
    arguments: Json = {}
    names: Json = {}
    values: Json = {}
    for parameter, part in parts.items():
        if not part:
            continue
        arguments[parameter] = part["expression"]
        names |= part.get("expressionNames") or {}
        values |= {name: to_wire(value) for name, value in (part.get("expressionValues") or {}).items()}
    if names:
        arguments["ExpressionAttributeNames"] = names
    if values:
        arguments["ExpressionAttributeValues"] = values
    return arguments


def refuse_conflict_options(request: Json) -> None:
    """Refuse the options of conflict detection and its delta tables, which are not imitated.

    Raises:
        DataSourceError: the request has such an option.
    """
    for name in ("_version", "customPartitionKey", "populateIndexFields"):
        if request.get(name):
            raise DataSourceError("DynamoDB:ValidationException", f"{name} is not imitated by the local Events service")


def _condition(request: Json) -> Json:
    condition = request.get("condition") or {}
    handler = condition.get("conditionalCheckFailedHandler") or {}
    if handler.get("strategy", "Reject") != "Reject":
        text = "condition.conditionalCheckFailedHandler is not imitated by the local Events service; 'Reject' is"
        raise DataSourceError("DynamoDB:ValidationException", text)
    return _expression({"ConditionExpression": condition})


def _from_token(token: str) -> Json:
    def revive(value: Json) -> Any:
        return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value

    try:
        key: Json = json.loads(base64.urlsafe_b64decode(token.encode()), object_hook=revive)
    except (binascii.Error, ValueError) as error:
        raise DataSourceError("DynamoDB:ValidationException", "nextToken is not a token of this service") from error
    return key
