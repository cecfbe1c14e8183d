"""Shows the state of a deployed environment on one screen: `python -m ops.status --env NAME`.

Stacks and revision, alarms, outbox and queues, dead letters, functions, connections and latencies. `--env local` shows
the running local cloud, whose AWS services have no metrics. It only reads.

Exit status: 0 nothing needs attention; 1 something does; 2 the command could not run.
"""

from __future__ import annotations

import argparse
import datetime
import sys

from ops.deployed.target import Target, connect
from ops.errors import CommandError
from ops.status.reading import read_status
from ops.status.screen import Status, as_json, as_text
from stacks.config.load import SettingsError, load

STATUS_NOT_RUN = 2


def status_of(target: Target) -> Status:
    """Return the state of an environment at this moment."""
    sections = read_status(target)
    return Status(target.environment.name, target.region, datetime.datetime.now(datetime.UTC), sections)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment; `local` for the running local cloud")
    parser.add_argument("--json", action="store_true", help="print the state as JSON")
    chosen = parser.parse_args(arguments)
    try:
        if sys.stderr.isatty():
            print(f"→ Reading the state of {chosen.env}", file=sys.stderr)
        status = status_of(connect(load(chosen.env)))
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return STATUS_NOT_RUN
    print(as_json(status) if chosen.json else as_text(status), end="")
    return int(status.attention > 0)


if __name__ == "__main__":
    sys.exit(main())
