"""The canary's WebSocket connection to the Event API.

Source: AppSync Events: WebSocket protocol. A thread receives the frames, so that each event has the time at which it
arrived, also when a request is under way then.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from threading import Condition, Thread
from typing import Any, Final
from urllib.parse import urlsplit

import websocket

from handlers.adapters.canary.sockets import connect
from handlers.core.canary.ports import CanaryError, Connection, Event, Session, Subscriber
from handlers.core.shared.ports import Clock

SECONDS: Final = 10.0
"""How long a step waits for its frame or event."""
_PROTOCOL: Final = "aws-appsync-event-ws"


class WebSocketSubscriber(Subscriber):
    """Opens connections.

    Args:
        http_endpoint: the HTTP endpoint, whose host is part of the authorization.
        realtime_endpoint: the WebSocket endpoint.
        clock: the clock of the times of receipt.
        seconds: how long a step waits for its frame or event.
    """

    def __init__(self, http_endpoint: str, realtime_endpoint: str, clock: Clock, seconds: float = SECONDS) -> None:
        self._host = urlsplit(http_endpoint).netloc
        self._url = realtime_endpoint
        self._clock = clock
        self._seconds = seconds

    def connect(self, session: Session) -> Connection:
        authorization = {"host": self._host, "Authorization": session.access_token}
        header = base64.urlsafe_b64encode(json.dumps(authorization).encode()).decode().rstrip("=")
        try:
            stream = websocket.create_connection(
                self._url,
                timeout=self._seconds,
                subprotocols=[_PROTOCOL, f"header-{header}"],
                socket=connect(urlsplit(self._url), self._seconds),
            )
        except (OSError, websocket.WebSocketException) as error:
            raise CanaryError(f"the Event API refused the WebSocket: {type(error).__name__}: {error}") from error
        connection = EventConnection(stream, authorization, self._clock, self._seconds)
        connection.start()
        return connection


class EventConnection(Connection):
    """One connection. Its thread ends when the connection is closed or lost."""

    def __init__(self, stream: Any, authorization: Mapping[str, str], clock: Clock, seconds: float) -> None:
        self._stream = stream
        self._authorization = authorization
        self._clock = clock
        self._seconds = seconds
        self._frames: list[tuple[int, Mapping[str, Any]]] = []
        self._lost: str | None = None
        self._changed = Condition()
        self._subscriptions = 0

    def start(self) -> None:
        """Start to receive, and wait for the acknowledgement.

        Raises:
            CanaryError: the connection is refused, or not acknowledged in time.
        """
        self._stream.settimeout(None)  # a silent connection is no lost one; closing it ends the thread
        Thread(target=self._receive, daemon=True).start()
        try:
            self._send({"type": "connection_init"})
            answer = self._frame(lambda frame: str(frame.get("type")).startswith("connection_"), "connection_ack")
            _require(answer, "connection_ack", "the connection")
        except CanaryError:
            self.close()
            raise

    def subscribe(self, channel: str) -> None:
        self._subscriptions += 1
        number = str(self._subscriptions)
        self._send({"type": "subscribe", "id": number, "channel": channel, "authorization": self._authorization})
        answer = self._frame(
            lambda frame: frame.get("id") == number and str(frame.get("type")).startswith("subscribe_"),
            f"subscribe_success of {channel}",
        )
        _require(answer, "subscribe_success", f"the subscription to {channel}")

    def wait_for(self, matches: Callable[[Event], bool]) -> int:
        received, _ = self._awaited(lambda frame: any(matches(event) for event in _events(frame)), "the event")
        return received

    def close(self) -> None:
        self._stream.shutdown()

    def _send(self, frame: Mapping[str, Any]) -> None:
        try:
            self._stream.send(json.dumps(frame))
        except (OSError, websocket.WebSocketException) as error:
            raise CanaryError(f"the connection to the Event API was lost: {error}") from error

    def _frame(self, matches: Callable[[Mapping[str, Any]], bool], name: str) -> Mapping[str, Any]:
        return self._awaited(matches, name)[1]

    def _awaited(self, matches: Callable[[Mapping[str, Any]], bool], name: str) -> tuple[int, Mapping[str, Any]]:
        """Return the first frame that matches, with its time of receipt."""

        def found() -> tuple[int, Mapping[str, Any]] | None:
            return next((each for each in self._frames if matches(each[1])), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._lost, self._seconds)
            if (frame := found()) is not None:
                return frame
            if self._lost is not None:
                raise CanaryError(f"the connection to the Event API was lost before {name}: {self._lost}")
        raise CanaryError(f"{name} was not received within {self._seconds:g} seconds")

    def _receive(self) -> None:
        lost = "closed"
        try:
            while text := self._stream.recv():
                frame = json.loads(text)
                with self._changed:
                    self._frames.append((self._clock.now(), frame))
                    self._changed.notify_all()
        except (OSError, ValueError, websocket.WebSocketException) as error:
            lost = str(error) or type(error).__name__
        with self._changed:
            self._lost = lost
            self._changed.notify_all()


def _events(frame: Mapping[str, Any]) -> list[Event]:
    """Return the events of a frame; one frame holds one event, and the documented list form is read as well."""
    if frame.get("type") != "data":
        return []
    content = frame["event"]
    decoded = [json.loads(text) for text in (content if isinstance(content, list) else [content])]
    return [event for event in decoded if isinstance(event, dict)]


def _require(frame: Mapping[str, Any], kind: str, what: str) -> None:
    if frame.get("type") != kind:
        raise CanaryError(f"the Event API refused {what}: {json.dumps(frame.get('errors'))}")
