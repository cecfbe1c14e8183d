"""Stand-ins for the world: a clock that tests hold, devices that listen, and services that fail on demand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

Fault = Callable[[Callable[[], Any]], Any]
"""What happens instead of a call: it is given a function that makes the real one."""


class HeldClock:
    """A clock that moves only when told to; pauses move it on, so that nothing waits."""

    def __init__(self, now: int = 1_790_000_000_000) -> None:
        self._now = now
        self._lock = Lock()

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return self._now

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += int(seconds * 1000)


class ProcessDiesError(BaseException):
    """The process is killed: nothing after this point happens, and no handler may catch it."""


@dataclass
class Devices:
    """A publisher (`handlers.core.delivery.ports.Publisher`) that remembers what every channel got.

    Args:
        broken: channels that take nothing.
        before: called with each channel before it gets anything; may raise.
    """

    broken: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda channel: None
    received: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish to all channels but the broken ones, which are returned."""
        failed = []
        for channel in channels:
            self.before(channel)
            if channel in self.broken:
                failed.append(channel)
            else:
                self.received[channel].append(json.loads(event))
        return failed

    def events(self, user_id: str, namespace: str = "chats") -> list[dict[str, Any]]:
        """Return what a user's channel got, each event once, as a client shows it."""
        seen: dict[str, dict[str, Any]] = {}
        for event in self.received[f"/{namespace}/{user_id}"]:
            seen.setdefault(event["eventId"], event)
        return list(seen.values())


class Calls:
    """Counts calls, and lets one of them go wrong."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.triggered = False
        self._dead = False
        self._left = 0
        self._fault: Callable[[Callable[[], Any]], Any] | None = None
        self._lock = Lock()

    def arm(self, at: int, fault: Callable[[Callable[[], Any]], Any]) -> None:
        """Let one of the calls to come go wrong.

        Args:
            at: which one, from 1.
            fault: what happens then: called with a function that makes the real call.
        """
        self._left, self._fault = at, fault

    def make(self, name: str, call: Callable[[], Any]) -> Any:
        """Make one call, or let it go wrong; a dead process makes none."""
        with self._lock:
            if self._dead:
                raise ProcessDiesError(name)
            self.made.append(name)
            self._left -= 1
            wrong = self._left == 0
        if not wrong or self._fault is None:
            return call()
        self.triggered = True
        try:
            return self._fault(call)
        except ProcessDiesError:
            self._dead = True
            raise


class FaultyClient:
    """A botocore client whose calls go through `Calls`."""

    def __init__(self, client: Any, calls: Calls) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client, watched."""
        operation = getattr(self._client, name)

        def watched(**parameters: Any) -> Any:
            return self._calls.make(name, lambda: operation(**parameters))

        return watched


@dataclass
class FaultyPublisher:
    """A publisher whose publishes go through `Calls`, one call a channel."""

    devices: Devices
    calls: Calls

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish one channel after the other; an ordinary failure is a channel that did not take it."""
        failed = []
        for channel in channels:
            try:
                taken = self.calls.make("publish", partial(self.devices.publish, [channel], event))
            except (ClientError, ReadTimeoutError):
                failed.append(channel)
            else:
                failed += taken
        return failed


def _client_error(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def throttles(call: Callable[[], Any]) -> Any:
    """The service refuses, and nothing happens."""
    raise _client_error("ProvisionedThroughputExceededException", 400)


def fails(call: Callable[[], Any]) -> Any:
    """The service fails, and nothing happens."""
    raise _client_error("InternalServerError", 500)


def never_arrives(call: Callable[[], Any]) -> Any:
    """The request is lost on its way."""
    raise ReadTimeoutError(endpoint_url="http://service.invalid")


def answer_gets_lost(call: Callable[[], Any]) -> Any:
    """The call takes effect, and its answer is lost."""
    call()
    raise ReadTimeoutError(endpoint_url="http://service.invalid")


def dies_before(call: Callable[[], Any]) -> Any:
    """The process dies just before the call."""
    raise ProcessDiesError


def dies_after(call: Callable[[], Any]) -> Any:
    """The call takes effect, and the process dies."""
    call()
    raise ProcessDiesError
