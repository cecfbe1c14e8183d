"""The DynamoDB tables of the templates, as far as an emulator must know them to hold what handlers write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appsync_events_local.template.problems import Origin
from appsync_events_local.template.values.intrinsics import UnresolvedError
from appsync_events_local.template.values.scope import Scope, properties_of

TABLE_TYPES: Final = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_INDEX_FIELDS: Final = ("IndexName", "KeySchema", "Projection")


@dataclass(frozen=True)
class TableTemplate:
    """A table as its template has it.

    Attributes:
        origin: where it stands.
        name: physical name.
        region: of its stack.
        request: the parameters of DynamoDB's CreateTable that make it, paid by request.
    """

    origin: Origin
    name: str
    region: str
    request: Mapping[str, Any]


def tables_of(scope: Scope) -> list[TableTemplate]:
    """The tables of a stack whose keys can be worked out; of the others there is nothing to make."""
    found = []
    for logical_id, resource in scope.resources(*TABLE_TYPES):
        try:
            if not scope.exists(resource):
                continue
            name = scope.name_of(logical_id).reference
            properties = scope.intrinsics.value(dict(_structure(properties_of(resource))))
        except UnresolvedError:
            continue
        if properties.get("KeySchema") and properties.get("AttributeDefinitions"):
            origin = Origin(scope.stack.file, scope.stack.name, logical_id)
            found.append(TableTemplate(origin, name, scope.place.region, _request(name, properties)))
    return found


def _structure(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {key: properties[key] for key in kept if key in properties}


def _request(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """CreateTable's parameters; what they hold is CloudFormation's, and DynamoDB refuses what is wrong with it."""
    request: dict[str, Any] = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **properties}
    for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if isinstance(properties.get(key), list):
            request[key] = [_index(each) for each in properties[key]]
    return request


def _index(index: Any) -> Any:
    return {field: index[field] for field in _INDEX_FIELDS if field in index} if isinstance(index, dict) else index
