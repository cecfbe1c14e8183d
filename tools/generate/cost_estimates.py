"""The tables and the chart of docs/explanation/cost.md: the estimates of prod from its templates."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import aws_cdk as cdk

from ops.costs.chart import chart
from ops.costs.environment import EnvironmentCosts, Template, read
from ops.costs.estimate import Estimate, estimate
from ops.costs.page import as_markdown
from ops.costs.prices import FreeTier
from ops.costs.profiles import Profile, profiles
from ops.costs.usage import used
from stacks.app import compose
from stacks.config.load import load
from stacks.packaging import ROOT, Asset

PAGE: Final = "docs/explanation/cost.md"
CHART: Final = "docs/explanation/cost.svg"
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
    """Synthesise the environment in this process and return what its templates cost."""
    with tempfile.TemporaryDirectory(prefix="assembly-") as directory:
        package = Path(directory) / "package"
        package.mkdir()
        app = cdk.App(outdir=str(Path(directory) / "out"), analytics_reporting=False)
        stacks = compose(app, load(ENVIRONMENT, variables={}), Asset(package, "0" * 64))
        assembly = app.synth()
        templates: dict[str, Template] = {
            stack.node.id: assembly.get_stack_by_name(stack.stack_name).template for stack in stacks.all()
        }
    return read(templates)
