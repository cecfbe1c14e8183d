"""Races for one call over HTTP, on a local cloud; by default a short run.

The long run: `pytest tests/races --race-rounds 200 --race-devices 100`; `-s` shows which requests succeeded how often.
"""

from __future__ import annotations

import json

import pytest

from client.api.targets import parse
from local.testing import LocalCloud
from tests.races.races import race


@pytest.mark.local_cloud
async def test_every_race_for_a_call_has_one_winner_and_leaves_no_meeting(
    local_cloud: LocalCloud, race_rounds: int, race_devices: int
) -> None:
    target = parse(json.dumps(local_cloud.document), "the local cloud's outputs")
    before = {each["meetingId"] for each in local_cloud.meetings.active()}
    tally = await race(target, local_cloud.meetings, race_rounds, race_devices)
    print(f"{tally.requests} concurrent requests; succeeded: {dict(sorted(tally.winners.items()))}")
    assert sum(tally.winners.values()) == 3 * race_rounds
    assert {each["meetingId"] for each in local_cloud.meetings.active()} <= before
