"""Strict rules of the shared emulator: each test sets its own, and leaves the defaults."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local.conftest import EmulatorProcess

Strict = Callable[..., None]
QUIET = {"duplicateDeliveries": False, "reorderedRecords": False}
"""No chance: what a test sees is what its own rule does."""


@pytest.fixture
def strict(emulator: EmulatorProcess) -> Iterator[Strict]:
    """Set switches and sizes of rules: `strict(payloadSizes=False)`."""

    def use(**switches: Any) -> None:
        emulator.faults.set_strict({**QUIET, **switches})

    use()
    yield use
    emulator.faults.set_strict({})


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t-{uuid.uuid4().hex[:10]}"


def invoked(emulator: EmulatorProcess, function: str, event: Any = None, **options: Any) -> tuple[str | None, Any]:
    """Invoke a function. Returns the kind of its failure, or None, and its answer."""
    payload = json.dumps(event).encode()
    answer = emulator.aws("lambda").invoke(FunctionName=function, Payload=payload, **options)
    body = answer["Payload"].read()
    return answer.get("FunctionError"), json.loads(body) if body else None
