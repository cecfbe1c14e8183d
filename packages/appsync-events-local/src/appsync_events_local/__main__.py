"""`python -m appsync_events_local`: serve Event APIs, evaluate one handler, or print the assumptions."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from appsync_events_local import assumptions
from appsync_events_local.cli import arguments, evaluate
from appsync_events_local.cli.serving import serve
from appsync_events_local.cli.tables import TableError
from appsync_events_local.observability.log import LogFormat, set_up_log
from appsync_events_local.registry.store import RegistryError
from appsync_events_local.template import TemplateRefused


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: the service cannot start, and stderr says why)."""
    words = list(sys.argv[1:] if given is None else given)
    if words == ["assumptions"]:
        print(assumptions.as_text())
        return 0
    if words[:1] == ["evaluate"]:
        return evaluate.main(words[1:])
    return _serve(arguments.parse(words))


def _serve(options: argparse.Namespace) -> int:
    set_up_log(options.log_level, LogFormat(options.log_format))
    try:
        asyncio.run(serve(options))
    except TemplateRefused as refused:
        print(f"These templates cannot be served, for {len(refused.problems)} reason(s):\n{refused}", file=sys.stderr)
        return 2
    except (OSError, RegistryError, TableError, ValueError) as error:
        print(f"The Events service cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
