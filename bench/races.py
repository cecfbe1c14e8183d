"""Races for one call over real HTTP, on a local cloud: whoever comes first wins, and exactly one does.

Three races, each repeated with fresh calls: a hundred devices of one user accept at once; the callee accepts while
the caller cancels; the caller ends while the callee leaves. After each: one winner, everybody else was refused with
the call as it is now, one meeting while the call goes on, none afterwards. The figures say who won how often; a broken
rule ends the run with what was seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import aiohttp

from bench.people import User, sign_up
from client.api.targets import Target, parse
from client.errors import ConflictError
from contract.calls.models import CallView
from contract.calls.responses import CallAccepted
from local.control.meetings import MeetingControl
from local.testing import LocalCloud

ROUNDS = 200
DEVICES = 100
PEOPLE = 20
"""Users who take part; enough that none of them reaches the limit of calls a minute."""
_SPREAD_SECONDS = 0.03
"""Random start of each contender, so that the order of arrival differs from round to round."""
_LATER = 1.5
"""An accept takes a meeting, a cancel nothing: it starts up to so many accepts' time later, so that both may win."""
_GONE_SECONDS = 10
"""How long a meeting may outlive its call here: its deletion follows the commit."""


class BrokenRuleError(AssertionError):
    """Something happened that no interleaving may lead to."""


@dataclass
class Tally:
    """Who won how often, and how many requests were made."""

    winners: Counter[str] = field(default_factory=Counter)
    requests: int = 0


@dataclass(frozen=True)
class Pair:
    """Two users who call one another again and again."""

    caller: User
    callee: User


class Races:
    """Runs races and checks what they leave.

    Args:
        meetings: tells which meetings there are.
        devices: how many devices of the callee accept at once.
    """

    def __init__(self, meetings: MeetingControl, devices: int, seed: int = 1) -> None:
        self._meetings = meetings
        self._devices = devices
        self._random = random.Random(seed)
        self._accept_seconds = _SPREAD_SECONDS
        self.tally = Tally()

    async def accepts(self, pair: Pair) -> None:
        """All devices of the callee accept at once: one is connected, the others learn that it was not they."""
        session_id = await self._ring(pair)
        devices = [f"device-{number}" for number in range(self._devices)]
        outcomes = await self._at_once([self._accept(pair, session_id, device) for device in devices])
        accepted = [each for each in outcomes if isinstance(each, CallAccepted)]
        _require(len(accepted) == 1, f"{len(accepted)} of {len(devices)} devices were connected")
        _require(all(call.status == "ACTIVE" for call in _refused(outcomes)), "a loser was told another state")
        await self._one_meeting(session_id)
        await pair.caller.api.end_call(session_id)
        await self._no_meeting(session_id)
        self.tally.winners["accept: one device"] += 1

    async def accept_against_cancel(self, pair: Pair) -> None:
        """The callee accepts while the caller cancels."""
        session_id = await self._ring(pair)
        accepted, cancelled = await self._at_once(
            [self._accept(pair, session_id, "device"), self._cancel(pair, session_id)]
        )
        call = (await pair.callee.api.call(session_id)).call
        _require((call.status == "ACTIVE") == isinstance(accepted, CallAccepted), f"accepted, and {call.status}")
        _require((call.status == "CANCELLED") != isinstance(cancelled, CallView), f"cancelled, and {call.status}")
        if call.status == "ACTIVE":
            await self._one_meeting(session_id)
            await pair.callee.api.leave_call(session_id)
        await self._no_meeting(session_id)
        self.tally.winners["accept against cancel: " + ("accept" if call.status == "ACTIVE" else "cancel")] += 1

    async def end_against_leave(self, pair: Pair) -> None:
        """The caller ends while the callee leaves."""
        session_id = await self._ring(pair)
        started = time.monotonic()
        await pair.callee.api.accept_call(session_id, device_id="device")
        self._accept_seconds = time.monotonic() - started
        await self._one_meeting(session_id)
        outcomes = await self._at_once(
            [_outcome(pair.caller.api.end_call(session_id)), _outcome(pair.callee.api.leave_call(session_id))]
        )
        lost = [isinstance(each, CallView) for each in outcomes]
        _require(lost.count(True) == 1, f"{lost.count(False)} of two ended the call")
        call = (await pair.caller.api.call(session_id)).call
        _require(call.status == "ENDED", f"ended, and {call.status}")
        winner = pair.callee if lost[0] else pair.caller
        _require(call.endedBy == winner.user_id, "the record names another winner than the answers")
        await self._no_meeting(session_id)
        self.tally.winners["end against leave: " + ("leave" if lost[0] else "end")] += 1

    async def _ring(self, pair: Pair) -> str:
        return (await pair.caller.api.initiate_call(recipient_id=pair.callee.user_id, device_id="desk")).sessionId

    async def _accept(self, pair: Pair, session_id: str, device: str) -> object:
        return await _outcome(pair.callee.api.accept_call(session_id, device_id=device))

    async def _cancel(self, pair: Pair, session_id: str) -> object:
        await asyncio.sleep(self._random.uniform(0, _LATER * self._accept_seconds))
        return await _outcome(pair.caller.api.cancel_call(session_id))

    async def _at_once(self, contenders: Sequence[Awaitable[object]]) -> list[object]:
        """Start all within a few milliseconds, in random order."""
        self.tally.requests += len(contenders)

        async def later(contender: Awaitable[object]) -> object:
            await asyncio.sleep(self._random.uniform(0, _SPREAD_SECONDS))
            return await contender

        return list(await asyncio.gather(*(later(each) for each in contenders)))

    async def _of(self, session_id: str) -> int:
        active = await asyncio.to_thread(self._meetings.active)
        return sum(1 for each in active if each["externalMeetingId"] == session_id)

    async def _one_meeting(self, session_id: str) -> None:
        count = await self._of(session_id)
        _require(count == 1, f"{count} meetings of a call that goes on")

    async def _no_meeting(self, session_id: str) -> None:
        give_up_at = time.monotonic() + _GONE_SECONDS
        while await self._of(session_id):
            _require(time.monotonic() < give_up_at, "a meeting outlives its call")
            await asyncio.sleep(0.1)


async def _outcome(call: Awaitable[object]) -> object:
    """The answer, or the call that stood in the way."""
    try:
        return await call
    except ConflictError as conflict:
        _require(conflict.call is not None, f"refused without the call: {conflict}")
        return conflict.call


def _refused(outcomes: Sequence[object]) -> Iterator[CallView]:
    return (each for each in outcomes if isinstance(each, CallView))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenRuleError(otherwise)


async def race(target: Target, meetings: MeetingControl, rounds: int, devices: int) -> Tally:
    """Run every race so many times.

    Raises:
        BrokenRuleError: a race had not exactly one winner, or left a meeting behind.
    """
    races = Races(meetings, devices)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        people = [await sign_up(target, http, str(number)) for number in range(min(PEOPLE, 2 * rounds))]
        for _, pair in zip(range(rounds), _pairs(people), strict=False):
            await races.accepts(pair)
            await races.accept_against_cancel(pair)
            await races.end_against_leave(pair)
        await asyncio.gather(*(each.events.close() for each in people))
    return races.tally


def _pairs(people: Sequence[User]) -> Iterator[Pair]:
    """Two after two, then the same with the roles exchanged, for ever: so that nobody uses up the limit of calls."""
    there = [Pair(one, other) for one, other in zip(people[::2], people[1::2], strict=True)]
    return cycle([*there, *(Pair(pair.callee, pair.caller) for pair in there)])


def run(rounds: int) -> list[str]:
    """Return who won how often in so many rounds."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        started = time.monotonic()
        tally = asyncio.run(race(target, cloud.meetings, rounds, DEVICES))
        left = len(cloud.meetings.active())
    return [
        f"{rounds} rounds of three races, {tally.requests} contending requests, {time.monotonic() - started:.0f} s: "
        f"one winner each time, {left} meetings left",
        *(f"  {what:34} {count:6}" for what, count in sorted(tally.winners.items())),
    ]
