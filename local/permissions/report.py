"""The permission report: what each role grants, what of it was used, what was asked for and not granted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from local.emulator.state.generations import Generations
from local.state import StateDirectory, StateError

_FILE = "permissions.json"
_BOOTSTRAP = "cdk-"
"""The CDK's own roles deploy; they are not part of what is deployed."""

WhyUnused = Callable[["Right"], str | None]


@dataclass(frozen=True)
class Right:
    """One action on one resource that a role may or wanted to do.

    Attributes:
        owner: the function, or the description of a role of another service.
        action: the action, as it is granted or was asked for.
        resource: likewise.
    """

    owner: str
    action: str
    resource: str


@dataclass
class RoleReport:
    """What one role grants and did. `excused` holds the unused rights that have a reason, with it."""

    owner: str
    used: list[Right] = field(default_factory=list)
    unused: list[Right] = field(default_factory=list)
    excused: list[tuple[Right, str]] = field(default_factory=list)
    missing: list[Right] = field(default_factory=list)


def read_report(state: StateDirectory, why: WhyUnused) -> list[RoleReport]:
    """The report on what was ever deployed and done in a state directory.

    Args:
        state: the directory; a local cloud may run on it, and is at most a second ahead.
        why: the reason for an unused right, or None.

    Raises:
        StateError: nothing was deployed there.
    """
    folder = Generations(state.emulator).current()
    if folder is None or not (folder / _FILE).exists():
        raise StateError(f"nothing is deployed in {state.root}; run `python -m local up` first")
    document = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    return report_of(document["payload"]["roles"], why)


def report_of(roles: dict[str, dict[str, Any]], why: WhyUnused) -> list[RoleReport]:
    """The report on roles as the emulator lists them (`PermissionGuard.state`)."""
    reports = []
    for name, role in roles.items():
        if name.startswith(_BOOTSTRAP):
            continue
        report = RoleReport(role["owner"] or name)
        used = {(action, resource) for _, action, resource in role["used"]}
        for _, action, resource in role["grants"]:
            right = Right(report.owner, action, resource)
            if (action, resource) in used:
                report.used.append(right)
            elif (reason := why(right)) is not None:
                report.excused.append((right, reason))
            else:
                report.unused.append(right)
        report.missing = [Right(report.owner, action, resource) for action, resource in role["refused"]]
        reports.append(report)
    return sorted(reports, key=lambda report: report.owner)


def as_text(reports: Iterable[RoleReport]) -> str:
    """The report for people."""
    lines, totals = [], {"used": 0, "unused, with a reason": 0, "unused": 0, "missing": 0}
    for report in reports:
        lines.append(report.owner)
        for kind, rights in (
            ("used", [(right, "") for right in report.used]),
            ("unused, with a reason", report.excused),
            ("unused", [(right, "") for right in report.unused]),
            ("missing", [(right, "") for right in report.missing]),
        ):
            totals[kind] += len(rights)
            mark = {"used": "+", "unused, with a reason": "o", "unused": "-", "missing": "!"}[kind]
            lines += [f"  {mark} {_shown(right)}{f'  ({reason})' if reason else ''}" for right, reason in rights]
    legend = "+ used   o not used, with a reason   - not used   ! asked for and not granted"
    counted = ", ".join(f"{count} {kind}" for kind, count in totals.items())
    return "\n".join([*lines, "", legend, counted])


def _shown(right: Right) -> str:
    parts = right.resource.split(":", 5)
    return f"{right.action:<30} {parts[-1]}"
