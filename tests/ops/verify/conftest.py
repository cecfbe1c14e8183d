"""Fixtures of the tests of ops.verify."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.verify import temporary
from tests.ops.verify.recorded import RecordedAws


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedAws]:
    """An account with recorded responses; every one that a test expects must be asked for."""
    monkeypatch.setattr(temporary.time, "sleep", lambda seconds: None)
    account = RecordedAws()
    yield account
    account.check()
