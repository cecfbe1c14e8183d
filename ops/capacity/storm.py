"""Simulates the reconnection of all clients after a cut, and the fan-out of one message, by discrete events."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from appsync_events import Backoff

from contract import limits

LOST_SECONDS: Final = 60.0
"""A client notices a silent loss by the missing keep-alive, within a minute; a closed connection at once."""
HANDSHAKE_SECONDS: Final = 0.15
"""TLS, upgrade, connection_init, and two subscriptions."""
CLIENT_BASE_SECONDS: Final = 0.5
CLIENT_CAP_SECONDS: Final = 20.0
"""The client's waits between connections (`appsync_events`, EventsClient)."""
SIMULATED_CLIENTS: Final = 1_000


class TokenBucket:
    """A rate limit in simulated time.

    Args:
        rate: permits a second.
        burst: permits at once.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, 0.0

    def take(self, now: float) -> bool:
        """Take a permit if there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True)
class Storm:
    """A simulated storm.

    Args:
        clients: how many lost their connection.
        refused: refused attempts of each client, on average.
        seconds: seconds until so many percent were connected again: percent to seconds.
        curve: seconds and the share of clients that was connected then, in order.
    """

    clients: int
    refused: float
    seconds: dict[int, float]
    curve: list[tuple[float, float]]


def storm(
    clients: int, *, rate: float = 2_000, silent: bool = False, seed: int = 1, handshake: float = HANDSHAKE_SECONDS
) -> Storm:
    """Simulate the reconnection of all clients.

    More than 1,000 clients are simulated as 1,000 with a rate that is less by the same factor: what each client sees
    does not change, because the waits of the clients do not depend on their number.

    Args:
        clients: how many.
        rate: new connections a second that the Event API accepts.
        silent: whether the clients notice the loss by missing keep-alives, spread over a minute; else at once.
        seed: of the random waits.
        handshake: seconds from an accepted attempt until the subscriptions are acknowledged.
    """
    simulated = min(clients, SIMULATED_CLIENTS)
    return replace(_storm(simulated, rate * simulated / clients, silent, seed, handshake), clients=clients)


@cache
def _storm(simulated: int, rate: float, silent: bool, seed: int, handshake: float) -> Storm:
    chance = random.Random(seed)  # noqa: S311 - a simulation
    backoff = Backoff(base=CLIENT_BASE_SECONDS, cap=CLIENT_CAP_SECONDS, rng=chance)
    bucket = TokenBucket(rate, max(1.0, rate))
    noticed = (chance.uniform(0, LOST_SECONDS) if silent else 0.0 for _ in range(simulated))
    waiting = [(at + backoff.delay(0), number, 0) for number, at in enumerate(noticed)]
    heapq.heapify(waiting)
    connected, refused = [], 0
    while waiting:
        now, number, failures = heapq.heappop(waiting)
        if bucket.take(now):
            connected.append(now + handshake)
        else:
            refused += 1
            heapq.heappush(waiting, (now + backoff.delay(failures + 1), number, failures + 1))
    connected.sort()
    step = max(1, simulated // 200)
    drawn = [*range(0, simulated, step), simulated - 1]
    return Storm(
        simulated,
        refused / simulated,
        {share: connected[-(-simulated * share // 100) - 1] for share in (50, 95, 99, 100)},
        [(connected[place], (place + 1) / simulated) for place in drawn],
    )


@dataclass(frozen=True)
class FanOut:
    """The simulated deliveries of messages to large groups.

    Args:
        first: seconds until the first recipient has the event.
        last: seconds until the last one has.
        throttled: publishes that were refused and repeated.
    """

    first: float
    last: float
    throttled: int


def fan_out(
    recipients: int,
    *,
    messages: int = 1,
    workers: int = limits.DELIVERY_INVOCATIONS_MAX,
    publish_seconds: float = 0.020,
    start_seconds: float = 0.030,
    rate: float = 10_000,
    seed: int = 1,
) -> FanOut:
    """Simulate the delivery of messages that were accepted at the same moment, in slices from the queue.

    Args:
        recipients: of each message.
        messages: how many.
        workers: concurrent invocations of deliver.
        publish_seconds: length of a publish.
        start_seconds: from the acceptance until an invocation has the task and the record.
        rate: inbound events a second of the Event API; a refused publish is repeated after a random pause.
        seed: of the pauses.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation
    bucket, backoff = TokenBucket(rate, rate), Backoff(base=0.05, cap=1.0, rng=chance)
    size = max(limits.SLICE_RECIPIENTS, -(-recipients // limits.QUEUE_BATCH_MAX))
    slices = [min(size, recipients - begin) for begin in range(0, recipients, size)] * messages
    attempts: list[tuple[float, int, int]] = []
    unsent, unfinished = list(slices), list(slices)
    times: list[float] = []
    throttled = following = 0

    def begin(now: float) -> None:
        """Let a free worker take the next slice."""
        nonlocal following
        if following == len(slices):
            return
        for _ in range(min(slices[following], limits.PUBLISH_CONCURRENCY)):
            unsent[following] -= 1
            heapq.heappush(attempts, (now + start_seconds, following, 0))
        following += 1

    for _ in range(workers):
        begin(0.0)
    while attempts:
        now, number, failures = heapq.heappop(attempts)
        if not bucket.take(now):
            throttled += 1
            heapq.heappush(attempts, (now + backoff.delay(failures), number, failures + 1))
            continue
        done = now + publish_seconds
        times.append(done)
        unfinished[number] -= 1
        if unsent[number]:
            unsent[number] -= 1
            heapq.heappush(attempts, (done, number, 0))
        elif not unfinished[number]:
            begin(done)
    return FanOut(min(times), max(times), throttled)
