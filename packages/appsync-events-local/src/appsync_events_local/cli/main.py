"""The entry point of `appsync-events-local`: serve Event APIs, evaluate one handler, or print the assumptions."""

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
    """Run the command.

    Args:
        given: the arguments; `None` takes those of the process.

    Returns:
        The exit status: 0, or 2 if the service cannot start (the reason is on stderr). For `evaluate` see its `--help`.
    """
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
        print(f"The templates cannot be served; {len(refused.problems)} problem(s):\n{refused}", file=sys.stderr)
        return 2
    except (OSError, RegistryError, TableError, ValueError) as error:
        print(f"The Events service cannot start: {error}", file=sys.stderr)
        return 2
    return 0
