"""Fixtures and rules for every test."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
_STACKS = Path(__file__).parent / "stacks"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the local cloud, let the slow ones come last, and say what stays in one process.

    Where the fast tests run in several processes, those of one file share what the file sets up, and all tests of the
    stacks share the templates, which take long to synthesise: so they also begin first.
    """
    for item in items:
        if _CLOUD_FIXTURES & set(getattr(item, "fixturenames", ())) and item.get_closest_marker("local_cloud") is None:
            item.add_marker(pytest.mark.local_cloud)
        together = _STACKS if _STACKS in item.path.parents else item.path
        item.add_marker(pytest.mark.xdist_group(str(together)))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[int, bool]:
    places = [place for place, name in enumerate(_ORDER, 1) if item.get_closest_marker(name)]
    slow = 1 if 1 in places else max(places, default=0)
    return slow, _STACKS not in item.path.parents


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
