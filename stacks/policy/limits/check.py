"""Checks templates against the service limits; a violation stops the synthesis, also under plain `cdk`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import jsii

from stacks.policy.limits.measures import Subject, Template, Value
from stacks.policy.limits.table import ANY, LIMITS, TEMPLATE, Limit


@dataclass(frozen=True)
class Violation:
    """One value beyond a limit.

    Args:
        stack: the key of the template.
        logical_id: the resource; empty if the limit concerns the whole template.
        limit: the limit.
        value: the value.
    """

    stack: str
    logical_id: str
    limit: Limit
    value: Value

    @property
    def description(self) -> str:
        """Return what is wrong, what is allowed, and where AWS says so."""
        value = f"{self.value:,}" if not isinstance(self.value, str) else f'"{self.value[:80]}"'
        where = f" of {self.limit.kind}" if self.limit.kind not in (ANY, TEMPLATE) else ""
        return f"{self.limit.what}{where}: {value}; allowed: {self.limit.allowed} ({self.limit.source})"

    def __str__(self) -> str:
        place = f"{self.stack}/{self.logical_id}" if self.logical_id else self.stack
        return f"{place}: {self.description}. {self.limit.remedy}"


def violations(templates: Mapping[str, Template]) -> list[Violation]:
    """Return every value of the templates that exceeds a limit.

    Args:
        templates: the templates by the name of their stack.
    """
    return [
        Violation(stack, logical_id, limit, value)
        for stack, template in templates.items()
        for logical_id, kind, subject in _subjects(template)
        for limit in LIMITS
        if limit.kind == kind or (limit.kind == ANY and kind != TEMPLATE)
        for value in limit.measure(subject)
        if not limit.accepts(value)
    ]


def _subjects(template: Template) -> Iterator[tuple[str, str, Subject]]:
    yield "", TEMPLATE, Subject(template, "", {})
    for logical_id, resource in template.get("Resources", {}).items():
        yield logical_id, resource["Type"], Subject(template, logical_id, resource.get("Properties", {}))


@jsii.implements(cdk.IPolicyValidationPlugin)
class ServiceLimits:
    """Reports violations to the CDK, which prints the path of each construct and fails the synthesis."""

    @property
    def name(self) -> str:
        """Return the name of the plugin in reports."""
        return "ServiceLimits"

    @property
    def version(self) -> str | None:
        """Return no version; the plugin belongs to this repository."""
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """Return the ids of the limits."""
        return [limit.id for limit in LIMITS]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Check the templates of the app."""
        templates = {path: json.loads(Path(path).read_text(encoding="utf-8")) for path in context.template_paths}
        found = violations(templates)
        return cdk.PolicyValidationPluginReport(
            success=not found, violations=[_reported(violation) for violation in found]
        )


def _reported(violation: Violation) -> cdk.PolicyViolation:
    return cdk.PolicyViolation(
        rule_name=violation.limit.id,
        description=violation.description,
        fix=violation.limit.remedy,
        severity="error",
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=violation.logical_id or Path(violation.stack).name,
                template_path=violation.stack,
                locations=[violation.limit.what],
            )
        ],
    )


def add_limits(app: cdk.App) -> None:
    """Check the app against the service limits when it is synthesised."""
    cdk.Validations.of(app).add_plugins(ServiceLimits())
