"""A check of the doctor: what it looks at, what its failure means, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ops.doctor.examination import Examination
from ops.doctor.finding import Finding


class Outcome(StrEnum):
    """What became of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_TRIED = "not tried"


Run = Callable[[Examination], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Args:
        id: `D` and three digits; it never changes. The first digit is the group.
        title: what holds if the check passes.
        looks_at: the requests that it makes, and what it compares.
        cause: what a failure means for users, and how it usually comes about.
        remedy: what to do; commands in backquotes. `{env}` stands for the name of the environment.
        run: yields a finding for each fault; raises NotTriedError if it cannot be made.
        needs: checks that must have passed before, because their failure would be reported twice.
        aws_only: why the local cloud cannot answer; empty if it can.
    """

    id: str
    title: str
    looks_at: str
    cause: str
    remedy: str
    run: Run
    needs: tuple[str, ...] = ()
    aws_only: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one check.

    Args:
        check: the check.
        outcome: whether it passed.
        findings: what is wrong.
        reason: why it was not tried.
        seconds: how long it took.
    """

    check: Check
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    seconds: float = 0.0
