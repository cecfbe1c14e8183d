"""Checks of IAM: the roles of functions and data sources have the statements of their templates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from ops.deployed.values import UNKNOWN
from ops.doctor.check import Check
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding

PUBLISH: Final = "appsync:EventPublish"
Statement = Mapping[str, Any]


def _roles(examination: Examination) -> Iterator[tuple[str, list[Statement]]]:
    """Yield each role with the statements of its template."""
    attached: dict[str, list[Statement]] = {}
    for resource in examination.target.deployed.resources("AWS::IAM::Policy"):
        for role in resource.properties.get("Roles", []):
            attached.setdefault(str(role), []).extend(resource.properties["PolicyDocument"]["Statement"])
    for resource in examination.resources("AWS::IAM::Role"):
        own = [
            statement
            for policy in resource.properties.get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        yield resource.physical_id, [*own, *attached.get(resource.physical_id, [])]


def _granted(examination: Examination, role: str) -> list[Statement] | None:
    """Return the statements of the inline policies of a role; None if it does not exist."""
    names = examination.find("iam", "list_role_policies", RoleName=role)
    if names is None:
        return None
    statements: list[Statement] = []
    for name in names["PolicyNames"]:
        document = examination.target.read("iam", "get_role_policy", RoleName=role, PolicyName=name)["PolicyDocument"]
        parsed = json.loads(unquote(document)) if isinstance(document, str) else document
        found = parsed["Statement"]
        statements += found if isinstance(found, list) else [found]
    return statements


def _pairs(statements: Iterable[Statement]) -> set[tuple[str, str]]:
    """Return the action and resource of every allowed pair; those of unknown resources are left out."""
    return {
        (action, str(resource))
        for statement in statements
        if statement["Effect"] == "Allow"
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
        if resource is not UNKNOWN
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _missing(examination: Examination, publish: bool) -> Iterator[Finding]:
    for role, expected in _roles(examination):
        granted = _granted(examination, role)
        if granted is None:
            if not publish:
                yield Finding(f"the role {role} does not exist")
            continue
        for action, resource in sorted(_pairs(expected) - _pairs(granted)):
            if (action == PUBLISH) is publish:
                yield Finding(f"the role {role} may not call {action} on {resource.split(':', 5)[-1]}")


def _added(examination: Examination) -> Iterator[Finding]:
    for role, expected in _roles(examination):
        if any(UNKNOWN in _list(statement["Resource"]) for statement in expected):
            continue
        for action, resource in sorted(_pairs(_granted(examination, role) or []) - _pairs(expected)):
            yield Finding(
                f"the role {role} may also call {action} on {resource.split(':', 5)[-1]}, which no template grants",
                True,
            )
        managed = examination.find("iam", "list_attached_role_policies", RoleName=role) or {}
        for policy in managed.get("AttachedPolicies", []):
            yield Finding(
                f"the role {role} has the managed policy {policy['PolicyName']}, which no template grants", True
            )


CHECKS: Final = (
    Check(
        id="D311",
        title="Every role has the permissions of its template",
        looks_at="IAM ListRolePolicies and GetRolePolicy of each role; publishing is D312",
        cause="A policy was changed or removed by hand; requests that need it end with 5xx.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`. A permission that the code needs and "
        "no template grants: stacks/policy/permissions.py.",
        run=lambda examination: _missing(examination, publish=False),
        needs=("D201",),
    ),
    Check(
        id="D312",
        title="The functions may publish to their namespaces",
        looks_at=f"IAM GetRolePolicy: {PUBLISH}",
        cause="The permission was removed by hand, or is for another Event API; events stay in the outbox.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=lambda examination: _missing(examination, publish=True),
        needs=("D201",),
    ),
    Check(
        id="D313",
        title="No role has further permissions",
        looks_at="IAM ListRolePolicies, GetRolePolicy and ListAttachedRolePolicies",
        cause="A policy was added by hand, often while a fault was searched for.",
        remedy="Remove it: `aws iam delete-role-policy --role-name ROLE --policy-name POLICY`, or "
        "`aws iam detach-role-policy --role-name ROLE --policy-arn ARN`.",
        run=_added,
        needs=("D201",),
    ),
)
