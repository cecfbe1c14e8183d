"""Says what breaks first when an environment grows: `python -m ops.capacity [--profile NAME]`.

Compares what a profile of use asks for in its busiest second with the quotas of AWS and our own limits. Simulates the
reconnection of all clients after a cut, and the delivery of messages to large groups. It needs no credentials.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ops.capacity.page import fan_out_table, storm_plot, storm_table
from ops.capacity.report import as_markdown, remedies, uses
from ops.costs.profiles import profiles


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=profiles(), help="one profile; without it, a table of all")
    parser.add_argument("--simulate", action="store_true", help="also simulate storms and deliveries")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot of the storms (SVG)")
    chosen = parser.parse_args(arguments)
    if chosen.profile:
        for use in uses(profiles()[chosen.profile]):
            amounts = f"{use.needed:12,.1f} of {use.quota.value:9,.0f} {use.quota.unit:16}"
            print(f"{use.share:8.1%}  {amounts} {use.quota.title}")
            if use.share > 1:
                print(f"          users see: {use.quota.effect}. {use.quota.remedy}")
    else:
        print(as_markdown(list(profiles().values())))
        print(remedies())
    if chosen.simulate:
        print("→ Simulating", file=sys.stderr, flush=True)
        print(storm_table())
        print(fan_out_table())
    if chosen.plot:
        chosen.plot.write_text(storm_plot(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
