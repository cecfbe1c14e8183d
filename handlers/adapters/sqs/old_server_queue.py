"""The queue from which the old Socket.IO server emits the backend's messages.

A FIFO queue: one message group for each conversation keeps its order, and the message id excludes duplicates of five
minutes (Amazon SQS: FIFO queues, exactly-once processing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.bridge.ports import ForwardedMessage, OldServerQueue
from handlers.core.shared.errors import UnavailableError

EVENT: Final = "new-message"
"""The Socket.IO event that the old clients listen to."""


class SqsOldServerQueue(OldServerQueue):
    """Queues messages, one request for each, since a batch may be accepted in part.

    Args:
        client: returns the SQS client.
        url: URL of the FIFO queue.
    """

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client = client
        self._url = url

    def send(self, conversation_id: str, message: ForwardedMessage, recipients: Sequence[str]) -> None:
        body = {
            "event": EVENT,
            "conversationId": conversation_id,
            "seq": message.stored.message.seq,
            "recipients": list(recipients),
            "message": dict(message.attributes),
        }
        try:
            self._client().send_message(
                QueueUrl=self._url,
                MessageBody=msgspec.json.encode(body).decode(),
                MessageGroupId=conversation_id,
                MessageDeduplicationId=message.stored.message.messageId,
            )
        except (ClientError, BotoCoreError) as error:
            raise UnavailableError(f"the queue of the old server did not accept a message: {error}") from error
