"""The log lines that the functions write in a test, and how CloudWatch Logs gets them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from handlers.entry import logs


class LogLines:
    """The log lines of the functions, in their order."""

    def __init__(self, written: io.StringIO) -> None:
        self._written = written

    @classmethod
    @contextmanager
    def recorded(cls) -> Iterator[LogLines]:
        """Record the lines of a block, formatted as in Lambda."""
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        handler.addFilter(lambda record: record.name.startswith("handlers"))
        root = logging.getLogger()
        root.addHandler(handler)
        logs.configure()
        try:
            yield cls(written)
        finally:
            root.removeHandler(handler)

    def all(self, message: str | None = None) -> list[dict[str, Any]]:
        """Return the lines, or those with one message."""
        lines = [json.loads(line) for line in self._written.getvalue().splitlines()]
        return [line for line in lines if message in (None, line["message"])]

    def clear(self) -> None:
        """Forget the lines."""
        self._written.seek(0)
        self._written.truncate()

    def ship(self, client: Any, group: str, at: int) -> None:
        """Write the lines into a log group, as Lambda does, and forget them.

        Args:
            client: of CloudWatch Logs.
            group: name of the log group, which is created where it does not exist.
            at: milliseconds since the epoch of every line.
        """
        texts = self._written.getvalue().splitlines()
        if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName="test")
        events = [{"timestamp": at, "message": text} for text in texts]
        if events:
            client.put_log_events(logGroupName=group, logStreamName="test", logEvents=events)
        self.clear()
