"""The pace of a command: at most so many writes in a second, and progress at most every two seconds."""

from __future__ import annotations

import io

from ops.data.pace import Pace


class Time:
    """A time that only moves while the pace waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the time on."""
        self.now += seconds


def test_writes_are_spread_over_time() -> None:
    time = Time()
    pace = Pace(10, output=io.StringIO(), clock=time.clock, sleep=time.sleep)
    for _ in range(21):
        pace.before_write()
    assert round(time.now - 100, 3) == 2.0


def test_time_without_writes_allows_no_burst() -> None:
    time = Time()
    pace = Pace(10, output=io.StringIO(), clock=time.clock, sleep=time.sleep)
    time.now += 60
    for _ in range(11):
        pace.before_write()
    assert round(time.now - 160, 3) == 1.0


def test_progress_is_printed_every_two_seconds_and_at_the_end() -> None:
    time, output = Time(), io.StringIO()
    pace = Pace(10, output=output, clock=time.clock, sleep=time.sleep)
    pace.report("early")
    time.now += 2
    pace.report("later")
    pace.report("again")
    pace.report("last", last=True)
    assert output.getvalue().split() == ["later", "last"]
