"""What roles did: rights that were used, and needs that were refused. Kept as long as the state directory."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

from local.emulator.permissions.needs import Need
from local.emulator.permissions.policies import Verdict

_REFUSALS_MAX = 200
"""Per role; a role with more is broken beyond a list."""

Use = tuple[str, str, str]
"""Action, pattern of the action in the policy, pattern of the resource there."""


class Ledger:
    """Collects in memory; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, set[Use]] = defaultdict(set)
        self._refused: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def record(self, role: str, need: Need, verdict: Verdict) -> None:
        """Remember one decision."""
        if verdict.decision == "allowed":
            use = (need.action, verdict.action_pattern, verdict.resource_pattern)
            if use not in self._used[role]:
                with self._lock:
                    self._used[role].add(use)
        elif len(self._refused[role]) < _REFUSALS_MAX:
            with self._lock:
                self._refused[role].add((need.action, need.resource))

    def of(self, role: str) -> dict[str, Any]:
        """What one role did, as a JSON value."""
        with self._lock:
            return {
                "used": [list(use) for use in sorted(self._used.get(role, ()))],
                "refused": [list(need) for need in sorted(self._refused.get(role, ()))],
            }

    def restore(self, roles: dict[str, dict[str, Any]]) -> None:
        """Add what an earlier process recorded.

        Args:
            roles: name to what `of` returned.
        """
        with self._lock:
            for role, kept in roles.items():
                self._used[role] |= {(use[0], use[1], use[2]) for use in kept["used"]}
                self._refused[role] |= {(need[0], need[1]) for need in kept["refused"]}
