"""The commands of operators: `python -m ops COMMAND`. `python -m ops COMMAND --help` describes one.

Each command is a function that takes its arguments and returns its exit code.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

COMMANDS: Final = {
    "explain": ("ops.explain.command:main", "what happened to a message or a call, what holds for a user"),
    "redrive": ("ops.support.redrive:main", "send dead letters back to their queue"),
    "end-call": ("ops.support.end_call:main", "end a call"),
    "disable-user": ("ops.support.users:disable", "disable an account"),
    "enable-user": ("ops.support.users:enable", "enable an account"),
    "sync-users": ("ops.support.users:sync", "compare the user pool with the profiles, and write the flags"),
}
"""The function of each command, and what it does. A command's module is imported when it runs."""


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<14} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(("usage: python -m ops COMMAND …", "", *lines, "", "python -m ops COMMAND --help describes one."))


def main(arguments: list[str]) -> int:
    """Run a command; return 2 where there is no such command."""
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"{name} is not a command.\n\n{usage()}", file=sys.stderr)
        return 2
    module, function = COMMANDS[name][0].split(":")
    run = getattr(importlib.import_module(module), function)
    return int(run(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
