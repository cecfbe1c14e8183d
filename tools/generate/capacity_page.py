"""The tables and the plot of the page on capacity."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ops.capacity.page import fan_out_table, storm_plot, storm_table
from ops.capacity.report import as_markdown, remedies
from ops.costs.profiles import profiles

PAGE: Final = "docs/explanation/capacity.md"
PLOT: Final = "docs/explanation/capacity.svg"
_ROOT: Final = Path(__file__).resolve().parents[2]
_SHOWN: Final = ("campus", "10k", "100k", "1m")


def page() -> str:
    """Return the page with its tables written again; its other text stays as it is.

    Raises:
        ValueError: the place of a table is missing.
    """
    text = (_ROOT / PAGE).read_text(encoding="utf-8")
    tables = {
        "quotas": as_markdown([profiles()[name] for name in _SHOWN]),
        "remedies": remedies(),
        "storm": storm_table(),
        "fan-out": fan_out_table(),
    }
    for name, table in tables.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{PAGE} has no place for the table {name}")
        text = text.partition(begin)[0] + begin + table + end + text.partition(end)[2]
    return text


def plot() -> str:
    """Return the plot of the storms."""
    return storm_plot()
