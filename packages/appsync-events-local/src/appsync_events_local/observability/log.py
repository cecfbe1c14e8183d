"""The log of the service, as text (one line per record, coloured on a terminal) or as JSON (one object per record).

Records may have an attribute `about`, a dict of fields such as `api`, `channel` and `operation`; the JSON format adds
them.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

COLOURS: Final = {
    logging.DEBUG: "\x1b[2m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[31m",
}
PALE: Final = "\x1b[2m"
PLAIN: Final = "\x1b[0m"
_CONTROL_CHARACTERS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}
"""Escaped in text, because clients could use them to move a terminal's cursor or to forge a line of the log."""


class LogFormat(StrEnum):
    """The formats of the log."""

    TEXT = "text"
    JSON = "json"


class TextFormatter(logging.Formatter):
    """`23:59:59.999 WARNING text`, then a traceback if there is one.

    Args:
        colour: whether levels are coloured.
    """

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        text = record.getMessage().translate(_CONTROL_CHARACTERS)
        level = f"{record.levelname:<7}"
        if self._colour:
            colour = COLOURS.get(record.levelno, "")
            line = f"{PALE}{at}{PLAIN} {colour}{level} {text}{PLAIN}"
        else:
            line = f"{at} {level} {text}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", ...}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one JSON object on one line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def set_up_log(level: str, form: LogFormat, stream: TextIO = sys.stderr) -> None:
    """Write the log of this process to a stream only.

    Args:
        level: the lowest level that is written.
        form: see `LogFormat`.
        stream: text is coloured if this is a terminal and the environment variable `NO_COLOR` is not set.
    """
    colour = stream.isatty() and not os.environ.get("NO_COLOR")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else TextFormatter(colour=colour))
    logging.basicConfig(level=level, handlers=[handler], force=True)
