"""Fixtures of the tests of ops.doctor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from ops.deployed.target import Target, local_target
from ops.doctor.__main__ import examine
from ops.doctor.check import Outcome
from ops.doctor.examination import Question
from ops.doctor.report import Report
from stacks.config.load import load

Examine = Callable[..., Report]


def target_of(cloud: LocalCloud) -> Target:
    """Return the target of a running local cloud."""
    keys = CredentialStore(cloud.state.credentials_file).operator().environment()
    return local_target(load("local"), cloud.document, keys)


@pytest.fixture(scope="module")
def target(session_cloud: LocalCloud) -> Target:
    """The local cloud of this test run."""
    return target_of(session_cloud)


def fresh(target: Target) -> Target:
    """Forget what was read; the clients stay, and the stacks, which no fault changes."""
    target._answers.clear()
    return target


def reported(report: Report) -> set[str]:
    """Return the checks that failed or warned."""
    return {each.check.id for each in report.results if each.outcome in (Outcome.FAILED, Outcome.WARNING)}


def look(target: Target, question: Question | None = None, only: tuple[str, ...] = ()) -> Report:
    """Make the checks that only read, or those of a question."""
    return examine(fresh(target), question or Question(with_user=False), only)
