"""Changes that AWS refuses to apply to a deployed stack, found by comparing its template with the new one.

The CDK CLI calls most of them harmless updates (`docs/how-to/deploy.md`, section "Changes that AWS refuses").
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Template = Mapping[str, Any]
Resources = Mapping[str, Mapping[str, Any]]

_TABLE: Final = "AWS::DynamoDB::Table"
_POOL: Final = "AWS::Cognito::UserPool"
_IMMUTABLE_POOL_PROPERTIES: Final = ("UsernameAttributes", "AliasAttributes", "UsernameConfiguration")
_REPLACING: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    _TABLE: ("TableName", ("KeySchema",)),
    "AWS::SQS::Queue": ("QueueName", ("FifoQueue",)),
    "AWS::Lambda::Function": ("FunctionName", ("PackageType",)),
    "AWS::Logs::LogGroup": ("LogGroupName", ()),
    "AWS::Events::Rule": ("Name", ("EventBusName",)),
}
"""Name property and replacing properties by type (AWS CloudFormation: resource and property reference)."""


def refused_changes(deployed: Mapping[str, Template], synthesised: Mapping[str, Template]) -> list[str]:
    """Return one line per change that AWS would refuse.

    Args:
        deployed: the deployed templates by stack name, of all stacks of the environment.
        synthesised: the new templates by stack name, of the stacks to deploy.
    """
    refused = []
    for name, after in synthesised.items():
        before = deployed.get(name)
        if before is None:
            continue
        changes = [
            *_pool_changes(before, after),
            *_export_changes(name, before, after, deployed),
            *_index_changes(before, after),
            *_attribute_changes(before, after),
            *_replacements(before, after),
            *_renamed_ids(before, after),
        ]
        refused += [f"{name}: {change}" for change in changes]
    return refused


def _resources(template: Template) -> Resources:
    found: Resources = template.get("Resources", {})
    return found


def _of_type(template: Template, kind: str) -> dict[str, Mapping[str, Any]]:
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in _resources(template).items()
        if resource["Type"] == kind
    }


def _both(before: Template, after: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    old, new = _of_type(before, kind), _of_type(after, kind)
    for logical_id in sorted(old.keys() & new.keys()):
        yield logical_id, old[logical_id], new[logical_id]


def _pool_changes(before: Template, after: Template) -> Iterator[str]:
    created, still_created = bool(_of_type(before, _POOL)), bool(_of_type(after, _POOL))
    handle = "AWS::CloudFormation::WaitConditionHandle"
    if created and _of_type(after, handle):
        yield (
            'identity.source changed from "create" to "import". The pool leaves the stack, and with it the exports '
            "that Events and Routes import; users of another pool have other ids, so their data would be unreachable. "
            'Keep "create"'
        )
    if still_created and _of_type(before, handle):
        yield (
            'identity.source changed from "import" to "create". The new pool is empty and gives every user another id '
            '(sub), so that profiles, memberships and messages would be out of reach. Keep "import"'
        )


def _exports(template: Template) -> dict[str, Any]:
    return {
        json.dumps(output["Export"]["Name"]): output["Value"]
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }


def _imports(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "Fn::ImportValue" in value:
            yield json.dumps(value["Fn::ImportValue"])
        for item in value.values():
            yield from _imports(item)
    elif isinstance(value, list):
        for item in value:
            yield from _imports(item)


def _export_changes(name: str, before: Template, after: Template, deployed: Mapping[str, Template]) -> Iterator[str]:
    importing = {
        export: stack for stack, template in deployed.items() if stack != name for export in _imports(template)
    }
    old, new = _exports(before), _exports(after)
    for export in sorted(old.keys() & importing.keys()):
        if new.get(export) != old[export]:
            change = "changed" if export in new else "removed"
            yield (
                f"the export {export} is {change} while {importing[export]} imports it. Deploy first a revision of "
                f"{importing[export]} that does not import it"
            )


def _indexes(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        index["IndexName"]: json.dumps([index["KeySchema"], index["Projection"]], sort_keys=True)
        for index in properties.get("GlobalSecondaryIndexes", [])
    }


def _index_changes(before: Template, after: Template) -> Iterator[str]:
    for logical_id, old, new in _both(before, after, _TABLE):
        earlier, later = _indexes(old), _indexes(new)
        changed = earlier.keys() & later.keys()
        changes = len(earlier.keys() ^ later.keys()) + 2 * sum(earlier[name] != later[name] for name in changed)
        if changes > 1:
            yield (
                f"table {logical_id} has {changes} index changes, and DynamoDB allows one per update; a changed index "
                "counts as a deletion and a creation. Deploy them one by one, a changed index under a new name"
            )


def _attribute_changes(before: Template, after: Template) -> Iterator[str]:
    for logical_id, old, new in _both(before, after, _POOL):
        for name in _IMMUTABLE_POOL_PROPERTIES:
            if old.get(name) != new.get(name):
                yield f"{name} of the user pool {logical_id} changed, and Cognito allows no update of it. Keep it"
        later = {attribute["Name"]: attribute for attribute in new.get("Schema", [])}
        for attribute in old.get("Schema", []):
            if later.get(attribute["Name"]) != attribute:
                yield (
                    f"the attribute {attribute['Name']} of the user pool {logical_id} is changed or removed, and "
                    "Cognito allows only new attributes. Keep it"
                )


def _replacements(before: Template, after: Template) -> Iterator[str]:
    for kind, (name, replacing) in _REPLACING.items():
        for logical_id, old, new in _both(before, after, kind):
            changed = [each for each in replacing if old.get(each) != new.get(each)]
            if changed and name in new and old.get(name) == new[name]:
                yield (
                    f"{', '.join(changed)} of {logical_id} ({kind}) changed, which replaces it, and CloudFormation "
                    f"cannot replace a resource under the same {name}. Create it under a new name, and move the data"
                )


def _renamed_ids(before: Template, after: Template) -> Iterator[str]:
    for kind, (name, _) in _REPLACING.items():
        old, new = _of_type(before, kind), _of_type(after, kind)
        taken = {json.dumps(old[logical_id].get(name)): logical_id for logical_id in old.keys() - new.keys()}
        for logical_id in sorted(new.keys() - old.keys()):
            if name in new[logical_id] and (former := taken.get(json.dumps(new[logical_id][name]))):
                yield (
                    f"the logical id of {kind} {new[logical_id][name]} changed from {former} to {logical_id}; "
                    "CloudFormation creates the new one first, and its name is taken. Keep the logical id"
                )
