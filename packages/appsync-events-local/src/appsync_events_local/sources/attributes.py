"""Converts DynamoDB attribute values between three formats: AppSync's, botocore's, and plain values.

AppSync's format is built by handlers: ``{"N": 10}`` with a JSON number, ``{"NULL": null}``, binaries as base64 text.
botocore's has numbers as text, ``{"NULL": True}`` and bytes. Handlers read plain values in ``ctx.result``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from appsync_events_local.sources.data_source import DataSourceError


def to_wire(value: Any) -> dict[str, Any]:
    """Convert one typed value of a handler to botocore's format.

    Raises:
        DataSourceError: it is not a typed value.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise DataSourceError("DynamoDB:ValidationException", f"not a typed attribute value: {value!r}")
    ((kind, content),) = value.items()
    match kind:
        case "BOOL":
            return {kind: bool(content)}
        case "S":
            return {kind: _text(content)}
        case "SS":
            return {kind: [_text(item) for item in content]}
        case "N":
            return {kind: _number(content)}
        case "NS":
            return {kind: [_number(item) for item in content]}
        case "NULL":
            return {kind: True}
        case "B":
            return {kind: _bytes(content)}
        case "BS":
            return {kind: [_bytes(item) for item in content]}
        case "L":
            return {kind: [to_wire(item) for item in content]}
        case "M":
            return {kind: item_to_wire(content)}
    raise DataSourceError("DynamoDB:ValidationException", f"unknown attribute type {kind!r}")


def item_to_wire(item: Mapping[str, Any] | None) -> dict[str, Any]:
    """Convert a map of typed values, such as a key, to botocore's format."""
    return {name: to_wire(value) for name, value in (item or {}).items()}


def to_plain(value: Mapping[str, Any]) -> Any:
    """Convert one of botocore's values to a plain value."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return _plain_number(content)
        case "NS":
            return [_plain_number(item) for item in content]
        case "NULL":
            return None
        case "B":
            return base64.b64encode(content).decode()
        case "BS":
            return [base64.b64encode(item).decode() for item in content]
        case "L":
            return [to_plain(item) for item in content]
        case "M":
            return item_to_plain(content)
        case _:
            return content


def item_to_plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one of botocore's items to plain values."""
    return {name: to_plain(value) for name, value in item.items()}


def _text(value: Any) -> str:
    try:
        str.encode(value)
    except (TypeError, UnicodeEncodeError) as error:
        raise DataSourceError("DynamoDB:ValidationException", "a string value must be UTF-8 text") from error
    return str(value)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DataSourceError("DynamoDB:ValidationException", f"not a number: {value!r}")
    return value if isinstance(value, str) else json.dumps(value)


def _plain_number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise DataSourceError("DynamoDB:ValidationException", "a binary value must be base64 text") from error
