"""Checks settings and structure: unknown parameters and resources, equal stack names, entries without Type."""

from collections import Counter
from collections.abc import Iterable

from appsync_events_local.template.problems import TemplateProblem
from appsync_events_local.template.values.scope import Stacks


def check(stacks: Stacks) -> list[TemplateProblem]:
    """Return the problems of settings, of stacks with the same name, and of entries that are not resources."""
    return [*_same_names(stacks), *_unknown_parameters(stacks), *_unknown_resources(stacks), *_no_resources(stacks)]


def _no_resources(stacks: Stacks) -> Iterable[TemplateProblem]:
    for scope in stacks.scopes:
        for logical_id, resource in scope.stack.section("Resources").items():
            file = scope.stack.file
            if str(logical_id).startswith("Fn::"):
                message = "is expanded by CloudFormation at deployment and is not supported here"
                remedy = "write the resources out, or give the processed template (`get-template`)"
                yield TemplateProblem(file, str(logical_id), "", message, remedy)
            elif not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
                yield TemplateProblem(
                    file, str(logical_id), "", "has no Type, so it is not a resource", "fix the template"
                )


def _same_names(stacks: Stacks) -> Iterable[TemplateProblem]:
    counts = Counter(scope.stack.name for scope in stacks.scopes)
    for scope in stacks.scopes:
        name = scope.stack.name
        if counts[name] > 1:
            message = f"another template has the stack name {name} too, and their APIs would have the same ids"
            remedy = f"give it another stack name: --template OTHER={scope.stack.file}"
            yield TemplateProblem(scope.stack.file, "", "", message, remedy)


def _unknown_parameters(stacks: Stacks) -> Iterable[TemplateProblem]:
    known = {name for scope in stacks.scopes for name in scope.stack.section("Parameters")}
    for name in sorted(set(stacks.settings.parameters) - known):
        yield _of_settings(stacks, f"--parameter {name}: no template has a parameter of this name", known)


def _unknown_resources(stacks: Stacks) -> Iterable[TemplateProblem]:
    known = {logical_id for scope in stacks.scopes for logical_id in scope.stack.section("Resources")}
    qualified = {f"{s.stack.name}.{logical_id}" for s in stacks.scopes for logical_id in s.stack.section("Resources")}
    for name in sorted(set(stacks.settings.resources) - known - qualified):
        yield _of_settings(stacks, f"--resource {name}: no template has a resource of this logical id", known)


def _of_settings(stacks: Stacks, message: str, known: set[str]) -> TemplateProblem:
    remedy = f"use one of {', '.join(sorted(known))}" if known else "remove it"
    return TemplateProblem(stacks.scopes[0].stack.file, "", "", message, remedy)
