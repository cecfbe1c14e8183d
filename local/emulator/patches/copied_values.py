"""Stores a copy of every value that an update expression sets.

Upstream: two attributes that one UpdateExpression sets from the same value, such as `SET a = :map, b = :map`, stay one
map, so that a later `SET a.x = :one` also changes `b`.

Amazon DynamoDB Developer Guide, Update expressions: SET assigns a value to a path; attributes have no common values.
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import dynamodb


def apply() -> None:
    """Copy each value before it is set."""
    evaluate = dynamodb._eval_set_value

    def evaluate_copy(*arguments: Any) -> Any:
        return copy.deepcopy(evaluate(*arguments))

    dynamodb._eval_set_value = evaluate_copy
