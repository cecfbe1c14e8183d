"""Demand, quotas and simulations agree with arithmetic, with the code and with what was measured."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from appsync_events_local import limits as events_limits

from contract import limits
from local.emulator.strict.rules.chime import RULES as CHIME_RULES
from ops.capacity import storm as simulation
from ops.capacity.__main__ import main
from ops.capacity.demand import BURST, BUSY_HOUR_SHARE, Demand, demand, peak
from ops.capacity.quotas import Quota, quotas
from ops.capacity.report import users_at, uses
from ops.capacity.storm import TokenBucket, fan_out, storm
from ops.costs.profiles import profiles
from stacks.config.load import load

MEASURED = tomllib.loads(Path(simulation.__file__).with_name("measured.toml").read_text("utf-8"))


def _value(id: str) -> float:
    return next(quota.value for quota in quotas() if quota.id == id)


def test_every_quota_bounds_a_figure_and_every_figure_is_bounded() -> None:
    assert {quota.demand for quota in quotas()} == Demand.names()
    assert len({quota.id for quota in quotas()}) == len(quotas())


def test_our_own_limits_are_those_of_the_code() -> None:
    assert _value("api-stage") == load("prod", variables={}).api.throttle_rate
    assert _value("delivery-invocations") == limits.DELIVERY_INVOCATIONS_MAX
    assert _value("outbox-index") == limits.DUE_SHARDS * 1_000
    assert _value("appsync-inbound") == events_limits.EVENTS_PER_SECOND_PER_API
    assert _value("appsync-connects") == events_limits.CONNECTIONS_PER_SECOND_PER_API
    rates = next(rule for rule in CHIME_RULES if rule.field == "request_rates")
    assert f"More than {_value('chime-requests'):.0f} requests a second" in rates.request


def test_busiest_second_is_twice_the_mean_of_the_busiest_hour() -> None:
    """22,000 a month on 22 days: 1,000 a day, 150 in the busiest hour, 0.0417 a second, 0.0833 in the busiest one."""
    assert (BUSY_HOUR_SHARE, BURST) == (0.15, 2.0)
    assert peak(22_000, 22) == pytest.approx(1_000 * 0.15 / 3_600 * 2)


def test_concurrent_meetings_of_1000_users_are_reproduced_by_hand() -> None:
    """1,000 users x 0.2 calls a day x 0.15 / 3,600 s: 0.00833 calls a second, each of 6 minutes, 3 at the same time."""
    assert demand(profiles()["1k"]).concurrent_meetings == pytest.approx(3.0)


def test_checks_of_connected_clients_are_counted_as_requests() -> None:
    """1,000 users x 1.3 devices x 0.5 connected, one check a minute: 10.8 requests a second."""
    idle = replace(profiles()["1k"], assumptions={**profiles()["1k"].assumptions, "active_days": 22})
    checks = 1_000 * 1.3 * 0.5 * 1_000 / limits.CHECK_INTERVAL_MS
    assert checks == pytest.approx(10.8, abs=0.1)
    assert checks < demand(idle).api_requests < 2.5 * checks


@pytest.mark.parametrize("quota", [quota for quota in quotas() if quota.id != "hot-conversation"], ids=lambda q: q.id)
def test_number_of_users_is_the_one_that_uses_up_a_quota(quota: Quota) -> None:
    users = users_at(profiles()["1k"], quota)
    assert users is not None
    below, above = (
        getattr(demand(replace(profiles()["1k"], users=number)), quota.demand)
        for number in (users * 0.99, users * 1.01)
    )
    assert below < quota.value < above


def test_busy_conversation_does_not_depend_on_the_number_of_users() -> None:
    hot = next(quota for quota in quotas() if quota.id == "hot-conversation")
    assert users_at(profiles()["1k"], hot) is None


def test_scarcest_quota_stands_first() -> None:
    shares = [use.share for use in uses(profiles()["100k"])]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 1


def test_storm_ends_no_sooner_than_the_quota_allows() -> None:
    found = storm(20_000, rate=2_000)
    assert found.seconds[100] >= (20_000 - 2_000) / 2_000
    assert found.curve[-1][1] == 1.0
    assert [share for _, share in found.curve] == sorted(share for _, share in found.curve)


def test_small_storm_is_over_after_the_first_wait() -> None:
    found = storm(500)
    assert found.refused == 0
    assert found.seconds[100] <= simulation.CLIENT_BASE_SECONDS + simulation.HANDSHAKE_SECONDS


def test_silent_loss_spreads_a_storm_over_a_minute() -> None:
    found = storm(100_000, silent=True)
    assert found.refused < 0.01
    assert 25 < found.seconds[50] < 35


def test_scaled_storm_is_like_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = storm(8_000, rate=800)
    monkeypatch.setattr(simulation, "SIMULATED_CLIENTS", 8_000)
    whole = storm(8_000, rate=800)
    for share in (50, 95):
        assert scaled.seconds[share] == pytest.approx(whole.seconds[share], rel=0.1)
    assert scaled.refused == pytest.approx(whole.refused, rel=0.1)


def test_simulated_clients_wait_as_the_real_one_does() -> None:
    """The defaults of `appsync_events.EventsClient`."""
    source = Path(__import__("appsync_events").__file__).with_name("_client.py").read_text("utf-8")
    assert f"Backoff(base={simulation.CLIENT_BASE_SECONDS}, cap={simulation.CLIENT_CAP_SECONDS})" in source


def test_fan_out_is_reproduced_by_hand() -> None:
    """100: four slices of 25 at once, 30 ms and one publish. 1,000: ten slices of 100, 8 workers, four rounds each."""
    assert fan_out(100).last == pytest.approx(0.030 + 0.020)
    assert fan_out(1_000).last == pytest.approx(2 * (0.030 + 4 * 0.020))
    assert fan_out(1_000, messages=100, workers=100).last >= (100_000 - 10_000) / 10_000


def test_our_limit_of_invocations_keeps_publishes_below_the_quota() -> None:
    assert fan_out(1_000, messages=50).throttled == 0
    assert fan_out(1_000, messages=50, workers=100).throttled > 0


@pytest.mark.parametrize("row", MEASURED["fan_out"], ids=lambda row: row["recipients"])
def test_simulation_is_faster_than_the_measurement_by_at_most_three(row: dict[str, float]) -> None:
    simulated = fan_out(int(row["recipients"]), workers=int(row["workers"])).last
    assert row["measured_seconds"] / 3 <= simulated <= row["measured_seconds"]


def test_token_bucket_gives_its_rate_and_burst() -> None:
    bucket = TokenBucket(10, 5)
    assert sum(bucket.take(0.0) for _ in range(20)) == 5
    assert sum(bucket.take(1.0) for _ in range(20)) == 5
    assert sum(bucket.take(1.0 + number / 10) for number in range(1, 11)) in (9, 10)


def test_command_shows_one_profile_and_what_does_not_suffice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "100k"]) == 0
    printed = capsys.readouterr().out
    assert "users see: 429" in printed
    assert len([line for line in printed.splitlines() if "%" in line]) == len(quotas())
