"""Fixtures and rules for every test of the Events service."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from service_harness.fixtures import dynamodb, dynamodb_endpoint, evaluate, load, other_key, pool, service, signing_key

__all__ = ["dynamodb", "dynamodb_endpoint", "evaluate", "load", "other_key", "pool", "service", "signing_key"]

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a slow machine is no reason for a property to fail

# Node and the emulator are those of this Python environment, whether or not it was activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape output without UTF-8 form: pytest-xdist could not send it from one process to another."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Remove what the command under test adds to the root logger of this process."""
    root = logging.getLogger()
    level, formatters = root.level, {handler: handler.formatter for handler in root.handlers}
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler in formatters:
            handler.setFormatter(formatters[handler])
        else:
            root.removeHandler(handler)
