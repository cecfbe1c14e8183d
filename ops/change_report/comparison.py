"""Compares the templates of one environment at two revisions, resource by resource and property by property."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

Template = Mapping[str, Any]
Resource = Mapping[str, Any]

ATTRIBUTES: Final = ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Condition", "CreationPolicy")
"""Attributes of a resource that stand beside its properties; the report names them like properties."""
WHOLE: Final = "*"
"""Stands for the whole resource, where it is added or removed."""
RETAINED: Final = ("Retain", "RetainExceptOnCreate")


@dataclass(frozen=True)
class Revision:
    """One side of a comparison.

    Args:
        templates: the templates by stack name.
        checkout: directory with the sources; None if only the templates are known.
        protected_stacks: the stacks with termination protection; None if it is not known.
        acknowledged: the findings of cdk-nag that are acknowledged, with their reasons.
    """

    templates: Mapping[str, Template]
    checkout: Path | None = None
    protected_stacks: frozenset[str] | None = None
    acknowledged: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ResourceChange:
    """A resource that differs.

    Args:
        stack: name of its stack.
        logical_id: its logical id.
        type: its CloudFormation type.
        before, after: the resource; None if it does not exist on that side.
    """

    stack: str
    logical_id: str
    type: str
    before: Resource | None
    after: Resource | None

    @property
    def path(self) -> str:
        """Return its construct path in the stack, for example `Delivery/Deliver/Function`; else the logical id."""
        resource = self.after or self.before or {}
        path: str = resource.get("Metadata", {}).get("aws:cdk:path", "")
        return path.partition("/")[2].removesuffix("/Resource") or self.logical_id

    @property
    def old(self) -> Mapping[str, Any]:
        """Return the properties before."""
        return (self.before or {}).get("Properties", {}) or {}

    @property
    def new(self) -> Mapping[str, Any]:
        """Return the properties after."""
        return (self.after or {}).get("Properties", {}) or {}

    @property
    def added(self) -> bool:
        """Return whether it is new."""
        return self.before is None

    @property
    def removed(self) -> bool:
        """Return whether it is gone."""
        return self.after is None

    @property
    def changed(self) -> tuple[str, ...]:
        """Return the names of the changed properties and attributes; `*` for an added or removed resource."""
        if self.before is None or self.after is None:
            return (WHOLE,)
        names = sorted(self.old.keys() | self.new.keys())
        properties = [name for name in names if self.old.get(name) != self.new.get(name)]
        return (*properties, *(name for name in ATTRIBUTES if self.before.get(name) != self.after.get(name)))

    @property
    def name(self) -> str:
        """Return the name that operators know it by: its own name where it has one, else its construct path."""
        properties = self.new or self.old
        for key in _NAME_PROPERTIES:
            if isinstance(value := properties.get(key), str):
                return value
        return self.path


_NAME_PROPERTIES: Final = (
    *("TableName", "FunctionName", "QueueName", "AlarmName", "RouteKey", "LogGroupName", "DashboardName"),
    *("UserPoolName", "ClientName", "TopicName", "FilterName", "RoleName", "Name"),
)


@dataclass(frozen=True)
class Comparison:
    """Two revisions of one environment.

    Args:
        before, after: the two sides.
    """

    before: Revision
    after: Revision

    @cached_property
    def changes(self) -> tuple[ResourceChange, ...]:
        """Return every resource that differs, of the stacks that exist on one side at least."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[ResourceChange]:
        for stack in sorted(self.before.templates.keys() | self.after.templates.keys()):
            old, new = (_resources(side.templates.get(stack, {})) for side in (self.before, self.after))
            for logical_id in sorted(old.keys() | new.keys()):
                earlier, later = old.get(logical_id), new.get(logical_id)
                if earlier and later and earlier["Type"] != later["Type"]:
                    yield ResourceChange(stack, logical_id, earlier["Type"], earlier, None)
                    yield ResourceChange(stack, logical_id, later["Type"], None, later)
                elif _relevant(earlier) != _relevant(later):
                    yield ResourceChange(stack, logical_id, (later or earlier or {})["Type"], earlier, later)

    def of_type(self, *types: str) -> Iterator[ResourceChange]:
        """Return the changes of resources of some types."""
        return (change for change in self.changes if change.type in types)

    def updated(self, *types: str) -> Iterator[ResourceChange]:
        """Return the changes of resources, of some types, that exist on both sides."""
        return (change for change in self.of_type(*types) if not change.added and not change.removed)


def _resources(template: Template) -> dict[str, Resource]:
    found: Mapping[str, Resource] = template.get("Resources", {})
    return {name: resource for name, resource in found.items() if resource["Type"] != "AWS::CDK::Metadata"}


def _relevant(resource: Resource | None) -> Any:
    return resource and {key: value for key, value in resource.items() if key != "Metadata"}


def outputs(template: Template, *, exported: bool) -> dict[str, Any]:
    """Return the outputs of a template: the exported ones by name of the export, or the others by their key."""
    found: Mapping[str, Any] = template.get("Outputs", {})
    if exported:
        return {text(output["Export"]["Name"]): output["Value"] for output in found.values() if output.get("Export")}
    return {key: output["Value"] for key, output in found.items() if not output.get("Export")}


def imports(value: Any) -> Iterator[str]:
    """Return the names of the exports that a part of a template imports."""
    if isinstance(value, Mapping):
        if "Fn::ImportValue" in value:
            yield text(value["Fn::ImportValue"])
        for item in value.values():
            yield from imports(item)
    elif isinstance(value, list):
        for item in value:
            yield from imports(item)


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Return the resources that a part of a template refers to: the logical id and the attribute (`Ref` for Ref)."""
    if isinstance(value, Mapping):
        match value:
            case {"Ref": str(name)}:
                yield name, "Ref"
            case {"Fn::GetAtt": [str(name), attribute]}:
                yield name, str(attribute)
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def text(value: Any) -> str:
    """Return a value of a template as one readable text: joins joined, references as `${Name}`."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::ImportValue": name}:
            return f"${{{text(name)}}}"
        case {"Fn::Sub": str(pattern)}:
            return pattern
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(text(part) for part in parts)
    return json.dumps(value, sort_keys=True)


def as_list(value: Any) -> list[Any]:
    """Return a value that a template may give alone or as a list, as a list; an absent one is empty."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
