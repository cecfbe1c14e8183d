"""Chime SDK Meetings for tests: the local cloud's Chime service behind an HTTP server, for an unmodified client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import botocore.session
from botocore.config import Config

from handlers.adapters.chime.meetings import SERVICE
from local.emulator.chime.meeting import Attendee, Meeting
from local.emulator.chime.meetings import Meetings, ServiceClock
from local.emulator.chime.service import ChimeService
from local.emulator.strict.rules.chime import ChimeSwitches
from tests.harness.emulator import REGION

T = TypeVar("T")


@dataclass
class ChimeServer:
    """The Chime service of the local cloud.

    Args:
        endpoint: its address.
        events: (type, meeting id, user id) of what it published to EventBridge.
        loop: where it runs.
        throttled: how many requests were refused with 429.
    """

    endpoint: str = ""
    events: list[tuple[str, str, str | None]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    throttled: int = 0

    def __post_init__(self) -> None:
        """Create the service, without meetings, under strict rules.

        Its request rates are off: the tests of a module share one account, and follow each other within milliseconds.
        """
        self.clock = ServiceClock()
        self.meetings = Meetings(self.clock, self._record_event)
        self.rules = ChimeSwitches(request_rates=False)
        self.service = ChimeService(self.meetings, lambda: self.rules)

    def _record_event(self, event: str, meeting: Meeting, attendee: Attendee | None) -> None:
        self.events.append((event, meeting.meeting_id, attendee.external_user_id if attendee else None))

    @cached_property
    def shared_client(self) -> Any:
        """The client that most tests share, because creating one takes longer than using it."""
        return self.client()

    def client(self) -> Any:
        """Return a botocore client that validates its requests and does not retry."""
        return botocore.session.Session().create_client(
            SERVICE,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="local-test",
            aws_secret_access_key="local-test",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64),
        )

    def throttle(self, scale: float) -> None:
        """Switch the request rates on, scaled: below 1 they are reached with fewer requests."""
        self.rules = ChimeSwitches(request_rate_scale=scale)

    def active(self) -> list[Meeting]:
        """Return the meetings that have not ended."""

        async def read() -> list[Meeting]:
            return self.meetings.active()

        return self.run(read())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the service's event loop, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def meeting_of(self, session_id: str) -> Meeting | None:
        """Return the meeting of a call, if it has not ended."""
        return next((each for each in self.active() if each.token == session_id), None)


@contextmanager
def running_chime() -> Iterator[ChimeServer]:
    """Serve Chime on loopback."""
    chime = ChimeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body, address = self.rfile.read(length), urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = chime.service.handle_request(self.command, address.path, headers, body, parse_qs(address.query))
            status, answered, content = chime.run(request)
            chime.throttled += status == 429
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # names of the standard library

        def log_message(self, format: str, *arguments: Any) -> None:  # as the base class has it
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    loop_thread = Thread(target=chime.loop.run_forever, daemon=True)
    loop_thread.start()
    try:
        chime.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield chime
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        chime.loop.call_soon_threadsafe(chime.loop.stop)
        loop_thread.join(5)
        chime.loop.close()
