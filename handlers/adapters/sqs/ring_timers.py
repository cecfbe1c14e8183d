"""Ring timers: a delayed message for each call that rings (Amazon SQS: message timers)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.calls.ports import RingTimers
from handlers.core.shared import correlation

_log = logging.getLogger(__name__)


class RingTimer(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The body of a timer's message: the call, and the correlation id of the request that initiated it."""

    session_id: str
    correlation_id: str | None = None


def encode(session_id: str) -> str:
    """Return the body of a timer's message: `{"sessionId": …}`, with `correlationId` within a request."""
    return msgspec.json.encode(RingTimer(session_id, correlation.present())).decode()


def decode(body: str) -> RingTimer:
    """Return the timer of a message.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: the body is not that of a timer.
    """
    return msgspec.json.decode(body, type=RingTimer)


class SqsRingTimers(RingTimers):
    """Sends ring timers to a queue.

    Args:
        client: returns the SQS client; called on first use.
        url: the queue's URL.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def start(self, session_id: str, delay_seconds: int) -> bool:
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=encode(session_id), DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            _log.warning("could not queue the ring timer of call %s: %s", session_id, error)
            return False
        return True
