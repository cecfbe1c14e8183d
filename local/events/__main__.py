"""`python -m local.events`: serve Event APIs, run one handler, or print the choices where AWS documents nothing."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from local.events import arguments, choices, evaluate
from local.events.log import LogFormat, set_up_log
from local.events.registry import RegistryError
from local.events.serving import serve
from local.events.tables import TableError
from local.events.template import TemplateRefused


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2: the service cannot start, and stderr says why)."""
    words = list(sys.argv[1:] if given is None else given)
    if words == ["choices"]:
        print(choices.as_text())
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
