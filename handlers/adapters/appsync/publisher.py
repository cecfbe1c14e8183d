"""Publishes over HTTP to the Event API, signed with the function's own role.

AppSync Events: HTTP publish; `POST {endpoint}` with `{"channel", "events": ["<JSON>"]}`, signature version 4 for the
service `appsync`. A response with status 200 may still list the event in `failed`.

429 means that the Event API's quota of publishes is used up. All publishes of this process then pause, for as long as
Retry-After says or for a random, growing time, and go on until their patience ends: what is published at once again is
refused again, and takes from the quota of the others. No publish starts that could outlast the invocation, so that
time remains to store what is left.
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contract.limits import PUBLISH_CONCURRENCY, PUBLISH_PATIENCE_SECONDS
from handlers.adapters.appsync.http_pool import HttpPool
from handlers.adapters.appsync.signing import Signer
from handlers.core.delivery.ports import Publisher
from handlers.core.shared import correlation, deadline

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
"""Most attempts after failures other than 429."""
RESERVED_SECONDS = READ_SECONDS + 2
"""Time before the end of the invocation in which no publish starts: one may take `READ_SECONDS`, and afterwards the
recipients who are left are stored."""
_THROTTLED = 429
_SERVICE = "appsync"
_RETRIED = frozenset({_THROTTLED, 500, 502, 503, 504})
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
_random = SystemRandom()


class _PublishResult(msgspec.Struct):
    successful: list[dict[str, Any]] = msgspec.field(default_factory=list)
    failed: list[dict[str, Any]] = msgspec.field(default_factory=list)


def publish_url(endpoint: str) -> str:
    """Return the URL of the HTTP publish.

    Args:
        endpoint: the Event API's HTTP endpoint: its host name, or a URL such as `http://127.0.0.1:4567/event`.
    """
    address = endpoint if "://" in endpoint else f"https://{endpoint}"
    return address if urlsplit(address).path.strip("/") else f"{address.rstrip('/')}/event"


@dataclass
class _PublishProgress:
    """The publish of one event to many channels. The counts may be inexact, since threads share them."""

    credentials: Any
    event: str
    patient_until: float
    ends_at: float
    successes: int = 0
    failures: int = 0


class EventsPublisher(Publisher):
    """Publishes over persistent connections.

    Args:
        endpoint: as in `publish_url`.
        session: botocore session with credentials and region.
        concurrency: most concurrent publishes.
        patience_seconds: how long one call of `publish` waits for a throttling Event API, unless the invocation ends.
    """

    def __init__(
        self,
        endpoint: str,
        session: Any,
        concurrency: int = PUBLISH_CONCURRENCY,
        patience_seconds: float = PUBLISH_PATIENCE_SECONDS,
    ) -> None:
        url = urlsplit(publish_url(endpoint))
        self._session = session
        self._signer = Signer(url.netloc, url.path, session.get_config_variable("region"), _SERVICE)
        self._connections = HttpPool(url.geturl(), CONNECT_SECONDS, READ_SECONDS)
        self._concurrency = concurrency
        self._patience_seconds = patience_seconds
        self._paused_until = 0.0
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="publish")

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        credentials = self._session.get_credentials().get_frozen_credentials()
        now, remaining = time.monotonic(), deadline.remaining_seconds() - RESERVED_SECONDS
        progress = _PublishProgress(credentials, event, now + min(self._patience_seconds, remaining), now + remaining)
        if len(channels) == 1:
            published = [self._publish(progress, channels[0])]
        else:
            published = list(self._pool.map(correlation.carried(partial(self._publish, progress)), channels))
        return [channel for channel, is_published in zip(channels, published, strict=True) if not is_published]

    def _publish(self, progress: _PublishProgress, channel: str) -> bool:
        """Publish to one channel; skip it if as many publishes as run concurrently have failed and none succeeded."""
        if progress.failures >= self._concurrency and not progress.successes:
            return False
        published = self._post(progress, channel)
        if published:
            progress.successes += 1
        else:
            progress.failures += 1
        return published

    def _post(self, progress: _PublishProgress, channel: str) -> bool:
        body = json.dumps({"channel": channel, "events": [progress.event]}).encode()
        failures = throttled = 0
        while failures < ATTEMPTS and time.monotonic() < progress.ends_at and self._wait(progress.patient_until):
            try:
                now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
                response = self._connections.post(self._signer.headers(body, progress.credentials, now), body)
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                if response.status == 200:
                    return self._accepted(channel, response.body)
                problem = f"status {response.status}: {response.body[:500]!r}"
                if response.status not in _RETRIED:
                    _log.error("publish refused: channel %s: %s", channel, problem)
                    return False
                if response.status == _THROTTLED:
                    throttled += 1
                    self._pause(throttled, response.retry_after)
                    continue
            failures += 1
            _log.warning("publish failed: channel %s, attempt %d of %d: %s", channel, failures, ATTEMPTS, problem)
        if throttled:
            _log.warning("publish throttled: channel %s: %d times, given up", channel, throttled)
        return False

    def _pause(self, throttled: int, retry_after: str) -> None:
        """Let all publishes pause; a Retry-After that is a date, which AppSync does not send, counts as absent."""
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**throttled)
        seconds = float(retry_after) if retry_after.isdecimal() else _random.uniform(longest / 2, longest)
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def _wait(self, patient_until: float) -> bool:
        """Wait until publishes go on; return False at once if that is after the patience ends."""
        while (seconds := self._paused_until - time.monotonic()) > 0:
            if self._paused_until > patient_until:
                return False
            time.sleep(seconds + _random.uniform(0, _FIRST_PAUSE_SECONDS))
        return True

    @staticmethod
    def _accepted(channel: str, content: bytes) -> bool:
        try:
            result = msgspec.json.decode(content, type=_PublishResult)
        except msgspec.DecodeError:
            _log.exception("publish failed: channel %s: the response is not JSON", channel)
            return False
        if result.failed:
            _log.error("publish refused: channel %s: %s", channel, result.failed)
        return not result.failed
