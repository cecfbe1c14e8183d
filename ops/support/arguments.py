"""The arguments that every action has."""

from __future__ import annotations

import argparse


def action_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the environment, the reason and the confirmation.

    Args:
        command: name of the subcommand.
        description: what it does, and its exit codes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m ops {command}", description=description)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    parser.add_argument("--yes", action="store_true", help="do it; without it, only what would be done is printed")
    return parser
