"""The routes of the data plane: HTTP publish, the upgrade to a WebSocket, and CORS.

Sources: AppSync Events: "Publish events via HTTP" and "Understanding the Event API WebSocket protocol".
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from appsync_events_local import assumptions
from appsync_events_local.auth.credentials import Credentials, from_subprotocols, lower_names
from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.errors import BAD_REQUEST, INTERNAL_FAILURE, Refusal, bad_request
from appsync_events_local.http.malformed_requests import unknown_path
from appsync_events_local.http.session import Session
from appsync_events_local.http.upgrade import SessionSettings, UpgradeRequest
from appsync_events_local.limits import TRANSPORT_MESSAGE_BYTES
from appsync_events_local.observability.activity import HTTP
from appsync_events_local.protocol.channels import INVALID_CHANNEL, parse_channel
from appsync_events_local.protocol.frames import SUBPROTOCOL
from appsync_events_local.publish import pipeline
from appsync_events_local.publish.faults import FaultOperation, FaultTiming, LostByFault
from appsync_events_local.publish.served_api import ServedApi
from appsync_events_local.registry.selection import select
from appsync_events_local.registry.service import Service
from appsync_events_local.strict_json import parse

REALTIME: Final = "/realtime"
DEFAULT_PATH: Final = "/event"
SERVICE: Final = web.AppKey("service", Service)
SETTINGS: Final = web.AppKey("settings", SessionSettings)
CALLED: Final = web.RequestKey("called", ServedApi)
CHANNEL: Final = web.RequestKey("channel", str)
HIDDEN_HEADERS: Final = frozenset({"cookie"})
HIDDEN_UPGRADE_HEADERS: Final = HIDDEN_HEADERS | {
    "authorization", "x-api-key", "x-amz-security-token", "sec-websocket-protocol", "sec-websocket-key",
}  # fmt: skip
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
CORS_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, x-amz-date, x-amz-security-token, x-amz-user-agent, "
    "x-amz-content-sha256, x-api-key",
    "Access-Control-Expose-Headers": "x-amzn-RequestId, x-amzn-ErrorType",
    "Access-Control-Max-Age": "86400",
}

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def event_routes() -> list[web.RouteDef]:
    """Return the routes of the data plane, for APIs selected by host and by path."""
    paths = (DEFAULT_PATH, "/{api_id:[A-Za-z0-9-]+}" + DEFAULT_PATH)
    return [
        route
        for path in paths
        for route in (
            web.post(path, _with_error_responses(publish_over_http)),
            web.options(path, _preflight),
            web.get(path + REALTIME, _with_error_responses(realtime)),
        )
    ]


def other_routes() -> list[web.RouteDef]:
    """Return the route for all other requests; add it last."""
    return [web.route("*", "/{anything:.*}", _with_error_responses(unknown_path))]


async def publish_over_http(request: web.Request) -> web.StreamResponse:
    """`POST /event`: authorise, publish, and report the result of every event."""
    service = request.app[SERVICE]
    served = request[CALLED] = select(service.apis, request.host, request.match_info.get("api_id"))
    body = await _body(request)
    channel_text, events = _publish_request(body)
    channel = parse_channel(channel_text)
    request[CHANNEL] = channel.path
    modes = served.publish_modes(channel)
    await service.faults.apply(FaultOperation.PUBLISH, served.api.id, channel.path, "http")
    credentials = Credentials(
        lower_names(dict(request.headers)),
        request.remote or "",
        (request.rel_url.raw_path,),
        body,
        query=request.rel_url.raw_query_string,
    )
    headers = _visible_headers(request, HIDDEN_HEADERS)
    identity = await service.authorize(
        served, modes, credentials, RequestedOperation(EventOperation.PUBLISH, channel, headers)
    )
    caller = pipeline.Caller(identity, headers, HTTP)
    intercept = service.faults.deliveries(served.api.id, channel.path)
    result = await pipeline.publish(served, channel, events, caller, intercept)
    await service.faults.apply(FaultOperation.PUBLISH, served.api.id, channel.path, "http", FaultTiming.AFTER)
    return web.json_response(result)


async def realtime(request: web.Request) -> web.StreamResponse:
    """`GET /event/realtime`: upgrade, then serve the connection until it ends."""
    service = request.app[SERVICE]
    served = select(service.apis, request.host, request.match_info.get("api_id"))
    offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if SUBPROTOCOL not in offered:
        message = f"The upgrade must offer the subprotocol {SUBPROTOCOL}"
        raise Refusal(BAD_REQUEST, message, assumptions.MISSING_SUBPROTOCOL_STATUS.value)
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,), compress=False, max_msg_size=TRANSPORT_MESSAGE_BYTES, timeout=2.0
    )
    await socket.prepare(request)
    transport = request.transport
    if transport is None:  # the client has disconnected
        return socket
    endpoint = UpgradeRequest(
        paths=tuple(dict.fromkeys((request.rel_url.raw_path.removesuffix(REALTIME), DEFAULT_PATH))),
        hosts=_accepted_hosts(request, served.api.hosts.http),
        source_ip=request.remote or "",
        headers=_visible_headers(request, HIDDEN_UPGRADE_HEADERS),
    )
    connect = _connect_headers(offered, request)
    await Session(service, served, socket, transport, endpoint, connect, request.app[SETTINGS]).run()
    return socket


def _connect_headers(offered: list[str], request: web.Request) -> dict[str, str] | Refusal:
    try:
        headers = from_subprotocols(offered)
    except Refusal as refusal:
        return refusal
    return lower_names(dict(request.headers)) if headers is None else headers


def _accepted_hosts(request: web.Request, http_host: str) -> frozenset[str]:
    name = request.get_extra_info("sockname")
    port = name[1] if name else 0
    return frozenset({http_host, request.host.lower(), *(f"{loopback}:{port}" for loopback in LOOPBACK_NAMES)})


def _visible_headers(request: web.Request, hidden: frozenset[str]) -> dict[str, str | list[str]]:
    visible: dict[str, str | list[str]] = {}
    for name in {name.lower() for name in request.headers} - hidden:
        values = request.headers.getall(name)
        visible[name] = values[0] if len(values) == 1 else list(values)
    return visible


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Refusal(BAD_REQUEST, "The request body is too large", 413) from error


def _publish_request(body: bytes) -> tuple[str, Any]:
    try:
        document = parse(body)
    except ValueError as error:
        raise bad_request(f"The request body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise bad_request("The request body is not a JSON object")
    channel = document.get("channel")
    if not isinstance(channel, str):
        raise bad_request(INVALID_CHANNEL)
    return channel, document.get("events")


async def _preflight(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204, headers=CORS_HEADERS)


def _with_error_responses(handler: Handler) -> Handler:
    """Convert refusals to AWS's error body, and add request id and CORS headers to every HTTP response."""

    async def answered(request: web.Request) -> web.StreamResponse:
        request_id, started = str(uuid4()), time.perf_counter()
        try:
            response = await handler(request)
        except Refusal as refusal:
            _log_refusal(request, refusal, request_id)
            response = _error(refusal)
        except LostByFault:
            response = _aborted(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            _log.exception("internal error in %s %s (request %s)", request.method, request.path, request_id)
            response = _error(Refusal(INTERNAL_FAILURE, "Internal failure", 500))
        if CALLED in request:
            request[CALLED].activity.answered_http(response.status, (time.perf_counter() - started) * 1000)
        if not response.prepared:
            response.headers.update({**CORS_HEADERS, "x-amzn-RequestId": request_id})
        return response

    return answered


def _log_refusal(request: web.Request, refusal: Refusal, request_id: str) -> None:
    called = request.get(CALLED)
    if called is None:
        fields = (request.method, request.path, refusal.error_type, refusal.reason)
        _log.warning("%s %s refused: %s, %s", *fields, extra={"about": {"request": request_id}})
    else:
        called.activity.refused("publish", HTTP, request.get(CHANNEL), refusal, request=request_id)


def _error(refusal: Refusal) -> web.Response:
    headers = {"x-amzn-ErrorType": refusal.error_type}
    return web.json_response({"errors": [refusal.as_error()]}, status=refusal.status, headers=headers)


def _aborted(request: web.Request) -> web.Response:
    """Abort the connection; the returned response is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
