"""The properties that replace a named resource, from AWS's service spec, for the local cloud."""

from __future__ import annotations

from typing import Any, Final

from ops.change_report.service_spec import resource_specs

PAGE: Final = "local/emulator/strict/cloudformation/replacements.json"
SERVICES: Final = frozenset(
    {"AppSync", "ApiGatewayV2", "Backup", "CloudWatch", "Cognito", "DynamoDB", "Events", "IAM", "Lambda", "Logs"}
    | {"S3", "SNS", "SQS", "SSM"}
)
"""Services whose resources the stacks create, or `cdk bootstrap` does."""


def document() -> dict[str, Any]:
    """Return, by resource type, its name property and the other properties whose change replaces the resource.

    Types with a name that is unique within a parent only are left out.
    """
    found = {}
    for kind, spec in resource_specs().items():
        name = spec.name_property
        replacing = {each for each, replaces in spec.replacing.items() if replaces == "yes"}
        parents = [each for each in replacing if each.endswith("Id") or (each == "FunctionName" != name)]
        scoped = parents or len(spec.identifier) != 1
        if kind.split("::")[1] in SERVICES and name and not scoped:
            found[kind] = {"name": name, "replacing": sorted(replacing - {name})}
    return dict(sorted(found.items()))
