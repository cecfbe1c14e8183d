"""The templates of an environment, which a test edits like a developer's change would."""

from __future__ import annotations

import copy
import re
from typing import Any

from tests.stacks.synthesis import templates


class EditedEnvironment:
    """A copy of the templates of prod, or of another variant, by stack name.

    Args:
        variant: the environment, or a variant of `tests/stacks/synthesis.py`.
        name: the environment's name in the names of the stacks.
    """

    def __init__(self, variant: str = "prod", name: str = "prod") -> None:
        found = templates(variant)
        self.templates = {f"PantherKolab-{stack}-{name}": copy.deepcopy(each) for stack, each in found.items()}
        self._name = name

    def stack(self, stack: str) -> dict[str, Any]:
        """Return the template of a stack, for example `Data`."""
        template: dict[str, Any] = self.templates[f"PantherKolab-{stack}-{self._name}"]
        return template

    def logical_id(self, stack: str, pattern: str) -> str:
        """Return the one logical id that a pattern matches, without the CDK's hash at its end."""
        resources = self.stack(stack)["Resources"]
        (found,) = (name for name in resources if re.fullmatch(f"(?:{pattern})(?:[0-9A-F]{{8}})?", name))
        return str(found)

    def resource(self, stack: str, pattern: str) -> dict[str, Any]:
        """Return the one resource whose logical id matches."""
        resource: dict[str, Any] = self.stack(stack)["Resources"][self.logical_id(stack, pattern)]
        return resource

    def properties(self, stack: str, pattern: str) -> dict[str, Any]:
        """Return the properties of the one resource whose logical id matches."""
        properties: dict[str, Any] = self.resource(stack, pattern)["Properties"]
        return properties

    def of_type(self, stack: str, kind: str) -> list[dict[str, Any]]:
        """Return the properties of every resource of a type."""
        return [
            resource["Properties"] for resource in self.stack(stack)["Resources"].values() if resource["Type"] == kind
        ]

    def remove(self, stack: str, pattern: str) -> dict[str, Any]:
        """Remove the one resource whose logical id matches, and return it."""
        removed: dict[str, Any] = self.stack(stack)["Resources"].pop(self.logical_id(stack, pattern))
        return removed

    def add(self, stack: str, logical_id: str, kind: str, **properties: Any) -> None:
        """Add a resource."""
        self.stack(stack)["Resources"][logical_id] = {"Type": kind, "Properties": properties}
