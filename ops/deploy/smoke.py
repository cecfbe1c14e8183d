"""The smoke test after a deployment: by the canary function if the environment has one, else by requests that create
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from contract.canary import credentials_parameter
from contract.routes import ROUTES
from ops.aws import explained_errors
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.outputs import read_stacks
from ops.verify import catalogue
from ops.verify.asking import ask_all
from ops.verify.connecting import connect
from ops.verify.deployment import Waiting, request
from ops.verify.question import Answer, State
from stacks import outputs
from stacks.config.fields import Environment
from stacks.naming import Names

CANARY: Final = "canary"
"""Name of the canary's function, `PantherKolab-canary-{environment}`."""
_UNAUTHENTICATED: Final = (401, 403)
_ROUTE: Final = next(route for route in ROUTES if route.method == "GET" and "{" not in route.path)

Stacks = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Result:
    """What the smoke test found.

    Args:
        failures: what does not work; empty if all does.
        notes: what an operator should read.
    """

    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def smoke_test(
    environment: Environment,
    tools: Tools,
    questions: Callable[[Environment], list[Answer]] | None = None,
) -> Result:
    """Test a deployed environment.

    Args:
        environment: its settings.
        tools: access to AWS.
        questions: asks the questions of `ops.verify` that only read; by default, with the operator's credentials.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    canary = Names(environment.name).of(CANARY)
    exists = _exists(canary, tools)
    if exists and _has_users(environment.name, tools):
        return _by_canary(canary, tools)
    without = (
        f"the canary has no users: create them with `make canary ENV={environment.name}`; its alarm fires until then"
        if exists
        else "no canary function"
    )
    found = read_stacks(environment.name, lambda: tools.cloudformation)
    failures = tuple(_unreachable(environment.name, found))
    answers = (questions or reading_questions)(environment)
    differing = [each for each in answers if each.state is State.DIFFERS and each.given]
    notes = [
        f"{each.question.id} differs: {each.seen}. {each.given.consequence if each.given else ''}" for each in differing
    ]
    asked = sum(each.state is not State.NOT_ASKED for each in answers)
    return Result(failures, (f"{without}; {asked} questions that only read were answered", *notes))


def _exists(function: str, tools: Tools) -> bool:
    with explained_errors():
        try:
            tools.make_client("lambda").get_function_configuration(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return False
            raise
    return True


def _has_users(environment: str, tools: Tools) -> bool:
    """Return whether the canary's users were created (`make canary`); the credentials are not decrypted."""
    with explained_errors():
        try:
            tools.make_client("ssm").get_parameter(Name=credentials_parameter(environment))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return False
            raise
    return True


def _by_canary(function: str, tools: Tools) -> Result:
    with explained_errors():
        response = tools.make_client("lambda").invoke(FunctionName=function, Payload=b"{}")
    payload = response["Payload"].read().decode("utf-8")
    if response.get("FunctionError") or not _healthy(payload):
        return Result((f"the canary {function} failed: {payload[:2_000]}",))
    return Result((), (f"the canary {function} succeeded: {payload[:200]}",))


def _healthy(payload: str) -> bool:
    """Return whether a response of the canary reports no failure: a failing step raises, or sets `ok` to false."""
    try:
        document: Any = json.loads(payload or "null")
    except ValueError:
        return False
    return not (isinstance(document, dict) and document.get("ok") is False)


def _unreachable(environment: str, stacks: Stacks) -> list[str]:
    """Return the endpoints that do not refuse a request without a token, as a working one does."""
    found = []
    for output, method, path in (
        (outputs.API_ADDRESS, "GET", _ROUTE.path),
        (outputs.EVENTS_HTTP_ENDPOINT, "POST", ""),
    ):
        address = stacks.get(output.stack_name(environment), {}).get(output.id)
        if address is None:
            found.append(f"{output.stack_name(environment)} has no output {output.id}")
            continue
        url = f"{address.rstrip('/')}{path}"
        try:
            status = request(
                method, url, {"content-type": "application/json"}, b"{}" if method == "POST" else None
            ).status
        except CommandError as error:
            found.append(str(error))
            continue
        if status not in _UNAUTHENTICATED:
            found.append(f"{method} {url} without a token was answered with {status} instead of 401")
    return found


def reading_questions(environment: Environment) -> list[Answer]:
    """Ask the questions of `ops.verify` that create nothing and cost nothing."""
    reading = [each for each in catalogue.selected(()) if not each.creates and not each.cost and not each.not_asked]
    waiting = Waiting()
    deployment, _ = connect(environment, (), waiting)
    return ask_all(reading, deployment, waiting, lambda answer: None)
