"""The delivery queue on Amazon SQS."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract import limits
from handlers.core.delivery.ports import DeliveryQueue, DeliveryTask, QueueTask, ReceiptTask

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct, omit_defaults=True, rename="camel"):
    event_id: str
    slice: int | None = None
    receipts: _Receipts | None = None
    correlation_id: str | None = None


class _Receipts(msgspec.Struct, omit_defaults=True, rename="camel"):
    conversation_id: str
    since: int
    until: int
    reader: str | None = None
    left: tuple[str, ...] = ()
    attempt: int = 1


def encode(task: QueueTask) -> str:
    """Return the body of a task's queue message: `{"eventId": …, "slice": …}` or `{"eventId": …, "receipts": {…}}`.

    Both have `correlationId`, if the task has one.
    """
    if isinstance(task, DeliveryTask):
        return msgspec.json.encode(_Body(task.event_id, task.slice, correlation_id=task.correlation_id)).decode()
    receipts = _Receipts(task.conversation_id, task.since, task.until, task.reader, task.left, task.attempt)
    return msgspec.json.encode(_Body(task.event_id, receipts=receipts, correlation_id=task.correlation_id)).decode()


def decode(body: str) -> QueueTask:
    """Return the task of a queue message.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: the body is not a task.
    """
    content = msgspec.json.decode(body, type=_Body)
    receipts = content.receipts
    if receipts is None:
        return DeliveryTask(content.event_id, content.slice, content.correlation_id)
    return ReceiptTask(
        event_id=content.event_id,
        conversation_id=receipts.conversation_id,
        since=receipts.since,
        until=receipts.until,
        reader=receipts.reader,
        left=receipts.left,
        attempt=receipts.attempt,
        correlation_id=content.correlation_id,
    )


class SqsDeliveryQueue(DeliveryQueue):
    """Enqueues tasks.

    Args:
        client: returns the SQS client; called with the first task, since most requests need no queue.
        url: URL of the queue.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        refused: list[QueueTask] = []
        for start in range(0, len(tasks), limits.QUEUE_BATCH_MAX):
            refused += self._send(tasks[start : start + limits.QUEUE_BATCH_MAX], delay_seconds)
        return refused

    def _send(self, batch: Sequence[QueueTask], delay_seconds: int) -> Sequence[QueueTask]:
        entries = [
            {"Id": str(number), "MessageBody": encode(task), "DelaySeconds": delay_seconds}
            for number, task in enumerate(batch)
        ]
        try:
            answer = self._client().send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _log.warning("enqueueing %d tasks failed: %s", len(batch), error)
            return batch
        failed = {int(entry["Id"]) for entry in answer.get("Failed", [])}
        return [task for number, task in enumerate(batch) if number in failed]
