"""One WebSocket connection to the Event API, from its handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp

from appsync_events import _protocol
from appsync_events._errors import ConnectionLostError, ConnectionRefusedByServerError, EventsError, ProtocolError
from appsync_events._socket.rate_limiter import RateLimiter
from appsync_events._timeout import Timeout

_log = logging.getLogger(__name__)
_FRAME_BYTES_MAX = 4 * 1024 * 1024


class Connection:
    """An acknowledged connection.

    Args:
        socket: the WebSocket.
        silence_seconds: longest time without a frame of the API before the connection counts as lost.
        close_seconds: longest wait for the closing handshake.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, silence_seconds: float, close_seconds: float) -> None:
        self._socket = socket
        self._silence_seconds = silence_seconds
        self._close_seconds = close_seconds
        self._answers: dict[str, asyncio.Future[_protocol.Frame]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self.publish_rate = RateLimiter(_protocol.PUBLISHES_PER_SECOND)

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, authorization: Mapping[str, str], limits: Timeout
    ) -> Connection:
        """Connect and wait for `connection_ack`.

        Args:
            http: the HTTP session.
            url: the WebSocket address.
            authorization: credentials with `host`.
            limits: time limits.

        Raises:
            ConnectionRefusedByServerError: the API answered `connection_error`.
            ConnectionLostError, ProtocolError, aiohttp.ClientError, OSError, TimeoutError: the connection failed.
        """
        async with asyncio.timeout(limits.connect):
            socket = await http.ws_connect(
                url,
                protocols=_protocol.subprotocols(authorization),
                timeout=aiohttp.ClientWSTimeout(ws_close=limits.close),
                max_msg_size=_FRAME_BYTES_MAX,
            )
        try:
            async with asyncio.timeout(limits.acknowledge):
                await socket.send_str(_protocol.init_frame())
                while True:
                    frame = _protocol.parse(await _text(socket))
                    if isinstance(frame, _protocol.Acknowledged):
                        return cls(socket, frame.silence_seconds, limits.close)
                    if isinstance(frame, _protocol.ConnectionRefused):
                        message = "the Event API refused the connection"
                        raise ConnectionRefusedByServerError(message, frame.reasons)
        except BaseException:
            await _close(socket, limits.close)
            raise

    async def receive(self, within: float) -> _protocol.Frame | None:
        """Return the next frame; None if its type is unknown, or if none came `within` so many seconds.

        Raises:
            ConnectionLostError: the connection ended, or was silent for longer than the API announced.
            ProtocolError: an invalid frame came.
        """
        try:
            async with asyncio.timeout(min(self._silence_seconds, within)):
                return _protocol.parse(await _text(self._socket))
        except TimeoutError as error:
            if within <= self._silence_seconds:
                return None
            raise ConnectionLostError(f"no frame from the Event API for {self._silence_seconds:.0f} seconds") from error

    async def request(self, id: str, frame: str, seconds: float) -> _protocol.Frame:
        """Send a frame and return its answer.

        Args:
            id: the id in the frame, which the answer repeats.
            frame: the frame.
            seconds: longest time for sending and for the wait for the answer together.

        Raises:
            ConnectionLostError: the connection ended first, or no answer came in time; then it is closed.
        """
        answer: asyncio.Future[_protocol.Frame] = asyncio.get_running_loop().create_future()
        self._answers[id] = answer
        try:
            async with asyncio.timeout(seconds):
                await self._send(frame)
                return await answer
        except TimeoutError as error:
            self._start(_close(self._socket, self._close_seconds))  # the caller's limit has passed
            raise ConnectionLostError("the Event API did not answer in time") from error
        finally:
            if self._answers.get(id) is answer:  # an unsubscribe with the same id may have replaced it
                del self._answers[id]

    def send_in_background(self, frame: str) -> None:
        """Send a frame without waiting for it or for its answer."""

        async def send() -> None:
            with contextlib.suppress(ConnectionLostError):  # `receive` reports the loss as well
                await self._send(frame)

        self._start(send())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="events frame")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def resolve(self, frame: Any) -> None:
        """Hand an answer to the request that waits for it; log an `error` frame that answers no request."""
        answer = self._answers.get(getattr(frame, "id", None) or "")
        if answer is not None and not answer.done():
            answer.set_result(frame)
        elif isinstance(frame, _protocol.ErrorFrame):
            _log.warning("error frame from the Event API: %s", "; ".join(map(str, frame.reasons)))

    def fail_requests(self, cause: Exception) -> None:
        """Fail all requests that wait for an answer with ConnectionLostError."""
        reasons = cause.reasons if isinstance(cause, EventsError) else ()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError(str(cause), reasons))

    async def close(self) -> None:
        """Close the connection, within the time limit of the closing handshake."""
        for task in self._background:
            task.cancel()
        await _close(self._socket, self._close_seconds)

    async def _send(self, frame: str) -> None:
        try:
            await self._socket.send_str(frame)
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise ConnectionLostError(f"the connection ended: {error}") from error


async def _close(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> None:
    """Close a socket; without the server's answer in time, end the TCP connection.

    aiohttp's own limit starts again with each frame that the server still sends.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await socket.close()


async def _text(socket: aiohttp.ClientWebSocketResponse) -> str:
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        raise ProtocolError("a binary frame came; the protocol has only text frames")
    raise ConnectionLostError(f"the server closed the connection (code {socket.close_code})")
