"""The change report: every finding about two revisions of an environment, and what they mean for a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ops.change_report.comparison import WHOLE, Comparison
from ops.change_report.finding import Finding, Severity
from ops.change_report.rules import behaviour, clients, costs, data, exposure, noise, refused
from ops.change_report.sources import source_of

_RULES: Final = (refused.find, data.find, exposure.find, clients.find, behaviour.find, costs.find, noise.find)


@dataclass(frozen=True)
class Report:
    """The findings about one change of an environment.

    Args:
        environment: name of the environment.
        base, head: the two revisions, as they are shown.
        findings: the findings, the most severe first.
        threshold: findings of this severity, or worse, fail the comparison; None for none of them.
        accepted: reasons for findings that are accepted in spite of the threshold, by key of the finding.
        appendix: the output of the CDK CLI.
    """

    environment: str
    base: str
    head: str
    findings: tuple[Finding, ...]
    threshold: Severity | None = None
    accepted: Mapping[str, str] | None = None
    appendix: str = ""

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of a severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)

    def reason(self, finding: Finding) -> str | None:
        """Return why a finding is accepted; None if it is not."""
        accepted = self.accepted or {}
        return accepted.get(finding.key, accepted.get(finding.rule))

    @property
    def failing(self) -> tuple[Finding, ...]:
        """Return the findings that fail the comparison."""
        if self.threshold is None:
            return ()
        return tuple(
            finding for finding in self.findings if finding.severity <= self.threshold and self.reason(finding) is None
        )

    @property
    def unused_acceptances(self) -> list[str]:
        """Return the accepted keys that no finding has."""
        known = {name for finding in self.findings for name in (finding.key, finding.rule)}
        return sorted(set(self.accepted or {}) - known)

    @property
    def summary(self) -> str:
        """Return one line: what the report found."""
        counts = [(severity, len(self.of(severity))) for severity in Severity if severity is not Severity.NOISE]
        parts = [f"{severity.title.lower()} {count}" for severity, count in counts if count]
        return f"{self.environment}: {', '.join(parts) or 'nothing that matters'} ({self.base} → {self.head})"


def find(comparison: Comparison) -> tuple[Finding, ...]:
    """Return every finding about two revisions, the most severe first.

    Every changed property of every resource is explained by a finding: what no rule knows is reported as different
    behaviour, so that no change is silent.
    """
    found = _without_repetition(finding for rule in _RULES for finding in rule(comparison))
    found = [*found, *_unexplained(comparison, found)]
    changes = {(change.stack, change.logical_id): change for change in comparison.changes}
    checkout = comparison.after.checkout or comparison.before.checkout
    located = [
        replace(finding, source=source_of(change, checkout))
        if (change := changes.get((finding.stack, finding.resource)))
        else finding
        for finding in found
    ]
    return tuple(sorted(located, key=lambda finding: (finding.severity, finding.stack, finding.resource, finding.rule)))


def _without_repetition(findings: Iterable[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))


def _unexplained(comparison: Comparison, findings: Sequence[Finding]) -> list[Finding]:
    explained: dict[tuple[str, str], set[str]] = {}
    for finding in findings:
        for logical_id in finding.resource.split(","):
            explained.setdefault((finding.stack, logical_id), set()).update(finding.properties)
    gone = {finding.stack for finding in findings if finding.rule == "clients.stack-removed"}
    rest = []
    for change in comparison.changes:
        known = explained.get((change.stack, change.logical_id), set())
        names = tuple(name for name in change.changed if name not in known)
        if names and WHOLE not in known and not (change.removed and change.stack in gone):
            rest.append(behaviour.remaining(change, names))
    return rest
