"""Publishing over HTTP to the Event API, signed with the function's own role.

AppSync Events: HTTP publish; `POST {endpoint}` with `{"channel", "events": ["<JSON>"]}`, signature version 4 for the
service `appsync`. A 200 may still list the event in `failed`.
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
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contract.limits import PUBLISH_CONCURRENCY
from handlers.adapters.appsync.http_pool import HttpPool
from handlers.adapters.appsync.signing import Signer

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
_SERVICE = "appsync"
_RETRIED = frozenset({429, 500, 502, 503, 504})


class _Answer(msgspec.Struct):
    successful: list[dict[str, Any]] = msgspec.field(default_factory=list)
    failed: list[dict[str, Any]] = msgspec.field(default_factory=list)


def publish_url(endpoint: str) -> str:
    """Return the address to publish to.

    Args:
        endpoint: the Event API's HTTP endpoint: its host name, or a whole address such as `http://127.0.0.1:4567/event`.
    """
    address = endpoint if "://" in endpoint else f"https://{endpoint}"
    return address if urlsplit(address).path.strip("/") else f"{address.rstrip('/')}/event"


@dataclass
class _Publishing:
    """One event on its way, and how it fares; the counts may be a little off, since threads share them."""

    credentials: Any
    event: str
    successes: int = 0
    failures: int = 0


class EventsPublisher:
    """Publishes one event to many channels (`handlers.core.delivery.ports.Publisher`); connections are kept and shared.

    Args:
        endpoint: as in `publish_url`.
        session: botocore session that knows credentials and region.
        concurrency: most publishes under way at once.
    """

    def __init__(self, endpoint: str, session: Any, concurrency: int = PUBLISH_CONCURRENCY) -> None:
        url = urlsplit(publish_url(endpoint))
        self._session = session
        self._signer = Signer(url.netloc, url.path, session.get_config_variable("region"), _SERVICE)
        self._connections = HttpPool(url.geturl(), CONNECT_SECONDS, READ_SECONDS)
        self._concurrency = concurrency
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="publish")

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish one event to many channels, concurrently, and return the channels that did not take it."""
        publishing = _Publishing(self._session.get_credentials().get_frozen_credentials(), event)
        if len(channels) == 1:
            outcomes = [self._publish(publishing, channels[0])]
        else:
            outcomes = list(self._pool.map(partial(self._publish, publishing), channels))
        return [channel for channel, taken in zip(channels, outcomes, strict=True) if not taken]

    def _publish(self, publishing: _Publishing, channel: str) -> bool:
        """Publish to one channel; not even try where nothing but failure came of a whole round of others."""
        if publishing.failures >= self._concurrency and not publishing.successes:
            return False
        taken = self._post(publishing.credentials, channel, publishing.event)
        if taken:
            publishing.successes += 1
        else:
            publishing.failures += 1
        return taken

    def _post(self, credentials: Any, channel: str, event: str) -> bool:
        body = json.dumps({"channel": channel, "events": [event]}).encode()
        for attempt in range(ATTEMPTS):
            try:
                now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
                answer = self._connections.post(self._signer.headers(body, credentials, now), body)
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                if answer.status == 200:
                    return self._taken(channel, answer.body)
                problem = f"status {answer.status}: {answer.body[:500]!r}"
                if answer.status not in _RETRIED:
                    _log.error("publishing to %s was refused: %s", channel, problem)
                    return False
            _log.warning("publishing to %s failed (attempt %d of %d): %s", channel, attempt + 1, ATTEMPTS, problem)
        return False

    @staticmethod
    def _taken(channel: str, content: bytes) -> bool:
        try:
            answer = msgspec.json.decode(content, type=_Answer)
        except msgspec.DecodeError:
            _log.exception("publishing to %s was answered by something that is not JSON", channel)
            return False
        if answer.failed:
            _log.error("the channel %s did not take the event: %s", channel, answer.failed)
        return not answer.failed
