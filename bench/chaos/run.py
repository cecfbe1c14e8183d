"""One chaos run: an undisturbed phase, a phase under faults with one restart, and a phase after them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import aiohttp

from bench.chaos.clients import ChatUser, Talk, create_group, online, open_direct, sign_up
from bench.chaos.comparison import differences, settle
from bench.chaos.cutting_proxy import CuttingProxy
from bench.chaos.fault_sets import FaultSets
from bench.chaos.sending import Sender, Sends
from client.api.targets import Target, parse
from local.testing import LocalCloud

WINDOW_SECONDS: Final = 10.0
_CUT_SHARE: Final = 0.01
_SETTLE_SECONDS: Final = 120.0
_AFTER_SECONDS: Final = 30.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """The size of a run.

    Attributes:
        users: users who send; each sends in one direct conversation and in the groups.
        interval: seconds between two sends of one user.
        before: seconds of the undisturbed phase.
        seconds: seconds of the phase under faults; the restart is in its middle.
        seed: seed of all randomness.
        sends: stop the faults after so many accepted messages in place of `seconds`.
        group_sizes: members of each group; where there are more members than users, the others never connect.
        restart: whether both services are killed (SIGKILL) and started again.
    """

    users: int = 40
    interval: float = 2.0
    before: float = 60.0
    seconds: float = 300.0
    seed: int = 1
    sends: int | None = None
    group_sizes: tuple[int, ...] = (10, 10, 10, 10)
    restart: bool = True


@dataclass
class Outcome:
    """What a run saw.

    Attributes:
        undisturbed, disturbed: accepted messages a second in both phases.
        windows: accepted messages a second in each window of the phase under faults.
        longest_stall: seconds of that phase without an acceptance.
        accepted: all accepted messages.
        found: sentences about lost, doubled or misplaced messages.
    """

    undisturbed: float = 0.0
    disturbed: float = 0.0
    windows: list[float] = field(default_factory=list)
    longest_stall: float = 0.0
    restart_seconds: float = 0.0
    fault_sets: int = 0
    kills: int = 0
    cuts: int = 0
    accepted: int = 0
    sends: Sends = field(default_factory=Sends)
    found: list[str] = field(default_factory=list)

    def lines(self, plan: Plan) -> list[str]:
        """Return the figures as text."""
        lowest = min(self.windows, default=0.0)
        ratio = lowest / self.undisturbed if self.undisturbed else 0.0
        statuses = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(self.sends.statuses.items()))
        return [
            f"{plan.users} users, one message each every {plan.interval:g} s, seed {plan.seed}; "
            f"{self.fault_sets} fault sets, {self.kills} processes killed, {self.cuts} connections cut",
            f"  undisturbed            {self.undisturbed:6.1f} messages/s",
            f"  under faults           {self.disturbed:6.1f} messages/s",
            f"  lowest {WINDOW_SECONDS:g} s             {lowest:6.1f} messages/s, {ratio:.2f} x undisturbed",
            f"  longest stall          {self.longest_stall:6.1f} s (restart {self.restart_seconds:.1f} s)",
            f"  windows                {' '.join(f'{rate:.1f}' for rate in self.windows)}",
            f"  responses              {statuses}",
            f"  accepted {self.accepted}; given up by a client and sent again {self.sends.given_up}; "
            f"differences {len(self.found)}",
            *(f"    {line}" for line in self.found[:20]),
        ]


def to_stderr(line: str) -> None:
    """Print progress."""
    print(line, file=sys.stderr, flush=True)


async def chaos(cloud: LocalCloud, plan: Plan, progress: Progress = to_stderr) -> Outcome:
    """Run a plan on a local cloud; its faults are off afterwards."""
    chance = random.Random(plan.seed)
    outcome = Outcome()
    async with _clients(cloud, plan, outcome, chance, progress) as (users, talks, proxy):
        run = _Run(cloud, plan, outcome, chance, proxy, progress)
        await run.send(users, talks)
        progress("comparing every history with what was accepted")
        outcome.found += await settle(talks, _SETTLE_SECONDS)
        outcome.found += await differences(talks, outcome.sends)
    return outcome


@contextlib.asynccontextmanager
async def _clients(
    cloud: LocalCloud, plan: Plan, outcome: Outcome, chance: random.Random, progress: Progress
) -> AsyncIterator[tuple[list[ChatUser], list[Talk], CuttingProxy]]:
    direct = parse(json.dumps(cloud.document), "the local cloud's outputs")
    async with (
        CuttingProxy(direct.api_url, chance) as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trace_configs=[outcome.sends.traced()]) as http,
    ):
        target: Target = replace(direct, api_url=proxy.url)
        total = max(plan.users, *plan.group_sizes) if plan.group_sizes else plan.users
        progress(f"signing up {total} users")
        everyone = await sign_up(target, http, total)
        users = everyone[: plan.users]
        progress("opening conversations")
        talks = [await open_direct(first, second) for first, second in zip(users[::2], users[1::2], strict=True)]
        for number, size in enumerate(plan.group_sizes):
            # Groups that are smaller than all users hold different ones.
            start = number * size % plan.users if size < plan.users else 0
            members = [*everyone[start:], *everyone[:start]] if size < plan.users else everyone
            talks.append(await create_group(f"Group of {size}", members[:size]))
        progress("connecting the clients")
        async with online(target, http, users):
            yield users, talks, proxy


class _Run:
    def __init__(
        self,
        cloud: LocalCloud,
        plan: Plan,
        outcome: Outcome,
        chance: random.Random,
        proxy: CuttingProxy,
        progress: Progress,
    ) -> None:
        self._cloud, self._plan, self._outcome = cloud, plan, outcome
        self._sets = FaultSets(random.Random(chance.random()))
        self._chance, self._proxy, self._progress = chance, proxy, progress
        self._active = "none"

    async def send(self, users: Sequence[ChatUser], talks: Sequence[Talk]) -> None:
        """Run the three phases while the users send."""
        plan, outcome, sends = self._plan, self._outcome, self._outcome.sends
        stop = asyncio.Event()
        senders = [
            Sender(
                user,
                [talk for talk in talks if user in talk.members],
                sends,
                random.Random(self._chance.random()),
                plan.interval,
            )
            for user in users
        ]
        sending = [asyncio.create_task(sender.run(stop)) for sender in senders]
        watching = asyncio.create_task(self._watch())
        try:
            started = time.monotonic()
            await asyncio.sleep(plan.before)
            disturbed = time.monotonic()
            await self._disturb(disturbed)
            ended = time.monotonic()
            await self._calm()
            await asyncio.sleep(_AFTER_SECONDS if plan.sends is None else 0)
        finally:
            stop.set()
            await self._calm()
        await asyncio.gather(*sending)
        watching.cancel()
        outcome.accepted, outcome.cuts = len(sends.accepted_at), self._proxy.cuts
        # The first seconds start the functions' processes; they are part of no rate.
        warm = started + min(WINDOW_SECONDS, plan.before / 2)
        outcome.undisturbed = rate(sends.accepted_at, warm, disturbed)
        outcome.disturbed = rate(sends.accepted_at, disturbed, ended)
        outcome.windows = windows(sends.accepted_at, disturbed, ended)
        outcome.longest_stall = longest_stall(sends.accepted_at, disturbed, ended)

    async def _disturb(self, started: float) -> None:
        plan, outcome = self._plan, self._outcome
        ends_at = started + plan.seconds
        restart_at = started + plan.seconds / 2 if plan.restart else None
        self._proxy.cut_share = _CUT_SHARE
        while not self._over(ends_at):
            if restart_at is not None and (time.monotonic() >= restart_at or self._half()):
                restart_at = None
                await self._restart()
            chosen = self._sets.next()
            self._active = chosen.names
            await asyncio.to_thread(self._cloud.faults.set_aws, *chosen.aws)
            await asyncio.to_thread(self._cloud.faults.set_events, *chosen.events)
            outcome.fault_sets += 1
            await asyncio.sleep(chosen.seconds)
            applied = await asyncio.to_thread(self._cloud.faults.aws)
            outcome.kills += sum(int(rule["hits"]) for rule in applied if rule["effect"] == "kill")

    async def _calm(self) -> None:
        await asyncio.to_thread(self._cloud.faults.clear)
        self._proxy.cut_share, self._active = 0.0, "none"

    def _over(self, ends_at: float) -> bool:
        if self._plan.sends is not None:
            return len(self._outcome.sends.accepted_at) >= self._plan.sends
        return time.monotonic() >= ends_at

    def _half(self) -> bool:
        sends = self._plan.sends
        return sends is not None and len(self._outcome.sends.accepted_at) >= sends / 2

    async def _restart(self) -> None:
        self._active = "restart"
        started = time.monotonic()
        await asyncio.to_thread(self._cloud.kill9, "emulator", "events")
        await asyncio.to_thread(self._cloud.restart, "emulator", "events")
        self._outcome.restart_seconds = time.monotonic() - started

    async def _watch(self) -> None:
        """Report progress every window."""
        started, seen = time.monotonic(), 0
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            accepted = len(self._outcome.sends.accepted_at)
            self._progress(
                f"{time.monotonic() - started:5.0f} s  {(accepted - seen) / WINDOW_SECONDS:5.1f} messages/s, "
                f"{accepted} accepted, {self._outcome.kills} killed, {self._proxy.cuts} cut; faults: {self._active}"
            )
            seen = accepted


def rate(accepted_at: Sequence[float], start: float, end: float) -> float:
    """Return the acceptances a second between two times."""
    return sum(start <= at < end for at in accepted_at) / max(end - start, 1e-9)


def windows(accepted_at: Sequence[float], start: float, end: float) -> list[float]:
    """Return the acceptances a second in each whole window between two times."""
    count = int((end - start) // WINDOW_SECONDS)
    edges = [start + number * WINDOW_SECONDS for number in range(count)]
    return [rate(accepted_at, edge, edge + WINDOW_SECONDS) for edge in edges]


def longest_stall(accepted_at: Sequence[float], start: float, end: float) -> float:
    """Return the longest time between two times without an acceptance, in seconds."""
    inside = [start, *(at for at in accepted_at if start <= at < end), end]
    return max(later - earlier for earlier, later in itertools.pairwise(inside))
