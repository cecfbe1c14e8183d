"""Fixtures of the tests of ops.data: tables, functions and a user pool on the emulator in strict mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import Emulator, create_resources, running_emulator
from tests.ops.data.campus import Campus


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """DynamoDB, SQS and Cognito under strict rules, in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def campus(emulator: Emulator) -> Campus:
    """This test's own tables, functions and user pool."""
    return Campus.of(create_resources(emulator))
