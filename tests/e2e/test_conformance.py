"""The conformance table against the target: deploys an Event API, runs the rows, and deletes it again.

A row that AWS documents must hold. A row that is our assumption is printed beside the target's behaviour, and asserted
on the local cloud only.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from botocore.credentials import Credentials
from conformance_suite.api import template
from conformance_suite.network import NetworkDriver
from conformance_suite.rows import rows_of
from conformance_suite.runner import RowFailed, RowRunner
from conformance_suite.signing import ApiAccess
from conformance_suite.table import Evidence, Row, Target, Wait

from tests.harness.e2e.answers import Answers
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.temporary_stack import temporary_stack

KEY_SECONDS = 24 * 3600
QUIET_SECONDS = 2.0
"""How long to wait on AWS for an event that may not arrive."""
LONGEST_SECONDS = 1800
"""On AWS: rows run one after the other, since they share channels, and some wait for a keep-alive frame."""


@dataclass(frozen=True)
class Deployed:
    """The table's API, deployed."""

    access: ApiAccess
    realtime_url: str
    on_aws: bool

    @property
    def quiet_seconds(self) -> float:
        return QUIET_SECONDS if self.on_aws else 0.0


@pytest.fixture
async def api(environment: TestEnvironment) -> AsyncIterator[Deployed]:
    """Deploy the template as a stack of its own, and delete it afterwards."""
    body = template("events-conformance", int(time.time()) + KEY_SECONDS)
    async with temporary_stack(environment, "events-conformance", body) as (_, outputs):
        yield _deployed(environment, outputs)


def _deployed(environment: TestEnvironment, outputs: dict[str, str]) -> Deployed:
    if environment.deployed:
        host, url = outputs["Http"], f"https://{outputs['Http']}/event"
        realtime = f"wss://{outputs['Realtime']}/event/realtime"
    else:  # the local cloud serves every API on one port, by the id in its path
        host, path = environment.target.events.host, f"/{outputs['ApiId']}/event"
        url, realtime = f"http://{host}{path}", f"ws://{host}{path}/realtime"
    keys = environment.keys
    signer = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys.get("AWS_SESSION_TOKEN"))
    return Deployed(
        ApiAccess(url, host, outputs["Key"], signer, environment.target.region), realtime, environment.deployed
    )


@pytest.mark.timeout(LONGEST_SECONDS)
async def test_the_target_conforms_to_the_table(
    environment: TestEnvironment, api: Deployed, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in rows_of(Target.AWS) if answers.asks(row.assumption)]
    if not environment.deployed:
        for row in filter(_waits, rows):
            if row.assumption is not None:
                answers.record(row.assumption, row.id, "it waits for minutes, which only AWS is asked", same=None)
        rows = [row for row in rows if not _waits(row)]
    async with aiohttp.ClientSession() as http:
        differences = {row.id: await _run(row, api, http) for row in rows}
    assumed = [row for row in rows if row.evidence is Evidence.UNVERIFIED]
    for row in assumed:
        difference = differences[row.id]
        answers.record(str(row.assumption), row.id, difference or "as expected", same=difference is None)
    with capsys.disabled():
        print(f"\nConformance of {api.access.url}: {len(rows)} rows")
        for row in assumed:
            difference = differences[row.id]
            outcome = "as assumed" if difference is None else f"DIFFERS: {difference}"
            print(f"  {row.assumption:<26} {row.id:<44} {outcome}")
    required = rows if not environment.deployed else [row for row in rows if row not in assumed]
    failed = {row.id: differences[row.id] for row in required if differences[row.id] is not None}
    assert not failed, "\n".join(f"{id}: {difference}" for id, difference in failed.items())


def _waits(row: Row) -> bool:
    return any(isinstance(step, Wait) for step in row.steps)


async def _run(row: Row, api: Deployed, http: aiohttp.ClientSession) -> str | None:
    """Run a row; returns the difference, or `None`."""
    driver = NetworkDriver(http, api.access, api.realtime_url, api.quiet_seconds)
    try:
        await RowRunner(driver, ignore_keep_alive=api.on_aws).run(row)
    except (RowFailed, AssertionError, aiohttp.ClientError, OSError, TimeoutError) as error:
        return str(error) or repr(error)
    finally:
        await driver.close()
    return None
