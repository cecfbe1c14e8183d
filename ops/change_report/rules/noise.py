"""Changes without an effect: texts, orders, statements of the same meaning, new names of the same code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ops.change_report.comparison import WHOLE, Comparison, ResourceChange, as_list
from ops.change_report.finding import Finding, Severity
from ops.change_report.statements import document, grants, narrowed, widened

_TEXTS: Final = frozenset({"Description", "AlarmDescription", "OperationName", "Tags", "Comment", "DependsOn"})
_SETS: Final = frozenset({"AttributeDefinitions", "AutoVerifiedAttributes", "ExplicitAuthFlows", "ReadAttributes"})
_VERSION: Final = "AWS::Lambda::Version"


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes without an effect."""
    for change in comparison.changes:
        if change.type == _VERSION:
            yield _finding("version", change, f"A new version of the function of {change.path}", WHOLE)
        if change.added or change.removed:
            continue
        texts = tuple(name for name in change.changed if name in _TEXTS)
        if texts:
            yield _finding("text", change, f"{', '.join(texts)} of {change.name}", *texts)
        for name in change.changed:
            if name in _SETS and _same_set(change.old.get(name), change.new.get(name)):
                yield _finding("order", change, f"The order of {name} of {change.name}", name)
        yield from _policies(change)


def _finding(rule: str, change: ResourceChange, what: str, *properties: str) -> Finding:
    return Finding(
        f"noise.{rule}",
        Severity.NOISE,
        what,
        "No effect.",
        "Nothing to do.",
        change.stack,
        change.logical_id,
        properties,
    )


def _same_set(old: Any, new: Any) -> bool:
    return sorted(map(json.dumps, as_list(old))) == sorted(map(json.dumps, as_list(new)))


def _policies(change: ResourceChange) -> Iterator[Finding]:
    """Report policies that grant the same, or less."""
    for name in ("Policies", "PolicyDocument", "AssumeRolePolicyDocument"):
        if name not in change.changed:
            continue
        old, new = (_statements(side.get(name)) for side in (change.old, change.new))
        if widened(old, new):
            continue
        if narrowed(old, new):
            lost = narrowed(old, new)
            yield Finding(
                "behaviour.narrower-grant",
                Severity.BEHAVES_DIFFERENTLY,
                f"{change.path} may do less: {len(lost)} grant{'s' if len(lost) > 1 else ''}",
                "Code that still needs a grant fails with AccessDenied.",
                "Check that the permission report of the local cloud shows it unused.",
                change.stack,
                change.logical_id,
                (name,),
                details=tuple(lost),
            )
        elif grants(old) or grants(new) or old or new:
            yield _finding("same-grants", change, f"{name} of {change.path} grants the same in another form", name)


def _statements(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [statement for policy in value for statement in document(policy["PolicyDocument"])]
    return document(value)
