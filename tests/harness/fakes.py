"""Fakes for the function tests: a clock that the test advances, a recording publisher, and Cognito's accounts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from handlers.core.delivery.ports import Publisher
from handlers.core.shared.errors import UnauthenticatedError
from handlers.core.shared.ports import Clock
from handlers.core.users.ports import IdentityProvider
from handlers.core.users.profile_rules import Account

START = 1_790_000_000_000
"""Milliseconds since the epoch at which a fake clock starts."""


class FakeClock(Clock):
    """A clock that moves only when a test advances it, so that no test waits.

    Args:
        now: milliseconds since the epoch.
        pauses_take_time: whether a pause between two attempts moves the clock on.
        really: whether a pause below a second also takes its real time, as the emulator's transactions do.
    """

    def __init__(self, now: int = START, *, pauses_take_time: bool = True, really: bool = False) -> None:
        self._now = now
        self._pauses_take_time = pauses_take_time
        self._really = really
        self._lock = Lock()

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return self._now

    def pause(self, seconds: float) -> None:
        """Return at once, unless pauses are real; move the clock on if pauses take time."""
        if self._really and seconds < 1:
            time.sleep(seconds)
        if self._pauses_take_time:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the clock on, or back by a negative number of seconds."""
        with self._lock:
            self._now += int(seconds * 1000)


@dataclass
class RecordingPublisher(Publisher):
    """A publisher that records what each channel received.

    Args:
        failing: channels whose publish fails.
        before_publish: called with each channel before its publish; may raise.
        published: (channel, event) in the order of the publishes.
    """

    failing: set[str] = field(default_factory=set)
    before_publish: Callable[[str], None] = lambda channel: None
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Record the event for every channel that does not fail; return the failing ones."""
        failed = []
        for channel in channels:
            self.before_publish(channel)
            if channel in self.failing:
                failed.append(channel)
                continue
            with self.lock:
                self.published.append((channel, json.loads(event)))
        return failed

    def received(self, user_id: str, kind: str | None = None, namespace: str = "chats") -> list[dict[str, Any]]:
        """Return every event published to a user's channel, repeated publishes included.

        Args:
            kind: only events of this type.
        """
        channel = f"/{namespace}/{user_id}"
        return [event for name, event in self.published if name == channel and kind in (None, event["type"])]

    def events(self, user_id: str, namespace: str = "chats") -> list[dict[str, Any]]:
        """Return the events of a user's channel, each once, as a client shows them."""
        distinct: dict[str, dict[str, Any]] = {}
        for event in self.received(user_id, namespace=namespace):
            distinct.setdefault(event["eventId"], event)
        return list(distinct.values())

    def types(self, user_id: str, namespace: str = "chats") -> list[str]:
        """Return the types of the events of a user's channel, each event once."""
        return [event["type"] for event in self.events(user_id, namespace)]

    def clear(self) -> None:
        """Forget what was published."""
        self.published.clear()


@dataclass
class FakeIdentities(IdentityProvider):
    """Cognito's accounts by access token.

    Args:
        requests: how often an account was requested.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    requests: int = 0

    def account(self, access_token: str) -> Account:
        """Return the account of a token."""
        self.requests += 1
        if access_token not in self.accounts:
            raise UnauthenticatedError("the access token is not valid any more: sign in again")
        return self.accounts[access_token]
