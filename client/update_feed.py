"""Passes updates on to the application: to callbacks and to asynchronous iterators."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from collections.abc import Callable, Iterable

from client.errors import ClientError
from client.state.updates import Update

_log = logging.getLogger(__name__)
Listener = Callable[[Update], None]


class UpdateStream:
    """Updates, in order, from the moment at which the stream was made: `async for update in stream`.

    The iteration ends when the client closes, and raises SignedOutError or RealtimeRefusedError when the session is
    over. Updates wait in memory until they are read.

    Args:
        accepts: returns whether the stream yields an update.
    """

    def __init__(self, accepts: Callable[[Update], bool]) -> None:
        self._accepts = accepts
        self._waiting: deque[Update] = deque()
        self._changed = asyncio.Event()
        self._error: ClientError | None = None
        self._closed = False

    async def __aenter__(self) -> UpdateStream:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    def __aiter__(self) -> UpdateStream:
        return self

    async def __anext__(self) -> Update:
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    def add(self, update: Update) -> None:
        """Append an update that the stream accepts."""
        if not self._closed and self._accepts(update):
            self._waiting.append(update)
            self._changed.set()

    def close(self, error: ClientError | None = None) -> None:
        """End the iteration after the updates that wait, with `error` if one is given."""
        self._closed, self._error = True, error
        self._changed.set()


class UpdateFeed:
    """Publishes updates to every listener and stream.

    Streams are held by weak references, so that one that is dropped without `close()` costs no memory.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._streams: weakref.WeakSet[UpdateStream] = weakref.WeakSet()
        self._closed = False
        self._error: ClientError | None = None

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each update from now on."""
        self._listeners.append(listener)

    def stream(self, accepts: Callable[[Update], bool]) -> UpdateStream:
        """Return a stream of the updates that `accepts` returns true for."""
        stream = UpdateStream(accepts)
        self._streams.add(stream)
        if self._closed:
            stream.close(self._error)
        return stream

    def publish(self, updates: Iterable[Update]) -> None:
        """Publish updates in order; an exception of a listener is logged."""
        for update in updates:
            for stream in list(self._streams):
                stream.add(update)
            for listener in self._listeners:
                try:
                    listener(update)
                except Exception:
                    _log.exception("listener failed: %s", type(update).__name__)

    def close(self, error: ClientError | None = None) -> None:
        """End every stream, also those made later, with `error` if one is given."""
        self._closed, self._error = True, error
        for stream in list(self._streams):
            stream.close(error)
