"""The vectors of calls on the Python client: events of a call in any order end in the same state (promise P9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import vectors
from tests.harness.client.call_vectors import CallsUnderTest
from tests.harness.client.vector_steps import sequences


@pytest.mark.parametrize("case", vectors.load("calls")["cases"], ids=lambda case: case["name"])
def test_state_follows_from_the_events(case: dict[str, Any]) -> None:
    for steps in sequences(case):
        calls = CallsUnderTest()
        for step in steps:
            calls.apply(step)
        found = calls.shown()
        assert {name: found[name] for name in case["view"]} == case["view"], steps
