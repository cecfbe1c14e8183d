"""The option that stores the counted costs."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-ledger`, for `pytest tests/handlers/costs --update-ledger`."""
    parser.addoption("--update-ledger", action="store_true", help="rewrite ops/costs/operations.json from the counts")


@pytest.fixture
def update_ledger(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite the ledger instead of comparing; False if the whole test suite runs."""
    return bool(request.config.getoption("--update-ledger", default=False))
