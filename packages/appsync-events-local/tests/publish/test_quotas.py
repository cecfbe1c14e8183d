"""Rates of an API: inbound events and new connections."""

from pathlib import Path

import pytest
from appsync_events_local import limits
from appsync_events_local.cli.arguments import parse
from appsync_events_local.errors import Refusal
from appsync_events_local.http.app import Settings
from appsync_events_local.publish.quotas import ApiRates, Quotas
from service_harness.running import UserPool, running


class Clock:
    """A clock that tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def accepted(rates: ApiRates, *batches: int) -> list[int]:
    """Count batches, and return those that were accepted."""
    passed = []
    for count in batches:
        try:
            rates.count_events(count)
        except Refusal:
            continue
        passed.append(count)
    return passed


def test_an_api_accepts_its_events_of_a_second_and_the_next_ones_a_second_later() -> None:
    clock = Clock()
    rates = ApiRates(Quotas(events_per_second=10), clock)
    assert accepted(rates, 5, 5, 1) == [5, 5]
    clock.now = 0.5
    assert accepted(rates, 5, 1) == [5]
    clock.now = 60.0
    assert accepted(rates, 5, 5, 5) == [5, 5]


def test_a_refused_batch_is_not_counted() -> None:
    rates = ApiRates(Quotas(events_per_second=10), Clock())
    assert accepted(rates, 4, 4, 4, 2) == [4, 4, 2]


def test_zero_is_unlimited() -> None:
    rates = ApiRates(Quotas(events_per_second=0, connections_per_second=0), Clock())
    assert len(accepted(rates, *[5] * 10_000)) == 10_000
    for _ in range(10_000):
        rates.count_connection()


def test_the_defaults_are_those_of_aws() -> None:
    settings = Settings(None, "token", None, None)
    assert (settings.events_per_second, settings.connections_per_second) == (10_000, 2_000)
    assert (limits.EVENTS_PER_SECOND_PER_API, limits.CONNECTIONS_PER_SECOND_PER_API) == (10_000, 2_000)


async def test_a_publish_above_the_rate_of_its_api_is_refused_with_429(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, events_per_second=5) as service:
        assert (await service.post("open/a", *['"x"'] * 5))[0] == 200
        status, answer = await service.post("open/b", '"x"')
        assert (status, answer["errors"]) == (
            429,
            [{"errorType": "ThrottlingException", "message": "Rate exceeded"}],
        )
        socket = await service.connect()
        refused = await socket.publish("/open/a", *['"x"'] * 5)
        assert (refused["type"], refused["errors"][0]["errorType"]) == ("publish_error", "ThrottlingException")


async def test_a_connection_above_the_rate_of_its_api_is_refused_with_429(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, connections_per_second=1) as service:
        await service.connect()
        refused = await (await service.open()).ask(type="connection_init")
        assert refused["type"] == "connection_error"
        assert refused["errors"] == [{"errorType": "ThrottlingException", "message": "Rate exceeded", "errorCode": 429}]


@pytest.mark.parametrize("value", ["-1", "many", "1.5"])
def test_a_rate_that_is_no_whole_number_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--template", "t.yaml", "--events-per-second", value])
    assert "is not a whole number of at least 0" in capsys.readouterr().err
