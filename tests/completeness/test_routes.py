"""Every route has an operation, a method of the Python client, and tests."""

from __future__ import annotations

from importlib import import_module
from typing import get_args

import pytest

from contract.route import Domain, Route
from contract.routes import ROUTES
from tests.client.api.test_http_api import REQUESTS
from tests.completeness.source import missing, names, text_of

_TESTS = ("tests/handlers/**/*.py", "tests/harness/*.py")


@pytest.mark.parametrize("domain", get_args(Domain))
def test_every_route_has_an_operation(domain: str) -> None:
    path = f"handlers/entry/{domain}.py"
    try:
        import_module(f"handlers.entry.{domain}")
    except ValueError as error:
        pytest.fail(f"{path} and contract/routes.py differ; add the operation to {path}, or the route: {error}")


def test_python_client_has_a_method_for_every_route() -> None:
    absent = [route.operation for route in ROUTES if f'_request("{route.operation}"' not in text_of("client/api/*.py")]
    assert not absent, missing("client/api has no method for", absent, "add one to client/api/{domain}_api.py")


def test_tests_of_the_python_client_call_every_route() -> None:
    absent = [route.operation for route in ROUTES if route.operation not in REQUESTS]
    assert not absent, missing(
        "REQUESTS in tests/client/api/test_http_api.py lacks", absent, "add a call of the client's method"
    )


def _is_called(route: Route) -> bool:
    if route.domain == "calls":
        action = route.path.rpartition("/")[2]
        return any(names(each, *_TESTS) for each in (route.key, f'"{action}"', f".{action}("))
    return names(f'"{route.operation}"', *_TESTS)


def test_tests_of_the_handlers_call_every_route() -> None:
    absent = [route.operation for route in ROUTES if not _is_called(route)]
    assert not absent, missing(
        "no test in tests/handlers calls",
        absent,
        "test its answer, its errors and its events in tests/handlers/{domain}",
    )
