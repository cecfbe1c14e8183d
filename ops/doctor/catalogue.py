"""Every check, by group, in the order in which they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ops.doctor.check import Check
from ops.doctor.checks import (
    account,
    delivery,
    event_api,
    functions,
    http_api,
    identity,
    live,
    monitoring,
    network,
    permissions,
    stacks,
    tables,
)
from ops.errors import CommandError

_MODULES: Final = (
    *(account, stacks, network, functions, permissions, tables, delivery),
    *(event_api, identity, http_api, live, monitoring),
)
CHECKS: Final[tuple[Check, ...]] = tuple(check for module in _MODULES for check in module.CHECKS)
GROUPS: Final[Mapping[str, str]] = {
    "D1": "Account",
    "D2": "Stacks and names",
    "D3": "Functions and permissions",
    "D4": "Tables",
    "D5": "Delivery",
    "D6": "Event API",
    "D7": "User pool and tokens",
    "D8": "HTTP API",
    "D9": "Alarms, logs and metrics",
}
"""The groups, by the beginning of their checks' ids."""


def group(check: Check) -> str:
    """Return the name of a check's group."""
    return GROUPS[check.id[:2]]


def selected(ids: Iterable[str]) -> Sequence[Check]:
    """Return the checks with these ids and those that they need, in the order in which they run; or all of them.

    Args:
        ids: ids of checks, or the beginning of an id, for example `D5`; empty for all checks.

    Raises:
        CommandError: no check has an id.
    """
    wanted = {id.upper() for id in ids}
    if not wanted:
        return CHECKS
    for id in wanted:
        if not any(check.id.startswith(id) for check in CHECKS):
            raise CommandError(f"There is no check {id}. To list all: python -m ops.doctor --list")
    chosen = {check.id for check in CHECKS if check.id.startswith(tuple(wanted))}
    for check in reversed(CHECKS):
        if check.id in chosen:
            chosen |= set(check.needs)
    return [check for check in CHECKS if check.id in chosen]
