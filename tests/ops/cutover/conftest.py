"""Fixtures of the cut-over: the emulator once, and both sides for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator
from tests.ops.cutover.campus import Campus


@pytest.fixture(scope="package")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """DynamoDB and SQS in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> AwsResources:
    """This test's own tables and queues."""
    return create_resources(emulator)


@pytest.fixture
def campus(aws: AwsResources) -> Iterator[Campus]:
    """Both sides on the same tables."""
    created = Campus(aws)
    try:
        yield created
    finally:
        created.stop()
