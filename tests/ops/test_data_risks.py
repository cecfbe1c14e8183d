"""ops.data_risks: changes that the CDK CLI shows as updates and that put stored data at risk."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from ops.data_risks import data_risks
from tests.stacks.synthesis import templates

Change = Callable[[dict[str, Any]], object]


def _templates() -> dict[str, dict[str, Any]]:
    return copy.deepcopy(templates("staging"))


def _resource(found: dict[str, dict[str, Any]], prefix: str) -> dict[str, Any]:
    resources = {**found["Data"]["Resources"], **found["Identity"]["Resources"]}
    resource: dict[str, Any]
    (resource,) = (each for name, each in resources.items() if re.fullmatch(f"{prefix}[0-9A-F]{{8}}", name))
    return resource


CHANGES: list[tuple[str, Change, str]] = [
    ("Messages", lambda each: each.update(DeletionPolicy="Delete"), "DeletionPolicy is no longer Retain"),
    ("Messages", lambda each: each.pop("UpdateReplacePolicy"), "UpdateReplacePolicy is no longer Retain"),
    (
        "Messages",
        lambda each: each["Properties"].update(DeletionProtectionEnabled=False),
        "deletion protection is switched off",
    ),
    ("UserPool", lambda each: each["Properties"].pop("DeletionProtection"), "deletion protection is switched off"),
    (
        "Messages",
        lambda each: each["Properties"].pop("PointInTimeRecoverySpecification"),
        "point-in-time recovery is switched off",
    ),
    (
        "Messages",
        lambda each: each["Properties"].update(TimeToLiveSpecification={"AttributeName": "sentAt", "Enabled": True}),
        "items whose attribute sentAt is in the past will be deleted",
    ),
    ("Blocks", lambda each: each["Properties"].update(TableName="Other"), "renamed to Other: the new table is empty"),
    (
        "Messages",
        lambda each: each["Properties"].pop("GlobalSecondaryIndexes"),
        "index MessageIdIndex is removed: queries of it fail at once",
    ),
    (
        "Messages",
        lambda each: each["Properties"]["GlobalSecondaryIndexes"][0].update(Projection={"ProjectionType": "KEYS_ONLY"}),
        "index MessageIdIndex is rebuilt",
    ),
]


@pytest.mark.parametrize(("resource", "change", "expected"), CHANGES)
def test_change_that_puts_data_at_risk_is_named(resource: str, change: Change, expected: str) -> None:
    after = _templates()
    change(_resource(after, resource))
    (risk,) = data_risks(_templates(), after)
    assert resource in risk
    assert expected in risk


def test_removed_table_is_named_with_what_becomes_of_its_data() -> None:
    after = _templates()
    del after["Data"]["Resources"][next(name for name in after["Data"]["Resources"] if name.startswith("Groups"))]
    (risk,) = data_risks(_templates(), after)
    assert "removed; it stays in the account, outside of the stack" in risk
    before = copy.deepcopy(templates("dev"))
    after = copy.deepcopy(templates("dev"))
    del after["Data"]["Resources"][next(name for name in after["Data"]["Resources"] if name.startswith("Groups"))]
    assert "removed with its data" in data_risks(before, after)[0]


def test_additions_put_no_data_at_risk() -> None:
    after = _templates()
    blocks = _resource(after, "Blocks")["Properties"]
    blocks["GlobalSecondaryIndexes"] = [{"IndexName": "New", "KeySchema": [], "Projection": {"ProjectionType": "ALL"}}]
    assert data_risks(_templates(), after) == []
    assert data_risks({}, after) == []
