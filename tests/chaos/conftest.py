"""Options of the chaos tests."""

from __future__ import annotations

import pytest

DEFAULT_SENDS = 250
SECONDS_PER_SEND = 2.0
"""An upper bound for the slowest machine; sets the time limit of a run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-sends",
        type=int,
        default=DEFAULT_SENDS,
        help="messages under faults; from 1,000 on by 50 users in groups of up to 300 members (default: %(default)s)",
    )
    parser.addoption("--chaos-seed", type=int, default=1, help="seed of the faults (default: %(default)s)")


# The defaults stand here again, for a run of all tests: pytest knows the options only of a run of this directory.


@pytest.fixture
def chaos_sends(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--chaos-sends", default=DEFAULT_SENDS))


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--chaos-seed", default=1))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Allow a run with many messages more time than other tests."""
    sends = int(config.getoption("--chaos-sends", default=DEFAULT_SENDS))
    for item in items:
        if "chaos_sends" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(240 + sends * SECONDS_PER_SEND))
