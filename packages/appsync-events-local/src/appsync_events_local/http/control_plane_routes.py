"""The routes of the read-only control plane, for unmodified AWS SDKs.

A request is signed by a known access key, as on AWS; or it has the control token, for an emulator that forwards
requests without checking signatures.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from appsync_events_local.auth.credentials import Credentials, lower_names
from appsync_events_local.errors import UNAUTHORIZED, Refusal, bad_request
from appsync_events_local.http.control import TOKEN, TOKEN_HEADER
from appsync_events_local.http.control_plane import ControlPlane, Page
from appsync_events_local.http.server import SERVICE

ACCESS_DENIED: Final = "AccessDeniedException"
READS_ONLY: Final = "Event APIs can only be read here; change them in their template"

CALLER: Final = web.RequestKey("caller", tuple[str, str])
"""Account of the signer, and the region of the signature."""

_log = logging.getLogger(__name__)
Answer = Callable[[web.Request, ControlPlane], dict[str, Any]]


def control_plane_routes() -> list[web.RouteDef]:
    """Return the routes, with the paths of AppSync's service model."""
    one = "/v2/apis/{api_id}"
    old = "/v1/apis/{api_id}"
    answers: dict[str, Answer] = {
        one: lambda request, plane: plane.get_api(_api(request)),
        f"{one}/channelNamespaces": lambda request, plane: plane.list_channel_namespaces(_api(request), _page(request)),
        f"{one}/channelNamespaces/{{name}}": lambda request, plane: plane.get_channel_namespace(*_names(request)),
        f"{old}/datasources": lambda request, plane: plane.list_data_sources(_api(request), _page(request)),
        f"{old}/datasources/{{name}}": lambda request, plane: plane.get_data_source(*_names(request)),
        f"{old}/apikeys": lambda request, plane: plane.list_api_keys(_api(request), _page(request)),
    }
    routes = [web.get(path, _with_error_responses(answer), allow_head=False) for path, answer in answers.items()]
    changes = [
        web.route(method, path + "{rest:.*}", _with_error_responses(_refuse_change))
        for method in ("POST", "PUT", "PATCH", "DELETE")
        for path in ("/v1/apis", "/v2/apis")
    ]
    return [web.get("/v2/apis", _with_error_responses(_list_apis), allow_head=False), *routes, *changes]


def _list_apis(request: web.Request, plane: ControlPlane) -> dict[str, Any]:
    caller = request.get(CALLER)
    account_id, region = caller if caller is not None else (None, None)
    return plane.list_apis(account_id, region, _page(request))


def _refuse_change(_: web.Request, __: ControlPlane) -> dict[str, Any]:
    raise bad_request(READS_ONLY)


def _api(request: web.Request) -> str:
    return request.match_info["api_id"]


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["api_id"], request.match_info["name"]


def _page(request: web.Request) -> Page:
    return Page(request.query)


def _with_error_responses(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        request_id = str(uuid4())
        headers = {"x-amzn-RequestId": request_id}
        try:
            _authorize(request, await request.read())
            return web.json_response(answer(request, ControlPlane(request.app[SERVICE].registered)), headers=headers)
        except Refusal as refusal:
            denied = refusal.error_type == UNAUTHORIZED
            kind, status = (ACCESS_DENIED, 403) if denied else (refusal.error_type, refusal.status)
            _log.warning(
                "%s %s refused, %s: %s (request %s)", request.method, request.path, kind, refusal.reason, request_id
            )
            headers["x-amzn-ErrorType"] = kind
            return web.json_response({"message": refusal.message}, status=status, headers=headers)

    return answered


def _authorize(request: web.Request, body: bytes) -> None:
    """Check that the request has the control token or is signed by a known access key, then set in `request[CALLER]`.

    Raises:
        Refusal: it has neither.
    """
    presented = request.headers.get(TOKEN_HEADER)
    if presented is not None and hmac.compare_digest(presented.encode("utf-8", "replace"), request.app[TOKEN].encode()):
        return
    credentials = Credentials(
        lower_names(dict(request.headers)),
        request.remote or "",
        (request.rel_url.raw_path,),
        body,
        query=request.rel_url.raw_query_string,
        method=request.method,
    )
    request[CALLER] = request.app[SERVICE].signer_of(credentials)
