"""The result of a run: for a terminal, and as JSON."""

from __future__ import annotations

import datetime
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ops.doctor.catalogue import group
from ops.doctor.check import Check, Outcome, Result

_WIDTH: Final = 110
_MARKS: Final = {Outcome.OK: "✓", Outcome.WARNING: "!", Outcome.FAILED: "✗", Outcome.NOT_TRIED: "-"}


@dataclass(frozen=True)
class Report:
    """The results of one run.

    Args:
        environment, region: what was looked at.
        at: when.
        results: the results, in the order of the checks.
    """

    environment: str
    region: str
    at: datetime.datetime
    results: Sequence[Result]

    def of(self, outcome: Outcome) -> list[Result]:
        """Return the results with an outcome."""
        return [result for result in self.results if result.outcome is outcome]

    @property
    def summary(self) -> str:
        """Return one sentence: whether the environment is in order, and the number of checks by outcome."""
        counts = ", ".join(f"{len(self.of(outcome))} {outcome}" for outcome in Outcome)
        if failed := self.of(Outcome.FAILED):
            return f"{len(failed)} of {len(self.results)} checks failed ({counts})."
        if self.of(Outcome.WARNING):
            return f"No check failed; there are warnings ({counts})."
        return f"No check failed ({counts})."


def remedy_of(check: Check, environment: str) -> str:
    """Return the remedy of a check in an environment."""
    return check.remedy.replace("{env}", environment)


def as_text(report: Report, *, verbose: bool = False) -> str:
    """Return the report for a terminal: what failed, the warnings, what was not tried, and the summary.

    Args:
        report: the report.
        verbose: also show every check that passed.
    """
    lines = [f"{report.environment} ({report.region}), {report.at:%Y-%m-%d %H:%M} UTC"]
    heading = ""
    for result in sorted(report.results, key=lambda each: each.check.id):
        if not verbose and result.outcome in (Outcome.OK, Outcome.NOT_TRIED):
            continue
        if heading != (heading := group(result.check)):
            lines += ["", heading]
        lines += _lines(result, report.environment)
    if not verbose and (skipped := report.of(Outcome.NOT_TRIED)):
        lines += ["", f"{len(skipped)} checks were not tried; --verbose shows why."]
    return "\n".join([*lines, "", report.summary]) + "\n"


def _lines(result: Result, environment: str) -> list[str]:
    lines = _wrapped(f"  {_MARKS[result.outcome]} {result.check.id} {result.check.title}")
    if result.outcome is Outcome.NOT_TRIED:
        return [*lines, *_wrapped(f"      not tried because {result.reason}")]
    for finding in result.findings:
        lines += _wrapped(f"      {'warning: ' if finding.warning else ''}{finding.text}")
    if result.findings:
        lines += _wrapped(f"      cause: {result.check.cause}")
        lines += _wrapped(f"      do: {remedy_of(result.check, environment)}")
        lines.append(f"      more: docs/reference/doctor.md#{result.check.id.lower()}")
    return lines


def _wrapped(text: str) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(text, _WIDTH, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)


def as_json(report: Report) -> str:
    """Return the report as JSON, one object for each check."""
    document = {
        "environment": report.environment,
        "region": report.region,
        "at": report.at.isoformat(),
        "failed": [result.check.id for result in report.of(Outcome.FAILED)],
        "checks": [
            {
                "id": each.check.id,
                "group": group(each.check),
                "title": each.check.title,
                "outcome": str(each.outcome),
                "findings": [{"text": one.text, "warning": one.warning} for one in each.findings],
                "reason": each.reason,
                "cause": each.check.cause if each.findings else "",
                "remedy": remedy_of(each.check, report.environment) if each.findings else "",
                "seconds": each.seconds,
            }
            for each in report.results
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
