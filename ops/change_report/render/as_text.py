"""The change report for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from ops.change_report.finding import Finding, Severity
from ops.change_report.report import Report

_WIDTH: Final = 100
_COLOURS: Final = {
    Severity.REFUSED: 31,
    Severity.DATA_AT_RISK: 31,
    Severity.EXPOSED: 35,
    Severity.BREAKS_CLIENTS: 33,
    Severity.BEHAVES_DIFFERENTLY: 36,
    Severity.COSTS_DIFFERENTLY: 34,
    Severity.NOISE: 90,
}


def as_text(report: Report, *, colour: bool = False) -> str:
    """Return the report as lines of text.

    Args:
        report: the report.
        colour: use the colours of a terminal.
    """
    return "\n".join(_lines(report, colour)) + "\n"


def _lines(report: Report, colour: bool) -> Iterator[str]:
    yield f"Change report: {report.environment}, {report.base} → {report.head}"
    for severity in Severity:
        found = report.of(severity)
        if not found:
            continue
        title = f"{severity.title} ({len(found)})"
        yield ""
        yield f"\033[1;{_COLOURS[severity]}m{title}\033[0m" if colour else title
        if severity is Severity.NOISE:
            yield from _folded(found)
            continue
        yield f"  {severity.meaning}"
        for finding in found:
            yield from _finding(finding, report)
    if not report.findings:
        yield "No changes."
    yield ""
    yield from _verdict(report)


def _finding(finding: Finding, report: Report) -> Iterator[str]:
    yield from textwrap.wrap(finding.what, _WIDTH, initial_indent="  • ", subsequent_indent="    ")
    yield from textwrap.wrap(finding.why, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield from textwrap.wrap(f"→ {finding.action}", _WIDTH, initial_indent="    ", subsequent_indent="      ")
    place = ", ".join(part for part in (f"{finding.stack} {finding.resource}".strip(), finding.source) if part)
    yield f"    [{finding.rule}] {place}"
    for line in finding.details:
        yield f"      {line}"
    if reason := report.reason(finding):
        yield f"    accepted: {reason}"


def _folded(found: tuple[Finding, ...]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for finding in found:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
    yield f"  {', '.join(f'{count} {rule}' for rule, count in sorted(counts.items()))}"


def _verdict(report: Report) -> Iterator[str]:
    yield report.summary
    for key in report.unused_acceptances:
        yield f"Accepted, but there is no such finding: {key}"
    if report.threshold is None:
        return
    failing = report.failing
    if failing:
        yield (
            f"Refused: {len(failing)} findings at or above {report.threshold.option}. To accept one, with a recorded "
            f'reason: --accept "{failing[0].key}=REASON"'
        )
    else:
        yield f"Nothing at or above {report.threshold.option}."
