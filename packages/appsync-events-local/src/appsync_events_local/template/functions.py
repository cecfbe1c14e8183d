"""Reads the Lambda functions of the templates, for the function runner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appsync_events_local.functions.model import DEFAULT_MEMORY_MB, DEFAULT_TIMEOUT_SECONDS, FunctionModel, InlineCode
from appsync_events_local.template.code import asset_path
from appsync_events_local.template.problems import Origin
from appsync_events_local.template.values.intrinsics import UnresolvedError
from appsync_events_local.template.values.scope import Scope, as_map, properties_of

SERVERLESS: Final = "AWS::Serverless::Function"
FUNCTION_TYPES: Final = ("AWS::Lambda::Function", SERVERLESS)


@dataclass(frozen=True)
class TemplateFunction:
    """A function of a template.

    Attributes:
        origin: its template, stack and logical id.
        arn: its ARN without a qualifier.
        model: the model for the runner; `None` if its code is not on this machine.
        problems: values that cannot be resolved, or the reason why there is no model; relevant only when it is invoked.
    """

    origin: Origin
    arn: str
    model: FunctionModel | None
    problems: tuple[str, ...]


def functions_of(scope: Scope) -> list[TemplateFunction]:
    """Return the functions of a stack whose names can be resolved."""
    found = []
    for logical_id, resource in scope.resources(*FUNCTION_TYPES):
        try:
            if not scope.exists(resource):
                continue
            named = scope.name_of(logical_id)
        except UnresolvedError:
            continue
        origin = Origin(scope.stack.file, scope.stack.name, logical_id)
        arn = named.attributes["Arn"]
        properties = properties_of(resource)
        if resource["Type"] == SERVERLESS:
            properties = _with_globals(properties, as_map(scope.stack.section("Globals").get("Function")))
        found.append(_function(scope, origin, named.reference, arn, properties))
    return found


def _with_globals(own: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge a function's properties with SAM's `Globals.Function`: its own take precedence, variables are combined."""
    variables = {**as_map(as_map(shared.get("Environment")).get("Variables")),
                 **as_map(as_map(own.get("Environment")).get("Variables"))}  # fmt: skip
    return {**shared, **own, "Environment": {"Variables": variables}}


def _function(scope: Scope, origin: Origin, name: str, arn: str, properties: Mapping[str, Any]) -> TemplateFunction:
    problems: list[str] = []

    def value(key: str, node: Any, default: Any) -> Any:
        try:
            return default if node is None else scope.intrinsics.value(node)
        except UnresolvedError as error:
            problems.append(f"{key}: {error.message} ({error.remedy})")
            return default

    def number(key: str, default: float) -> float:
        found = value(key, properties.get(key), default)
        try:
            return float(found)
        except (TypeError, ValueError):
            problems.append(f"{key}: must be a number, not {found!r}")
            return default

    variables = as_map(as_map(properties.get("Environment")).get("Variables"))
    code = value("Code", properties.get("Code", properties.get("CodeUri")), {})
    inline = code.get("ZipFile") if isinstance(code, dict) else None
    inline = properties.get("InlineCode", inline)
    path = asset_path(scope.stack, code)
    if inline is None and path is None:
        problems.append("Code: it is not an asset, so it is not on this machine")
        return TemplateFunction(origin, arn, None, tuple(problems))
    model = FunctionModel(
        name,
        arn,
        runtime=str(value("Runtime", properties.get("Runtime"), "")),
        handler=str(value("Handler", properties.get("Handler"), "")),
        code=InlineCode(str(inline)) if path is None else path,
        environment={key: str(value(f"Environment.{key}", node, "")) for key, node in variables.items()},
        timeout_seconds=number("Timeout", DEFAULT_TIMEOUT_SECONDS),
        memory_mb=int(number("MemorySize", DEFAULT_MEMORY_MB)),
        region=scope.environment.region,
    )
    return TemplateFunction(origin, arn, model, tuple(problems))
