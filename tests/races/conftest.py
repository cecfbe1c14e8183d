"""Options of the race tests."""

from __future__ import annotations

import pytest

DEFAULT_ROUNDS = 3
DEFAULT_DEVICES = 25
SECONDS_PER_ROUND = 20
"""An upper bound for the slowest machine; sets the time limit of a run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--race-rounds", type=int, default=DEFAULT_ROUNDS, help="rounds of each race (default: %(default)s)"
    )
    parser.addoption(
        "--race-devices", type=int, default=DEFAULT_DEVICES, help="devices that accept at once (default: %(default)s)"
    )


# The defaults stand here again, for a run of all tests: pytest knows the options only of a run of this directory.


@pytest.fixture
def race_rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--race-rounds", default=DEFAULT_ROUNDS))


@pytest.fixture
def race_devices(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--race-devices", default=DEFAULT_DEVICES))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Allow a run with many rounds more time than other tests."""
    rounds = int(config.getoption("--race-rounds", default=DEFAULT_ROUNDS))
    for item in items:
        if "race_rounds" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(120 + rounds * SECONDS_PER_ROUND))
