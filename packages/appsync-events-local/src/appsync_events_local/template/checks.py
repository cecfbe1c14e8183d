"""Whether what was said beside the templates concerns anything in them: a misspelt name must not pass unnoticed."""

from collections import Counter
from collections.abc import Iterable

from appsync_events_local.template.problems import TemplateProblem
from appsync_events_local.template.values.scope import Stacks


def check(world: Stacks) -> list[TemplateProblem]:
    """Problems of the settings, of stacks that have the same name, and of what stands where resources should."""
    return [*_same_names(world), *_unknown_parameters(world), *_unknown_resources(world), *_no_resources(world)]


def _no_resources(world: Stacks) -> Iterable[TemplateProblem]:
    for scope in world.scopes:
        for logical_id, resource in scope.stack.section("Resources").items():
            file = scope.stack.file
            if str(logical_id).startswith("Fn::"):
                message = "is expanded by CloudFormation when it deploys, and not here"
                remedy = "write the resources out, or give the template that `get-template` shows as processed"
                yield TemplateProblem(file, str(logical_id), "", message, remedy)
            elif not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
                yield TemplateProblem(
                    file, str(logical_id), "", "has no Type, so it is no resource", "mend the template"
                )


def _same_names(world: Stacks) -> Iterable[TemplateProblem]:
    counts = Counter(scope.stack.name for scope in world.scopes)
    for scope in world.scopes:
        name = scope.stack.name
        if counts[name] > 1:
            message = f"another template makes a stack {name} too, and their APIs would have the same ids"
            remedy = f"give it another name: --template OTHER={scope.stack.file}"
            yield TemplateProblem(scope.stack.file, "", "", message, remedy)


def _unknown_parameters(world: Stacks) -> Iterable[TemplateProblem]:
    known = {name for scope in world.scopes for name in scope.stack.section("Parameters")}
    for name in sorted(set(world.settings.parameters) - known):
        yield _of_settings(world, f"--parameter {name}: no template has a parameter of this name", known)


def _unknown_resources(world: Stacks) -> Iterable[TemplateProblem]:
    known = {logical_id for scope in world.scopes for logical_id in scope.stack.section("Resources")}
    qualified = {f"{s.stack.name}.{logical_id}" for s in world.scopes for logical_id in s.stack.section("Resources")}
    for name in sorted(set(world.settings.resources) - known - qualified):
        yield _of_settings(world, f"--resource {name}: no template has a resource of this logical id", known)


def _of_settings(world: Stacks, message: str, known: set[str]) -> TemplateProblem:
    remedy = f"name one of {', '.join(sorted(known))}" if known else "leave it out"
    return TemplateProblem(world.scopes[0].stack.file, "", "", message, remedy)
