"""The option that rewrites the snapshots."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-snapshots`, for `pytest tests/stacks --update-snapshots`."""
    parser.addoption("--update-snapshots", action="store_true", help="rewrite tests/snapshots from the stacks")


@pytest.fixture
def update_snapshots(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite the snapshots instead of comparing; False if the whole test suite runs."""
    return bool(request.config.getoption("--update-snapshots", default=False))
