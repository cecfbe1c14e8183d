"""Fixtures and rules for every test."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from local.testing import LocalCloud

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a slow machine is no reason for a property to fail

# Node, npm and the CDK app's `python` are this environment's own, whether or not it was activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

_ORDER = ("first_on_cloud", "local_cloud", "browser", "end_of_run")
"""Markers of slow tests, in the order in which they run after all others. A test with several runs at the last place,
except that `first_on_cloud` wins: those tests need a local cloud that no other test has used.
"""
_CLOUD_FIXTURES = frozenset({"local_cloud", "session_cloud"})
_LONGEST = (
    "tests/packages/",
    "tests/contributing/",
    "tests/stacks/",
    "tests/handlers/messages/test_interleavings.py",
    "tests/handlers/test_removed_member.py",
    "tests/handlers/conversations/test_faults.py",
    "tests/handlers/messages/test_faults.py",
    "tests/local/",
)
"""Where the longest groups of tests are. They begin first where several processes share the tests, so that no process
works on one of them when the others have nothing left.
"""
_SLOW = (
    "tests/packages/",
    "tests/contributing/",
    "tests/stacks/test_app.py",
    "tests/local/emulator/test_durability.py",
    "tests/local/emulator/test_upstream_defects.py",
)
"""Tests that start whole environments, CDK apps or emulators for each promise: more than half of the processor time of
the tests without a local cloud. `make test-fast` leaves them out.
"""


def group_of(nodeid: str) -> str:
    """Return what stays in one process where several share the fast tests.

    The tests of one file share what the file sets up. Those of `tests/stacks` share the templates, which take long to
    synthesise; the suites of two packages, two kinds of change, and two kinds of conversation share nothing.
    """
    file, _, test = nodeid.partition("::")
    if file.startswith("tests/packages/") or file == "tests/handlers/messages/test_interleavings.py":
        return nodeid
    if file.startswith("tests/stacks/") and not file.endswith("/test_app.py"):
        return "tests/stacks"
    if file.startswith("tests/contributing/") and "[" in test:
        return f"{file}::{test.split('[', 1)[1].split('-', 1)[0].rstrip(']')}"
    return file


class GroupScheduling(LoadScopeScheduling):
    """Gives each process whole groups of tests. (`--dist loadgroup` does nothing with pytest 9.2 and xdist 3.8.)"""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Return the scheduler of the processes."""
    config.option.loadscopereorder = False  # the longest groups come first, not those with the most tests
    return GroupScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests and those of the local cloud, and order the tests: the longest first, the cloud's last."""
    for item in items:
        if item.nodeid.startswith(_SLOW):
            item.add_marker(pytest.mark.slow)
        if _CLOUD_FIXTURES & set(getattr(item, "fixturenames", ())) and item.get_closest_marker("local_cloud") is None:
            item.add_marker(pytest.mark.local_cloud)
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[int, int]:
    places = [place for place, name in enumerate(_ORDER, 1) if item.get_closest_marker(name)]
    slow = 1 if 1 in places else max(places, default=0)
    length = next((place for place, name in enumerate(_LONGEST) if item.nodeid.startswith(name)), len(_LONGEST))
    return slow, length if slow == 0 else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape output without UTF-8 form: it could not be handed from one process of the run to another."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Take away again what a program under test does to the root logger of this process."""
    root = logging.getLogger()
    level, formatters = root.level, {handler: handler.formatter for handler in root.handlers}
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler in formatters:
            handler.setFormatter(formatters[handler])
        else:
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def session_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The one local cloud of this test run, on free ports, with the web page if it was built."""
    with LocalCloud.start(tmp_path_factory.mktemp("local-cloud"), web=True) as cloud:
        yield cloud


@pytest.fixture
def local_cloud(session_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """The running local cloud with every fault switched off, before and after the test."""
    session_cloud.faults.clear()
    yield session_cloud
    session_cloud.faults.clear()
