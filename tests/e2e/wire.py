"""The Event API as a stranger's program talks to it: raw frames and raw HTTP, with credentials of any kind."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from appsync_events import _protocol
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from client.api.targets import Target
from tests.e2e.place import Place

ANSWER_SECONDS = 20.0
Authorize = Callable[[str], dict[str, str]]
"""Makes the credentials of one frame or request; the argument is the body to sign, which only IAM needs."""


def token(target: Target, text: str) -> Authorize:
    """Return credentials that are a token, whatever it is."""
    return lambda body: {"host": target.events.host, "Authorization": text}


def api_key(target: Target, key: str) -> Authorize:
    """Return credentials that are an API key."""
    return lambda body: {"host": target.events.host, "x-api-key": key}


def nobody(target: Target) -> Authorize:
    """Return no credentials at all."""
    return lambda body: {"host": target.events.host}


def iam(place: Place) -> Authorize:
    """Return credentials that are a signature of the operator (AppSync Events: WebSocket protocol, IAM)."""
    credentials = Credentials(
        place.keys["AWS_ACCESS_KEY_ID"], place.keys["AWS_SECRET_ACCESS_KEY"], place.keys.get("AWS_SESSION_TOKEN")
    )

    def authorize(body: str) -> dict[str, str]:
        headers = {
            "accept": "application/json, text/javascript",
            "content-encoding": "amz-1.0",
            "content-type": "application/json; charset=UTF-8",
            "host": place.target.events.host,
        }
        request = AWSRequest("POST", place.target.events_http_url, data=body.encode(), headers=headers)
        SigV4Auth(credentials, "appsync", place.target.region).add_auth(request)
        return dict(request.headers.items())

    return authorize


class Wire:
    """One raw connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, target: Target, authorize: Authorize) -> Wire:
        """Open a connection and ask for its acknowledgement."""
        socket = await http.ws_connect(target.events_realtime_url, protocols=_protocol.subprotocols(authorize("{}")))
        wire = cls(socket)
        await wire.send({"type": "connection_init"})
        return wire

    async def send(self, frame: Mapping[str, Any]) -> None:
        await self.socket.send_str(_protocol.compact(frame))

    async def frame(self) -> dict[str, Any]:
        """Return the next frame that is no keep-alive; a closed connection gives `{"type": "closed", ...}`."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return {"type": "closed", "code": self.socket.close_code}
                frame: dict[str, Any] = json.loads(message.data)
                if frame["type"] != "ka":
                    return frame

    async def answer(self, id: str) -> dict[str, Any]:
        """Return the frame that answers an operation, passing over events."""
        while True:
            frame = await self.frame()
            if frame["type"] == "closed" or (frame.get("id") == id and frame["type"] != "data"):
                return frame

    async def subscribe(self, channel: str, authorize: Authorize, id: str | None = None) -> dict[str, Any]:
        """Subscribe and return the answer."""
        id = id or uuid.uuid4().hex
        credentials = authorize(_protocol.compact({"channel": channel}))
        await self.send({"type": "subscribe", "id": id, "channel": channel, "authorization": credentials})
        return await self.answer(id)

    async def publish(self, channel: str, events: list[Any], authorize: Authorize) -> dict[str, Any]:
        """Publish and return the answer."""
        id = uuid.uuid4().hex
        texts = [_protocol.compact(event) for event in events]
        credentials = authorize(_protocol.compact({"channel": channel, "events": texts}))
        frame = {"type": "publish", "id": id, "channel": channel, "events": texts, "authorization": credentials}
        await self.send(frame)
        return await self.answer(id)


async def publish_http(
    http: aiohttp.ClientSession, target: Target, channel: str, events: list[Any], authorize: Authorize
) -> tuple[int, dict[str, Any]]:
    """Publish over HTTP and return status and body."""
    body = _protocol.compact({"channel": channel, "events": [_protocol.compact(event) for event in events]})
    return await post(http, target, body, authorize)


async def post(
    http: aiohttp.ClientSession, target: Target, body: str, authorize: Authorize
) -> tuple[int, dict[str, Any]]:
    """Post a body to the Event API and return status and body of the answer."""
    headers = {"content-type": "application/json"} | authorize(body)
    async with http.post(target.events_http_url, data=body.encode(), headers=headers) as response:
        return response.status, json.loads(await response.read() or b"{}")
