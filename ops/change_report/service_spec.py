"""AWS's service spec: which properties of a CloudFormation resource replace it when they change.

Source: the npm package `@aws-cdk/aws-service-spec`, pinned in package.json, the data that the CDK itself uses.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from ops.errors import CommandError

Replacement = Literal["yes", "maybe"]

_FILE: Final = Path("node_modules") / "@aws-cdk" / "aws-service-spec" / "db.json.gz"
_UNIQUE: Final = {"AWS::ApiGatewayV2::Route": "RouteKey"}
"""Properties that are unique within the parent, of types without a name."""
_ROOT: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class ResourceSpec:
    """What the spec says about one resource type.

    Args:
        replacing: the properties whose change replaces the resource, and whether always or only sometimes.
        name_property: the property with the resource's own name; None if the type has none.
        identifier: the properties and attributes that identify a resource together.
    """

    replacing: dict[str, Replacement]
    name_property: str | None
    identifier: tuple[str, ...]


@cache
def resource_specs() -> dict[str, ResourceSpec]:
    """Return the spec of every resource type, by type.

    Raises:
        CommandError: the package is not installed.
    """
    file = _ROOT / _FILE
    if not file.is_file():
        raise CommandError(f"{_FILE} is missing. Run: make setup")
    with gzip.open(file, "rt", encoding="utf-8") as content:
        entities = json.load(content)["schema"]["resource"]["entities"]
    return {entity["cloudFormationType"]: _spec(entity) for entity in entities}


def _spec(entity: dict[str, Any]) -> ResourceSpec:
    replacing: dict[str, Replacement] = {
        name: rule["causesReplacement"]
        for name, rule in entity["properties"].items()
        if rule.get("causesReplacement") in ("yes", "maybe")
    }
    last_word = re.findall(r"[A-Z][a-z0-9]*", entity["name"])[-1]
    candidates = (f"{entity['name']}Name", f"{last_word}Name", "Name")
    found = next((name for name in candidates if replacing.get(name) == "yes"), None)
    named = _UNIQUE.get(entity["cloudFormationType"], found)
    return ResourceSpec(replacing, named, tuple(entity.get("primaryIdentifier", ())))
