"""The delivery queue on Amazon SQS."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract import limits
from handlers.core.delivery.ports import DeliveryQueue, DeliveryTask

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct, omit_defaults=True):
    eventId: str  # noqa: N815  # wire name
    slice: int | None = None


def encode(task: DeliveryTask) -> str:
    """Return the body of a delivery task's queue message: `{"eventId": …, "slice": …}`."""
    return msgspec.json.encode(_Body(task.event_id, task.slice)).decode()


def decode(body: str) -> DeliveryTask:
    """Return the delivery task of a queue message.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: the body is not a delivery task.
    """
    content = msgspec.json.decode(body, type=_Body)
    return DeliveryTask(content.eventId, content.slice)


class SqsDeliveryQueue(DeliveryQueue):
    """Enqueues delivery tasks.

    Args:
        client: returns the SQS client; called with the first delivery task, since most requests need no queue.
        url: URL of the queue.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, tasks: Sequence[DeliveryTask], delay_seconds: int = 0) -> Sequence[DeliveryTask]:
        refused: list[DeliveryTask] = []
        for start in range(0, len(tasks), limits.QUEUE_BATCH_MAX):
            refused += self._send(tasks[start : start + limits.QUEUE_BATCH_MAX], delay_seconds)
        return refused

    def _send(self, batch: Sequence[DeliveryTask], delay_seconds: int) -> Sequence[DeliveryTask]:
        entries = [
            {"Id": str(number), "MessageBody": encode(task), "DelaySeconds": delay_seconds}
            for number, task in enumerate(batch)
        ]
        try:
            answer = self._client().send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _log.warning("enqueueing %d delivery tasks failed: %s", len(batch), error)
            return batch
        failed = {int(entry["Id"]) for entry in answer.get("Failed", [])}
        return [task for number, task in enumerate(batch) if number in failed]
