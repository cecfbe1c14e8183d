"""Reads the DynamoDB tables of the templates: keys, attributes and indexes, for `--create-tables`."""

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
    """A table of a template.

    Attributes:
        origin: its template, stack and logical id.
        name: its physical name.
        region: region of its stack.
        request: parameters of DynamoDB's CreateTable, with on-demand billing.
    """

    origin: Origin
    name: str
    region: str
    request: Mapping[str, Any]


def tables_of(scope: Scope) -> list[TableTemplate]:
    """Return the tables of a stack whose keys can be resolved; other tables are skipped."""
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
            found.append(TableTemplate(origin, name, scope.environment.region, _request(name, properties)))
    return found


def _structure(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return {key: properties[key] for key in kept if key in properties}


def _request(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return CreateTable's parameters; their content is CloudFormation's and is validated by DynamoDB."""
    request: dict[str, Any] = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **properties}
    for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if isinstance(properties.get(key), list):
            request[key] = [_index(each) for each in properties[key]]
    return request


def _index(index: Any) -> Any:
    return {field: index[field] for field in _INDEX_FIELDS if field in index} if isinstance(index, dict) else index
