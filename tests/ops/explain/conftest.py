"""Fixtures of the look-ups: the emulator once per session, tables and queues once per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.emulator import AwsResources, Emulator, create_resources, running_emulator
from tests.harness.log_lines import LogLines
from tests.ops.explain.campus import Campus


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """DynamoDB, SQS and CloudWatch Logs in a process of their own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator) -> AwsResources:
    """This test's own tables and queue."""
    return create_resources(emulator)


@pytest.fixture
def lines() -> Iterator[LogLines]:
    """The log lines of the functions."""
    with LogLines.recorded() as recorded:
        yield recorded


@pytest.fixture
def campus(aws: AwsResources, lines: LogLines) -> Campus:
    return Campus(aws, lines)
