"""Concurrent commands on one call over HTTP: a short run of `python -m bench races`, which has 200 rounds."""

from __future__ import annotations

from bench.races import race
from local.testing import LocalCloud
from tests.harness.e2e.environment import TestEnvironment

ROUNDS = 3
DEVICES = 25


async def test_one_of_several_concurrent_commands_wins_and_no_meeting_remains(
    environment: TestEnvironment, cloud: LocalCloud
) -> None:
    before = {each["meetingId"] for each in cloud.meetings.active()}
    tally = await race(environment.target, cloud.meetings, ROUNDS, DEVICES)
    assert sum(tally.winners.values()) == 3 * ROUNDS
    assert {each["meetingId"] for each in cloud.meetings.active()} <= before
