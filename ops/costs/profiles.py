"""Profiles: how many people use the application, and how, from `ops/costs/profiles.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("profiles.toml")


@dataclass(frozen=True)
class Profile:
    """A number of users, and what they do; the file explains each assumption.

    Args:
        name: name on the command line.
        title: name in reports.
        users: users who are active in the month.
        assumptions: the assumptions by name.
    """

    name: str
    title: str
    users: int
    assumptions: Mapping[str, float]

    def each(self, name: str) -> float:
        """Return an assumption.

        Raises:
            KeyError: there is no such assumption.
        """
        return self.assumptions[name]

    def monthly(self, name: str) -> float:
        """Return how often all users together do something in a month, from its number a user and active day."""
        return self.users * self.each("active_days") * self.each(name)


@cache
def profiles() -> Mapping[str, Profile]:
    """Return the profiles by name."""
    found: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    common = found["assumptions"]
    return {
        name: Profile(name, each["title"], each["users"], {**common, **_changed(name, each, common)})
        for name, each in found["profiles"].items()
    }


def _changed(name: str, profile: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in profile.items() if key not in ("title", "users")}
    if unknown := changed.keys() - common.keys():
        raise ValueError(f"profiles.toml, {name}: unknown assumptions: {', '.join(sorted(unknown))}")
    return changed
