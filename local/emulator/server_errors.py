"""Records every response of 500 and above, of the HTTP API and of every AWS service, with the faults of that time.

A response that no fault explains is a defect, also where a retry of the caller hides it. The record is a file of the
state directory, so that it outlives a restart.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

from local.emulator.faults import FaultSwitches
from local.emulator.strict.mode import StrictMode
from local.emulator.strict.rules import DEFAULT

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_BODY_BYTES: Final = 500
_HEADERS: Final = (b"x-amz-target", b"user-agent")


class ServerErrors:
    """The record of one state directory.

    Args:
        file: where it is kept, one JSON object in a line.
        faults: the fault rules.
        strict: the rules of strict mode; rules that differ from the default ones count as a fault.
    """

    def __init__(self, file: Path, faults: FaultSwitches, strict: StrictMode) -> None:
        self._file, self._faults, self._strict = file, faults, strict

    def watching(self, scope: Scope, send: Send) -> Send:
        """Return a version of `send` that records the response to a request."""
        started = time.monotonic()
        failed: dict[str, Any] = {}

        async def send_and_record(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 500:
                failed["status"] = message["status"]
            elif failed and message["type"] == "http.response.body" and not message.get("more_body"):
                self._record(scope, failed["status"], bytes(message.get("body", b"")), started)
            await send(message)

        return send_and_record

    async def serve(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an application answer a request, and record a response of 500 or above.

        The server answers 500 where the application raises before it responds; that is recorded too.
        """
        started = time.monotonic()
        try:
            await application(scope, receive, self.watching(scope, send))
        except Exception as error:
            self._record(scope, 500, repr(error).encode(), started)
            raise

    def listed(self) -> list[dict[str, Any]]:
        """Return every record: `time`, `method`, `path`, `status`, `body`, `seconds`, `faults`, and two headers."""
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

    def _record(self, scope: Scope, status: int, body: bytes, started: float) -> None:
        headers = dict(scope["headers"])
        faults: list[Any] = self._faults.active_since(started)
        if self._strict.rules != DEFAULT:
            faults.append("strict mode with rules of its own")
        record = {
            "time": time.time(),
            "method": scope["method"],
            "path": scope["path"],
            **{name.decode(): headers.get(name, b"").decode("latin-1") for name in _HEADERS},
            "status": status,
            "body": body[:_BODY_BYTES].decode("utf-8", "replace"),
            "seconds": round(time.monotonic() - started, 3),
            "faults": faults,
        }
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
