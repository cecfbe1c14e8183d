"""The delivery queue (Amazon SQS)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract import limits
from handlers.core.delivery.ports import DeliveryTask

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct, omit_defaults=True):
    eventId: str  # noqa: N815  # wire name
    slice: int | None = None


def encode(parcel: DeliveryTask) -> str:
    """Return the body of a parcel's queue message: `{"eventId": …, "slice": …}`."""
    return msgspec.json.encode(_Body(parcel.event_id, parcel.slice)).decode()


def decode(body: str) -> DeliveryTask:
    """Return the parcel that a queue message stands for.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: the body is not a parcel.
    """
    content = msgspec.json.decode(body, type=_Body)
    return DeliveryTask(content.eventId, content.slice)


class SqsDeliveryQueue:
    """Sends parcels (`handlers.core.delivery.ports.DeliveryQueue`).

    Args:
        client: returns the SQS client; called with the first parcel, since most requests need no queue.
        url: the queue's address.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, parcels: Sequence[DeliveryTask], delay_seconds: int = 0) -> Sequence[DeliveryTask]:
        """Enqueue parcels and return those that the queue did not take."""
        left: list[DeliveryTask] = []
        for start in range(0, len(parcels), limits.QUEUE_BATCH_MAX):
            left += self._send(parcels[start : start + limits.QUEUE_BATCH_MAX], delay_seconds)
        return left

    def _send(self, batch: Sequence[DeliveryTask], delay_seconds: int) -> Sequence[DeliveryTask]:
        entries = [
            {"Id": str(number), "MessageBody": encode(parcel), "DelaySeconds": delay_seconds}
            for number, parcel in enumerate(batch)
        ]
        try:
            answer = self._client().send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            _log.warning("the delivery queue did not take %d parcels: %s", len(batch), error)
            return batch
        failed = {int(entry["Id"]) for entry in answer.get("Failed", [])}
        return [parcel for number, parcel in enumerate(batch) if number in failed]
