"""What no client of this service sends: unreadable headers, unknown addresses, bytes that are no HTTP.

aiohttp answers most of it, some with a fault of its own (it repeats a header that has no UTF-8 form) and all with a
traceback. Here it is one line of the log and an answer that names the mistake.
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
    """Let no route meet a header that is no text, which nothing could compare or repeat, nor a client that hangs up."""
    unreadable = _unreadable_header(request)
    if unreadable is not None:
        refusal = bad_request(f"The header {unreadable} is not text")
        _log.warning("%s %s refused: %s", request.method, request.path, refusal.reason)
        return web.json_response({"errors": [refusal.as_error()]}, status=refusal.status)
    try:
        return await handler(request)
    except ConnectionError as error:
        _log.info("%s %s ended early: %s", request.method, request.path, error)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499, reason="Client has gone")  # nobody reads it


def _unreadable_header(request: web.Request) -> str | None:
    """The name of a header that is not UTF-8; or of the key of an upgrade, where aiohttp fails on all but ASCII."""
    if not request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "").isascii():
        return str(hdrs.SEC_WEBSOCKET_KEY)
    for name, value in request.headers.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            return name
    return None


def with_expect_handler(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """The routes, with `expect` instead of aiohttp's own answer."""
    return [web.RouteDef(r.method, r.path, r.handler, {**r.kwargs, "expect_handler": expect}) for r in routes]


async def expect(request: web.Request) -> None:
    """Answer an `Expect` header (RFC 9110, section 10.1.1); anything but 100-continue is overlooked.

    Raises:
        ConnectionError: the client has gone.
    """
    if request.headers[hdrs.EXPECT].lower() == "100-continue":
        await request.writer.write(CONTINUE)
        request.writer.output_size = 0  # the answer itself has not begun


async def unknown_path(request: web.Request) -> web.StreamResponse:
    """Whatever no other route takes.

    Raises:
        Refusal: always; it names what there is.
    """
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not request.match_info.route.resource:
            allowed |= (await resource.resolve(request))[1]
    if allowed:
        methods = ", ".join(sorted(allowed))
        raise Refusal(BAD_REQUEST, f"{request.method} is not allowed here; {methods} would be", 405)
    raise Refusal(NOT_FOUND, "No such address; publish with POST /event, connect to /event/realtime", 404)


class OneLineFilter(logging.Filter):
    """Tells of a request that is no HTTP without a traceback: it is the client's mistake."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            record.msg = f"{record.getMessage()}: no HTTP: {error.message.splitlines()[0] if error.message else error}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def shorten_aiohttp_log() -> None:
    """Let aiohttp's log be readable; calling it again changes nothing."""
    log = logging.getLogger("aiohttp.server")
    if not any(isinstance(known, OneLineFilter) for known in log.filters):
        log.addFilter(OneLineFilter())
