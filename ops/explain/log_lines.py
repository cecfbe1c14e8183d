"""Finds log lines of the functions in CloudWatch Logs (FilterLogEvents), by a correlation id or another id."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from stacks.naming import Names

DELIVERY: Final = ("relay", "deliver", "sweep")
"""The functions that deliver events after the request."""
_LINES_MAX: Final = 300
"""Most lines of one log group in one search."""
_PAGES_MAX: Final = 40
"""Most requests for one log group in one search: a page of a large log may hold no line that matches."""


class LogLine(msgspec.Struct, frozen=True):
    """One log line.

    Args:
        at: milliseconds since the epoch.
        function: the function that wrote it.
        fields: the JSON object of the line.
    """

    at: int
    function: str
    fields: dict[str, Any]

    @property
    def date(self) -> str:
        """Return the time as an ISO date."""
        return iso(self.at)


def iso(milliseconds: int) -> str:
    """Return an ISO date in UTC with milliseconds."""
    date = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(date: str) -> int:
    """Return the milliseconds since the epoch of an ISO date."""
    return round(datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp() * 1000)


class LogReader:
    """Searches the log groups of an environment's functions.

    Args:
        client: a botocore client of CloudWatch Logs.
        environment: name of the environment.

    Attributes:
        problems: why a log group could not be searched, or not to its end, by name.
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._names = Names(environment)
        self.problems: dict[str, str] = {}

    def find(self, functions: Iterable[str], terms: Iterable[str], start: int, end: int) -> list[LogLine]:
        """Return the lines that contain all terms, oldest first.

        Args:
            functions: names of functions as in `handlers.settings`.
            terms: texts, each of which a line must contain.
            start, end: milliseconds since the epoch.
        """
        pattern = " ".join(f'"{_escaped(term)}"' for term in terms)
        lines = [line for function in functions for line in self._group(function, pattern, start, end)]
        return sorted(lines, key=lambda line: line.at)

    def _group(self, function: str, pattern: str, start: int, end: int) -> list[LogLine]:
        group = self._names.function_log_group(function)
        request = {"logGroupName": group, "filterPattern": pattern, "startTime": start, "endTime": end}
        lines: list[LogLine] = []
        for _ in range(_PAGES_MAX):
            try:
                page = self._client.filter_log_events(**request)
            except (ClientError, BotoCoreError) as error:
                self.problems[group] = f"the log group {group}: {error}"
                return lines
            found = (_line(function, each) for each in page["events"])
            lines += [line for line in found if line is not None]
            if not page.get("nextToken") or len(lines) >= _LINES_MAX:
                return lines
            request["nextToken"] = page["nextToken"]
        self.problems[group] = f"the log group {group} to its end: it is large; narrow the time with --hours"
        return lines


def _line(function: str, event: dict[str, Any]) -> LogLine | None:
    """Return a line of the function; None for lines of the runtime, which are no JSON."""
    text = event["message"]
    try:
        fields = json.loads(text[text.index("{") :])
        if isinstance(fields, dict) and str(fields.get("message", "")).startswith("{"):
            fields = json.loads(fields["message"])  # the runtime's JSON object around the function's own
    except ValueError:
        return None
    return LogLine(event["timestamp"], function, fields) if isinstance(fields, dict) else None


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace('"', '\\"')
