"""One open connection to the Event API, from its handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp

from appsync_events import _protocol
from appsync_events._errors import ConnectionLostError, ConnectionRefusedByServerError, EventsError, ProtocolError
from appsync_events._rate_limiter import Pacer

_log = logging.getLogger(__name__)
_FRAME_BYTES_MAX = 4 * 1024 * 1024


class Connection:
    """An acknowledged connection.

    Args:
        socket: the WebSocket.
        silence_seconds: how long the server may be silent.
        ack_seconds: how long to wait for the answer to a frame.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, silence_seconds: float, ack_seconds: float) -> None:
        self._socket = socket
        self._silence_seconds = silence_seconds
        self._ack_seconds = ack_seconds
        self._answers: dict[str, asyncio.Future[_protocol.Frame]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.publishes = Pacer(_protocol.PUBLISHES_PER_SECOND)

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, authorization: Mapping[str, str], *, ack_seconds: float
    ) -> Connection:
        """Connect and wait for the acknowledgement.

        Args:
            http: the connection pool.
            url: the socket's address.
            authorization: credentials with `host`.
            ack_seconds: how long to wait for each answer.

        Raises:
            ConnectionRefusedByServerError: the server answered `connection_error`.
            ConnectionLostError, ProtocolError, aiohttp.ClientError, OSError, TimeoutError: it could not be opened.
        """
        async with asyncio.timeout(ack_seconds):
            socket = await http.ws_connect(
                url,
                protocols=_protocol.subprotocols(authorization),
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                max_msg_size=_FRAME_BYTES_MAX,
            )
        try:
            await socket.send_str(_protocol.init_frame())
            async with asyncio.timeout(ack_seconds):
                while True:
                    frame = _protocol.parse(await _text(socket))
                    if isinstance(frame, _protocol.Acknowledged):
                        return cls(socket, frame.silence_seconds, ack_seconds)
                    if isinstance(frame, _protocol.ConnectionRefused):
                        message = "the Event API refused the connection"
                        raise ConnectionRefusedByServerError(message, frame.reasons)
        except BaseException:
            await socket.close()
            raise

    async def frame(self, within: float) -> _protocol.Frame | None:
        """Return the next frame; None for one of an unknown kind, and where none came `within` so many seconds.

        Raises:
            ConnectionLostError: the connection ended, or was silent for longer than the server announced.
            ProtocolError: something came that is no frame.
        """
        try:
            async with asyncio.timeout(min(self._silence_seconds, within)):
                return _protocol.parse(await _text(self._socket))
        except TimeoutError as error:
            if within <= self._silence_seconds:
                return None
            raise ConnectionLostError(f"nothing was heard for {self._silence_seconds:.0f} seconds") from error

    async def ask(self, id: str, frame: str) -> _protocol.Frame:
        """Send a frame and return the one that answers it.

        Raises:
            ConnectionLostError: the connection ended first, or no answer came and it was closed for that.
        """
        answer: asyncio.Future[_protocol.Frame] = asyncio.get_running_loop().create_future()
        self._answers[id] = answer
        try:
            await self._send(frame)
            async with asyncio.timeout(self._ack_seconds):
                return await answer
        except TimeoutError as error:
            await self._socket.close()
            raise ConnectionLostError(f"no answer within {self._ack_seconds:.0f} seconds") from error
        finally:
            if self._answers.get(id) is answer:  # an unsubscribe may have come in between, with the same id
                del self._answers[id]

    def tell(self, frame: str) -> None:
        """Send a frame whose answer nobody waits for, as soon as may be."""

        async def send() -> None:
            with contextlib.suppress(ConnectionLostError):  # the reader notices as well
                await self._send(frame)

        task = asyncio.create_task(send(), name="events frame")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def answered(self, frame: Any) -> None:
        """Hand a frame to whoever waits for it; a complaint that nobody waits for goes to the log."""
        answer = self._answers.get(getattr(frame, "id", None) or "")
        if answer is not None and not answer.done():
            answer.set_result(frame)
        elif isinstance(frame, _protocol.Complaint):
            _log.warning("the Event API complains: %s", "; ".join(map(str, frame.reasons)))

    def lost(self, cause: Exception) -> None:
        """Tell whoever waits for an answer that none will come."""
        reasons = cause.reasons if isinstance(cause, EventsError) else ()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError(str(cause), reasons))

    async def close(self) -> None:
        """End the connection."""
        for task in self._sending:
            task.cancel()
        await self._socket.close()

    async def _send(self, frame: str) -> None:
        try:
            await self._socket.send_str(frame)
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise ConnectionLostError(f"the connection ended: {error}") from error


async def _text(socket: aiohttp.ClientWebSocketResponse) -> str:
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        raise ProtocolError("a binary frame, which the protocol does not have")
    raise ConnectionLostError(f"the server closed the connection (code {socket.close_code})")
