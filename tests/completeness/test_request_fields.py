"""Every field of a request is read by the handlers, can be sent by the Python client, and is tested.

A field is looked for by its name in the directory's text. So a field that has the name of an older field of another
route is not noticed.
"""

from __future__ import annotations

import ast

import msgspec

from contract.routes import ROUTES
from tests.completeness.source import ROOT, missing, names

FIELDS = {
    field.name: f"{route.request.__name__}.{field.name}"
    for route in ROUTES
    for field in msgspec.structs.fields(route.request)
}
"""The fields of all requests by name."""
COPIED = {"profilePicture", "major", "year", "interests", "portfolioUrl"}
"""Fields of a profile: handlers/core/users/profiles.py copies all fields that are given."""
IGNORED = {"callerName"}
"""Fields of the migration guide that the backend accepts and ignores."""
REDUNDANT = {"senderId", "initiatedBy", "callerId", "callerName"}
"""Fields of the migration guide that repeat the identity of the token; the Python client does not send them."""


def _sent_fields() -> set[tuple[str, str]]:
    """Return the request models that the Python client creates, each with the fields that it sets."""
    return {
        (node.func.attr, word.arg)
        for path in (ROOT / "client/api").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for word in node.keywords
        if word.arg is not None
    }


def test_python_client_sends_only_fields_of_the_contract() -> None:
    models = {route.request.__name__: route.request for route in ROUTES}
    unknown = [
        f"{model}.{field}"
        for model, field in sorted(_sent_fields())
        if model in models and field not in models[model].__struct_fields__
    ]
    assert not unknown, missing("contract/requests.py lacks the field", unknown, "add it; client/api sends it")


def test_handlers_read_every_field() -> None:
    absent = [
        where
        for name, where in FIELDS.items()
        if name not in COPIED | IGNORED and not names(name, "handlers/core/**/*.py", "handlers/entry/*.py")
    ]
    assert not absent, missing("handlers/core reads no field", absent, "read it in the use case of the route")


def test_python_client_can_send_every_field() -> None:
    absent = [where for name, where in FIELDS.items() if name not in REDUNDANT and not names(name, "client/api/*.py")]
    assert not absent, missing(
        "client/api cannot send the field", absent, "add an argument to the method in client/api/{domain}_api.py"
    )


def test_a_test_of_the_handlers_sends_every_field() -> None:
    absent = [
        where for name, where in FIELDS.items() if name not in COPIED and not names(name, "tests/handlers/**/*.py")
    ]
    assert not absent, missing("no test in tests/handlers sends the field", absent, "test what the field changes")
