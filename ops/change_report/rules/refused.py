"""Changes that AWS refuses to apply to a deployed stack. The CDK CLI calls most of them updates like any other.

Sources: AWS CloudFormation (custom-named resources, exports in use), Amazon DynamoDB (one index change per update),
Amazon Cognito (immutable attributes of a user pool), the service limits of `stacks/policy/limits`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.change_report.comparison import (
    RETAINED,
    WHOLE,
    Comparison,
    ResourceChange,
    Template,
    imports,
    outputs,
    references,
    text,
)
from ops.change_report.finding import Finding, Severity
from ops.change_report.service_spec import resource_specs
from stacks.policy.limits.check import violations

TABLE: Final = "AWS::DynamoDB::Table"
POOL: Final = "AWS::Cognito::UserPool"
_HANDLE: Final = "AWS::CloudFormation::WaitConditionHandle"
_IMMUTABLE_POOL_PROPERTIES: Final = ("UsernameAttributes", "AliasAttributes", "UsernameConfiguration")
_PARENTS: Final = frozenset({"ApiId", "UserPoolId", "LogGroupName", "EventBusName"})
"""Properties that name a parent: under another parent, the same name is free."""


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes that AWS refuses."""
    for change in comparison.changes:
        yield from _replaced_under_its_name(change)
        yield from _removed_while_protected(change)
    for change in comparison.updated(TABLE):
        yield from _index_changes(change)
    for change in comparison.updated(POOL):
        yield from _pool_attributes(change)
    yield from _other_pool(comparison)
    yield from _exports(comparison)
    yield from _renamed_logical_ids(comparison)
    yield from _service_limits(comparison)


def _finding(rule: str, change: ResourceChange, what: str, why: str, action: str, *properties: str) -> Finding:
    return Finding(
        f"refused.{rule}",
        Severity.REFUSED,
        what,
        why,
        action,
        stack=change.stack,
        resource=change.logical_id,
        properties=properties,
    )


def replacing_properties(change: ResourceChange) -> list[str]:
    """Return the changed properties that replace the resource."""
    spec = resource_specs().get(change.type)
    if spec is None or change.added or change.removed:
        return []
    return [name for name in change.changed if spec.replacing.get(name) == "yes"]


def _replaced_under_its_name(change: ResourceChange) -> Iterator[Finding]:
    spec, replacing = resource_specs().get(change.type), replacing_properties(change)
    if spec is None or spec.name_property is None or not replacing:
        return
    name = change.new.get(spec.name_property)
    if name is None or spec.name_property in replacing or _PARENTS & set(replacing):
        return
    yield _finding(
        "name-taken",
        change,
        f"{', '.join(replacing)} of {text(name)} changed, which replaces the resource under an unchanged "
        f"{spec.name_property}",
        "CloudFormation creates the new resource before it deletes the old one, and the name is taken: cannot update "
        "a stack when a custom-named resource requires replacing.",
        "Give the new resource another name, move its data, and remove the old one in a later deployment.",
        *replacing,
    )


def _removed_while_protected(change: ResourceChange) -> Iterator[Finding]:
    protected = change.old.get("DeletionProtectionEnabled") is True or change.old.get("DeletionProtection") == "ACTIVE"
    if change.removed and protected and (change.before or {}).get("DeletionPolicy") not in RETAINED:
        yield _finding(
            "deletion-protected",
            change,
            f"{change.name} is removed while its deletion protection is on",
            "The service refuses the deletion, and the stack ends in UPDATE_ROLLBACK_COMPLETE or keeps the resource "
            "outside of itself.",
            "Keep the resource; or switch off the protection in one deployment and remove it in the next.",
            WHOLE,
        )


def _indexes(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        index["IndexName"]: json.dumps([index["KeySchema"], index["Projection"]], sort_keys=True)
        for index in properties.get("GlobalSecondaryIndexes", [])
    }


def _index_changes(change: ResourceChange) -> Iterator[Finding]:
    earlier, later = _indexes(change.old), _indexes(change.new)
    same = earlier.keys() & later.keys()
    changes = len(earlier.keys() ^ later.keys()) + 2 * sum(earlier[name] != later[name] for name in same)
    if changes > 1:
        yield _finding(
            "index-changes",
            change,
            f"{change.name} has {changes} index changes in one deployment",
            "DynamoDB allows one index creation or deletion per update; a changed index counts as both.",
            "Deploy the index changes one by one, a changed index under a new name.",
            "GlobalSecondaryIndexes",
            "AttributeDefinitions",
        )


def _pool_attributes(change: ResourceChange) -> Iterator[Finding]:
    for name in _IMMUTABLE_POOL_PROPERTIES:
        if change.old.get(name) != change.new.get(name):
            yield _finding(
                "pool-property",
                change,
                f"{name} of the user pool {change.name} changed",
                "Cognito allows no update of it after the pool is created.",
                "Keep the value.",
                name,
            )
    later = {attribute["Name"]: attribute for attribute in change.new.get("Schema", [])}
    altered = [
        attribute["Name"] for attribute in change.old.get("Schema", []) if later.get(attribute["Name"]) != attribute
    ]
    if altered:
        yield _finding(
            "pool-attribute",
            change,
            f"The attributes {', '.join(altered)} of the user pool {change.name} are changed or removed",
            "Cognito allows new attributes only; existing ones cannot be modified or deleted.",
            "Keep the attributes as they are.",
            "Schema",
        )


def _has(template: Template, kind: str) -> bool:
    return any(resource["Type"] == kind for resource in template.get("Resources", {}).values())


def _other_pool(comparison: Comparison) -> Iterator[Finding]:
    for stack, template in comparison.after.templates.items():
        before = comparison.before.templates.get(stack, {})
        if _has(before, POOL) and _has(template, _HANDLE):
            change, why = (
                'from "create" to "import"',
                "The pool leaves the stack, and with it the exports that Events and Routes import. Users of another "
                "pool have other ids, so their data would be out of reach.",
            )
        elif _has(before, _HANDLE) and _has(template, POOL):
            change, why = (
                'from "import" to "create"',
                "The new pool is empty and gives every user another id (sub), so that profiles, memberships and "
                "messages would be out of reach.",
            )
        else:
            continue
        yield Finding(
            "refused.pool-source",
            Severity.REFUSED,
            f"identity.source changed {change}",
            why,
            "Keep the source of the user pool.",
            stack=stack,
        )


def _exports(comparison: Comparison) -> Iterator[Finding]:
    importing: dict[str, set[str]] = {}
    for stack, template in comparison.before.templates.items():
        for name in imports(template):
            importing.setdefault(name, set()).add(stack)
    replaced = {
        (change.stack, change.logical_id): change for change in comparison.changes if replacing_properties(change)
    }
    streams = {
        (change.stack, change.logical_id)
        for change in comparison.updated(TABLE)
        if "StreamSpecification" in change.changed
    }
    for stack, after in comparison.after.templates.items():
        old, new = (outputs(each, exported=True) for each in (comparison.before.templates.get(stack, {}), after))
        for name in sorted(old.keys() & importing.keys()):
            others = importing[name] - {stack}
            if not others:
                continue
            change = _exported_change(old[name], new.get(name), stack, replaced, streams)
            if change:
                importers = ", ".join(sorted(others))
                yield Finding(
                    "refused.export-in-use",
                    Severity.REFUSED,
                    f"The export {name} {change} while {importers} imports it",
                    "CloudFormation does not change or delete an export that another stack imports.",
                    f"Deploy first a revision of {importers} that does not import it; then this one.",
                    stack=stack,
                )


def _exported_change(
    old: Any, new: Any, stack: str, replaced: Mapping[tuple[str, str], ResourceChange], streams: set[tuple[str, str]]
) -> str:
    if new is None:
        return "is removed"
    if new != old:
        return "changes its value"
    for logical_id, attribute in references(new):
        if (stack, logical_id) in replaced:
            return f"changes its value, because {replaced[stack, logical_id].name} is replaced,"
        if attribute == "StreamArn" and (stack, logical_id) in streams:
            return "changes its value, because the table gets another stream,"
    return ""


def _named(change: ResourceChange) -> tuple[str, str, str] | None:
    """Return what is unique about a resource: stack, type and its own name; None if it has none."""
    spec = resource_specs().get(change.type)
    properties = change.old if change.removed else change.new
    if spec is None or spec.name_property is None or spec.name_property not in properties:
        return None
    return change.stack, change.type, text(properties[spec.name_property])


def _renamed_logical_ids(comparison: Comparison) -> Iterator[Finding]:
    removed = {name: change for change in comparison.changes if change.removed and (name := _named(change))}
    for change in comparison.changes:
        name = _named(change) if change.added else None
        former = removed.get(name) if name else None
        if name and former and not _moved(former, change):
            yield _finding(
                "logical-id",
                change,
                f"The logical id of {name[2]} changed from {former.logical_id} to {change.logical_id}",
                "CloudFormation creates the resource under the new id first, and its name is taken; with Retain the "
                "old one would stay outside of the stack.",
                "Keep the logical id, or give the resource another name.",
                WHOLE,
            )


def _moved(former: ResourceChange, change: ResourceChange) -> bool:
    """Return whether the two belong to different parents, under which the same name is free."""
    return any(former.old.get(parent) != change.new.get(parent) for parent in _PARENTS)


def _service_limits(comparison: Comparison) -> Iterator[Finding]:
    before, after = comparison.before.templates, comparison.after.templates
    changed = {stack for stack, template in after.items() if before.get(stack) != template}
    known = {str(violation) for violation in violations({stack: before[stack] for stack in changed & before.keys()})}
    for violation in violations({stack: after[stack] for stack in sorted(changed)}):
        if str(violation) not in known:
            yield Finding(
                "refused.service-limit",
                Severity.REFUSED,
                str(violation),
                "The service refuses the resource.",
                "Stay within the limit; stacks/policy/limits names its source.",
            )
