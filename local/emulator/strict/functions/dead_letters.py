"""Sends what became of an asynchronous invocation to a queue or topic."""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, sns, sqs

_LOGGER = logging.getLogger("local.strict")

Attributes = dict[str, tuple[str, str]]


def send(target: str, body: str, attributes: Attributes) -> None:
    """Send a message.

    Args:
        target: ARN of a queue or a topic.
        body: the message.
        attributes: name to type and value.
    """
    service = target.split(":")[2] if target.count(":") >= 5 else ""
    if service == "sqs":
        queue = sqs._queue_by_arn(target)
        if queue is not None:
            queue["messages"].append(_message(queue, body, attributes))
            lambda_svc.esm_wake.set()
            return
    elif service == "sns" and target in sns._topics:
        sns._fanout(target, str(uuid.uuid4()), body, "Lambda asynchronous invocation", "", _shaped(attributes))
        return
    _LOGGER.warning("%s: there is no queue or topic of this name, so an event is lost", target)


def _message(queue: dict[str, Any], body: str, attributes: Attributes) -> dict[str, Any]:
    now = time.time()
    return {
        "id": str(uuid.uuid4()),
        "body": body,
        "md5_body": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "md5_attrs": "",
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "receive_count": 0,
        "first_receive_at": None,
        "message_attributes": _shaped(attributes),
        "sys": {"SenderId": get_account_id(), "SentTimestamp": str(int(now * 1000))},
        "group_id": None,
        "dedup_id": None,
        "dedup_cache_key": None,
        "seq": None,
    }


def _shaped(attributes: Attributes) -> dict[str, dict[str, str]]:
    return {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()}
