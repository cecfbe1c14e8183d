"""A TCP proxy in front of the HTTP API that cuts connections: requests and responses get lost on their way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK_BYTES: Final = 64 * 1024


class CuttingProxy:
    """Forwards connections to one address.

    Args:
        url: the address to stand in front of.
        chance: decides which exchanges are cut.

    Attributes:
        cut_share: share of the requests whose connection is cut, before the request or after its response.
        cuts: how many connections were cut so far.
    """

    def __init__(self, url: str, chance: random.Random) -> None:
        self._parts = urlsplit(url)
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.cut_share = 0.0
        self.cuts = 0

    @property
    def url(self) -> str:
        """The address that clients use in place of the given one."""
        if self._server is None:
            raise RuntimeError("the proxy was not started")
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"localhost:{port}"))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                answers, upstream = await asyncio.open_connection(self._parts.hostname, self._parts.port)
                try:
                    await asyncio.gather(
                        self._forward(reader, upstream, writer), self._forward(answers, writer, upstream)
                    )
                finally:
                    upstream.transport.abort()
        finally:
            writer.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opposite: asyncio.StreamWriter
    ) -> None:
        """Forward one direction; a chunk is one request or one response, since clients do not pipeline."""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self.cut_share and self._chance.random() < self.cut_share:
                    self.cuts += 1
                    break
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
        opposite.transport.abort()
