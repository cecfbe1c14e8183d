"""Races for one call over real HTTP: a short run of `python -m bench races`, which repeats them two hundred times."""

from __future__ import annotations

from bench.races import race
from local.testing import LocalCloud
from tests.e2e.place import Place

ROUNDS = 3
DEVICES = 25


async def test_every_race_for_a_call_has_one_winner_and_leaves_no_meeting(place: Place, cloud: LocalCloud) -> None:
    before = {each["meetingId"] for each in cloud.meetings.active()}
    tally = await race(place.target, cloud.meetings, ROUNDS, DEVICES)
    assert sum(tally.winners.values()) == 3 * ROUNDS
    assert {each["meetingId"] for each in cloud.meetings.active()} <= before
