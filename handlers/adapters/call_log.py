"""Writes the log of calls: one log line for each transition, from which the call metrics are counted."""

from __future__ import annotations

import logging

from handlers.core.calls.ports import CallLog, CallLogEntry

_log = logging.getLogger(__name__)


class CallLogWriter(CallLog):
    """Writes entries as log lines with the message `call`.

    `stacks/monitoring/log_metrics.py` counts them by these field names.
    """

    def write(self, entry: CallLogEntry) -> None:
        fields = {
            "rule": entry.rule,
            "outcome": entry.outcome,
            "sessionId": entry.session_id,
            "status": entry.status,
            "ringMilliseconds": entry.ring_milliseconds,
            "durationSeconds": entry.duration_seconds,
            "canary": entry.is_canary or None,
        }
        _log.info("call", extra={"fields": {name: value for name, value in fields.items() if value is not None}})
