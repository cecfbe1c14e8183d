"""The correlation id: one id in every log line and record that a request causes.

It is the request's id from API Gateway, or the header `x-correlation-id` of the client. Every response has it in that
header. A user who reports a problem can name it, and `python -m ops explain` finds the log lines that have it.
"""

from __future__ import annotations

import re
from typing import Final

HEADER: Final = "x-correlation-id"
"""Header of requests and responses."""
FIELD: Final = "correlationId"
"""Name in log lines, outbox records and queue messages."""
CHARACTERS_MIN: Final = 8
"""Fewest characters of a client's id: a shorter one is not unique. Such an id is ignored, and the request's is used."""
CHARACTERS_MAX: Final = 64
"""Most characters of a client's id. A longer one could raise the write units of an outbox record."""

_VALID: Final = re.compile(rf"[A-Za-z0-9._=-]{{{CHARACTERS_MIN},{CHARACTERS_MAX}}}")


def is_valid(correlation_id: str) -> bool:
    """Return whether a client's id is used: letters, digits, dots, underscores, equals signs and dashes."""
    return _VALID.fullmatch(correlation_id) is not None
