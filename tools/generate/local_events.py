"""Generates the tables of the Events service's page: its flags, and its assumptions where AWS documents nothing."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appsync_events_local import assumptions
from appsync_events_local.cli.arguments import PROGRAM, parser

PAGE: Final = Path(__file__).resolve().parents[2] / "packages" / "appsync-events-local" / "docs" / "service.md"
_PART: Final = re.compile(
    r"<!-- (?P<name>[a-z]+): written by [^\n]*-->\n.*?(?P<end><!-- end of (?P=name) -->)", re.DOTALL
)


def page() -> str:
    """Return the page with its generated tables.

    Raises:
        ValueError: the page lacks a table, or has an unknown one.
    """
    text = PAGE.read_text(encoding="utf-8")
    found = {match["name"] for match in _PART.finditer(text)}
    if found != set(_TABLES):
        raise ValueError(
            f"{PAGE.name} must have the parts {', '.join(sorted(_TABLES))}, not {', '.join(sorted(found))}"
        )
    return _PART.sub(_generated, text)


def _generated(part: re.Match[str]) -> str:
    name = part["name"]
    return f"<!-- {name}: written by `make generate` -->\n{_TABLES[name]()}{part['end']}"


def _flags() -> str:
    rows = ["| flag | meaning |", "| --- | --- |"]
    for action in parser()._actions:
        if action.option_strings and action.help is not argparse.SUPPRESS:
            name = " ".join([action.option_strings[-1], *_placeholder(action)])
            rows.append(f"| `{_cell(name)}` | {_cell(_help(action))} |")
    return "\n".join(rows) + "\n"


def _placeholder(action: argparse.Action) -> list[str]:
    if action.nargs == 0:
        return []
    if action.choices is not None:
        return ["{" + ",".join(str(choice) for choice in action.choices) + "}"]
    return [str(action.metavar or action.dest.upper())]


def _help(action: argparse.Action) -> str:
    values = {"default": action.default, "prog": PROGRAM}
    return (action.help or "") % values


def _behaviour() -> str:
    rows = ["| name | question | behaviour | reason |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{each.id}` | {_cell(each.question)} | {_cell(each.behaviour)} | {_cell(each.reason)} |"
        for each in assumptions.all_assumptions()
    ]
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_TABLES: Final[dict[str, Callable[[], str]]] = {"flags": _flags, "behaviour": _behaviour}
