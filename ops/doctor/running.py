"""Runs checks in the order of their dependencies, and turns every error into an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from ops.change_report.masking import masked
from ops.doctor.check import Check, Outcome, Result
from ops.doctor.examination import Examination, is_refused
from ops.doctor.finding import Finding, NotTriedError
from ops.errors import CommandError


def run(
    checks: Sequence[Check], examination: Examination, report: Callable[[Result], None] = lambda result: None
) -> list[Result]:
    """Run checks and return their results, in which account ids and mail addresses are masked.

    Args:
        checks: the checks; each comes after those that it needs.
        examination: what they look at.
        report: receives each result as soon as it is known.
    """
    results: dict[str, Result] = {}
    for check in checks:
        started = time.monotonic()
        result = _result(check, examination, results)
        findings = tuple(Finding(masked(each.text), each.warning) for each in result.findings)
        seconds = round(time.monotonic() - started, 3)
        results[check.id] = Result(check, result.outcome, findings, masked(result.reason), seconds)
        report(results[check.id])
    return list(results.values())


def _result(check: Check, examination: Examination, earlier: Mapping[str, Result]) -> Result:
    if examination.target.local is not None and check.aws_only:
        return Result(check, Outcome.NOT_TRIED, reason=f"the local cloud cannot answer: {check.aws_only}")
    if blocking := _blocking(check, earlier):
        return Result(check, Outcome.NOT_TRIED, reason=f"{blocking} did not pass")
    try:
        findings = tuple(check.run(examination))
    except NotTriedError as error:
        return Result(check, Outcome.NOT_TRIED, reason=str(error))
    except CommandError as error:
        return Result(check, Outcome.NOT_TRIED, reason=str(error))
    except ClientError as error:
        refusal = f"the credentials may not call {error.operation_name}" if is_refused(error) else str(error)
        return Result(check, Outcome.NOT_TRIED, reason=refusal)
    except BotoCoreError as error:
        return Result(check, Outcome.NOT_TRIED, reason=f"AWS did not respond: {error}")
    except Exception as error:  # an unexpected form of one answer must not lose the other checks
        return Result(check, Outcome.NOT_TRIED, reason=f"the check itself failed: {error!r}")
    if not findings:
        return Result(check, Outcome.OK)
    failed = any(not finding.warning for finding in findings)
    return Result(check, Outcome.FAILED if failed else Outcome.WARNING, findings)


def _blocking(check: Check, earlier: Mapping[str, Result]) -> str:
    """Return the ids of the checks that this one needs and that did not pass."""
    outcomes = {id: earlier[id].outcome for id in check.needs if id in earlier}
    return ", ".join(id for id, outcome in outcomes.items() if outcome in (Outcome.FAILED, Outcome.NOT_TRIED))


def exit_status(results: Iterable[Result]) -> int:
    """Return the exit status: 0 all is well or only warnings, 1 a check failed."""
    return int(any(result.outcome is Outcome.FAILED for result in results))
