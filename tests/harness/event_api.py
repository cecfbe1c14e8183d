"""A fake Event API on loopback: it verifies the signatures of publishes, records them, and fails on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Lock, Thread
from types import MappingProxyType
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
CREDENTIALS = Credentials("AKIDEXAMPLE", "made-up-secret", "made-up-token")
ACCEPTED = 200, {"successful": [{"identifier": "1", "index": 0}], "failed": []}

Respond = Callable[[str, int], "tuple[int, Any] | tuple[int, Any, dict[str, str]] | None"]


@dataclass
class FakeEventApi:
    """The publishes received so far, and the responses to the next ones.

    Args:
        respond: called with channel and attempt (from 1); returns status, body and perhaps headers, or None to drop the
            connection.
        refused: why requests were refused.
        connections: addresses from which requests came.
    """

    respond: Respond = lambda channel, attempt: ACCEPTED
    url: str = ""
    received: list[tuple[str, list[str]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def publish(self, channel: str, events: list[str]) -> tuple[int, Any] | tuple[int, Any, dict[str, str]] | None:
        """Record one publish and return its response."""
        with self.lock:
            self.received.append((channel, events))
            attempt = sum(each == channel for each, _ in self.received)
        return self.respond(channel, attempt)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: FakeEventApi

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""

    def do_POST(self) -> None:  # the base class's name
        """Accept a publish with a valid signature."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.api.connections.add(self.client_address)
        problem = self._problem(body)
        if problem:
            self.api.refused.append(problem)
            return self._answer(401, {"errors": [{"errorType": "UnauthorizedException", "message": problem}]})
        content = json.loads(body)
        response = self.api.publish(content["channel"], content["events"])
        if response is None:
            self.close_connection = True
            return None
        return self._answer(*response)

    def _problem(self, body: bytes) -> str | None:
        """Return why the signature is invalid; None for a valid one."""
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "AWS4-HMAC-SHA256":
            return f"scheme {scheme}"
        scope = parts["Credential"].split("/")
        if scope[0] != CREDENTIALS.access_key or scope[2:] != [REGION, "appsync", "aws4_request"]:
            return f"scope {scope}"
        signed = parts["SignedHeaders"].split(";")
        missing = {"host", "x-amz-date", "x-amz-security-token"} - set(signed)
        if missing:
            return f"not signed: {missing}"
        headers = {name: self.headers[name] for name in signed if name != "host"}
        request = AWSRequest("POST", f"http://{self.headers['host']}{self.path}", headers=headers, data=body)
        request.context["timestamp"] = self.headers["x-amz-date"]
        auth = SigV4Auth(CREDENTIALS, "appsync", REGION)
        to_sign = auth.string_to_sign(request, auth.canonical_request(request))
        return None if auth.signature(to_sign, request) == parts["Signature"] else "signature"

    def _answer(self, status: int, content: Any, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_event_api() -> Iterator[FakeEventApi]:
    """Serve on a free loopback port."""
    api = FakeEventApi()
    handler = type("Handler", (_Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_address[1]}/event"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def when_concurrent(count: int) -> Respond:
    """Return a `respond` that waits until that many publishes are in progress at the same time."""
    barrier = Barrier(count)

    def respond(channel: str, attempt: int) -> tuple[int, Any]:
        barrier.wait(10)
        return ACCEPTED

    return respond
