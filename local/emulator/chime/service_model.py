"""The service model that botocore ships: which operation a request is, its input checked, its status."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

import botocore.session

from local.emulator.chime.constraints import violations
from local.emulator.chime.errors import ChimeError, bad_request

SERVICE = "chime-sdk-meetings"
Query = dict[str, list[str]]


@dataclass(frozen=True)
class Route:
    """An operation and the parts of the path that it was found by."""

    operation: str
    path_parameters: dict[str, str]


@dataclass(frozen=True)
class _Pattern:
    method: str
    path: re.Pattern[str]
    discriminator: str | None
    operation: str


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model(SERVICE)


@cache
def _patterns() -> tuple[_Pattern, ...]:
    found = []
    for name in _model().operation_names:
        http = _model().operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        found.append(_Pattern(http["method"], pattern, query.removeprefix("operation=") or None, name))
    return tuple(found)


def route(method: str, path: str, query: Query) -> Route | None:
    """Find the operation of a request.

    Args:
        method: HTTP method.
        path: without the query string.
        query: its parameters.

    Returns:
        The route, or None when the model has no such operation.
    """
    discriminator = query.get("operation", [None])[0]
    for pattern in _patterns():
        if pattern.method == method and pattern.discriminator == discriminator:
            match = pattern.path.fullmatch(path)
            if match is not None:
                return Route(pattern.operation, {name: unquote(value) for name, value in match.groupdict().items()})
    return None


def operations() -> tuple[str, ...]:
    """Names of all operations."""
    return tuple(_model().operation_names)


def read_input(found: Route, query: Query, body: bytes) -> dict[str, Any]:
    """The input of a call, checked against the model.

    Raises:
        ChimeError: BadRequestException, with every constraint that does not hold.
    """
    shape = _model().operation_model(found.operation).input_shape
    document = _document(body)
    values: dict[str, Any] = {}
    for name, member in shape.members.items():
        location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            values[name] = found.path_parameters[wire_name]
        elif location == "querystring" and wire_name in query:
            values[name] = _from_text(member, query[wire_name][0])
        elif location is None and document.get(wire_name) is not None:
            values[name] = document[wire_name]
    problems = violations(shape, values, "")
    if problems:
        kind = "error" if len(problems) == 1 else "errors"
        raise bad_request(f"{len(problems)} validation {kind} detected: {'; '.join(problems)}")
    return values


def success_status(operation: str) -> int:
    """HTTP status of a call that worked."""
    return int(_model().operation_model(operation).http.get("responseCode", 200))


def error_status(error: ChimeError) -> int:
    """HTTP status of an error; the service model has it, except that of throttling (see `rates`)."""
    if error.code == "ThrottledClientException":
        return 429
    return int(_model().shape_for(error.code).metadata["error"]["httpStatusCode"])


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body) if body else {}
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise bad_request("the body is not a JSON object")
    return document


def _from_text(shape: Any, text: str) -> Any:
    if shape.type_name == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text
