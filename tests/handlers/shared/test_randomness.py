"""Random pauses differ between environments that SnapStart restored from one snapshot."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from handlers.adapters import aws_clients
from handlers.core.shared.retry import attempts
from tests.harness.fakes import FakeClock


class RecordingClock(FakeClock):
    """A clock that records its pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        """Record a pause."""
        self.pauses.append(seconds)


def test_pauses_between_attempts_do_not_follow_the_snapshot() -> None:
    recorded = []
    for _ in range(2):
        random.seed(1)
        clock = RecordingClock()
        assert list(attempts(clock, 5)) == [0, 1, 2, 3, 4]
        recorded.append(clock.pauses)
    assert recorded[0] != recorded[1]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], Any]]]:
    """The hooks registered with a stand-in for Lambda's module."""
    registered: list[Callable[[], Any]] = []
    module: Any = ModuleType("snapshot_restore_py")
    module.__spec__ = object()
    module.register_after_restore = registered.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    aws_clients.session.cache_clear()
    yield registered
    aws_clients.session.cache_clear()


def test_modules_that_use_the_shared_generator_get_new_numbers_after_a_restore(
    hooks: list[Callable[[], Any]],
) -> None:
    aws_clients.session()
    numbers = []
    for _ in range(2):
        random.seed(1)
        for hook in hooks:
            hook()
        numbers.append(random.random())
    assert numbers[0] != numbers[1]
