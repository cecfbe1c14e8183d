"""A message that is not stored yet."""

from __future__ import annotations

from dataclasses import dataclass

from client.attachment import Attachment
from client.errors import ClientError
from contract.models import Message


@dataclass
class Draft:
    """A message that is being sent, or whose sending failed.

    Sending it again is safe: the same `temp_id` is stored once.

    Attributes:
        error: why the last attempt failed; None while an attempt runs.
        stored: the stored message, once its event has arrived.
    """

    conversation_id: str
    temp_id: str
    text: str | None
    attachment: Attachment | None = None
    reply_to: str | None = None
    error: ClientError | None = None
    stored: Message | None = None
