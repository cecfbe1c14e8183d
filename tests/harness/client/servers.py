"""A small real server for the client's tests: an HTTP API with a script."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from client.api.targets import Target


class Tokens:
    """A source of tokens `t0`, `t1`, …: each refusal brings the next."""

    def __init__(self, user_id: str = "me") -> None:
        self.number = 0
        self.user_id = user_id

    async def access_token(self, *, refused: str | None = None) -> str:
        if refused == f"t{self.number}":
            self.number += 1
        return f"t{self.number}"


def target(api: str = "http://127.0.0.1:9", events: str = "127.0.0.1:9", cognito: str = "http://127.0.0.1:9") -> Target:
    return Target(
        api_url=api,
        events_http_url=f"http://{events}/event",
        events_realtime_url=f"ws://{events}/event/realtime",
        region="us-east-1",
        user_pool_id="us-east-1_Example",
        client_id="client",
        cognito_endpoint=cognito,
    )


@dataclass
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """One answer of the script; `cut` breaks the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class ApiServer:
    """An HTTP API that answers with its script, in order; the last entry answers all further requests.

    Where `respond` is set, it decides instead.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Reply] = []
        self.respond: Callable[[Asked], Awaitable[Reply]] | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        if self.respond is not None:
            reply = await self.respond(self.asked[-1])
        else:
            reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if reply.cut:
            assert request.transport is not None
            request.transport.close()
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        return web.Response(status=reply.status, text=text, headers=reply.headers)
