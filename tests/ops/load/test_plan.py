"""A plan gives the same load whatever is answered, and refuses what would do harm."""

from __future__ import annotations

import statistics

import pytest

from ops.errors import CommandError
from ops.load.plan import SECONDS_MAX_AWS, USERS_MAX_AWS, Plan, check, check_bounds_of_aws
from ops.load.price import dollars


@pytest.mark.parametrize("poisson", [False, True])
def test_every_user_sends_at_the_offered_rate(poisson: bool) -> None:
    plan = Plan(users=100, rate=2.0, seconds=50, poisson=poisson)
    counts = [len([offset for offset in plan.times(user) if offset < plan.seconds]) for user in range(plan.users)]
    assert statistics.mean(counts) == pytest.approx(100, rel=0.05)


def test_users_of_a_steady_plan_do_not_send_together() -> None:
    plan = Plan(users=50)
    first = [plan.times(user)[0] for user in range(plan.users)]
    assert max(first) - min(first) > 0.5
    assert {round(second - begin, 6) for user in range(50) for begin, second in [plan.times(user)[:2]]} == {1.0}


def test_times_follow_from_the_seed() -> None:
    assert Plan(seed=3, poisson=True).times(1) == Plan(seed=3, poisson=True).times(1)
    assert Plan(seed=3, poisson=True).times(1) != Plan(seed=4, poisson=True).times(1)


def test_every_user_is_in_one_conversation() -> None:
    plan = Plan(users=12, group=4)
    assert sorted(number for numbers in plan.conversations() for number in numbers) == list(range(12))
    assert plan.receivers == 3


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(users=3), "cannot be divided"),
        (Plan(users=0), "cannot be divided"),
        (Plan(group=1), "at least 2 members"),
        (Plan(rate=0), "more than 0"),
        (Plan(rate=6), "accepts 5 messages a second"),
        (Plan(seconds=0), "at least 1"),
    ],
)
def test_plan_that_cannot_be_run_is_refused(plan: Plan, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        check(plan)


@pytest.mark.parametrize(
    ("plan", "protected", "message"),
    [
        (Plan(), True, "protected environment"),
        (Plan(users=USERS_MAX_AWS + 2), False, "--users"),
        (Plan(users=400, rate=2), False, "messages a second"),
        (Plan(seconds=SECONDS_MAX_AWS + 1), False, "--seconds"),
    ],
)
def test_load_on_aws_is_bounded(plan: Plan, protected: bool, message: str) -> None:
    check_bounds_of_aws(Plan(), protected=False)
    with pytest.raises(CommandError, match=message):
        check_bounds_of_aws(plan, protected=protected)


def test_estimate_of_the_costs_shows_its_arithmetic() -> None:
    """100 users, 60 s, one direct message a second each: by the prices and the ledger of 2026-11-29.

    A message: request 1.0e-6, invocation 0.2e-6, 10 units 6.25e-6, two publishes of 3 operations each 6.0e-6.
    """
    message = 1.0e-6 + 0.2e-6 + 10 * 0.625e-6 + 2 * 3 * 1.0e-6
    users = 100 * (60 / 60 + 2) * 0.08e-6 + 100 * 0.0055
    assert dollars(Plan(users=100, rate=1.0, seconds=60)) == pytest.approx(6_000 * message + users, rel=1e-6)
    assert dollars(Plan(users=100, rate=1.0, seconds=60, group=50)) > dollars(Plan(users=100, rate=1.0, seconds=60))
