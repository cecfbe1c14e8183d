"""Fixtures of the function tests: the emulator once per session, tables and queue once per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator
from tests.harness.http import server_errors


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """DynamoDB and SQS under strict rules, in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> AwsResources:
    """This test's own tables and queue."""
    return create_resources(emulator)


@pytest.fixture(autouse=True)
def no_unexpected_server_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a route answered 500 or above, unless its marker `server_errors` says why it does."""
    server_errors.clear()
    yield
    if request.node.get_closest_marker("server_errors") is None:
        assert server_errors == [], "a route answered 500 or above, and the test is not marked `server_errors`"
