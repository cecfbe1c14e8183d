"""The change report as one HTML page without scripts or further files."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from ops.change_report.finding import Finding, Severity
from ops.change_report.masking import masked
from ops.change_report.report import Report

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2rem; border-bottom: 1px solid currentColor; }
article { margin: 1rem 0; padding: .5rem 1rem; border-left: .3rem solid var(--mark, gray); }
.refused, .data-at-risk { --mark: #c62828; } .exposed { --mark: #8e24aa; } .breaks-clients { --mark: #ef6c00; }
.behaves-differently { --mark: #00838f; } .costs-differently { --mark: #1565c0; } .noise { --mark: #777; }
pre { overflow-x: auto; background: color-mix(in srgb, currentColor 8%, transparent); padding: .5rem; }
pre, .where { font-size: .85rem; }
.where { opacity: .8; } table { border-collapse: collapse; }
td, th { padding: .2rem .8rem; text-align: left; }
"""


def as_html(report: Report) -> str:
    """Return the report as a page; mails and account ids are masked."""
    return masked("\n".join(_lines(report))) + "\n"


def _lines(report: Report) -> Iterator[str]:
    title = escape(f"Change report: {report.environment}")
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
    yield f"<p><code>{escape(report.base)}</code> → <code>{escape(report.head)}</code></p>"
    yield f"<p>{escape(report.summary)}</p>"
    if report.threshold is not None:
        failing = len(report.failing)
        yield f"<p><strong>{f'Refused: {failing} findings' if failing else 'Nothing'} at or above "
        yield f"{escape(report.threshold.option)}.</strong></p>"
    yield "<table><tr><th>severity</th><th>findings</th></tr>"
    for severity in Severity:
        if found := report.of(severity):
            yield f'<tr><td><a href="#{severity.option}">{escape(severity.title)}</a></td><td>{len(found)}</td></tr>'
    yield "</table>"
    for severity in Severity:
        yield from _section(report, severity)
    if report.appendix:
        yield f"<details><summary>Output of the CDK CLI</summary><pre>{escape(report.appendix)}</pre></details>"
    yield "</body></html>"


def _section(report: Report, severity: Severity) -> Iterator[str]:
    found = report.of(severity)
    if not found:
        return
    yield f'<h2 id="{severity.option}">{escape(severity.title)}</h2><p>{escape(severity.meaning)}</p>'
    if severity is Severity.NOISE:
        yield f"<details><summary>{len(found)} changes</summary>"
    for finding in found:
        yield from _finding(finding, report)
    if severity is Severity.NOISE:
        yield "</details>"


def _finding(finding: Finding, report: Report) -> Iterator[str]:
    yield f'<article class="{finding.severity.option}"><strong>{escape(finding.what)}</strong>'
    yield f"<p>{escape(finding.why)} <em>{escape(finding.action)}</em></p>"
    if finding.details:
        yield f"<pre>{escape(chr(10).join(finding.details))}</pre>"
    if reason := report.reason(finding):
        yield f"<p>Accepted: {escape(reason)}</p>"
    place = " · ".join(part for part in (finding.rule, finding.stack, finding.resource, finding.source) if part)
    yield f'<p class="where">{escape(place)}</p></article>'
