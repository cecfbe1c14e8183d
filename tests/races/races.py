"""Concurrent requests for one call over HTTP, on a local cloud: exactly one of them may succeed.

Three races, each with new calls: many devices of one user accept at the same time; the callee accepts while the caller
cancels; the caller ends while the callee leaves. After each race one request has succeeded, the others were refused
with the current call, and there is one meeting while the call is active and none afterwards.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import aiohttp

from bench.local_cloud.users import User, sign_up
from client.api.targets import Target
from client.errors import ConflictError
from contract.calls.models import CallView
from contract.calls.responses import CallAccepted
from local.control.meetings import MeetingControl

USERS = 20
"""Number of users; enough that none of them reaches the limit of calls a minute."""
_SPREAD_SECONDS = 0.03
"""Random delay of each request, so that the order of arrival differs between rounds."""
_CANCEL_DELAY = 1.5
"""Largest delay of a cancel, as a multiple of the time of an accept: an accept takes longer, and both should win."""
_MEETING_DELETION_SECONDS = 10
"""Longest time until the meeting of an ended call is deleted: the deletion follows the commit."""


class RaceError(AssertionError):
    """A result that no order of the requests allows."""


@dataclass
class Tally:
    """Number of successes by request, and number of concurrent requests."""

    winners: Counter[str] = field(default_factory=Counter)
    requests: int = 0


@dataclass(frozen=True)
class Pair:
    """Two users who call each other repeatedly."""

    caller: User
    callee: User


class Races:
    """Runs races and checks their results.

    Args:
        meetings: lists the meetings.
        devices: number of devices of the callee that accept at the same time.
        seed: of the delays.
    """

    def __init__(self, meetings: MeetingControl, devices: int, seed: int = 1) -> None:
        self._meetings = meetings
        self._devices = devices
        self._random = random.Random(seed)
        self._accept_seconds = _SPREAD_SECONDS
        self.tally = Tally()

    async def accepts(self, pair: Pair) -> None:
        """All devices of the callee accept at the same time: one is connected, the others are refused."""
        session_id = await self._ring(pair)
        devices = [f"device-{number}" for number in range(self._devices)]
        outcomes = await self._concurrently([self._accept(pair, session_id, device) for device in devices])
        accepted = [each for each in outcomes if isinstance(each, CallAccepted)]
        _require(len(accepted) == 1, f"{len(accepted)} of {len(devices)} devices were connected")
        _require(
            all(call.status == "ACTIVE" for call in _refused(outcomes)),
            "a refused device received a call that is not ACTIVE",
        )
        await self._one_meeting(session_id)
        await pair.caller.api.end_call(session_id)
        await self._no_meeting(session_id)
        self.tally.winners["accept: one device"] += 1

    async def accept_against_cancel(self, pair: Pair) -> None:
        """The callee accepts while the caller cancels."""
        session_id = await self._ring(pair)
        accepted, cancelled = await self._concurrently(
            [self._accept(pair, session_id, "device"), self._cancel(pair, session_id)]
        )
        call = (await pair.callee.api.call(session_id)).call
        _require(
            (call.status == "ACTIVE") == isinstance(accepted, CallAccepted), f"the accept does not fit to {call.status}"
        )
        _require(
            (call.status == "CANCELLED") != isinstance(cancelled, CallView), f"the cancel does not fit to {call.status}"
        )
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
        outcomes = await self._concurrently(
            [_outcome(pair.caller.api.end_call(session_id)), _outcome(pair.callee.api.leave_call(session_id))]
        )
        lost = [isinstance(each, CallView) for each in outcomes]
        _require(lost.count(True) == 1, f"{lost.count(False)} of two ended the call")
        call = (await pair.caller.api.call(session_id)).call
        _require(call.status == "ENDED", f"the call is {call.status} after end and leave")
        winner = pair.callee if lost[0] else pair.caller
        _require(call.endedBy == winner.user_id, "endedBy is not the user whose request succeeded")
        await self._no_meeting(session_id)
        self.tally.winners["end against leave: " + ("leave" if lost[0] else "end")] += 1

    async def _ring(self, pair: Pair) -> str:
        return (await pair.caller.api.initiate_call(recipient_id=pair.callee.user_id, device_id="desk")).sessionId

    async def _accept(self, pair: Pair, session_id: str, device: str) -> object:
        return await _outcome(pair.callee.api.accept_call(session_id, device_id=device))

    async def _cancel(self, pair: Pair, session_id: str) -> object:
        await asyncio.sleep(self._random.uniform(0, _CANCEL_DELAY * self._accept_seconds))
        return await _outcome(pair.caller.api.cancel_call(session_id))

    async def _concurrently(self, requests: Sequence[Awaitable[object]]) -> list[object]:
        """Start all requests within a few milliseconds, in random order."""
        self.tally.requests += len(requests)

        async def delayed(request: Awaitable[object]) -> object:
            await asyncio.sleep(self._random.uniform(0, _SPREAD_SECONDS))
            return await request

        return list(await asyncio.gather(*(delayed(each) for each in requests)))

    async def _of(self, session_id: str) -> int:
        active = await asyncio.to_thread(self._meetings.active)
        return sum(1 for each in active if each["externalMeetingId"] == session_id)

    async def _one_meeting(self, session_id: str) -> None:
        count = await self._of(session_id)
        _require(count == 1, f"{count} meetings of an active call")

    async def _no_meeting(self, session_id: str) -> None:
        give_up_at = time.monotonic() + _MEETING_DELETION_SECONDS
        while await self._of(session_id):
            _require(time.monotonic() < give_up_at, "the meeting of an ended call was not deleted")
            await asyncio.sleep(0.1)


async def _outcome(call: Awaitable[object]) -> object:
    """Return the response, or the call in the refusal."""
    try:
        return await call
    except ConflictError as conflict:
        _require(conflict.call is not None, f"refused without the call: {conflict}")
        return conflict.call


def _refused(outcomes: Sequence[object]) -> Iterator[CallView]:
    return (each for each in outcomes if isinstance(each, CallView))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RaceError(otherwise)


async def race(target: Target, meetings: MeetingControl, rounds: int, devices: int) -> Tally:
    """Run every race so many times.

    Raises:
        RaceError: not exactly one request of a race succeeded, or a meeting remained.
    """
    races = Races(meetings, devices)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        users = [await sign_up(target, http, str(number)) for number in range(min(USERS, 2 * rounds))]
        for _, pair in zip(range(rounds), _pairs(users), strict=False):
            await races.accepts(pair)
            await races.accept_against_cancel(pair)
            await races.end_against_leave(pair)
        await asyncio.gather(*(each.events.close() for each in users))
    return races.tally


def _pairs(users: Sequence[User]) -> Iterator[Pair]:
    """Yield pairs endlessly, then with exchanged roles, so that no user reaches the limit of calls a minute."""
    pairs = [Pair(one, other) for one, other in zip(users[::2], users[1::2], strict=True)]
    return cycle([*pairs, *(Pair(pair.callee, pair.caller) for pair in pairs)])
