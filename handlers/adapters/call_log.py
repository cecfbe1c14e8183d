"""The journal of calls: one log line a step, from which the metrics of the ring funnel are counted."""

from __future__ import annotations

import logging

from handlers.core.calls.ports import CallLogEntry

_log = logging.getLogger(__name__)


class CallLogWriter:
    """Writes steps down (`handlers.core.calls.ports.Journal`) as lines with the message `call`.

    `stacks/monitoring/call_metrics.py` counts them by these field names.
    """

    def note(self, note: CallLogEntry) -> None:
        """Write one step down."""
        fields = {
            "rule": note.rule,
            "outcome": note.outcome,
            "sessionId": note.session_id,
            "status": note.status,
            "ringMilliseconds": note.ring_milliseconds,
            "durationSeconds": note.duration_seconds,
        }
        kept = {name: value for name, value in fields.items() if value is not None}
        _log.info("call", extra={"fields": kept})
