"""Estimates of costs: three profiles by hand, the ledger, the templates, and what is free."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ops import cdk
from ops.costs import __main__ as command
from ops.costs.chart import chart
from ops.costs.environment import EnvironmentCosts, read
from ops.costs.estimate import estimate
from ops.costs.ledger import operations
from ops.costs.page import IDLE_BUDGET, as_markdown, as_text
from ops.costs.prices import FREE_TIERS, FreeTier, free_quantities, prices
from ops.costs.profiles import Profile, profiles
from ops.costs.usage import CANARY, CANARY_SECONDS, counted, used
from tests.stacks.synthesis import assembly, templates

BARE = EnvironmentCosts(
    alarm_metrics=0,
    composite_alarms=0,
    custom_metrics=0,
    canary_metrics=0,
    canary_runs_a_month=0,
    dashboards=0,
    polled_queues=0,
    runs_a_minute=0,
    memory_gigabytes=0.5,
    log_months=1,
    recoverable=False,
)
PAGE = cdk.ROOT / "docs" / "explanation" / "cost.md"


def _only(users: int, **assumptions: float) -> Profile:
    """Return a profile in which users do only what is given, one day a month, without a connected device."""
    quiet = dict.fromkeys(profiles()["campus"].assumptions, 0.0)
    return Profile("test", "test", users, {**quiet, "active_days": 1, **assumptions})


def _sweeps() -> tuple[float, float, float]:
    """Return invocations, read units and write units of the sweeps of a month."""
    cost, minutes = operations()["sweeps of one minute, nothing to do"], 30 * 24 * 60
    return minutes * cost.invocations, minutes * cost.read_units, minutes * cost.write_units


def test_direct_messages_of_a_hundred_users_by_hand() -> None:
    """100 users send 10 direct messages each; every user has one device, always connected."""
    usage = used(_only(100, direct_messages=10, devices=1, online_share=1, function_milliseconds=50), BARE)
    cost = operations()["message to a direct conversation"]
    invocations, reads, writes = _sweeps()
    assert usage.messages == usage.api_requests == 1_000
    assert usage.function_requests == 1_000 * cost.invocations + invocations
    assert usage.function_gigabyte_seconds == pytest.approx(usage.function_requests * 0.05 * 0.5)
    assert usage.write_units == 1_000 * cost.write_units + writes
    assert usage.read_units == 1_000 * cost.read_units + reads
    assert usage.publishes == 1_000 * 2
    assert usage.deliveries == 1_000 * 2
    assert usage.appsync_operations == 2_000 + 2_000 + 2_000  # publishes, their handlers, deliveries
    bill = estimate(usage, "none")
    assert bill.by_service["AppSync Events"] == pytest.approx(6_000 * 1e-6)
    assert bill.by_service["API Gateway"] == pytest.approx(1_000 * 1e-6)
    assert bill.by_service["DynamoDB"] == pytest.approx(usage.write_units * 0.625e-6 + usage.read_units * 0.125e-6)
    assert bill.by_service["Lambda"] == pytest.approx(
        usage.function_requests * 0.2e-6 + usage.function_gigabyte_seconds * 0.0000133334
    )


def test_connected_devices_by_hand() -> None:
    """10 users with two devices each connect twice for three hours and check every minute."""
    profile = _only(10, devices=2, connected_hours=3, connections_a_day=2, subscriptions=2)
    usage = used(profile, BARE)
    assert usage.appsync_connection_minutes == 10 * 2 * 3 * 60
    assert usage.appsync_operations == 10 * 2 * 2 * (1 + 2 + 2)  # connect, subscribes, their handlers
    assert usage.api_requests == 10 * 2 * 3 * 60
    assert estimate(usage, "none").by_service["AppSync Events"] == pytest.approx(200 * 1e-6 + 3_600 * 0.08e-6)


def test_calls_by_hand() -> None:
    """1,000 users have one call of five minutes with two attendees."""
    usage = used(_only(1_000, direct_calls=1, call_minutes=5), BARE)
    assert usage.attendee_minutes == 10_000
    assert estimate(usage, "always").by_service["Chime SDK"] == pytest.approx(17.00)


def test_idle_environment_costs_alarms_metrics_a_dashboard_polling_and_sweeps() -> None:
    environment = replace(BARE, alarm_metrics=20, canary_metrics=10, dashboards=1, polled_queues=2)
    usage = used(profiles()["idle"], environment)
    bill = estimate(usage, "none")
    assert bill.by_service["SQS"] == pytest.approx(2 * 5 * 3 * 60 * 24 * 30 * 0.4e-6)  # 5 pollers, each 20 seconds
    monitoring = [line for line in bill.lines if line.quantity in ("alarm_metrics", "custom_metrics", "dashboards")]
    assert [line.dollars for line in monitoring] == pytest.approx([2.00, 3.00, 3.00])
    assert usage.function_requests == _sweeps()[0]
    free = {line.quantity: line.dollars for line in estimate(usage, "always").lines}
    assert free["alarm_metrics"] == pytest.approx(10 * 0.10)  # the first ten are free, as are ten metrics, a dashboard
    assert free["custom_metrics"] == free["dashboards"] == 0


def test_runs_of_the_canary_by_hand() -> None:
    """One run an hour in an environment without users: its requests, its two users, its connection, its duration."""
    runs = 30 * 24
    idle, bare = profiles()["idle"], used(profiles()["idle"], BARE)
    usage = used(idle, replace(BARE, canary_runs_a_month=runs, canary_metrics=2))
    ledger = operations()
    assert usage.api_requests == runs * sum(ledger[title].requests for title in CANARY)
    assert usage.write_units - bare.write_units == pytest.approx(
        runs * sum(ledger[title].write_units for title in CANARY)
    )
    published = runs * sum(ledger[title].publishes for title in CANARY)
    assert usage.appsync_operations == 2 * published + published / 2 + runs * (1 + 2 * 2)
    invoked = runs * sum(ledger[title].invocations for title in CANARY)
    seconds = invoked * idle.each("function_milliseconds") / 1000 + runs * CANARY_SECONDS
    assert usage.function_gigabyte_seconds - bare.function_gigabyte_seconds == pytest.approx(0.5 * seconds)
    assert usage.function_requests - bare.function_requests == invoked + runs
    assert (usage.active_users, usage.custom_metrics) == (2, 2)


def test_metric_of_a_metric_filter_costs_nothing_without_users() -> None:
    """AWS charges a custom metric for the hours in which it has a value (Amazon CloudWatch: pricing)."""
    environment = replace(BARE, custom_metrics=13)
    assert used(profiles()["idle"], environment).custom_metrics == 0
    assert used(profiles()["campus"], environment).custom_metrics == 13


@pytest.mark.parametrize(("environment", "tier"), [("dev", "none"), ("staging", "none"), ("prod", "always")])
def test_idle_environment_costs_less_than_its_budget(environment: str, tier: FreeTier) -> None:
    """Requirement P7."""
    bill = estimate(used(profiles()["idle"], read(templates(environment))), tier)
    assert bill.total < IDLE_BUDGET, bill.by_service


def test_what_is_free_is_never_more_than_what_is_used() -> None:
    for tier in FREE_TIERS:
        for line in estimate(used(profiles()["campus"], BARE), tier).lines:
            assert 0 <= line.dollars <= line.used * line.price
    assert free_quantities("none") == {}
    assert free_quantities("legacy").keys() > free_quantities("always").keys()


def test_every_price_and_free_quantity_is_used() -> None:
    lines = estimate(used(profiles()["campus"], BARE), "legacy").lines
    known = {line.quantity for line in lines}
    assert set(free_quantities("legacy")) <= known
    for table, content in prices().items():
        if table not in ("date", "region", "free"):
            assert content["source"]


def test_every_operation_of_a_profile_is_in_the_ledger() -> None:
    assert counted(profiles()["campus"]).keys() <= operations().keys()


def test_templates_of_prod_are_read() -> None:
    found = read(templates("prod"))
    assert found.polled_queues == 2
    assert found.runs_a_minute == 2
    assert found.canary_runs_a_month == 30 * 24 * 12
    assert (found.canary_metrics, found.composite_alarms, found.dashboards) == (2, 1, 2)
    assert found.recoverable
    assert found.alarm_metrics > 20
    assert found.memory_gigabytes == 0.5
    assert found.log_months == 3


def test_unknown_form_of_a_schedule_is_an_error() -> None:
    rule = {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "cron(0 * * * ? *)"}}
    with pytest.raises(ValueError, match="rate"):
        read({"Routes": {"Resources": {"Rule": rule}}})


def test_page_shows_the_estimates_of_prod() -> None:
    """The table is that of `python -m ops.costs --env prod`."""
    text = PAGE.read_text(encoding="utf-8")
    for tier in FREE_TIERS[:2]:
        assert as_markdown(command.estimates_of(read(templates("prod")), tier, list(profiles()))) in text, tier


def test_bill_names_quantities_prices_and_shares() -> None:
    profile, bill = command.estimates_of(read(templates("prod")), "always", ["campus"])["campus"]
    text = as_text("prod", profile, bill, "always")
    assert f"{bill.total:,.2f} $" in text
    assert "10,000 free" in text
    assert "for a user" in text
    assert "a channel for each conversation" in text


def test_idle_bill_above_the_budget_says_what_to_do() -> None:
    idle = profiles()["idle"]
    dear = estimate(used(idle, replace(BARE, alarm_metrics=100)), "none")
    assert "More than 3 $ without users" in as_text("prod", idle, dear, "none")
    assert "More than" not in as_text("prod", idle, estimate(used(idle, BARE), "none"), "none")


def test_chart_has_a_bar_for_every_profile() -> None:
    found = command.estimates_of(read(templates("prod")), "none", list(profiles()))
    drawn = chart({profile.title: each for profile, each in found.values()})
    for profile, each in found.values():
        assert f">{profile.title}</text>" in drawn
        assert f">{each.total:,.2f} $</text>" in drawn


@pytest.mark.parametrize("options", [[], ["--profile", "campus"], ["--json"]])
def test_command_prints_the_estimates_of_an_environment(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = assembly("dev")
    monkeypatch.setattr(cdk, "synthesise", lambda root, name, output, validate: None)
    monkeypatch.setattr(cdk, "stacks_of", lambda directory, original=cdk.stacks_of: original(source))
    file = tmp_path / "chart.svg"
    assert command.main(["--env", "dev", "--chart", str(file), *options]) == 0
    printed = capsys.readouterr().out
    assert "campus" in printed
    assert file.read_text("utf-8").startswith("<svg")
    if options == ["--json"]:
        assert json.loads(printed)["campus"]["users"] == 200


def test_profile_with_an_unknown_assumption_is_an_error() -> None:
    from ops.costs.profiles import _changed

    with pytest.raises(ValueError, match="unknown assumptions: hours"):
        _changed("campus", {"title": "campus", "users": 1, "hours": 2}, {"active_days": 22})
