"""Malformed requests: headers that are not UTF-8, unknown paths, bytes that are not HTTP.

aiohttp logs a traceback for most of them, and fails on some (it repeats a header that UTF-8 cannot encode). This module
answers them with an error that names the mistake, and writes one line to the log.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from appsync_events_local.errors import BAD_REQUEST, NOT_FOUND, Refusal, bad_request

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@web.middleware
async def reject_malformed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: refuse headers that are not UTF-8, and treat a client disconnect as normal."""
    unreadable = _unreadable_header(request)
    if unreadable is not None:
        refusal = bad_request(f"The header {unreadable} is not text")
        _log.warning("%s %s refused: %s", request.method, request.path, refusal.reason)
        return web.json_response({"errors": [refusal.as_error()]}, status=refusal.status)
    try:
        return await handler(request)
    except ConnectionError as error:
        _log.info("%s %s: client disconnected: %s", request.method, request.path, error)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499, reason="Client disconnected")  # never sent


def _unreadable_header(request: web.Request) -> str | None:
    """Return the name of a header that is not UTF-8, or of an upgrade's key that is not ASCII (aiohttp fails on it)."""
    if not request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "").isascii():
        return str(hdrs.SEC_WEBSOCKET_KEY)
    for name, value in request.headers.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            return name
    return None


def with_expect_handler(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """Return the routes with `expect` in place of aiohttp's own handler."""
    return [web.RouteDef(r.method, r.path, r.handler, {**r.kwargs, "expect_handler": expect}) for r in routes]


async def expect(request: web.Request) -> None:
    """Answer an `Expect` header (RFC 9110, section 10.1.1); values other than 100-continue are ignored.

    Raises:
        ConnectionError: the client has disconnected.
    """
    if request.headers[hdrs.EXPECT].lower() == "100-continue":
        await request.writer.write(CONTINUE)
        request.writer.output_size = 0  # the response itself has not started


async def unknown_path(request: web.Request) -> web.StreamResponse:
    """Refuse a request that no other route matches.

    Raises:
        Refusal: always; it names the allowed methods or paths.
    """
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not request.match_info.route.resource:
            allowed |= (await resource.resolve(request))[1]
    if allowed:
        methods = ", ".join(sorted(allowed))
        raise Refusal(BAD_REQUEST, f"{request.method} is not allowed; allowed are {methods}", 405)
    raise Refusal(NOT_FOUND, "No such path; publish with POST /event, connect to /event/realtime", 404)


class OneLineFilter(logging.Filter):
    """Logs a request that is not HTTP in one line, without a traceback, because the client caused it."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            record.msg = f"{record.getMessage()}: not HTTP: {error.message.splitlines()[0] if error.message else error}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def shorten_aiohttp_log() -> None:
    """Add `OneLineFilter` to aiohttp's log; a second call has no effect."""
    log = logging.getLogger("aiohttp.server")
    if not any(isinstance(known, OneLineFilter) for known in log.filters):
        log.addFilter(OneLineFilter())
