"""Lets a failed message of a queue return sooner than after the queue's visibility timeout."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)


class MessageVisibility:
    """Changes the visibility of received messages.

    Args:
        client: returns the SQS client; called with the first failure, since most invocations have none.
        url: URL of the queue.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def return_after(self, receipt_handle: str, seconds: int) -> None:
        """Make a received message visible again after some seconds. If this fails, its visibility timeout applies."""
        request = {"QueueUrl": self._url, "ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds}
        try:
            self._client().change_message_visibility(**request)
        except (ClientError, BotoCoreError) as error:
            _log.warning("changing a message's visibility failed; it returns after the queue's timeout: %s", error)
