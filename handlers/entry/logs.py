"""Log lines as JSON, one object per line, independent of the runtime's own format."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from contract.correlation import FIELD
from handlers.core.shared import correlation


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one JSON object, with the present correlation id."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        correlation_id = correlation.present()
        if correlation_id is not None:
            line[FIELD] = correlation_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        line.update(getattr(record, "fields", {}))
        try:
            return msgspec.json.encode(line, enc_hook=str).decode()
        except UnicodeEncodeError:  # text without UTF-8 form, as a client may send it: escaped
            return json.dumps(line, default=str)


def configure() -> logging.Logger:
    """Write log records from level INFO on as JSON lines, and return the functions' logger.

    The handler that the Lambda runtime has added to the root logger is kept, since it frames the lines.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stdout))
    for handler in root.handlers:
        handler.setFormatter(_JsonFormatter())
    logger = logging.getLogger("handlers")
    logger.setLevel(logging.INFO)
    return logger


def info(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log one line with additional fields."""
    logger.info(message, extra={"fields": fields})
