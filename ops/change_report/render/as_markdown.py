"""The change report as Markdown: the full page, and a comment that fits the limit of GitHub."""

from __future__ import annotations

from collections.abc import Iterator

from ops.change_report.finding import Finding, Severity
from ops.change_report.masking import masked
from ops.change_report.report import Report
from ops.pull_requests.comment import COMMENT_LIMIT, MARKER


def as_markdown(report: Report) -> str:
    """Return the full report, with the output of the CDK CLI as an appendix; mails and account ids are masked."""
    lines = [*_head(report), *_sections(report, details=True)]
    if report.appendix:
        lines += [
            "",
            "<details><summary>Output of the CDK CLI</summary>",
            "",
            *_code(report.appendix),
            "",
            "</details>",
        ]
    return masked("\n".join(lines)) + "\n"


def as_comment(report: Report, full_text: str = "", limit: int = COMMENT_LIMIT) -> str:
    """Return a comment of at most 65,000 characters; mails and account ids are masked.

    Args:
        report: the report.
        full_text: where the full report is, for example the address of an artifact.
        limit: characters of the comment.
    """
    note = f"\n\nFull report: {full_text}" if full_text else "\n\nThe full report is an artifact of this run."
    for details in (True, False):
        text = masked("\n".join([*_head(report), *_sections(report, details=details)])) + note
        if len(text) < limit:
            return text + "\n"
    return _shortened(report, note, limit)


def _shortened(report: Report, note: str, limit: int) -> str:
    tail = f"\n\n… {{}} more findings.{note}\n"
    lines = [*_head(report), *_sections(report, details=False)]
    remaining = limit - len(tail) - 20
    kept: list[str] = []
    for line in lines:
        shown = masked(line)[:2_000]
        if len(shown) + 1 > remaining:
            break
        remaining -= len(shown) + 1
        kept.append(shown)
    left = sum(line.startswith("- **") for line in lines) - sum(line.startswith("- **") for line in kept)
    return "\n".join(kept) + tail.format(left)


def _head(report: Report) -> Iterator[str]:
    yield MARKER
    yield f"## Change report: {report.environment}"
    yield ""
    yield f"`{report.base}` → `{report.head}`"
    yield ""
    counted = [(severity, len(report.of(severity))) for severity in Severity]
    if not any(count for _, count in counted):
        yield "✅ No changes."
        return
    yield "| severity | findings |"
    yield "| --- | --- |"
    yield from (f"| {severity.title} | {count} |" for severity, count in counted if count)
    yield ""
    if report.threshold is None:
        return
    if report.failing:
        yield f"❌ **Refused**: {len(report.failing)} findings at or above `{report.threshold.option}`."
    else:
        yield f"✅ Nothing at or above `{report.threshold.option}` that is not accepted."


def _sections(report: Report, *, details: bool) -> Iterator[str]:
    for severity in Severity:
        found = report.of(severity)
        if not found:
            continue
        yield ""
        yield f"### {severity.title}"
        yield ""
        if severity is Severity.NOISE:
            yield f"{len(found)} changes of texts, orders and hashes, without an effect."
            continue
        yield severity.meaning
        yield ""
        for finding in found:
            yield from _finding(finding, report, details=details)


def _finding(finding: Finding, report: Report, *, details: bool) -> Iterator[str]:
    yield f"- **{_escaped(finding.what)}** {_escaped(finding.why)} *{_escaped(finding.action)}*"
    place = " ".join(part for part in (finding.stack, finding.resource) if part)
    where = ", ".join(f"`{part}`" for part in (finding.rule, place, finding.source) if part)
    yield f"  {where}"
    if reason := report.reason(finding):
        yield f"  Accepted: {_escaped(reason)}"
    if details and finding.details:
        yield ""
        yield from (f"  {line}" for line in _code("\n".join(finding.details)))


def _escaped(text: str) -> str:
    for character in "<>*_`[]|":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return text


def _code(text: str) -> list[str]:
    fence = "````" if "```" in text else "```"
    return [fence, *text.strip().splitlines(), fence]
