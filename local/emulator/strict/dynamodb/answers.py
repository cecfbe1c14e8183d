"""Errors of DynamoDB as its SDKs read them."""

from __future__ import annotations

import json
import uuid
from typing import Any

Response = tuple[int, dict[str, str], Any]


def error(code: str, message: str, **members: Any) -> Response:
    """Return an error of DynamoDB.

    Args:
        code: name of the exception.
        message: what is wrong.
        members: further ones of the exception.
    """
    document = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, "Message": message, **members}
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-ErrorType": code,
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    return 400, headers, json.dumps(document).encode()


def cancelled(code: str, hit: list[bool], message: str) -> Response:
    """Return the cancellation of a transaction.

    Args:
        code: the reason of the actions that are hit.
        hit: for each action, whether it is the reason.
        message: of those actions.
    """
    reasons = [{"Code": code, "Message": message} if each else {"Code": "None"} for each in hit]
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return error("TransactionCanceledException", text, CancellationReasons=reasons)
