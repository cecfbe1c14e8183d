"""The old application in a process of its own, and its clients."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio

from contract import tables
from tests.harness.emulator import AwsResources

SERVER = Path(__file__).with_name("old_application.mjs")
ROOT = Path(__file__).resolve().parents[3]
_WAIT_SECONDS = 20


class OldServer:
    """Runs the old Socket.IO server on a test's tables."""

    def __init__(self, aws: AwsResources) -> None:
        self._aws = aws
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, *, queue_url: str = "", writes: bool = True, crash_before_delete: bool = False) -> None:
        """Start the server; end a running one first.

        Args:
            queue_url: the queue of the bridge; empty for a server without bridge.
            writes: whether it accepts writes.
            crash_before_delete: end the process after it has emitted a message of the queue, before it deletes it.
        """
        self.stop()
        variables = {
            "ENDPOINT": self._aws.emulator.endpoint,
            "CONVERSATIONS_TABLE": self._aws.table(tables.CONVERSATIONS),
            "MESSAGES_TABLE": self._aws.table(tables.MESSAGES),
            "QUEUE_URL": queue_url,
            "OLD_WRITES": "on" if writes else "off",
            "CRASH_BEFORE_DELETE": "yes" if crash_before_delete else "",
        }
        node = str(ROOT / ".venv" / "bin" / "node")
        self._process = subprocess.Popen(
            [node, str(SERVER)], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, "the old server did not start"
        self.url = f"http://127.0.0.1:{port}"

    def wait(self) -> int:
        """Wait until the process has ended by itself, and return its status."""
        assert self._process is not None
        return self._process.wait(_WAIT_SECONDS)

    def stop(self) -> None:
        """Kill the process, as a crash of its machine does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@dataclass
class OldClient:
    """A client of the old application: it knows messages by their id, and loads the history when it connects.

    Attributes:
        shown: the messages by id.
        doubled: ids that came more than once on the same connection.
    """

    aws: AwsResources
    user_id: str
    conversations: list[str]
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    _socket: Any = None
    _live: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def connect(self, url: str) -> None:
        """Connect and load the history, as a loaded page does."""
        self.close()
        self._live = set()
        self._socket = socketio.Client(reconnection=False)
        self._socket.on("new-message", self._receive)
        self._socket.connect(url, auth={"token": self.user_id}, transports=["polling"])
        self.reload()

    def close(self) -> None:
        """Disconnect."""
        if self._socket is not None:
            self._socket.disconnect()
            self._socket = None

    def reload(self) -> None:
        """Replace what is shown by the stored messages, which the old application reads without the backend."""
        stored = self.aws.scan(tables.MESSAGES)
        with self._changed:
            self.shown = {
                each["messageId"]: each
                for each in stored
                if each["conversationId"] in self.conversations and not each.get("voided")
            }

    def send(self, conversation_id: str, content: str) -> dict[str, Any]:
        """Send a message and return the server's acknowledgement."""
        answer: dict[str, Any] = self._socket.call(
            "send-message", {"conversationId": conversation_id, "content": content}, timeout=_WAIT_SECONDS
        )
        return answer

    def wait_for(self, condition: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
        """Wait until the shown messages meet a condition."""
        with self._changed:
            met = self._changed.wait_for(lambda: condition(self.shown), _WAIT_SECONDS)
        assert met, f"{self.user_id} shows {sorted(each['content'] for each in self.shown.values())}"

    def _receive(self, message: dict[str, Any]) -> None:
        with self._changed:
            if message["messageId"] in self._live:
                self.doubled.append(message["messageId"])
            self._live.add(message["messageId"])
            self.shown.setdefault(message["messageId"], message)
            self._changed.notify_all()
