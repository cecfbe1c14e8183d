"""Persistent HTTP connections to one address, one per thread, on the standard library's client.

A request is sent in a single write: `http.client` sends headers and body separately, and the body of a small request
then waits for the acknowledgement of the headers.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class HttpResponse:
    """Status, body and Retry-After of an HTTP response."""

    status: int
    body: bytes
    retry_after: str = ""


class HttpPool:
    """Sends POST requests to one address; every thread has its own connection.

    Args:
        url: `http://` or `https://` address.
        connect_seconds, read_seconds: time limits of connecting and of each read.
    """

    def __init__(self, url: str, connect_seconds: float, read_seconds: float) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._own = threading.local()
        self._open: set[http.client.HTTPConnection] = set()
        weakref.finalize(self, _close, self._open)

    def post(self, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        """Send a request and read the whole response. A connection that the server has closed is replaced once.

        Raises:
            OSError: no connection, or a timeout; the request may or may not have arrived.
            http.client.HTTPException: the response is not HTTP.
        """
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"POST {self._path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
        kept = getattr(self._own, "connection", None)
        if kept is not None:
            try:
                return self._exchange(kept, request)
            except (ConnectionError, http.client.RemoteDisconnected):
                self._drop(kept)
        return self._exchange(self._connect(), request)

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls is not None:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._connect_seconds, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._connect_seconds)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(self._read_seconds)
        self._own.connection = connection
        self._open.add(connection)
        return connection

    def _exchange(self, connection: http.client.HTTPConnection, request: bytes) -> HttpResponse:
        try:
            connection.sock.sendall(request)
            response = http.client.HTTPResponse(connection.sock, method="POST")
            response.begin()
            answer = HttpResponse(response.status, response.read(), response.getheader("retry-after", ""))
        except BaseException:
            self._drop(connection)
            raise
        if response.will_close:
            self._drop(connection)
        return answer

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._open.discard(connection)
        self._own.connection = None


def _close(connections: set[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()
