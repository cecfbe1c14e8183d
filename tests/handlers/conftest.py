"""Fixtures of the function tests: the emulator once per session, tables and queue once per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """DynamoDB and SQS under strict rules, in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> AwsResources:
    """This test's own tables and queue."""
    return create_resources(emulator)
