"""`python -m bench [NAME ...]`: run benchmarks and print their results. `--help` lists them.

`python -m bench chaos` runs many clients under faults.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
        module: below `bench`; it has `ROUNDS` and `run(rounds)`, which returns lines.
        description: what it measures.
    """

    module: str
    description: str


BENCHMARKS: Final = {
    "asset": Benchmark("deployment.asset", "size of the Lambda asset, and whether two builds are identical"),
    "synth": Benchmark("deployment.synth", "`cdk synth` of one environment against an empty CDK app"),
    "init": Benchmark("functions.init", "import to first response of a route function against a bare boto3 function"),
    "send": Benchmark("functions.send", "the send route against the guide's algorithm; 2, 10, 100, 1,000 participants"),
    "crowd": Benchmark(
        "functions.crowd", "many senders in one conversation under strict rules, in virtual time: refusals, units"
    ),
    "storage": Benchmark(
        "local_cloud.storage", "message storage in the direct channel's handler against the send route"
    ),
    "live": Benchmark("local_cloud.live", "send to receipt by the other client; 50 users, 1 message a second each"),
    "fanout": Benchmark(
        "events_service.fanout", "fan-out to 100 subscribers, with and without handlers, against Socket.IO"
    ),
    "functions": Benchmark(
        "events_service.lambda_functions",
        "Lambda functions that the Events service runs: first, later, concurrent calls",
    ),
    "slow": Benchmark("events_service.slow", "latency of 40 readers while 10 other subscribers never read"),
    "idle": Benchmark("events_service.idle", "memory of 5,000 idle connections"),
    "accept": Benchmark("local_cloud.accept", "accept request to handled connected event, on a local cloud"),
    "up": Benchmark("local_cloud.up", "second `make up`: seconds until ready"),
}
COMMANDS: Final = {
    "chaos": "chaos.command",
}
"""Long runs with options of their own: name to a module below `bench` that has `main(arguments)`. No part of a run of
all benchmarks."""
MOVED: Final = {
    "fuzz": "fuzzing is a test: pytest tests/fuzz --fuzz-count 100000",
    "races": "the races for a call are a test: pytest tests/races --race-rounds 200 --race-devices 100",
}


def main() -> int:
    """Run the named benchmarks, or all of them in the order of the list."""
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        command = importlib.import_module(f"bench.{COMMANDS[sys.argv[1]]}")
        return int(command.main(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    described = "; ".join(f"{name}: {benchmark.description}" for name, benchmark in BENCHMARKS.items())
    described += f"; with options of their own (--help): {', '.join(COMMANDS)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=described)
    parser.add_argument(
        "--rounds", "--count", type=int, default=0, help="measured rounds (each benchmark has its own default)"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name in MOVED:
            parser.error(f"{name}: {MOVED[name]}")
        if name not in BENCHMARKS:
            parser.error(f"unknown benchmark: {name}; known are {', '.join(BENCHMARKS)}")
    for name in arguments.names or BENCHMARKS:
        module = importlib.import_module(f"bench.{BENCHMARKS[name].module}")
        for line in module.run(arguments.rounds or module.ROUNDS):
            print(line, flush=True)
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
