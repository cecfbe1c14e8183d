"""Changes of a resource's properties that AWS refuses and ministack makes. Nothing here knows ministack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

Properties = Mapping[str, Any]

_REPLACEMENTS: Final = json.loads(Path(__file__).with_name("replacements.json").read_text(encoding="utf-8"))
"""Name property and other replacing properties, by resource type; `python -m tools.generate` writes the file."""


def name_property(kind: str) -> str | None:
    """Return the property with the custom name of a resource type; None where it has none."""
    known = _REPLACEMENTS.get(kind)
    return str(known["name"]) if known else None


def parent_properties(kind: str) -> list[str]:
    """Return the properties with the name of what a resource's own name is unique in, such as an event bus."""
    known = _REPLACEMENTS.get(kind, {"replacing": []})
    return [name for name in known["replacing"] if name.endswith("Name")]


def replacement_under_its_name(kind: str, old: Properties, new: Properties) -> str | None:
    """Return CloudFormation's message for a change that replaces a resource and keeps its custom name."""
    known = _REPLACEMENTS.get(kind)
    name = known and old.get(known["name"])
    if not name or name != new.get(known["name"]):
        return None
    if all(old.get(each) == new.get(each) for each in known["replacing"]):
        return None
    return (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {name} and update the stack again."
    )


def index_changes(kind: str, old: Properties, new: Properties) -> str | None:
    """Return DynamoDB's message for more than one change of a table's global secondary indexes."""
    if kind != "AWS::DynamoDB::Table":
        return None
    earlier, later = _indexes(old), _indexes(new)
    if any(earlier[name] != later[name] for name in earlier.keys() & later.keys()):
        return (
            "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. "
            "You can create a new GSI with a different name."
        )
    if len(earlier.keys() ^ later.keys()) > 1:
        return "Cannot perform more than one GSI creation or deletion in a single update"
    return None


def time_to_live_change(kind: str, old: Properties, new: Properties) -> str | None:
    """Return DynamoDB's message for a time to live that moves to another attribute."""
    if kind != "AWS::DynamoDB::Table":
        return None
    earlier, later = (each.get("TimeToLiveSpecification") or {} for each in (old, new))
    if not (_is_true(earlier.get("Enabled")) and _is_true(later.get("Enabled"))):
        return None
    if earlier.get("AttributeName") == later.get("AttributeName"):
        return None
    return (
        "TimeToLive is active on a different AttributeName: current AttributeName is " + f"{earlier['AttributeName']}"
    )


def pool_attribute_change(kind: str, old: Properties, new: Properties) -> str | None:
    """Return Cognito's message for an attribute of a user pool that is changed or removed."""
    if kind != "AWS::Cognito::UserPool":
        return None
    later = {attribute["Name"]: _plain(attribute) for attribute in new.get("Schema") or []}
    if all(later.get(attribute["Name"]) == _plain(attribute) for attribute in old.get("Schema") or []):
        return None
    return "Invalid request provided: Existing schema attributes cannot be modified or deleted."


def _indexes(properties: Properties) -> dict[str, str]:
    return {
        index["IndexName"]: json.dumps([index["KeySchema"], index["Projection"]], sort_keys=True)
        for index in properties.get("GlobalSecondaryIndexes") or []
    }


def _plain(attribute: Mapping[str, Any]) -> str:
    """Return an attribute as text, in which a boolean and its name are the same."""
    return json.dumps(attribute, sort_keys=True).replace('"true"', "true").replace('"false"', "false")


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
