"""The prices of AWS, from `ops/costs/prices.toml`: the one place of every price."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

FreeTier = Literal["none", "always", "legacy"]
FREE_TIERS: Final[tuple[FreeTier, ...]] = get_args(FreeTier)
_FILE: Final = Path(__file__).with_name("prices.toml")


@cache
def prices() -> Mapping[str, Any]:
    """Return the prices in US dollars, by service and unit."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def free_quantities(tier: FreeTier) -> dict[str, float]:
    """Return what is free each month.

    Args:
        tier: `none`; `always`, what is free in every account; `legacy`, also what is free for twelve months in accounts
            that were made before 2025-07-15.
    """
    if tier == "none":
        return {}
    free = prices()["free"]
    return {**free["always"], **(free["legacy"] if tier == "legacy" else {})}
