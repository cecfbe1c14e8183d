"""Values and items between Python and DynamoDB's wire format.

Text, numbers, booleans, lists, maps, and sets of text or numbers. None is left out of an item, since an index key may
not be null (Amazon DynamoDB: secondary indexes), and so an absent attribute stands for null everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Value = Mapping[str, Any]
"""A value as the wire has it, for example `{"S": "text"}`."""


Item = Mapping[str, Value]


def to_value(value: Any) -> dict[str, Any]:
    """Return one value as the wire has it.

    Raises:
        TypeError: DynamoDB has no such type, or the set is empty or mixed.
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
    """Return an item (or a map) as the wire has it; attributes that are None are left out."""
    return {name: to_value(value) for name, value in values.items() if value is not None}


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def from_value(value: Value) -> Any:
    """Return a value from the wire: a whole number as int, another as float, a set as frozenset.

    Raises:
        TypeError: the type is none that the product stores.
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
    """Return an item (or a map) from the wire."""
    return {name: from_value(value) for name, value in item.items()}
