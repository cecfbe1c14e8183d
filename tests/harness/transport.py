"""Sends the requests of test clients to the emulator without what only AWS needs: signatures, user agents, retries.

botocore still validates the parameters, writes the request and parses the response. Everything between takes it three
times as long as the emulator takes to answer, and no test of a function depends on it: the local cloud's tests make
the same calls with botocore's own transport.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserFactory
from httptools import HttpResponseParser

_TIMEOUT_SECONDS: Final = 60.0
_IDLE_SECONDS: Final = 30.0
"""How long a connection may be idle before its next request; the emulator closes it after 75 s."""
_CHUNK_BYTES: Final = 262_144


@dataclass(frozen=True)
class HttpResult:
    """What botocore's client reads of a response."""

    status_code: int


class _Response:
    """Collects the parts of a response for `HttpResponseParser`, which calls these methods."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        self.body += part

    def on_message_complete(self) -> None:
        """Note that the response has been received."""
        self.complete = True


class EmulatorTransport:
    """Connections to the emulator, each used by one thread at a time.

    Args:
        endpoint: address of the emulator.
        access_key: with which the clients seem to sign.
        region: of the clients.
    """

    def __init__(self, endpoint: str, access_key: str, region: str) -> None:
        self._endpoint = endpoint
        address = urlsplit(endpoint)
        self._address = (address.hostname or "", address.port or 80)
        scope = f"{access_key}/20260101/{region}/emulator/aws4_request"
        self._headers = (
            f"host: {address.netloc}\r\n"
            f"authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n"
        )
        self._idle: deque[tuple[float, socket.socket]] = deque()
        self._parsers = ResponseParserFactory()

    def attach(self, client: Any) -> Any:
        """Make a botocore client send its requests here, and return it."""
        client.meta.events.register("before-call", self._answer)
        return client

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[HttpResult, dict[str, Any]]:
        """Answer botocore's event `before-call`, which asks for a response before a request is signed and sent."""
        status, response = self._send(params)
        parser = self._parsers.create_parser(model.service_model.resolved_protocol)
        document = {
            "status_code": status,
            "headers": response.headers,
            "body": response.body,
            "context": {"operation_name": model.name},
        }
        parsed = parser.parse(document, model.output_shape)
        if status >= 300:
            shape = model.service_model.shape_for_error_code(parsed.get("Error", {}).get("Code"))
            if shape is not None:
                parsed.update(parser.parse(document, shape))
        return HttpResult(status), parsed

    def _send(self, request: dict[str, Any]) -> tuple[int, _Response]:
        body = request["body"]
        headers = "".join(f"{name}: {value}\r\n" for name, value in request["headers"].items() if name != "User-Agent")
        path = urlsplit(request["url"]).path or "/"
        return self._exchange(request["method"], path, headers, body if isinstance(body, bytes) else body.encode())

    def post(self, path: str, document: Any) -> Any:
        """Send a JSON document to a path of the emulator, and return the document that it answers.

        Raises:
            RuntimeError: the status is not 200.
        """
        status, response = self._exchange("POST", path, "", json.dumps(document).encode())
        if status != 200:
            raise RuntimeError(f"POST {path} was answered with {status}: {response.body[:500]!r}")
        return json.loads(response.body)

    def _exchange(self, method: str, path: str, headers: str, body: bytes) -> tuple[int, _Response]:
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{headers}content-length: {len(body)}\r\n\r\n"
        connection = self._connection()
        try:
            connection.sendall(head.encode() + body)
            answer = self._receive(connection)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=self._endpoint) from error
        except OSError as error:
            connection.close()
            raise EndpointConnectionError(endpoint_url=self._endpoint, error=error) from error
        self._idle.append((time.monotonic(), connection))
        return answer

    def _receive(self, connection: socket.socket) -> tuple[int, _Response]:
        response = _Response()
        parser = HttpResponseParser(response)
        while not response.complete:
            received = connection.recv(_CHUNK_BYTES)
            if not received:
                raise ConnectionResetError("the emulator closed the connection")
            parser.feed_data(received)
        return parser.get_status_code(), response

    def _connection(self) -> socket.socket:
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if time.monotonic() - since < _IDLE_SECONDS:
                return connection
            connection.close()
        connection = socket.create_connection(self._address, timeout=_TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop()[1].close()
