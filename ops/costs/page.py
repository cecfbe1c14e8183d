"""Estimates as text and Markdown: the bill by service, for a user and for a thousand messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ops.costs.estimate import Estimate
from ops.costs.prices import prices
from ops.costs.profiles import Profile

IDLE_BUDGET = 3.0
"""Dollars a month that an environment without users may cost."""


def as_text(title: str, profile: Profile, estimate: Estimate, free: str) -> str:
    """Return the bill of one profile for a terminal."""
    return "\n".join(_lines(title, profile, estimate, free)) + "\n"


def _lines(title: str, profile: Profile, estimate: Estimate, free: str) -> Iterator[str]:
    yield f"Costs of {title} a month: {profile.title}, free tier: {free}"
    yield f"Prices of {prices()['date']}, {prices()['region']}, in US dollars"
    yield ""
    for service, dollars in estimate.by_service.items():
        yield f"  {service:<16}{dollars:>14,.2f} $"
        for line in estimate.lines:
            if line.service == service and line.used:
                name = line.quantity.replace("_", " ")
                reduced = f", {line.free:,.0f} free" if line.free else ""
                yield f"    {name:<30}{line.used:>18,.2f} x {line.price:.10g} ={line.dollars:>12,.2f} ${reduced}"
    yield f"  {'total':<16}{estimate.total:>14,.2f} $"
    yield f"  {'without calls':<16}{estimate.without_calls:>14,.2f} $"
    if profile.users:
        yield f"  for a user       {estimate.total / profile.users:>13,.4f} $"
    if estimate.usage.messages:
        yield f"  for 1,000 messages, without calls {1000 * estimate.without_calls / estimate.usage.messages:>10,.4f} $"
        yield from _channels(estimate)
    elif estimate.total > IDLE_BUDGET:
        yield f"  More than {IDLE_BUDGET:.0f} $ without users: see docs/explanation/cost.md for what to switch off."


def _channels(estimate: Estimate) -> Iterator[str]:
    price = prices()["appsync"]["operation"]
    users, conversations = estimate.usage.appsync_operations, estimate.usage.appsync_operations_by_conversation
    yield (
        f"  AppSync operations: {users * price:,.2f} $ with a channel for each user, "
        f"{conversations * price:,.2f} $ with a channel for each conversation"
    )


def as_markdown(estimates: Mapping[str, tuple[Profile, Estimate]]) -> str:
    """Return a table of several profiles."""
    columns = list(estimates.values())
    services = sorted({service for _, each in columns for service in each.by_service})
    thousand = [_share(1000 * each.without_calls, each.usage.messages) for _, each in columns]
    rows = {
        **{service: [f"{each.by_service[service]:,.2f}" for _, each in columns] for service in services},
        "**total**": [f"{each.total:,.2f}" for _, each in columns],
        "without calls": [f"{each.without_calls:,.2f}" for _, each in columns],
        "for a user": [_share(each.total, profile.users) for profile, each in columns],
        "for 1,000 messages, without calls": thousand,
    }
    head = [f"| dollars a month | {' | '.join(profile.title for profile, _ in columns)} |"]
    head.append(f"| --- |{' ---: |' * len(columns)}")
    return "\n".join([*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]) + "\n"


def _share(dollars: float, count: float) -> str:
    return f"{dollars / count:,.4f}" if count else "-"
