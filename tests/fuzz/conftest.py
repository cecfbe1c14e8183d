"""Options and fixtures of the fuzz tests."""

from __future__ import annotations

import pytest
from service_harness.fixtures import other_key, pool, service, signing_key

__all__ = ["other_key", "pool", "service", "signing_key"]

DEFAULT_COUNT = 2_000
DEFAULT_SEED = 7
INPUTS_PER_SECOND = 50
"""A lower bound for the slowest machine; sets the time limit of a run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-count", type=int, default=DEFAULT_COUNT, help="inputs of one fuzz run (default: %(default)s)"
    )
    parser.addoption("--fuzz-seed", type=int, default=DEFAULT_SEED, help="seed of the inputs (default: %(default)s)")


# The defaults stand here again, for a run of all tests: pytest knows the options only of a run of this directory.


@pytest.fixture
def fuzz_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--fuzz-count", default=DEFAULT_COUNT))


@pytest.fixture
def fuzz_seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--fuzz-seed", default=DEFAULT_SEED))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Allow a run with many inputs more time than other tests."""
    count = int(config.getoption("--fuzz-count", default=DEFAULT_COUNT))
    for item in items:
        if "fuzz_count" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(120 + count / INPUTS_PER_SECOND))
