"""A fake of DynamoDB, SQS and the Event API with fixed latencies, which records the times of publishes.

It runs in a process of its own (`python -m bench.functions.fake_aws PORT`), so that its work is not measured. It stores
and deletes items but evaluates no conditions: benchmarks send only requests that DynamoDB would accept.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
import zlib
from typing import Any

from aiohttp import web

DYNAMODB_SECONDS = 0.005
PUBLISH_SECONDS = 0.020
QUEUE_SECONDS = 0.005

_KEYS = {
    "Conversations": ("conversationId",),
    "ConversationCounters": ("conversationId",),
    "Messages": ("conversationId", "timestamp"),
    "Outbox": ("eventId",),
}
_CRC_HEADER = "x-amz-crc32"


class FakeAws:
    """Items by table and key, a queue from which the benchmark's workers fetch, and the times of publishes."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, ...], dict[str, Any]] = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.published: list[float] = []
        self.latest_seq = 0

    def application(self) -> web.Application:
        """Return the server's routes."""
        application = web.Application()
        application.router.add_post("/event", self.publish)
        application.router.add_get("/bench/next", self.next_message)
        application.router.add_post("/bench/reset", self.reset)
        application.router.add_get("/bench/published", self.last_published)
        application.router.add_post("/{tail:.*}", self.aws)
        return application

    async def publish(self, request: web.Request) -> web.Response:
        """Serve an HTTP publish of the Event API, after its latency."""
        await request.read()
        await asyncio.sleep(PUBLISH_SECONDS)
        self.published.append(time.monotonic())
        return web.json_response({"successful": [{"identifier": "1", "index": 0}], "failed": []})

    async def reset(self, request: web.Request) -> web.Response:
        """Delete all times and items, and put items: `{"items": [{"table", "item"}]}`."""
        body = await request.json()
        self.items.clear()
        self.published.clear()
        for each in body["items"]:
            self._put(each["table"], each["item"])
        return web.json_response({})

    async def last_published(self, request: web.Request) -> web.Response:
        """Serve the number of publishes since the reset, and the time of the last one."""
        return web.json_response({"count": len(self.published), "last": max(self.published, default=0.0)})

    async def next_message(self, request: web.Request) -> web.Response:
        """Serve the next queue message as the event of a Lambda invocation; status 204 after 5 seconds without one."""
        try:
            body = await asyncio.wait_for(self.queue.get(), 5)
        except TimeoutError:
            return web.Response(status=204)
        received = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))}
        record = {"messageId": "1", "body": body, "attributes": received, "eventSource": "aws:sqs"}
        return web.json_response({"Records": [record]})

    async def aws(self, request: web.Request) -> web.Response:
        """Serve DynamoDB and SQS, distinguished by the header `x-amz-target`."""
        target = request.headers.get("x-amz-target", "")
        body = json.loads(await request.read() or b"{}")
        if target.startswith("AmazonSQS"):
            await asyncio.sleep(QUEUE_SECONDS)
            return _answer(self._enqueue(body))
        await asyncio.sleep(DYNAMODB_SECONDS)
        answer = self._dynamodb(target.rpartition(".")[2], body)
        return _condition_failed() if answer is None else _answer(answer)

    def _enqueue(self, body: dict[str, Any]) -> dict[str, Any]:
        entries = body.get("Entries") or [{"Id": "0", "MessageBody": body["MessageBody"]}]
        for entry in entries:
            self.queue.put_nowait(entry["MessageBody"])
        return {"Successful": [{"Id": e["Id"], "MessageId": e["Id"], "MD5OfMessageBody": ""} for e in entries]}

    def _dynamodb(self, operation: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return DynamoDB's answer; None where the condition of the request would fail."""
        match operation:
            case "GetItem":
                item = self.items.get(_key(body["TableName"], body["Key"]))
                return {"Item": item} if item else {}
            case "PutItem":
                self._put(body["TableName"], body["Item"])
            case "TransactWriteItems":
                for action in body["TransactItems"]:
                    if "Put" in action:
                        self._put(action["Put"]["TableName"], action["Put"]["Item"])
            case "UpdateItem":
                return self._update(body)
            case "DeleteItem":
                self.items.pop(_key(body["TableName"], body["Key"]), None)
        return {}

    def _update(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer of an update, of which only reservations of numbers ask for attributes.

        A reservation that does not know the conversation yet (`ALL_NEW`) fails where no group's counter is stored.
        """
        match body.get("ReturnValues"):
            case "UPDATED_NEW":
                return {"Attributes": self._reserve()}
            case "ALL_NEW":
                stored = self.items.get(_key(body["TableName"], body["Key"]))
                return {"Attributes": {**stored, **self._reserve()}} if stored else None
        return {}

    def _reserve(self) -> dict[str, Any]:
        """Return the next numbers of a counter."""
        self.latest_seq += 1
        return {"latestSeq": {"N": str(self.latest_seq)}, "lastTimestampMs": {"N": str(int(time.time() * 1000))}}

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.items[_key(table, item)] = item


def _key(table: str, item: dict[str, Any]) -> tuple[str, ...]:
    entity = table.split("-")[1]
    names = _KEYS.get(entity, tuple(item))
    return (table, *(str(item.get(name)) for name in names))


def _condition_failed() -> web.Response:
    error = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    return _answer({"__type": error, "message": "The conditional request failed"}, status=400)


def _answer(body: dict[str, Any], status: int = 200) -> web.Response:
    text = json.dumps(body).encode()
    headers = {_CRC_HEADER: str(zlib.crc32(text)), "x-amzn-requestid": base64.b16encode(b"bench").decode()}
    return web.Response(body=text, status=status, content_type="application/x-amz-json-1.0", headers=headers)


if __name__ == "__main__":
    web.run_app(FakeAws().application(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
