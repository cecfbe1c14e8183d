"""The ring timer: a delayed message for each call that rings (Amazon SQS: message timers)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct):
    sessionId: str  # noqa: N815  # wire name


def encode(session_id: str) -> str:
    """Return the body of a timer's message: `{"sessionId": …}`."""
    return msgspec.json.encode(_Body(session_id)).decode()


def decode(body: str) -> str:
    """Return the call whose ringing is over.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: the body is no timer's.
    """
    return msgspec.json.decode(body, type=_Body).sessionId


class SqsRingTimers:
    """Starts timers (`handlers.core.calls.ports.RingTimers`).

    Args:
        client: returns the SQS client; called with the first timer.
        url: the queue's address.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def start(self, session_id: str, delay_seconds: int) -> bool:
        """Ask to be woken after a delay of at most 900 seconds; return False where the queue did not take it."""
        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=encode(session_id), DelaySeconds=delay_seconds)
        except (ClientError, BotoCoreError) as error:
            _log.warning("the ring timer of %s was not taken; the sweep ends its ringing: %s", session_id, error)
            return False
        return True
