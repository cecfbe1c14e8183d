"""The vectors of messages on the Python client: events and responses in any order end in the same view (promise P9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import vectors
from tests.harness.client.vector_steps import ClientUnderTest, sequences


@pytest.mark.parametrize("case", vectors.load("messages")["cases"], ids=lambda case: case["name"])
async def test_view_follows_from_the_events(case: dict[str, Any]) -> None:
    for steps in sequences(case):
        client = ClientUnderTest(case)
        for step in steps:
            client.apply(step)
        found = client.shown()
        assert {name: found.get(name) for name in case["view"]} == case["view"], steps
        client.view.close()
