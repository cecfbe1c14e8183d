"""Converts values and items between Python and DynamoDB's wire format.

Supported are text, numbers, booleans, lists, maps, and sets of text or numbers. An attribute that is None is left out
of its item, since an index key must not be null (Amazon DynamoDB: secondary indexes); an absent attribute means None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Value = Mapping[str, Any]
"""A value in DynamoDB's format, for example `{"S": "text"}`."""
Item = Mapping[str, Value]


def to_value(value: Any) -> dict[str, Any]:
    """Convert a value to DynamoDB's format.

    Raises:
        TypeError: DynamoDB has no such type, or the set is empty or of mixed types.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case Mapping():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_value(each) for each in value]}
        case set() | frozenset() if value and all(isinstance(each, str) for each in value):
            return {"SS": sorted(value)}
        case set() | frozenset() if value and all(isinstance(each, int) for each in value):
            return {"NS": [str(each) for each in sorted(value)]}
    raise TypeError(f"DynamoDB cannot store {value!r}")


def to_item(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Convert an item or a map to DynamoDB's format; attributes that are None are left out."""
    return {name: to_value(value) for name, value in values.items() if value is not None}


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def from_value(value: Value) -> Any:
    """Convert a value from DynamoDB's format: a whole number to int, another number to float, a set to frozenset.

    Raises:
        TypeError: an unsupported type.
    """
    for kind, content in value.items():
        match kind:
            case "S" | "BOOL":
                return content
            case "N":
                return _number(content)
            case "M":
                return from_item(content)
            case "L":
                return [from_value(each) for each in content]
            case "SS":
                return frozenset(content)
            case "NS":
                return frozenset(_number(each) for each in content)
            case "NULL":
                return None
    raise TypeError(f"unexpected DynamoDB value {value!r}")


def from_item(item: Item) -> dict[str, Any]:
    """Convert an item or a map from DynamoDB's format."""
    return {name: from_value(value) for name, value in item.items()}
