"""The tables and the chart of docs/explanation/cost.md: the estimates of prod from the snapshots of its templates."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from ops.costs.chart import chart
from ops.costs.environment import EnvironmentCosts, read
from ops.costs.estimate import Estimate, estimate
from ops.costs.page import as_markdown
from ops.costs.prices import FreeTier
from ops.costs.profiles import Profile, profiles
from ops.costs.usage import used

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = "docs/explanation/cost.md"
CHART: Final = "docs/explanation/cost.svg"
SNAPSHOTS: Final = "tests/snapshots"
ENVIRONMENT: Final = "prod"
TIERS: Final[tuple[FreeTier, ...]] = ("none", "always")
"""The free tiers of the tables, in their order on the page."""
_TABLE: Final = re.compile(r"^\| dollars a month \|.*\n(?:\|.*\n)+", re.MULTILINE)


def page() -> str:
    """Return the page with new tables; the text around them is not generated.

    Raises:
        ValueError: the page does not have one table for each free tier.
    """
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    tables = [as_markdown(_estimates(tier)) for tier in TIERS]
    if len(_TABLE.findall(text)) != len(tables):
        raise ValueError(f"{PAGE} must have {len(tables)} tables that begin with `| dollars a month |`")
    remaining = iter(tables)
    return _TABLE.sub(lambda _: next(remaining), text)


def picture() -> str:
    """Return the chart, without free quantities."""
    return chart({profile.title: each for profile, each in _estimates(TIERS[0]).values()})


def _estimates(tier: FreeTier) -> dict[str, tuple[Profile, Estimate]]:
    environment = environment_costs()
    return {name: (each, estimate(used(each, environment), tier)) for name, each in profiles().items()}


@cache
def environment_costs() -> EnvironmentCosts:
    """Return what the environment's templates cost; the snapshots hold them, and a test compares these with the app."""
    files = (ROOT / SNAPSHOTS / ENVIRONMENT).glob("*.yaml")
    return read({file.stem: yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader) for file in files})
