"""Undocumented behaviour of handlers, data sources and authorizers, on an Event API that exists as long as the test."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from appsync_events_local import assumptions
from botocore.exceptions import WaiterError

from client.api.targets import Target
from tests.harness.e2e.answers import Answers
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.handler_api import template
from tests.harness.e2e.handler_probes import HANDLER_PROBES, HandlerContext, HandlerProbe
from tests.harness.e2e.probes import PROBES
from tests.harness.e2e.temporary_stack import temporary_stack
from tests.harness.e2e.users import Users

KEY_SECONDS = 24 * 3600
PROBE_SECONDS = 180


def test_every_probe_of_handlers_is_about_an_assumption() -> None:
    known = {each.id for each in assumptions.all_assumptions()}
    probed = [probe.id for probe in HANDLER_PROBES]
    assert set(probed) <= known
    assert len({*probed, *(probe.id for probe in PROBES)}) == len(probed) + len(PROBES)


@pytest.mark.timeout(1800)
async def test_behaviour_of_handlers_is_observed_and_shown(
    environment: TestEnvironment, users: Users, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    probes = [probe for probe in HANDLER_PROBES if answers.asks(probe.id)]
    if not probes:
        pytest.skip("--assumptions names none of them")
    session = await users.session(await users.account())
    target = environment.target
    body = template(
        "events-handlers", int(time.time()) + KEY_SECONDS, target.user_pool_id, target.region, target.client_id
    )
    observed: dict[str, str] = {}
    try:
        async with (
            temporary_stack(environment, "events-handlers", body) as (_, outputs),
            aiohttp.ClientSession() as http,
        ):
            context = HandlerContext(
                environment,
                http,
                _target(environment, outputs, ""),
                _target(environment, outputs, "Pattern"),
                outputs["ApiId"],
                outputs["Realtime"] if environment.deployed else target.events.host,
                outputs["Key"],
                await session.access_token(),
            )
            meanwhile = [asyncio.create_task(_observe(probe, context, answers)) for probe in probes if probe.slow]
            # One after the other: some change the API, which AWS refuses while another change is under way.
            observed |= {probe.id: await _observe(probe, context, answers) for probe in probes if not probe.slow}
            slow = await asyncio.gather(*meanwhile)
            observed |= dict(zip((probe.id for probe in probes if probe.slow), slow, strict=True))
    except WaiterError as error:
        for probe in probes:
            answers.record(probe.id, "probe", f"the Event API was not created: {error}", same=None)
        raise
    with capsys.disabled():
        print("\nUndocumented behaviour of handlers")
        for probe in probes:
            mark = "as assumed" if observed[probe.id] == probe.expected else "DIFFERS"
            print(f"  {probe.id:<24} {mark:<10} observed: {observed[probe.id]}; assumed: {probe.expected}")
    if not environment.deployed:
        assert observed == {probe.id: probe.expected for probe in probes}


async def _observe(probe: HandlerProbe, context: HandlerContext, answers: Answers) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            observed = await probe.observe(context)
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError, AssertionError) as error:
        observed = f"could not be observed: {error!r}"
        answers.record(probe.id, "probe", observed, same=None)
        return observed
    answers.record(probe.id, "probe", observed, same=observed == probe.expected)
    return observed


def _target(environment: TestEnvironment, outputs: dict[str, Any], api: str) -> Target:
    if environment.deployed:
        http = f"https://{outputs[f'{api}Http']}/event"
        return replace(
            environment.target,
            events_http_url=http,
            events_realtime_url=f"wss://{outputs[f'{api}Realtime']}/event/realtime",
        )
    # The local cloud serves every API on one port, by the id in its path.
    path = f"{environment.target.events.host}/{outputs[f'{api}Id' if api else 'ApiId']}/event"
    return replace(environment.target, events_http_url=f"http://{path}", events_realtime_url=f"ws://{path}/realtime")
