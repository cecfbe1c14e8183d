"""Timestamps: milliseconds since the epoch and ISO dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core.shared.timestamps import from_iso, to_iso


@given(st.integers(0, 4_000_000_000_000))
def test_timestamps_have_the_format_of_javascript_and_sort_as_text(milliseconds: int) -> None:
    text = to_iso(milliseconds)
    assert from_iso(text) == milliseconds
    assert text < to_iso(milliseconds + 1)
    assert datetime.fromisoformat(text).tzinfo == UTC
    assert len(text) == len("2026-01-01T00:00:00.000Z")


def test_date_without_a_time_zone_is_refused() -> None:
    for text in ("2026-01-01T00:00:00", "2026-01-01", "soon", ""):
        with pytest.raises(ValueError):
            from_iso(text)
