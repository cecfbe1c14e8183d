"""The canary's connection and requests, on a scripted stream and a server of the test."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from handlers.adapters.canary.routes import HttpChatRoutes
from handlers.adapters.canary.subscriber import EventConnection, WebSocketSubscriber
from handlers.adapters.system import SystemClock
from handlers.core.canary.ports import CanaryError, Session
from tests.harness.fakes import FakeClock

SESSION = Session(user_id="u", access_token="secret-token")
ACKNOWLEDGED = {"type": "connection_ack", "connectionTimeoutMs": 300_000}


class Stream:
    """A WebSocket whose answers to each frame are given in advance.

    Args:
        answers: for each frame that is sent, the frames that are then received.
    """

    def __init__(self, *answers: Sequence[dict[str, Any]]) -> None:
        self._answers = list(answers)
        self._received: queue.Queue[str] = queue.Queue()
        self.sent: list[dict[str, Any]] = []

    def settimeout(self, seconds: float | None) -> None:
        assert seconds is None

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))
        for frame in self._answers.pop(0):
            self._received.put(json.dumps(frame))

    def recv(self) -> str:
        return self._received.get()

    def shutdown(self) -> None:
        self._received.put("")


def opened(*answers: Sequence[dict[str, Any]]) -> tuple[EventConnection, Stream]:
    """Return an acknowledged connection whose further frames have these answers."""
    stream = Stream([ACKNOWLEDGED], *answers)
    connection = EventConnection(stream, {"host": "h", "Authorization": "secret-token"}, FakeClock(), 0.2)
    connection.start()
    return connection, stream


def data(event: dict[str, Any]) -> dict[str, Any]:
    """Return the frame of an event."""
    return {"type": "data", "id": "1", "event": json.dumps(event)}


def test_event_that_arrived_before_the_wait_has_the_time_of_its_arrival() -> None:
    connection, stream = opened([{"type": "subscribe_success", "id": "1"}, {"type": "ka"}, data({"type": "A", "n": 1})])
    connection.subscribe("/chats/u")
    assert stream.sent[1] == {
        "type": "subscribe",
        "id": "1",
        "channel": "/chats/u",
        "authorization": {"host": "h", "Authorization": "secret-token"},
    }
    assert connection.wait_for(lambda event: event["n"] == 1) == FakeClock().now()
    connection.close()


def test_refused_connection_is_an_error_with_the_reason() -> None:
    stream = Stream([{"type": "connection_error", "errors": [{"errorType": "Unauthorized"}]}])
    with pytest.raises(CanaryError, match="Unauthorized"):
        EventConnection(stream, {}, FakeClock(), 0.2).start()


def test_refused_subscription_is_an_error_with_channel_and_reason() -> None:
    refused = {"type": "subscribe_error", "id": "1", "errors": [{"errorType": "Forbidden"}]}
    connection, _ = opened([refused])
    with pytest.raises(CanaryError, match=r"/chats/u: .*Forbidden"):
        connection.subscribe("/chats/u")
    connection.close()


def test_event_that_does_not_arrive_is_an_error_after_the_time_limit() -> None:
    connection, _ = opened()
    with pytest.raises(CanaryError, match=r"not received within 0\.2 seconds"):
        connection.wait_for(lambda event: True)
    connection.close()


def test_lost_connection_ends_the_wait_at_once() -> None:
    connection, stream = opened()
    stream.shutdown()
    with pytest.raises(CanaryError, match="lost"):
        connection.wait_for(lambda event: True)


def test_unreachable_event_api_is_an_error_without_the_token() -> None:
    subscriber = WebSocketSubscriber("http://127.0.0.1:9/event", "ws://127.0.0.1:9/event/realtime", SystemClock(), 1)
    with pytest.raises(CanaryError) as failed:
        subscriber.connect(SESSION)
    assert "secret-token" not in str(failed.value)


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]], dict[str, tuple[int, str]]]]:
    """A server below `localhost`: its address, the requests that it got, and its answers by path."""
    requests: list[dict[str, Any]] = []
    answers: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            requests.append({"path": self.path, "host": self.headers["host"], "body": content, **self.headers})
            status, text = answers[self.path]
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer  # noqa: N815  # the names of http.server

        def log_message(self, *arguments: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://api.localhost:{running.server_port}", requests, answers
        running.shutdown()


def test_requests_have_the_routes_path_and_the_users_token(server: Any) -> None:
    address, requests, answers = server
    answers["/api/messages/send"] = (200, '{"messageId": "m1"}')
    answers["/api/messages/c1"] = (200, '{"messages": [{"messageId": "m1"}]}')
    routes = HttpChatRoutes(address, 5)
    assert routes.send(SESSION, "c1", "t1", "hello") == "m1"
    assert routes.newest_messages(SESSION, "c1") == ["m1"]
    assert json.loads(requests[0]["body"]) == {"conversationId": "c1", "tempId": "t1", "content": "hello"}
    assert all(each["authorization"] == "Bearer secret-token" for each in requests)
    assert all(each["host"] == address.removeprefix("http://") for each in requests)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((503, '{"error": "later"}'), "POST /api/calls/cancel: status 503"),
        ((200, "no JSON"), "POST /api/calls/cancel: the response is not a JSON object"),
    ],
)
def test_other_answers_than_success_name_the_route(server: Any, answer: tuple[int, str], expected: str) -> None:
    address, _, answers = server
    answers["/api/calls/cancel"] = answer
    with pytest.raises(CanaryError, match=expected):
        HttpChatRoutes(address, 5).cancel_call(SESSION, "s1")


def test_unreachable_api_is_an_error_that_names_the_route() -> None:
    with pytest.raises(CanaryError, match="POST /api/calls/initiate: no response"):
        HttpChatRoutes("http://127.0.0.1:9", 1).initiate_call(SESSION, "g", "t")
