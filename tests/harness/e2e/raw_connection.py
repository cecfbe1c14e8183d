"""Raw frames and raw HTTP requests to the Event API, with credentials of any kind."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
from appsync_events import _protocol
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from client.api.targets import Target
from tests.harness.e2e.environment import TestEnvironment

RESPONSE_SECONDS = 20.0
Authorize = Callable[[str], dict[str, str]]
"""Returns the credentials of one frame or request; the argument is the body to sign, which only IAM needs."""


def token(target: Target, text: str) -> Authorize:
    """Return credentials with this token, valid or not."""
    return lambda body: {"host": target.events.host, "Authorization": text}


def api_key(target: Target, key: str) -> Authorize:
    """Return credentials with an API key."""
    return lambda body: {"host": target.events.host, "x-api-key": key}


def no_credentials(target: Target) -> Authorize:
    """Return no credentials."""
    return lambda body: {"host": target.events.host}


def iam(environment: TestEnvironment) -> Authorize:
    """Return the operator's signature as credentials (AppSync Events: WebSocket protocol, IAM)."""
    credentials = Credentials(
        environment.keys["AWS_ACCESS_KEY_ID"],
        environment.keys["AWS_SECRET_ACCESS_KEY"],
        environment.keys.get("AWS_SESSION_TOKEN"),
    )

    def authorize(body: str) -> dict[str, str]:
        headers = {
            "accept": "application/json, text/javascript",
            "content-encoding": "amz-1.0",
            "content-type": "application/json; charset=UTF-8",
            "host": environment.target.events.host,
        }
        request = AWSRequest("POST", environment.target.events_http_url, data=body.encode(), headers=headers)
        SigV4Auth(credentials, "appsync", environment.target.region).add_auth(request)
        return dict(request.headers.items())

    return authorize


class RawConnection:
    """One WebSocket connection, without the client's reconnects and checks."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, target: Target, authorize: Authorize) -> RawConnection:
        """Open a connection and send `connection_init`."""
        socket = await http.ws_connect(target.events_realtime_url, protocols=_protocol.subprotocols(authorize("{}")))
        connection = cls(socket)
        await connection.send({"type": "connection_init"})
        return connection

    async def close(self) -> None:
        """Close the connection."""
        await self.socket.close()

    async def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame."""
        await self.socket.send_str(_protocol.compact(frame))

    @contextmanager
    def in_one_packet(self) -> Iterator[None]:
        """Hold back what is sent until the end, where the system can (Linux: TCP_CORK), so that it arrives together."""
        transport = self.socket.get_extra_info("socket")
        option = getattr(socket, "TCP_CORK", None)
        if option is None:
            yield
            return
        transport.setsockopt(socket.IPPROTO_TCP, option, 1)
        try:
            yield
        finally:
            transport.setsockopt(socket.IPPROTO_TCP, option, 0)

    async def frame(self) -> dict[str, Any]:
        """Return the next frame other than a keep-alive; `{"type": "closed", ...}` if the connection is closed."""
        async with asyncio.timeout(RESPONSE_SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return {"type": "closed", "code": self.socket.close_code}
                frame: dict[str, Any] = json.loads(message.data)
                if frame["type"] != "ka":
                    return frame

    async def response(self, id: str) -> dict[str, Any]:
        """Return the response to an operation, skipping events."""
        while True:
            frame = await self.frame()
            if frame["type"] == "closed" or (frame.get("id") == id and frame["type"] != "data"):
                return frame

    async def subscribe(self, channel: str, authorize: Authorize, id: str | None = None) -> dict[str, Any]:
        """Subscribe and return the response."""
        id = id or uuid.uuid4().hex
        credentials = authorize(_protocol.compact({"channel": channel}))
        await self.send({"type": "subscribe", "id": id, "channel": channel, "authorization": credentials})
        return await self.response(id)

    async def publish(self, channel: str, events: list[Any], authorize: Authorize) -> dict[str, Any]:
        """Publish and return the response."""
        id = uuid.uuid4().hex
        texts = [_protocol.compact(event) for event in events]
        credentials = authorize(_protocol.compact({"channel": channel, "events": texts}))
        frame = {"type": "publish", "id": id, "channel": channel, "events": texts, "authorization": credentials}
        await self.send(frame)
        return await self.response(id)


async def publish_http(
    http: aiohttp.ClientSession, target: Target, channel: str, events: list[Any], authorize: Authorize
) -> tuple[int, dict[str, Any]]:
    """Publish over HTTP and return status and body."""
    body = _protocol.compact({"channel": channel, "events": [_protocol.compact(event) for event in events]})
    return await post(http, target, body, authorize)


async def post(
    http: aiohttp.ClientSession, target: Target, body: str, authorize: Authorize
) -> tuple[int, dict[str, Any]]:
    """Post a body to the Event API and return status and body of the response."""
    headers = {"content-type": "application/json"} | authorize(body)
    async with http.post(target.events_http_url, data=body.encode(), headers=headers) as response:
        return response.status, json.loads(await response.read() or b"{}")
