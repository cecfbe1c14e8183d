"""The target's undocumented behaviour is shown; on the local cloud it equals the documented assumptions."""

from __future__ import annotations

import aiohttp
import pytest
from appsync_events_local import assumptions

from tests.harness.e2e.answers import Answers
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.probes import PROBES, ProbeContext
from tests.harness.e2e.users import Users


def test_every_probe_is_about_an_assumption_of_the_local_service() -> None:
    known = [each.id for each in assumptions.all_assumptions()]
    probed = [probe.id for probe in PROBES]
    assert set(probed) <= set(known)
    assert len(set(probed)) == len(probed)


async def test_undocumented_behaviour_is_observed_and_shown(
    environment: TestEnvironment,
    users: Users,
    answers: Answers,
    event_order: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With `--event-order=reversed` the order of events is chosen, and nothing to observe."""
    chosen = {"order"} if event_order == "reversed" and not environment.deployed else set()
    probes = [probe for probe in PROBES if answers.asks(probe.id) and probe.id not in chosen]
    ada, grace = await users.pair()
    group = await users.group(ada, grace)
    channel = await users.channel(ada, group)
    async with aiohttp.ClientSession() as http:
        tokens = await ada.session.access_token(), ada.session.id_token
        context = ProbeContext(environment, http, ada.id, group, channel, *tokens)
        observed: dict[str, str] = {}
        for probe in probes:
            try:
                observed[probe.id] = await probe.observe(context)
                answers.record(probe.id, "probe", observed[probe.id], same=observed[probe.id] == probe.expected)
            except (aiohttp.ClientError, OSError, TimeoutError, KeyError, AssertionError) as error:
                observed[probe.id] = f"could not be observed: {error!r}"
                answers.record(probe.id, "probe", observed[probe.id], same=None)
    with capsys.disabled():
        print(f"\nUndocumented behaviour of AppSync Events, observed at {environment.target.events_http_url}")
        for probe in probes:
            mark = "as assumed" if observed[probe.id] == probe.expected else "DIFFERS"
            print(f"  {probe.id:<24} {mark:<10} {probe.assumption.question}")
            print(f"  {'':<24} {'':<10} observed: {observed[probe.id]}; assumed: {probe.expected}")
    if not environment.deployed:
        assert observed == {probe.id: probe.expected for probe in probes}
