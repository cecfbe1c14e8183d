"""The send route of the front-end guide (G:1014-1108) in Python: get, put, update, then all publishes in parallel."""

from __future__ import annotations

import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

_dynamodb = boto3.client("dynamodb")
_credentials = boto3.Session().get_credentials()
_http = urllib3.PoolManager(maxsize=1000)


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Serve one `POST /api/messages/send`."""
    sender = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    body = json.loads(event["body"])
    found = _dynamodb.get_item(
        TableName=os.environ["CONVERSATIONS_TABLE"], Key={"conversationId": {"S": body["conversationId"]}}
    )
    participants = [each["S"] for each in found["Item"]["participants"]["L"]]
    if sender not in participants:
        return {"statusCode": 403, "body": json.dumps({"error": "Forbidden"})}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {
        "conversationId": body["conversationId"],
        "timestamp": now,
        "messageId": str(uuid.uuid4()),
        "senderId": sender,
        "type": body.get("type", "TEXT"),
        "content": body["content"],
        "createdAt": now,
    }
    _dynamodb.put_item(
        TableName=os.environ["MESSAGES_TABLE"], Item={name: {"S": value} for name, value in message.items()}
    )
    _dynamodb.update_item(
        TableName=os.environ["CONVERSATIONS_TABLE"],
        Key={"conversationId": {"S": body["conversationId"]}},
        UpdateExpression="SET lastMessageAt = :now, updatedAt = :now",
        ExpressionAttributeValues={":now": {"S": now}},
    )
    text = json.dumps({"type": "MESSAGE_SENT", "data": {**message, "tempId": body.get("tempId")}, "timestamp": now})
    with ThreadPoolExecutor(len(participants)) as pool:
        list(pool.map(lambda user: _publish(f"/chats/{user}", text), participants))
    answer = {"success": True, "messageId": message["messageId"], "tempId": body.get("tempId")}
    return {"statusCode": 200, "body": json.dumps(answer)}


def _publish(channel: str, text: str) -> None:
    data = json.dumps({"channel": channel, "events": [text]})
    request = AWSRequest(
        "POST", os.environ["EVENTS_HTTP_ENDPOINT"], headers={"content-type": "application/json"}, data=data
    )
    SigV4Auth(_credentials, "appsync", os.environ["AWS_REGION"]).add_auth(request)
    answer = _http.request("POST", request.url, body=data, headers=dict(request.headers))
    if answer.status != 200:
        raise RuntimeError(f"publishing to {channel} failed with {answer.status}")
