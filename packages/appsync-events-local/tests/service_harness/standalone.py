"""The service as its command starts it, inside the test's process."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from appsync_events_local.cli import arguments
from appsync_events_local.cli.serving import Instance
from appsync_events_local.cli.workspace import Workspace
from appsync_events_local.http.listening import listening
from service_harness.running import SUBPROTOCOL, Socket, header_protocol


@dataclass
class Standalone:
    """A running service and the text that it announced."""

    announced: str
    session: aiohttp.ClientSession
    folder: Path
    sockets: list[Socket] = field(default_factory=list)

    @property
    def endpoints(self) -> list[str]:
        """The HTTP endpoint of each API."""
        return re.findall(r"HTTP +(\S+)", self.announced)

    @property
    def keys(self) -> list[str]:
        return re.findall(r"da2-\w+(?=  until)", self.announced)

    @property
    def base(self) -> str:
        return "/".join(self.endpoints[0].split("/")[:3])

    def key_authorization(self, api: int = 0) -> dict[str, str]:
        return {"host": self.endpoints[api].split("/")[2], "x-api-key": self.keys[api]}

    async def post(
        self, channel: str, *events: str, api: int = 0, url: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Publish over HTTP, with the API's key unless other headers are given."""
        own = headers or {"x-api-key": self.keys[api]}
        body = {"channel": channel, "events": list(events)}
        async with self.session.post(url or self.endpoints[api], json=body, headers=own) as answer:
            return answer.status, await answer.json()

    async def connect(self, authorization: dict[str, Any] | None = None, api: int = 0) -> Socket:
        """An acknowledged socket."""
        own = self.key_authorization(api) if authorization is None else authorization
        url = self.endpoints[api].replace("http", "ws", 1) + "/realtime"
        raw = await self.session.ws_connect(url, protocols=[SUBPROTOCOL, header_protocol(own)])
        socket = Socket(raw, own)
        self.sockets.append(socket)
        answer = await socket.ask(type="connection_init")
        assert answer["type"] == "connection_ack", answer
        return socket

    async def subscribed(self, channel: str, api: int = 0) -> Socket:
        """A socket with one subscription."""
        socket = await self.connect(api=api)
        answer = await socket.subscribe(channel)
        assert answer["type"] == "subscribe_success", answer
        return socket


@asynccontextmanager
async def standalone(*given: str | Path, connector: aiohttp.BaseConnector | None = None) -> AsyncIterator[Standalone]:
    """Run the command with these arguments on a free port until the block ends; raises its errors."""
    options = arguments.parse(["--port", "0", *map(str, given)])
    workspace, stop = Workspace.open(options.state), asyncio.Event()
    announced: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listening(options.port, ipv6=False) as sockets:
        task = asyncio.create_task(Instance(options, workspace, sockets, announced.set_result).run(stop))
        try:
            task.add_done_callback(lambda ended: announced.done() or announced.cancel())
            with suppress(asyncio.CancelledError):
                await announced
            if task.done():
                task.result()
            async with aiohttp.ClientSession(connector=connector) as session:
                running = Standalone(announced.result(), session, workspace.folder)
                yield running
                for socket in running.sockets:
                    await socket.raw.close()
        finally:
            stop.set()
            with suppress(Exception):
                await task
            workspace.close()
