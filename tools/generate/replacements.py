"""The properties that replace a named resource, from the CloudFormation specification that the CDK CLI carries."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any, Final

PAGE: Final = "local/emulator/strict/cloudformation/replacements.json"
SPECIFICATION: Final = Path(__file__).resolve().parents[2] / "node_modules/aws-cdk/db.json.gz"
SERVICES: Final = frozenset(
    {"AppSync", "ApiGatewayV2", "CloudWatch", "Cognito", "DynamoDB", "Events", "IAM", "Lambda", "Logs"}
    | {"S3", "SNS", "SQS", "SSM"}
)
"""Services whose resources the stacks create, or `cdk bootstrap` does."""


def document() -> dict[str, Any]:
    """Return, by resource type, its name property and the other properties whose change replaces the resource.

    A name property is one that replaces the resource and is called `Name` or ends in the type's last word and `Name`.
    Types with a name that is unique within a parent only are left out.
    """
    specification = json.loads(gzip.decompress(SPECIFICATION.read_bytes()))
    found = {}
    for resource in specification["schema"]["resource"]["entities"]:
        kind = resource["cloudFormationType"]
        replacing = {
            name for name, property_ in resource["properties"].items() if property_.get("causesReplacement") == "yes"
        }
        name = _name_property(kind, replacing)
        parents = [each for each in replacing if each.endswith("Id") or (each == "FunctionName" != name)]
        scoped = parents or len(resource.get("primaryIdentifier", [])) != 1
        if kind.split("::")[1] in SERVICES and name and not scoped:
            found[kind] = {"name": name, "replacing": sorted(replacing - {name})}
    return dict(sorted(found.items()))


def _name_property(kind: str, replacing: set[str]) -> str | None:
    type_name = kind.split("::")[-1]
    last_word = re.findall(r"[A-Z][a-z0-9]*", type_name)[-1]
    return next((name for name in (f"{type_name}Name", f"{last_word}Name", "Name") if name in replacing), None)
