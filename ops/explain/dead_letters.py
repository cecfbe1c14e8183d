"""Looks at dead letters without taking them away."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

_BATCH: Final = 10
_LOOK_SECONDS: Final = 30
"""Seconds for which a message that was looked at stays hidden, unless it is returned earlier."""
_EMPTY_MAX: Final = 3
"""Empty answers in a row that end the look: short polling may miss messages (Amazon SQS: short and long polling)."""


class DeadLetter(msgspec.Struct, frozen=True):
    """One message of a dead-letter queue.

    Args:
        message_id: SQS's id.
        receipt: handle of this receive.
        body: the text of the message.
        fields: the JSON object of the body; empty where it is none.
        sent_at: milliseconds since the epoch.
    """

    message_id: str
    receipt: str
    body: str
    fields: dict[str, Any]
    sent_at: int


def receive(client: Any, url: str, *, most: int, hidden_seconds: int = _LOOK_SECONDS) -> list[DeadLetter]:
    """Receive messages, each once, and leave them hidden for some seconds.

    Args:
        client: a botocore client of SQS.
        url: of the dead-letter queue.
        most: most messages.
        hidden_seconds: for how long no other receiver gets them.
    """
    found: dict[str, DeadLetter] = {}
    empty = 0
    while len(found) < most and empty < _EMPTY_MAX:
        answer = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_BATCH, most - len(found)),
            VisibilityTimeout=hidden_seconds,
            AttributeNames=["SentTimestamp"],
        )
        new = [_letter(each) for each in answer.get("Messages", []) if each["MessageId"] not in found]
        found |= {each.message_id: each for each in new}
        empty = 0 if new else empty + 1
    return list(found.values())


def look(client: Any, url: str, *, most: int = 1_000) -> list[DeadLetter]:
    """Return the messages of a dead-letter queue, and make them visible again."""
    found = receive(client, url, most=most)
    for letter in found:
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
    return found


def _letter(message: dict[str, Any]) -> DeadLetter:
    try:
        fields = json.loads(message["Body"])
    except ValueError:
        fields = {}
    return DeadLetter(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        fields if isinstance(fields, dict) else {},
        int(message.get("Attributes", {}).get("SentTimestamp", 0)),
    )
