"""Runs a plan: every user sends at the planned times, whatever the environment answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from client.errors import ApiError, ClientError
from ops.load.people import Person
from ops.load.plan import Plan
from ops.load.records import Latencies, Records, Sent

SETTLE_SECONDS: Final = 20.0
"""How long the last responses and events are waited for: a lost delivery is repeated after seconds."""
_QUIET_SECONDS: Final = 1.0
"""Then so long for duplicates."""
SATURATED_BELOW: Final = 0.95
_TEXT: Final = "A message of ordinary length, as people write them in a chat."


@dataclass
class Outcome:
    """What a run showed.

    Args:
        plan: what was run.
        records: every message.
        start: the begin of the run, on its clock.
        storm: from the loss of all connections until each user had the subscription again; None without a storm.
    """

    plan: Plan
    records: Records
    start: float
    storm: Latencies | None = None

    @property
    def offered(self) -> float:
        """Return the messages a second that should have been sent."""
        return len(self.records.messages) / self.plan.seconds

    @property
    def achieved(self) -> float:
        """Return the messages a second that were accepted while the users sent."""
        return self.records.accepted_between(self.start, self.start + self.plan.seconds) / self.plan.seconds

    @property
    def saturated(self) -> bool:
        """Return whether the environment accepted less than was offered."""
        return self.achieved < SATURATED_BELOW * self.offered


async def run(plan: Plan, persons: Sequence[Person], records: Records, progress: Callable[[str], None]) -> Outcome:
    """Send as planned, and wait for the last responses and events.

    Args:
        plan: the plan.
        persons: its users, signed in.
        records: where the users' events are recorded.
        progress: called each second with what was done.
    """
    start = time.monotonic()
    outcome = Outcome(plan, records, start)
    reporting = asyncio.create_task(_report(outcome, progress))
    sending: set[asyncio.Task[None]] = set()
    for offset, number in _schedule(plan):
        await _until(start + offset)
        task = asyncio.create_task(_send(persons[number], plan, records, start, offset))
        sending.add(task)
        task.add_done_callback(sending.discard)
    await _until(start + plan.seconds)
    if sending:
        await asyncio.wait(sending, timeout=SETTLE_SECONDS)
    for task in list(sending):
        task.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    with contextlib.suppress(TimeoutError):  # what is missing then is reported as lost
        await asyncio.wait_for(records.settled.wait(), SETTLE_SECONDS)
    await asyncio.sleep(_QUIET_SECONDS)
    reporting.cancel()
    return outcome


def _schedule(plan: Plan) -> list[tuple[float, int]]:
    """Return the time and the user of each message, in the order of time."""
    return sorted((offset, user) for user in range(plan.users) for offset in plan.times(user) if offset < plan.seconds)


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _send(person: Person, plan: Plan, records: Records, start: float, offset: float) -> None:
    temp_id = str(uuid.uuid4())
    records.ask(temp_id, Sent(int(offset), start + offset, time.monotonic(), plan.receivers))
    try:
        await person.api.send_message(person.conversation_id, _TEXT, temp_id=temp_id)
    except ApiError as error:
        records.refuse(temp_id, f"{error.status} {error.code}".strip())
    except ClientError as error:
        records.refuse(temp_id, type(error).__name__)
    except asyncio.CancelledError:
        records.refuse(temp_id, f"no response within {SETTLE_SECONDS:.0f} s after the end")
        raise
    else:
        records.accept(temp_id, time.monotonic())


async def _report(outcome: Outcome, progress: Callable[[str], None]) -> None:
    records, plan = outcome.records, outcome.plan
    while True:
        await asyncio.sleep(1)
        elapsed = time.monotonic() - outcome.start
        progress(
            f"{min(elapsed, plan.seconds):4.0f} of {plan.seconds} s   {len(records.messages):6} sent"
            f"   {records.accepted:6} accepted   {records.in_flight:4} without response"
            f"   {records.errors.total():4} refused   received p95 {records.received.milliseconds(95):7.0f} ms"
        )


async def storm(persons: Sequence[Person], seconds: float) -> Latencies:
    """Close the connection of every user at once; return how long each had no subscription.

    Args:
        persons: the users.
        seconds: how long the last one is waited for.
    """
    back = Latencies()

    async def cut(person: Person) -> None:
        began = time.monotonic()
        person.disconnected.clear()
        await person.events.reconnect()
        await person.disconnected.wait()
        await person.events.connected()
        back.add(time.monotonic() - began)

    with contextlib.suppress(TimeoutError):  # who is not back is not counted
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(cut(person) for person in persons))
    return back
