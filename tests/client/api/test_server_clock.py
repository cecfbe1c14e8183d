"""The service's clock in the client: a device clock that is wrong changes nothing."""

from __future__ import annotations

import pytest

from client.api.server_clock import ServerClock

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


class Clocks:
    """A steady clock and a device clock that is wrong by some seconds."""

    def __init__(self, device_error: float) -> None:
        self.steady = 5.0
        self.device_error = device_error
        self.clock = ServerClock(lambda: self.steady, lambda: NOON + self.steady - 5.0 + device_error)


@pytest.mark.parametrize("error", [50.0, -600.0, 86_400.0])
def test_the_service_is_believed_and_not_the_device(error: float) -> None:
    clocks = Clocks(error)
    assert clocks.clock.now() == NOON + error
    clocks.clock.take(NOON)
    clocks.steady += 7
    assert clocks.clock.now() == NOON + 7


def test_a_time_that_was_on_its_way_for_long_does_not_set_the_clock_back() -> None:
    clocks = Clocks(0.0)
    clocks.clock.take(NOON)
    clocks.steady += 10
    clocks.clock.take(NOON + 4)
    assert clocks.clock.now() == NOON + 10


def test_a_service_clock_that_was_set_back_is_followed() -> None:
    clocks = Clocks(0.0)
    clocks.clock.take(NOON)
    clocks.clock.take(NOON - 3600)
    assert clocks.clock.now() == NOON - 3600


@pytest.mark.parametrize("value", [None, "", "yesterday", "Thu, 99 Jan 2026 12:00:00 GMT"])
def test_an_unusable_date_header_changes_nothing(value: str | None) -> None:
    clocks = Clocks(3.0)
    clocks.clock.take_date_header(value)
    assert clocks.clock.now() == NOON + 3


def test_date_headers_and_event_times_are_read() -> None:
    clocks = Clocks(50.0)
    clocks.clock.take_date_header("Thu, 01 Jan 2026 12:00:00 GMT")
    assert clocks.clock.now() == NOON
    clocks.clock.take_iso_date("2026-01-01T12:00:00.750Z")
    assert clocks.clock.now() == NOON + 0.75
    for unusable in (None, 5, "noon"):
        clocks.clock.take_iso_date(unusable)
    assert clocks.clock.now() == NOON + 0.75
