"""Resolves the references of one stack (parameters, conditions, mappings, resources), and exports between stacks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from appsync_events_local.template.code import asset_path
from appsync_events_local.template.files import Stack, read_template
from appsync_events_local.template.problems import TemplateProblem, TemplateRefused
from appsync_events_local.template.settings import DEFAULT_REGION, TemplateSettings
from appsync_events_local.template.values.intrinsics import NO_VALUE, Intrinsics, UnresolvedError, as_text
from appsync_events_local.template.values.names import ReturnValues, StackEnvironment, return_values

NESTED_STACK: Final = "AWS::CloudFormation::Stack"
_LISTS: Final = re.compile(r"CommaDelimitedList|List<.*>")


class Stacks:
    """All served stacks; a stack can import the exports of another.

    Args:
        stacks: the templates.
        settings: values that they leave open.
    """

    def __init__(self, stacks: Iterable[Stack], settings: TemplateSettings) -> None:
        self.settings = settings
        self.problems: list[TemplateProblem] = []
        self.remarks: list[TemplateProblem] = []
        outer = [Scope(self, stack, settings.parameters) for stack in stacks]
        self.scopes = list(outer)
        for scope in outer:
            self._add_nested(scope)

    def _add_nested(self, outer: "Scope") -> None:
        for logical_id, _ in outer.resources(NESTED_STACK):
            file = outer.stack.file
            try:
                nested = outer.nested(logical_id)
            except TemplateRefused as refused:
                self.problems += refused.problems
            except UnresolvedError as error:
                self.problems.append(TemplateProblem(file, logical_id, "TemplateURL", error.message, error.remedy))
            else:
                if nested is None:
                    message = "its template is not an asset, so an Event API in it is not served"
                    remedy = "give its template as well, if it has an Event API: --template FILE"
                    self.remarks.append(TemplateProblem(file, logical_id, "TemplateURL", message, remedy))
                    continue
                self.scopes.append(nested)
                self._add_nested(nested)

    def imported(self, export: str) -> Any:
        """Return the value that a stack exports under this name; see `Names`."""
        if export in self.settings.imports:
            return self.settings.imports[export]
        for scope in self.scopes:
            for output in scope.stack.section("Outputs").values():
                if scope.export_name(output) == export:
                    return scope.intrinsics.value(output.get("Value"))
        raise UnresolvedError(
            f"no template exports {export!r}",
            f"give the template that exports it, or the value: --import '{export}=VALUE'",
        )


class Scope:
    """Resolves the references of one stack.

    Args:
        stacks: all stacks.
        stack: this stack.
        parameters: values by name; those of parameters that the template does not have are ignored.
    """

    def __init__(self, stacks: Stacks, stack: Stack, parameters: Mapping[str, Any]) -> None:
        self.stacks = stacks
        self.stack = stack
        self.intrinsics = Intrinsics(self)
        self._given = parameters
        settings = stacks.settings
        region = settings.region or stack.region or DEFAULT_REGION
        self.environment = StackEnvironment(stack.name, region, settings.account, settings.authority)
        self._resolving: list[str] = []
        self._nested: dict[str, Scope] = {}

    def resources(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the resources of these types with their logical ids, whatever their condition."""
        for logical_id, resource in self.stack.section("Resources").items():
            if isinstance(resource, dict) and resource.get("Type") in kinds:
                yield logical_id, resource

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Return whether the resource's condition is true, or it has none.

        Raises:
            UnresolvedError: the condition cannot be resolved.
        """
        if "Condition" not in resource:
            return True
        if not isinstance(resource["Condition"], str):
            raise UnresolvedError("Condition must be the name of a condition")
        return self.condition(resource["Condition"])

    def name_of(self, logical_id: str) -> ReturnValues:
        """Return the return values of a resource.

        Raises:
            UnresolvedError: the resource does not exist, or its name cannot be resolved.
        """
        resource = self.stack.section("Resources").get(logical_id)
        if not isinstance(resource, dict):
            raise UnresolvedError(f"the template has no resource, parameter or pseudo parameter {logical_id!r}")
        properties = properties_of(resource)

        def text(name: str) -> str | None:
            if name not in properties:
                return None
            value = self.intrinsics.value(properties[name])
            return None if value is NO_VALUE else as_text(value, name)

        with self._entered(logical_id):
            return return_values(
                self.environment, str(resource.get("Type")), logical_id, text, self._physical_id(logical_id)
            )

    def export_name(self, output: Mapping[str, Any]) -> Any:
        """Return the export name of an output; `None` if it has none, or the name cannot be resolved."""
        try:
            return self.intrinsics.value(output["Export"]["Name"])
        except (UnresolvedError, KeyError, TypeError):
            return None

    def nested(self, logical_id: str) -> "Scope | None":
        """Return the nested stack of a resource; `None` if its template is not on this machine.

        Raises:
            UnresolvedError: the location of its template cannot be resolved.
            TemplateRefused: its template cannot be read.
        """
        known = self._nested.get(logical_id)
        if known is not None:
            return known
        resource = self.stack.section("Resources").get(logical_id)
        properties = properties_of(resource) if isinstance(resource, dict) else {}
        file = asset_path(self.stack, self.intrinsics.value(properties.get("TemplateURL")))
        if file is None:
            return None
        stack = replace(read_template(file), name=f"{self.stack.name}-{logical_id}", region=self.stack.region)
        stack = replace(stack, assets={**self.stack.assets, **stack.assets})
        self._nested[logical_id] = Scope(self.stacks, stack, _FromParent(self, as_map(properties.get("Parameters"))))
        return self._nested[logical_id]

    # The methods of `Names`

    def reference(self, name: str) -> Any:
        if name.startswith("AWS::"):
            return self._pseudo(name)
        declared = self.stack.section("Parameters").get(name)
        if isinstance(declared, dict):
            return self._parameter(name, declared)
        return self.name_of(name).reference

    def attribute(self, logical_id: str, attribute: str) -> Any:
        if attribute.startswith("Outputs."):
            return self._output(logical_id, attribute.removeprefix("Outputs."))
        attributes = self.name_of(logical_id).attributes
        if attribute in attributes:
            return attributes[attribute]
        kind = self.stack.section("Resources")[logical_id].get("Type")
        remedy = "write the value itself into the template, or take it from a parameter"
        raise UnresolvedError(f"attribute {attribute} of {logical_id} ({kind}) is known only after deployment", remedy)

    def condition(self, name: str) -> bool:
        declared = self.stack.section("Conditions")
        if name not in declared:
            raise UnresolvedError(f"the template has no condition {name!r}")
        with self._entered(f"condition {name}"):
            return self.intrinsics.truth(declared[name])

    def mapped(self, map_name: str, first: str, second: str) -> Any:
        try:
            return self.stack.section("Mappings")[map_name][first][second]
        except (KeyError, TypeError):
            raise UnresolvedError(f"the template's mappings have no {map_name}.{first}.{second}") from None

    def imported(self, export: str) -> Any:
        with self._entered(f"import {export}"):
            return self.stacks.imported(export)

    def _pseudo(self, name: str) -> Any:
        values = {
            "AWS::AccountId": self.environment.account,
            "AWS::Region": self.environment.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.environment.name,
            "AWS::StackId": self.environment.arn("cloudformation", f"stack/{self.environment.name}/local"),
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": [],
        }
        if name not in values:
            raise UnresolvedError(f"there is no pseudo parameter {name}")
        return values[name]

    def _parameter(self, name: str, declared: Mapping[str, Any]) -> Any:
        kind = str(declared.get("Type", "String"))
        remedy = f"set it: --parameter {name}=VALUE"
        value = self._given.get(name)
        if value is None:
            value = declared.get("Default")
            if value is not None and kind.startswith("AWS::SSM::Parameter"):
                raise UnresolvedError(f"the value of parameter {name} is in the Parameter Store, under {value}", remedy)
        if value is None:
            raise UnresolvedError(f"parameter {name} has no default", remedy)
        allowed = declared.get("AllowedValues")
        if isinstance(allowed, list) and str(value) not in [str(each) for each in allowed]:
            listed = ", ".join(str(each) for each in allowed)
            raise UnresolvedError(f"parameter {name} is {value!r}; it must be one of {listed}", remedy)
        if _LISTS.fullmatch(kind) and isinstance(value, str):
            return [part.strip() for part in value.split(",")]
        return value if isinstance(value, list) else as_text(value, name)

    def _output(self, logical_id: str, name: str) -> Any:
        nested = self.nested(logical_id)
        if nested is None:
            raise UnresolvedError(f"the template of the nested stack {logical_id} is not an asset")
        output = nested.stack.section("Outputs").get(name)
        if not isinstance(output, dict):
            raise UnresolvedError(f"the nested stack {logical_id} has no output {name}")
        return nested.intrinsics.value(output.get("Value"))

    def _physical_id(self, logical_id: str) -> str | None:
        given = self.stacks.settings.resources
        return given.get(f"{self.stack.name}.{logical_id}", given.get(logical_id))

    @contextmanager
    def _entered(self, what: str) -> Iterator[None]:
        if what in self._resolving:
            raise UnresolvedError(f"{what} refers to itself, through {', '.join(self._resolving)}")
        self._resolving.append(what)
        try:
            yield
        finally:
            self._resolving.pop()


def as_map(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a map, else an empty map."""
    return value if isinstance(value, dict) else {}


def properties_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a resource; empty if it has none.

    Raises:
        UnresolvedError: they are not a map.
    """
    properties = resource.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise UnresolvedError("Properties must be a map")
    return properties or {}


class _FromParent(Mapping[str, Any]):
    """Parameters of a nested stack, resolved on access in the stack that contains it."""

    def __init__(self, parent: Scope, given: Mapping[str, Any]) -> None:
        self._parent = parent
        self._given = given

    def __getitem__(self, name: str) -> Any:
        return self._parent.intrinsics.value(self._given[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)
