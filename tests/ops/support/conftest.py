"""Fixtures of the actions: the emulator once per session, an environment and its audit log once per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator
from tests.ops.support.recorded import AuditLines


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The services in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> AwsResources:
    """This test's own tables and queues."""
    return create_resources(emulator)


@pytest.fixture
def audit(aws: AwsResources) -> AuditLines:
    return AuditLines(aws)
