"""Log lines of the functions in whole sentences."""

from __future__ import annotations

from typing import Any

from ops.explain.log_lines import LogLine


def sentence(line: LogLine) -> str | None:
    """Return what a log line says; None for lines that say nothing about one event or request."""
    fields = line.fields
    match fields.get("message"):
        case "request":
            return _request(fields)
        case "event published":
            return _published(fields)
        case "event queued":
            done = "queued" if fields.get("done") else "could not queue"
            return f"The {fields.get('by')} {done} the delivery of {fields.get('eventType')}."
        case "delivery task":
            result = "succeeded" if fields.get("done") else "failed; the queue repeats it"
            return f"Attempt {fields.get('attempt')} of the delivery task {result}."
        case "call":
            return _call(fields)
    if fields.get("level") in ("WARNING", "ERROR"):
        return f"{fields['level']}: {fields.get('message')}"
    return None


def _request(fields: dict[str, Any]) -> str:
    refused = f" ({fields['code']})" if fields.get("code") else ""
    return (
        f"{fields.get('userId') or 'A caller without a token'} requested {fields.get('operation')}, and got status "
        f"{fields.get('status')}{refused} after {fields.get('milliseconds')} ms; correlation id "
        f"{fields.get('correlationId')}."
    )


def _published(fields: dict[str, Any]) -> str:
    failed = fields.get("failed") or []
    reached = f"{fields.get('eventType')} was published to {fields.get('recipients', 0) - len(failed)} recipients."
    return f"{reached} The publish failed for {', '.join(failed)}." if failed else reached


def _call(fields: dict[str, Any]) -> str:
    after = ""
    if fields.get("ringMilliseconds") is not None:
        after = f" after it rang for {fields['ringMilliseconds'] / 1000:.1f} s"
    elif fields.get("durationSeconds") is not None:
        after = f" after {fields['durationSeconds']} s"
    return f"The transition {fields.get('rule')} made the call {fields.get('status')}{after}: {fields.get('outcome')}."
