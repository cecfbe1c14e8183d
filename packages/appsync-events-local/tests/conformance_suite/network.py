"""Runs rows over the network, against the service on a port or against AWS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import aiohttp
from conformance_suite.runner import Response, header_subprotocol
from conformance_suite.signing import ApiAccess, credential_headers
from conformance_suite.table import Credentials

SUBPROTOCOL: Final = "aws-appsync-event-ws"
ANSWER_SECONDS: Final = 20.0


class NetworkConnection:
    """One WebSocket connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.selected = socket.protocol
        self._socket = socket

    async def send(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            await self._socket.send_bytes(data)
        else:
            await self._socket.send_str(data)

    async def receive(self) -> dict[str, Any]:
        message = await self._socket.receive(timeout=ANSWER_SECONDS)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return {"type": "closed", "code": self._socket.close_code}
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def close(self) -> None:
        await self._socket.close()


class NetworkDriver:
    """Access to a target over the network.

    Args:
        session: the HTTP session of the client.
        access: the API's good credentials and its publish address.
        realtime_url: the address of its WebSocket endpoint.
        delivery_seconds: how long a delivery may take.
    """

    def __init__(
        self, session: aiohttp.ClientSession, access: ApiAccess, realtime_url: str, delivery_seconds: float = 0.0
    ) -> None:
        self._session = session
        self._access = access
        self._realtime_url = realtime_url
        self._delivery_seconds = delivery_seconds
        self._connections: list[NetworkConnection] = []

    def credentials(self, by: Credentials, signed: str) -> dict[str, str]:
        return credential_headers(self._access, by, signed)

    async def open(self, connect: dict[str, str]) -> NetworkConnection:
        made = await self.upgrade([SUBPROTOCOL, header_subprotocol(connect)], {})
        assert isinstance(made, NetworkConnection), f"the upgrade was refused with status {made}"
        return made

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> NetworkConnection | int:
        try:
            socket = await self._session.ws_connect(self._realtime_url, protocols=offers, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        connection = NetworkConnection(socket)
        self._connections.append(connection)
        return connection

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        return await self._request("POST", self._access.url, body, headers)

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        return await self._request(method, self._access.url + path, b"", headers)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def await_deliveries(self) -> None:
        await asyncio.sleep(self._delivery_seconds)

    async def close(self) -> None:
        """Close every connection that a row left open."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        sent = {name: value for name, value in headers.items() if name.lower() != "host"}
        async with self._session.request(method, url, data=BytesIO(body), headers=sent) as response:
            text = await response.read()
            return Response(response.status, dict(response.headers), _json(text))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
