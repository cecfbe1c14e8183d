"""A place that is reached over the network: the service on a port, or AWS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import aiohttp
from conformance_suite.run import Answer, encoded
from conformance_suite.signing import Signers, credentials
from conformance_suite.table import As

SUBPROTOCOL: Final = "aws-appsync-event-ws"
ANSWER_SECONDS: Final = 20.0


class WirePeer:
    """A client's socket."""

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


class WireStage:
    """A place reached over the network.

    Args:
        session: of the client.
        signers: credentials, and the publish address.
        realtime_url: where sockets are opened.
        quiet_seconds: how long events may be on their way.
    """

    def __init__(
        self, session: aiohttp.ClientSession, signers: Signers, realtime_url: str, quiet_seconds: float = 0.0
    ) -> None:
        self._session = session
        self._signers = signers
        self._realtime_url = realtime_url
        self._quiet_seconds = quiet_seconds
        self._peers: list[WirePeer] = []

    def credentials(self, by: As, signed: str) -> dict[str, str]:
        return credentials(self._signers, by, signed)

    async def open(self, connect: dict[str, str]) -> WirePeer:
        made = await self.upgrade([SUBPROTOCOL, encoded(connect)], {})
        assert isinstance(made, WirePeer), f"the upgrade was refused with {made}"
        return made

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> WirePeer | int:
        try:
            socket = await self._session.ws_connect(self._realtime_url, protocols=offers, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        peer = WirePeer(socket)
        self._peers.append(peer)
        return peer

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self._request("POST", self._signers.url, body, headers)

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        return await self._request(method, self._signers.url + path, b"", headers)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def quiet(self) -> None:
        await asyncio.sleep(self._quiet_seconds)

    async def close(self) -> None:
        """Close every connection that a row left open."""
        await asyncio.gather(*(peer.close() for peer in self._peers))

    async def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent = {name: value for name, value in headers.items() if name.lower() != "host"}
        async with self._session.request(method, url, data=BytesIO(body), headers=sent) as response:
            text = await response.read()
            return Answer(response.status, dict(response.headers), _json(text))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
