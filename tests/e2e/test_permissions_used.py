"""After everything else ran on the local cloud: no role lacks a right, and none has one that nobody uses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from local.permissions.exceptions import REASONS, why_unused
from local.permissions.report import RoleReport, as_text, read_report
from local.testing import LocalCloud

pytestmark = pytest.mark.end_of_run

_SAVED_SECONDS = 2.5
"""The emulator saves what was used every second."""


@pytest.fixture
def reports(cloud: LocalCloud) -> list[RoleReport]:
    time.sleep(_SAVED_SECONDS)
    return read_report(cloud.state, why_unused)


@pytest.fixture
def whole_suite(request: pytest.FixtureRequest) -> None:
    """What is unused can be said only after every test that might use it."""
    ran = {item.path for item in request.session.items}
    left_out = sorted(path.name for path in Path(__file__).parent.glob("test_*.py") if path not in ran)
    if left_out or request.session.testsfailed:
        pytest.skip(f"not everything ran: {', '.join(left_out) or 'a test failed'}")


def test_no_role_lacks_a_right(reports: list[RoleReport]) -> None:
    missing = [right for report in reports for right in report.missing]
    assert missing == []
    assert sum(len(report.used) for report in reports) > 0


@pytest.mark.usefixtures("whole_suite")
def test_every_right_is_used_or_has_a_reason(reports: list[RoleReport]) -> None:
    unused = [right for report in reports for right in report.unused]
    assert unused == [], as_text(reports)


def test_every_reason_is_about_a_right_that_exists(reports: list[RoleReport]) -> None:
    granted = [right for report in reports for right in (*report.used, *report.unused)]
    granted += [right for report in reports for right, _ in report.excused]
    idle = [reason for reason in REASONS if not any(reason.covers(right) for right in granted)]
    assert idle == []
