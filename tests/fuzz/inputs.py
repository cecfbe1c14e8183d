"""Malformed inputs for the Events service: valid inputs, mutated at random but reproducibly for a seed.

There are three kinds: WebSocket messages (with mutated frames or text), upgrade requests, and publish requests.
"""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any, Final

from bench.events_service.websocket import frame

AWKWARD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1 << 64, 1e308, "", " ", "*", "/", "\x00", "\ud800", "é" * 60, "x" * 200, [], {}, [[]],
    {"": {}}, "__proto__", "{{}}", "%s%n", "../..", "a/b/c/d/e/f", "ns\r\nx: y", "\u202e", "NaN", "1" * 400,
)  # fmt: skip
CHANNELS: Final = ("/plain/a", "plain/a/b", "/handled/a", "/handled/*", "/plain/*", "/*", "/nowhere/x", "")
TYPES: Final = ("connection_init", "subscribe", "publish", "unsubscribe", "start", "ka", "data", "")
PATHS: Final = (
    "/event/realtime", "/event", "/bench/event/realtime", "/bench/event", "/", "/none/event", "/event/x", "/_status",
    "/_status/data", "/_control/apis", "/_control/apis/bench/namespaces/x", "/_control/faults", "/v2/apis",
    "/v2/apis/bench/channelNamespaces",
)  # fmt: skip
HEADERS: Final = (
    "Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions", "Content-Length", "Transfer-Encoding", "Content-Type", "x-api-key", "Authorization",
    "x-amz-date", "Cookie", "Origin", "Expect", "X-Forwarded-For",
)  # fmt: skip
OPCODES: Final = (0x1, 0x1, 0x1, 0x2, 0x0, 0x8, 0x9, 0xA, 0x3, 0xB)


class Inputs:
    """Generates inputs.

    Args:
        random: the only source of randomness.
        host: host and port of the service.
        key: a valid API key.
    """

    def __init__(self, random: Random, host: str, key: str) -> None:
        self._random = random
        self._host = host
        self._key = key

    @property
    def _credentials(self) -> dict[str, Any]:
        return {"host": self._host, "x-api-key": self._key}

    def connect_request(self) -> bytes:
        """Return a valid upgrade request."""
        return self._request("GET", "/event/realtime", self._upgrade_headers(), b"")

    def valid_frames(self) -> bytes:
        """Return one message with any text, mostly UTF-8, in one or two well-formed frames."""
        random = self._random
        payload = self.message()
        if random.random() < 0.99:
            payload = payload.decode("utf-8", "replace").encode()
        if random.random() < 0.85:
            return frame(payload, mask=random.randbytes(4))
        cut = random.randint(0, len(payload))
        first = frame(payload[:cut], mask=random.randbytes(4), final=False)
        return first + frame(payload[cut:], opcode=0, mask=random.randbytes(4))

    def malformed_frame(self) -> bytes:
        """Return a frame that may violate the WebSocket framing."""
        random = self._random
        payload = self.message()
        mutated = frame(
            payload[: random.choice((0, 1, 125, 1000, len(payload)))],
            opcode=random.choice(OPCODES),
            final=random.random() < 0.8,
            reserved=random.choice((0, 0, 0, 0x40, 0x70)),
            mask=random.randbytes(4) if random.random() < 0.9 else None,
            length=random.choice((None, None, None, 1 << 40, (1 << 64) - 1, 126)),
        )
        return self._bytes(mutated) if random.random() < 0.3 else mutated

    def message(self) -> bytes:
        """Return the text of one message: valid, or mutated as a JSON value or as bytes."""
        random = self._random
        message: dict[str, Any] = {
            "type": random.choice(TYPES[:4] if random.random() < 0.8 else TYPES),
            "id": f"id{random.randint(0, 300)}",
            "channel": random.choice(CHANNELS),
            "events": [json.dumps(self._value(2)) for _ in range(random.randint(0, 6))],
            "authorization": dict(self._credentials),
        }
        for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
            self._mutate(message)
        text = json.dumps(message, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        if random.random() < 0.02:
            depth = random.randint(1_000, 50_000)
            text = b'{"type":"publish","id":"d","channel":"/plain/a","events":' + b"[" * depth
        return self._bytes(text) if random.random() < 0.25 else text

    def upgrade(self) -> bytes:
        """Return an upgrade request with mutated headers, subprotocols, path or bytes."""
        random = self._random
        headers = self._upgrade_headers()
        for _ in range(random.randint(0, 3)):
            self._mutate_header(headers)
        method = random.choice(("GET", "GET", "GET", "GET", "POST", "HEAD", "PUT", "OPTIONS", "get", "G\x00T"))
        request = self._request(method, self._path("/event/realtime"), headers, b"")
        return self._bytes(request) if random.random() < 0.2 else request

    def publish(self) -> bytes:
        """Return a publish request with a mutated body, headers, path or bytes."""
        random = self._random
        body = self.message()
        headers = [
            ("Host", self._host),
            ("x-api-key", self._key),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        for _ in range(random.choice((0, 0, 1, 2))):
            self._mutate_header(headers)
        request = self._request(
            random.choice(("POST",) * 6 + ("OPTIONS", "PATCH")), self._path("/event"), headers, body
        )
        return self._bytes(request) if random.random() < 0.15 else request

    def _path(self, valid: str) -> str:
        random = self._random
        if random.random() < 0.7:
            return valid
        return random.choice(
            (*PATHS, valid + "?" + "a=%ff&" * 5, valid + "/..", "/%2e%2e", "//", "*", "/\x7f", valid * 300)
        )

    def _upgrade_headers(self) -> list[tuple[str, str]]:
        encoded = base64.urlsafe_b64encode(json.dumps(self._credentials).encode()).decode().rstrip("=")
        key = base64.b64encode(self._random.randbytes(16)).decode()
        return [
            ("Host", self._host),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Protocol", f"aws-appsync-event-ws, header-{encoded}"),
        ]

    def _mutate_header(self, headers: list[tuple[str, str]]) -> None:
        random = self._random
        place = random.randrange(len(headers))
        name, value = headers[place]
        match random.randrange(5):
            case 0:
                del headers[place]
                headers.append(("X-Filler", "1"))
            case 1:
                headers.append((name, value))
            case 2:
                headers[place] = (name, str(random.choice(AWKWARD)).replace("\n", " "))
            case 3:
                headers[place] = (name, self._bytes(value.encode("utf-8", "surrogatepass")).decode("latin-1"))
            case 4:
                headers.append((random.choice(HEADERS), str(random.choice(AWKWARD))))

    def _request(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogatepass") + body

    def _mutate(self, message: dict[str, Any]) -> None:
        random = self._random
        name = random.choice((*message, "payload", "extra"))
        target: dict[str, Any] = message
        inner = message.get("authorization")
        if name == "authorization" and isinstance(inner, dict) and inner and random.random() < 0.6:
            target, name = inner, random.choice((*inner, "Authorization"))
        if random.random() < 0.2:
            target.pop(name, None)
        else:
            target[name] = self._value(3)

    def _value(self, depth: int) -> Any:
        random = self._random
        kind = random.random()
        if depth == 0 or kind < 0.6:
            return random.choice(AWKWARD)
        if kind < 0.8:
            return [self._value(depth - 1) for _ in range(random.randint(0, 4))]
        return {str(random.choice(AWKWARD)): self._value(depth - 1) for _ in range(random.randint(0, 3))}

    def _bytes(self, valid: bytes) -> bytes:
        random = self._random
        mutated = bytearray(valid)
        for _ in range(random.randint(1, 4)):
            place = random.randint(0, len(mutated))
            match random.randrange(4):
                case 0:
                    mutated[place : place + 1] = random.randbytes(1)
                case 1:
                    del mutated[place : place + random.randint(1, 20)]
                case 2:
                    mutated[place:place] = random.randbytes(random.randint(1, 8))
                case 3:
                    mutated[place:place] = mutated[place // 2 : place // 2 + 30]
        return bytes(mutated)
