"""The change report as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from ops.change_report.finding import Finding
from ops.change_report.report import Report


def as_json(report: Report) -> str:
    """Return the report as a JSON document."""
    document = {
        "environment": report.environment,
        "base": report.base,
        "head": report.head,
        "summary": report.summary,
        "threshold": report.threshold.option if report.threshold is not None else None,
        "failing": [finding.key for finding in report.failing],
        "findings": [_finding(finding, report) for finding in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "key": finding.key,
        "severity": finding.severity.option,
        "what": finding.what,
        "why": finding.why,
        "action": finding.action,
        "stack": finding.stack,
        "resource": finding.resource,
        "properties": list(finding.properties),
        "source": finding.source,
        "details": list(finding.details),
        "accepted": report.reason(finding),
    }
