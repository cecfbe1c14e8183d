"""Publishing over HTTP to the Event API, signed with the function's own role.

AppSync Events: HTTP publish; `POST {endpoint}` with `{"channel", "events": ["<JSON>"]}`, signature version 4 for the
service `appsync`. A 200 may still list the event in `failed`.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from handlers.core.contract.limits import PUBLISH_CONCURRENCY

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 1
READ_SECONDS = 3
ATTEMPTS = 2
_SERVICE = "appsync"
_SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
"""Without it the body waits some 40 ms for the acknowledgement of the headers, which leave in a packet of their own."""
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

    signer: SigV4Auth
    event: str
    successes: int = 0
    failures: int = 0


class EventsPublisher:
    """Publishes one event to many channels (`handlers.core.ports.Publisher`); connections are kept and shared.

    Args:
        endpoint: as in `publish_url`.
        session: botocore session that knows credentials and region.
        concurrency: most publishes under way at once.
    """

    def __init__(self, endpoint: str, session: Any, concurrency: int = PUBLISH_CONCURRENCY) -> None:
        self._url = publish_url(endpoint)
        self._session = session
        self._region = session.get_config_variable("region")
        self._http = URLLib3Session(
            timeout=(CONNECT_SECONDS, READ_SECONDS), max_pool_connections=concurrency, socket_options=_SOCKET_OPTIONS
        )
        self._concurrency = concurrency
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="publish")

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish one event to many channels, concurrently, and return the channels that did not take it."""
        credentials = self._session.get_credentials().get_frozen_credentials()
        signer = SigV4Auth(credentials, _SERVICE, self._region)
        publishing = _Publishing(signer, event)
        if len(channels) == 1:
            outcomes = [self._publish(publishing, channels[0])]
        else:
            outcomes = list(self._pool.map(partial(self._publish, publishing), channels))
        return [channel for channel, taken in zip(channels, outcomes, strict=True) if not taken]

    def _publish(self, publishing: _Publishing, channel: str) -> bool:
        """Publish to one channel; not even try where nothing but failure came of a whole round of others."""
        if publishing.failures >= self._concurrency and not publishing.successes:
            return False
        taken = self._post(publishing.signer, channel, publishing.event)
        if taken:
            publishing.successes += 1
        else:
            publishing.failures += 1
        return taken

    def _post(self, signer: SigV4Auth, channel: str, event: str) -> bool:
        body = json.dumps({"channel": channel, "events": [event]}).encode()
        for attempt in range(ATTEMPTS):
            try:
                answer = self._http.send(self._signed(signer, body))
            except BotoCoreError as error:
                problem = str(error)
            else:
                if answer.status_code == 200:
                    return self._taken(channel, answer.content)
                problem = f"status {answer.status_code}: {answer.content[:500]!r}"
                if answer.status_code not in _RETRIED:
                    _log.error("publishing to %s was refused: %s", channel, problem)
                    return False
            _log.warning("publishing to %s failed (attempt %d of %d): %s", channel, attempt + 1, ATTEMPTS, problem)
        return False

    def _signed(self, signer: SigV4Auth, body: bytes) -> Any:
        request = AWSRequest("POST", self._url, headers={"content-type": "application/json"}, data=body)
        signer.add_auth(request)
        return request.prepare()

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
