"""`python -m bench [NAME ...]`: run the benchmarks and print their tables. `--help` lists them."""

from __future__ import annotations

import argparse
import importlib
import sys

BENCHMARKS = {
    "asset": "size of the Lambda asset, and that two builds are the same to the byte",
    "synth": "`cdk synth` of one environment against an empty CDK app",
    "init": "import to first request of a route function against a bare boto3 function",
    "send": "the send route against the guide's algorithm, 2 / 10 / 100 / 1,000 participants",
    "storage": "the direct channel's handler against the route, as the guide compares them",
    "live": "send accepted to received by the other client, 50 users x 1 message a second, on a local cloud",
    "fanout": "the Events service's fan-out to 100 subscribers, handlers on and off, against Socket.IO",
    "functions": "calls of Lambda functions that the Events service runs itself: first, later, several at once",
    "slow": "what 40 readers of the Events service notice of 10 others that never read",
    "idle": "memory of 5,000 idle connections to the Events service",
    "fuzz": "spoilt messages, frames, upgrades and requests for the Events service: no crash, no leak, no hang",
    "accept": "accept tapped to connected event handled, on a local cloud",
    "races": "200 x 100 concurrent accepts, accept against cancel, end against leave: one winner each time",
    "up": "second `make up`: seconds until ready",
}


def main() -> int:
    """Run the named benchmarks, or all of them in the order of the list."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{k}: {v}" for k, v in BENCHMARKS.items()))
    parser.add_argument(
        "--rounds",
        "--count",
        type=int,
        default=0,
        help="counted rounds, or inputs (each benchmark has its own default)",
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in arguments.names or BENCHMARKS:
        module = importlib.import_module(f"bench.{name}")
        for line in module.run(arguments.rounds or module.ROUNDS):
            print(line, flush=True)
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
