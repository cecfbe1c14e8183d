"""The generated documents: valid, complete, and satisfied by what the models encode."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import channels, events, requests, responses, tables
from contract.route import Route
from contract.routes import ROUTES
from contract.statuses import STATUSES
from tools.generate import asyncapi, openapi, pages, schemas, typescript
from tools.generate.__main__ import ROOT

_OPENAPI = openapi.document()
_ASYNCAPI = asyncapi.document()
_EVENTS = schemas.events_document()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


@pytest.mark.parametrize("document", [_OPENAPI, _ASYNCAPI, _EVENTS], ids=["openapi", "asyncapi", "events"])
def test_every_reference_resolves(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert references
    for reference in references:
        assert _resolve(document, reference)


@pytest.mark.parametrize("document", [_OPENAPI, _ASYNCAPI], ids=["openapi", "asyncapi"])
def test_every_schema_is_valid_and_used(document: dict[str, Any]) -> None:
    found = document["components"]["schemas"]
    for schema in found.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    used = {reference.rsplit("/", 1)[1] for reference in _references(document) if "/schemas/" in reference}
    assert set(found) == used


def test_every_route_is_documented_once_with_its_method() -> None:
    documented = {
        f"{method.upper()} {path}": operation
        for path, operations in _OPENAPI["paths"].items()
        for method, operation in operations.items()
    }
    assert set(documented) == {route.key for route in ROUTES}
    assert [documented[route.key]["operationId"] for route in ROUTES] == [route.operation for route in ROUTES]
    assert len({operation["operationId"] for operation in documented.values()}) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_operation_lists_its_parameters_body_and_every_status(route: Route) -> None:
    operation = _OPENAPI["paths"][route.path][route.method.lower()]
    assert {"400", "401", "429", "500"} <= set(operation["responses"])
    assert {str(status) for status in route.status} | {str(status) for status, _ in route.refusals} <= set(
        operation["responses"]
    )
    assert all(int(status) in STATUSES for status in operation["responses"] if int(status) >= 400)
    assert "Retry-After" in operation["responses"]["429"]["headers"]
    parameters = operation.get("parameters", [])
    in_path = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
    assert route.path.count("{") == len(in_path)
    assert all(f"{{{name}}}" in route.path for name in in_path)
    in_query = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    fields = {field.name for field in msgspec.structs.fields(route.request)}
    assert in_query == (fields if route.query else set())
    assert ("requestBody" in operation) == (bool(fields) and not route.query)


def test_examples_of_error_responses_satisfy_their_schema() -> None:
    failure = {"$ref": "#/components/schemas/Failure", "components": _OPENAPI["components"]}
    validator = jsonschema.Draft202012Validator(failure)
    examples = [
        answer["content"]["application/json"]["example"]
        for operations in _OPENAPI["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    assert examples
    for example in examples:
        validator.validate(example)


_IDS = st.from_regex(r"\A[a-z0-9]{1,12}\Z")


def _instances(model: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        model, **{field.name: _values(msgspec.inspect.type_info(field.type)) for field in msgspec.structs.fields(model)}
    )


def _values(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.UnionType(types=types):
            return st.one_of([_values(member) for member in types])
        case msgspec.inspect.LiteralType(values=values):
            return st.sampled_from(sorted(values, key=str))
        case msgspec.inspect.StructType(cls=cls):
            return _instances(cls)
        case msgspec.inspect.ListType(item_type=item):
            return st.lists(_values(item), max_size=2)
        case msgspec.inspect.DictType(value_type=value):
            return st.dictionaries(_IDS, _values(value), max_size=2)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.IntType():
            return st.integers(0, 10**6)
        case msgspec.inspect.FloatType():
            return st.floats(0, 1e6)
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.StrType():
            return st.text(max_size=20)
        case msgspec.inspect.AnyType():
            return st.integers(0, 10**6) | st.text(max_size=20)
    raise AssertionError(kind)


@given(st.sampled_from(schemas.event_models()).flatmap(_instances))
def test_every_encoded_event_satisfies_its_schema(event: Any) -> None:
    wire = json.loads(msgspec.json.encode(event)) | {schemas.SERVER_TIMESTAMP: "2026-01-01T00:00:00.000Z"}
    jsonschema.Draft202012Validator(_EVENTS).validate(wire)
    del wire["eventId"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(_EVENTS).validate(wire)


def _responses(model: type[Any]) -> st.SearchStrategy[Any]:
    fields = {
        field.name: _values(msgspec.inspect.type_info(field.type))
        for field in msgspec.structs.fields(model)
        if field.name != "success"
    }
    return st.builds(model, **fields)


@given(st.sampled_from(schemas.response_models()).flatmap(_responses))
def test_every_encoded_response_satisfies_its_schema(response: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{type(response).__name__}", "components": _OPENAPI["components"]}
    wire = json.loads(msgspec.json.encode(response))
    jsonschema.Draft202012Validator(schema).validate(wire)
    del wire["success"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wire)


@pytest.mark.parametrize(
    ("model", "body", "accepted"),
    [
        (requests.SendMessage, {"conversationId": "c-1", "content": "hello"}, True),
        (requests.SendMessage, {"conversationId": "c-1", "colour": "red"}, False),
        (requests.SendMessage, {"conversationId": "c/1"}, False),
        (requests.SendMessage, {"conversationId": "c1\n"}, False),
        (requests.SendMessage, {"conversationId": "c1", "mediaUrl": "http://plain.example/a"}, False),
        (requests.SendMessage, {"conversationId": "c1", "content": "x" * 8001}, False),
        (requests.UpdateGroup, {"description": None}, True),
        (requests.UpdateGroup, {"name": None}, False),
        (requests.AddMembers, {"userIds": []}, False),
        (requests.SetRole, {"role": "OWNER"}, False),
        (requests.UpdateProfile, {"year": "Senior", "interests": ["chess"]}, True),
        (requests.UpdateProfile, {"email": "new@example.org"}, False),
    ],
)
def test_schema_and_decoder_accept_the_same_requests(model: type[Any], body: dict[str, Any], accepted: bool) -> None:
    schema = {"$ref": f"#/components/schemas/{model.__name__}", "components": _OPENAPI["components"]}
    assert jsonschema.Draft202012Validator(schema).is_valid(body) is accepted
    try:
        msgspec.json.decode(json.dumps(body), type=model)
        decoded = True
    except msgspec.ValidationError:
        decoded = False
    assert decoded is accepted


def test_every_namespace_is_documented_as_a_channel_with_its_messages() -> None:
    assert set(_ASYNCAPI["channels"]) == {namespace.name for namespace in channels.NAMESPACES}
    for namespace in channels.NAMESPACES:
        channel = _ASYNCAPI["channels"][namespace.name]
        assert channel["address"] == channels.template(namespace)
        names = [_ASYNCAPI["components"]["messages"][name]["name"] for name in channel["messages"]]
        assert names == list(events.event_types(namespace.name))


def test_every_table_has_a_section_on_the_data_model_page() -> None:
    page = pages.data_model_page()
    assert all(f"## {table.entity}\n" in page for table in tables.TABLES)


def test_typescript_types_compile_and_refuse_unknown_fields(tmp_path: Path) -> None:
    (tmp_path / "types.ts").write_text(typescript.document())
    (tmp_path / "use.ts").write_text(
        "import type { ChannelEvent, Operations } from './types';\n"
        "import { routes } from './types';\n"
        "export function seq(event: ChannelEvent): number | null {\n"
        "  return event.type === 'MESSAGE_SENT' ? event.data.seq : null;\n"
        "}\n"
        "export const body: Operations['sendMessage']['request'] = { conversationId: 'c', content: 'hello' };\n"
        "// @ts-expect-error: an unknown field is refused\n"
        "export const wrong: Operations['sendMessage']['request'] = { conversationId: 'c', colour: 'red' };\n"
        "export const method: 'POST' = routes.sendMessage.method;\n"
    )
    settings = {"compilerOptions": {"strict": True, "noEmit": True, "types": [], "target": "es2022"}}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    compiler = ROOT / "node_modules/typescript/bin/tsc"
    outcome = subprocess.run(
        ["node", str(compiler), "-p", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert outcome.returncode == 0, outcome.stdout


def test_success_distinguishes_the_two_envelopes() -> None:
    success = _OPENAPI["components"]["schemas"]["Done"]["properties"]["success"]
    failure = _OPENAPI["components"]["schemas"][responses.Failure.__name__]["properties"]["success"]
    assert (success, failure) == ({"const": True}, {"const": False})
