"""Conversion of values and items to and from DynamoDB's format."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.dynamodb.codec import from_item, from_value, to_item, to_value

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(-1e60, 1e60, allow_nan=False).filter(
    lambda x: abs(x) > 1e-60 or not x
)
LEAVES = st.text() | st.booleans() | NUMBERS | st.frozensets(st.text(min_size=1), min_size=1)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner), max_leaves=8)


def decimals(value: Any) -> Any:
    """Return a value with its numbers as Decimal, which boto3 requires."""
    match value:
        case bool():
            return value
        case float() | int():
            return Decimal(repr(value))
        case dict():
            return {key: decimals(each) for key, each in value.items()}
        case list():
            return [decimals(each) for each in value]
    return value


@given(VALUES)
def test_converted_values_are_equal_after_the_round_trip(value: Any) -> None:
    assert from_value(to_value(value)) == value


@given(VALUES)
def test_values_are_compatible_with_boto3(value: Any) -> None:
    assert TypeDeserializer().deserialize(to_value(value)) == decimals(value)
    assert from_value(TypeSerializer().serialize(decimals(value))) == value


def test_none_is_left_out_of_an_item_and_unsupported_types_are_refused() -> None:
    assert to_item({"a": None, "b": {"c": None}}) == {"b": {"M": {}}}
    assert to_item({"n": frozenset({3, 1})}) == {"n": {"NS": ["1", "3"]}}
    assert from_item({"n": {"NS": ["1", "3"]}, "nothing": {"NULL": True}}) == {"n": frozenset({1, 3}), "nothing": None}
    for value in (object(), set(), {1, "a"}, b"bytes"):
        with pytest.raises(TypeError):
            to_value(value)
    with pytest.raises(TypeError):
        from_value({"B": b""})
