"""The forms of the change report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ops.change_report.finding import Finding, Severity, severity_of
from ops.change_report.masking import masked
from ops.change_report.render import FORMATS
from ops.change_report.render.as_markdown import COMMENT_LIMIT, MARKER, as_comment
from ops.change_report.report import Report


def _finding(severity: Severity, number: int = 0, details: tuple[str, ...] = ()) -> Finding:
    return Finding(
        f"rule.{number}",
        severity,
        f"What <changes> of {severity.option} {number}",
        "Why it matters.",
        "What to do.",
        "PantherKolab-Data-prod",
        f"Resource{number}",
        source="stacks/data.py:1",
        details=details,
    )


ALL = Report("prod", "v1", "v2", tuple(_finding(severity, number) for number, severity in enumerate(Severity)))


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_every_finding_stands_under_its_severity_in_the_order_of_severity(name: str) -> None:
    text = FORMATS[name](ALL)
    positions = [text.index(severity.title, text.index("prod")) for severity in Severity]
    shown = [severity for severity in Severity if severity is not Severity.NOISE]
    assert all(f"of {severity.option}" in text or severity.option in text for severity in shown)
    assert positions == sorted(positions)
    assert "stacks/data.py:1" in text


def test_json_has_every_field() -> None:
    document = json.loads(FORMATS["json"](replace(ALL, threshold=Severity.EXPOSED)))
    assert [finding["severity"] for finding in document["findings"]] == [severity.option for severity in Severity]
    assert document["failing"] == [finding.key for finding in ALL.findings[:3]]


def test_report_without_changes_says_so() -> None:
    empty = Report("prod", "v1", "v2", ())
    assert "No changes." in FORMATS["text"](empty)
    assert "No changes." in FORMATS["markdown"](empty)
    assert "nothing that matters" in FORMATS["html"](empty)


@pytest.mark.parametrize("name", ["markdown", "html"])
def test_mails_and_account_ids_are_masked(name: str) -> None:
    report = replace(ALL, findings=(_finding(Severity.EXPOSED, details=("to ana@example.edu in 123456789012",)),))
    text = FORMATS[name](report)
    assert "ana@" not in text
    assert "123456789012" not in text
    assert "to (mail) in (account)" in text


def test_hashes_and_longer_numbers_are_not_masked() -> None:
    text = "1234567890123 a123456789012b"
    assert masked(text) == text


@pytest.mark.parametrize(("findings", "details"), [(3, 10), (40, 4_000), (2_000, 50)])
def test_comment_is_never_longer_than_the_limit_and_begins_with_its_marker(findings: int, details: int) -> None:
    lines = tuple("x" * 60 for _ in range(details))
    report = replace(ALL, findings=tuple(_finding(Severity.EXPOSED, each, lines) for each in range(findings)))
    comment = as_comment(report, "https://example.edu/run")
    assert len(comment) <= COMMENT_LIMIT
    assert comment.startswith(MARKER)
    assert "https://example.edu/run" in comment
    kept = comment.count("- **What")
    assert kept == findings or f"… {findings - kept} more findings" in comment


def test_accepted_finding_does_not_fail_and_its_reason_is_recorded() -> None:
    report = replace(ALL, threshold=Severity.DATA_AT_RISK, accepted={"rule.0": "agreed with Ana", "rule.9": "old"})
    assert [finding.rule for finding in report.failing] == ["rule.1"]
    for name in ("text", "markdown", "html"):
        assert "agreed with Ana" in FORMATS[name](report)
    assert "there is no such finding: rule.9" in FORMATS["text"](report)


def test_finding_is_accepted_by_rule_stack_and_resource() -> None:
    key = "rule.0:PantherKolab-Data-prod:Resource0"
    report = replace(ALL, threshold=Severity.REFUSED, accepted={key: "reason"})
    assert report.failing == ()


def test_html_escapes_what_the_templates_say() -> None:
    assert "What &lt;changes&gt;" in FORMATS["html"](ALL)


def test_severities_have_names_for_the_command_line() -> None:
    assert [severity_of(severity.option) for severity in Severity] == list(Severity)
    with pytest.raises(ValueError, match=r"allowed: refused, data-at-risk"):
        severity_of("bad")
