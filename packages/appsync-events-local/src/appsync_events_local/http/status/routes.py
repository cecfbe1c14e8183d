"""The routes of the status page."""

import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from aiohttp import web

from appsync_events_local.http.server import SERVICE
from appsync_events_local.http.status.guard import HEADERS, refusal_of
from appsync_events_local.http.status.page import page
from appsync_events_local.protocol.frames import as_utf8

PATH: Final = "/_status"
STARTED_AT: Final = web.AppKey("started_at", float)
ASSETS: Final = {"page.css": "text/css", "page.js": "text/javascript"}
Handler = Callable[[web.Request], Awaitable[web.Response]]


def status_routes() -> list[web.RouteDef]:
    """Return the routes of the page, its style sheet and its script."""
    return [
        web.get(PATH, _guarded(_page)),
        web.get(PATH + "/{name}", _guarded(_asset)),
    ]


async def _page(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    text = page(service.apis.values(), service.faults, request.host, request.app[STARTED_AT], time.time())
    return web.Response(body=as_utf8(text), content_type="text/html", charset="utf-8")


async def _asset(request: web.Request) -> web.Response:
    kind = ASSETS.get(request.match_info["name"])
    if kind is None:
        return web.Response(status=404, text="No such file.\n")
    text = files(__package__).joinpath(request.match_info["name"]).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind)


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.Response:
        refusal = refusal_of(request)
        response = await handler(request) if refusal is None else web.Response(status=403, text=f"{refusal}\n")
        response.headers.update(HEADERS)
        return response

    return guarded
