"""Checks of the Lambda functions: state, configuration, environment variables, concurrency, callers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ops.deployed.stacks import Resource
from ops.deployed.values import UNKNOWN, differences
from ops.doctor.check import Check
from ops.doctor.examination import Examination, different, missing
from ops.doctor.finding import Finding, NotTriedError
from stacks.config.fields import CHIME_REGIONS, MEDIA_REGIONS

_FUNCTION: Final = "AWS::Lambda::Function"
_COMPARED: Final = ("Handler", "Runtime", "MemorySize", "Timeout", "Role", "Architectures")


def _functions(examination: Examination) -> Iterator[tuple[Resource, str, Any]]:
    for resource in examination.resources(_FUNCTION):
        name = resource.physical_id
        yield resource, name, examination.find("lambda", "get_function_configuration", FunctionName=name)


def _exist(examination: Examination) -> Iterator[Finding]:
    for resource, name, found in _functions(examination):
        if found is None:
            yield missing(resource, name)
            continue
        if (state := found.get("State", "Active")) == "Failed":
            yield Finding(f"{name} is in state {state}: {found.get('StateReason', 'no reason given')}")
        if found.get("LastUpdateStatus") == "Failed":
            yield Finding(f"the last update of {name} failed: {found.get('LastUpdateStatusReason', 'no reason given')}")


def _configuration(examination: Examination) -> Iterator[Finding]:
    for resource, name, found in _functions(examination):
        if found is not None:
            expected = {key: resource.properties[key] for key in _COMPARED if key in resource.properties}
            yield from different(name, differences(expected, found))


def _variables(examination: Examination) -> Iterator[Finding]:
    for resource, name, found in _functions(examination):
        if found is None:
            continue
        expected = resource.properties.get("Environment", {}).get("Variables", {})
        actual = found.get("Environment", {}).get("Variables", {})
        for variable in sorted({*expected, *actual}):
            if expected.get(variable) is UNKNOWN or expected.get(variable) == actual.get(variable):
                continue
            problem = "is missing" if variable not in actual else "was added" if variable not in expected else "differs"
            yield Finding(f"{name}: the environment variable {variable} {problem}, compared with the template")


def _reserved(examination: Examination) -> Iterator[Finding]:
    for resource, name, found in _functions(examination):
        if found is None:
            continue
        answer = examination.find("lambda", "get_function_concurrency", FunctionName=name) or {}
        actual = answer.get("ReservedConcurrentExecutions")
        expected = resource.properties.get("ReservedConcurrentExecutions")
        if actual != expected:
            effect = "; Lambda throttles every invocation" if actual == 0 else ""
            yield Finding(f"{name}: reserved concurrency is {actual}, in the template {expected}{effect}")


def _callers(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Lambda::Permission"):
        properties = resource.properties
        name = str(properties["FunctionName"]).rsplit(":", 1)[-1]
        answer = examination.find("lambda", "get_policy", FunctionName=name)
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        if not any(_allows(statement, properties) for statement in statements):
            yield Finding(f"{name}: {properties['Principal']} may not invoke it ({resource.logical_id})")


def _allows(statement: Any, properties: Any) -> bool:
    principal = statement.get("Principal", {})
    service = principal.get("Service") if isinstance(principal, dict) else principal
    source = json.dumps(statement.get("Condition", {}))
    expected = properties.get("SourceArn", "")
    right_source = expected is UNKNOWN or not expected or json.dumps(expected).strip('"') in source
    return statement.get("Effect") == "Allow" and service == properties["Principal"] and right_source


def _retries(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Lambda::EventInvokeConfig"):
        name = resource.properties["FunctionName"]
        qualifier = resource.properties["Qualifier"]
        found = examination.find("lambda", "get_function_event_invoke_config", FunctionName=name, Qualifier=qualifier)
        if found is None:
            yield Finding(f"{name} has no settings for asynchronous invocations; the template has some")
            continue
        keys = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
        yield from different(name, differences({key: resource.properties[key] for key in keys}, found))


def _media_region(examination: Examination) -> Iterator[Finding]:
    where = examination.target.region
    if where not in CHIME_REGIONS:
        raise NotTriedError(f"the Chime SDK has no API in {where} (D107)")
    for _, name, found in _functions(examination):
        region = (found or {}).get("Environment", {}).get("Variables", {}).get("MEDIA_REGION")
        if region is not None and region not in MEDIA_REGIONS:
            yield Finding(f"{name}: MEDIA_REGION is {region}, where the Chime SDK has no media servers")


CHECKS: Final = (
    Check(
        id="D301",
        title="Every function exists and is active",
        looks_at="Lambda GetFunctionConfiguration: State and LastUpdateStatus",
        cause="The function was deleted by hand, or Lambda could not create or update it.",
        remedy="Deploy again: `make deploy ENV={env}`. CloudFormation creates a deleted function only with a change of "
        "it: `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=_exist,
        needs=("D201",),
    ),
    Check(
        id="D302",
        title="The configuration of each function is that of the template",
        looks_at="Lambda GetFunctionConfiguration: handler, runtime, memory, timeout, role, architecture",
        cause="It was changed by hand, so that the function times out, runs out of memory or has another role.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=_configuration,
        needs=("D201",),
    ),
    Check(
        id="D303",
        title="The environment variables of each function are those of the template",
        looks_at="Lambda GetFunctionConfiguration: Environment; values are compared and never printed",
        cause="They were changed by hand; the function reads another table, queue, pool or Event API.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=_variables,
        needs=("D201",),
    ),
    Check(
        id="D304",
        title="No function has a reserved concurrency that the template does not give it",
        looks_at="Lambda GetFunctionConcurrency",
        cause="It was set by hand, often to 0 to stop a function; Lambda throttles what is above it.",
        remedy="Remove it: `aws lambda delete-function-concurrency --function-name FUNCTION`.",
        run=_reserved,
        needs=("D201",),
    ),
    Check(
        id="D305",
        title="The HTTP API, EventBridge and Cognito may invoke their functions",
        looks_at="Lambda GetPolicy of each function with an AWS::Lambda::Permission",
        cause="The resource policy of the function was changed; its caller is refused, and routes respond with 500.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=_callers,
        needs=("D201",),
    ),
    Check(
        id="D306",
        title="Asynchronous invocations are repeated as in the template",
        looks_at="Lambda GetFunctionEventInvokeConfig",
        cause="The settings were changed by hand; events of Chime or schedules are lost or repeated too late.",
        remedy="Deploy with `npx cdk deploy -c env={env} --all --revert-drift`.",
        run=_retries,
        needs=("D201",),
    ),
    Check(
        id="D307",
        title="Calls use a region with media servers",
        looks_at="the variable MEDIA_REGION of each function, and the regions of the Chime SDK",
        cause="calls.media_region names a region without media servers; Chime refuses to create meetings.",
        remedy="Correct calls.media_region in environments/{env}.toml, then `make deploy ENV={env}`.",
        run=_media_region,
        needs=("D201",),
    ),
)
