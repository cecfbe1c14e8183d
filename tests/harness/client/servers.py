"""A scripted HTTP API, a source of tokens, and a target for the client's tests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from client.api.targets import Target

UNUSED = "127.0.0.1:9"


class NumberedTokens:
    """A source of the tokens `t0`, `t1`, …: a refused token is replaced by the next."""

    def __init__(self, user_id: str = "me") -> None:
        self.number = 0
        self.user_id = user_id

    async def access_token(self, *, refused: str | None = None) -> str:
        if refused == f"t{self.number}":
            self.number += 1
        return f"t{self.number}"


def target(api: str = f"http://{UNUSED}", events: str = UNUSED, cognito: str = f"http://{UNUSED}") -> Target:
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
class ReceivedRequest:
    """One request as the server received it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON; empty without a body."""
        decoded: dict[str, Any] = json.loads(self.body or b"{}")
        return decoded


@dataclass
class Reply:
    """One response of the script; `cut` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class ApiServer:
    """An HTTP API that responds with its script, in order; the last entry responds to all further requests.

    Where `respond` is set, it makes the responses instead.
    """

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []
        self.script: list[Reply] = []
        self.respond: Callable[[ReceivedRequest], Awaitable[Reply]] | None = None
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
        self.requests.append(ReceivedRequest(request.method, request.path, dict(request.query), headers, body))
        if self.respond is not None:
            reply = await self.respond(self.requests[-1])
        else:
            reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if reply.cut:
            assert request.transport is not None
            request.transport.close()
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        return web.Response(status=reply.status, text=text, headers=reply.headers)
