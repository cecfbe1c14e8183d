"""After every other test of the local cloud: no role lacks a permission, and none has an unused one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from local.permissions.exceptions import REASONS, why_unused
from local.permissions.report import RoleReport, as_text, read_report
from local.testing import LocalCloud

pytestmark = pytest.mark.end_of_run

_SAVED_SECONDS = 2.5
"""The emulator saves the used permissions every second."""


@pytest.fixture
def reports(cloud: LocalCloud) -> list[RoleReport]:
    time.sleep(_SAVED_SECONDS)
    return read_report(cloud.state, why_unused)


@pytest.fixture
def whole_suite(request: pytest.FixtureRequest) -> None:
    """Skips unless every other module ran and passed: only then is an unused permission certain."""
    ran = {item.path for item in request.session.items}
    not_run = sorted(path.name for path in Path(__file__).parent.glob("test_*.py") if path not in ran)
    if not_run or request.session.testsfailed:
        pytest.skip(f"the suite is incomplete: {', '.join(not_run) or 'a test failed'}")


def test_no_role_lacks_a_permission(reports: list[RoleReport]) -> None:
    missing = [permission for report in reports for permission in report.missing]
    assert missing == []
    assert sum(len(report.used) for report in reports) > 0


@pytest.mark.usefixtures("whole_suite")
def test_every_permission_is_used_or_has_a_reason(reports: list[RoleReport]) -> None:
    unused = [permission for report in reports for permission in report.unused]
    assert unused == [], as_text(reports)


def test_every_reason_is_about_an_existing_permission(reports: list[RoleReport]) -> None:
    granted = [permission for report in reports for permission in (*report.used, *report.unused)]
    granted += [permission for report in reports for permission, _ in report.excused]
    unneeded = [reason for reason in REASONS if not any(reason.covers(permission) for permission in granted)]
    assert unneeded == []
