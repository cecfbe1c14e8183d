"""Compares demand with quotas: what breaks first, and at how many users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ops.capacity.demand import demand
from ops.capacity.quotas import Quota, quotas
from ops.costs.profiles import Profile

_SMALLEST, _GREATEST = 10, 1_000_000_000


@dataclass(frozen=True)
class Use:
    """The use of one quota by a profile, in its busiest second.

    Args:
        quota: the quota.
        needed: what the profile needs.
    """

    quota: Quota
    needed: float

    @property
    def share(self) -> float:
        """Return the share of the quota that is used; above 1 it does not suffice."""
        return self.needed / self.quota.value


def uses(profile: Profile) -> list[Use]:
    """Return the use of every quota, the scarcest first."""
    needed = demand(profile)
    found = [Use(quota, float(getattr(needed, quota.demand))) for quota in quotas()]
    return sorted(found, key=lambda use: -use.share)


def users_at(profile: Profile, quota: Quota) -> int | None:
    """Return the number of users whose busiest second uses up a quota; None if no number does."""

    def share(users: int) -> float:
        return float(getattr(demand(replace(profile, users=users)), quota.demand)) / quota.value

    if share(_GREATEST) < 1:
        return None
    low, high = _SMALLEST, _GREATEST
    while high / low > 1.001 and high - low > 1:
        middle = int((low * high) ** 0.5)
        low, high = (middle, high) if share(middle) < 1 else (low, middle)
    return high


def _rounded(users: int | None) -> str:
    if users is None:
        return "no number of users"
    digits = 10 ** max(0, len(str(users)) - 2)
    return f"{users // digits * digits:,} users"


def as_markdown(profiles: Sequence[Profile]) -> str:
    """Return the table: each quota with its use by each profile, and the users at which it breaks."""
    heads = "".join(f" {profile.title} |" for profile in profiles)
    lines = [
        f"| what | most | breaks at about |{heads}",
        "| --- | ---: | ---: |" + " ---: |" * len(profiles),
    ]
    order = sorted(quotas(), key=lambda quota: users_at(profiles[0], quota) or _GREATEST)
    for quota in order:
        shares = "".join(f" {_share(use_of(profile, quota).share)} |" for profile in profiles)
        title = f"{quota.title} ({'our own' if quota.ours else 'AWS raises it' if quota.adjustable else 'fixed'})"
        lines.append(
            f"| {title} | {quota.value:,.0f} {quota.unit} | {_rounded(users_at(profiles[0], quota))} |{shares}"
        )
    return "\n".join(lines) + "\n"


def use_of(profile: Profile, quota: Quota) -> Use:
    """Return the use of one quota."""
    return next(use for use in uses(profile) if use.quota is quota)


def _share(share: float) -> str:
    text = f"{share:.0%}" if share < 10 else f"{share:,.0f} x"
    return f"**{text}**" if share > 1 else text


def remedies() -> str:
    """Return the table of what users see above each quota, and what to do."""
    lines = ["| what | users see | what to do | source |", "| --- | --- | --- | --- |"]
    lines += [f"| {quota.title} | {quota.effect} | {quota.remedy} | {quota.source} |" for quota in quotas()]
    return "\n".join(lines) + "\n"
