"""The read-only control plane on the service's port, for unmodified AWS SDKs.

A request is signed by a known access key, as on AWS; the emulator, which checks no signatures, asks with the control
token instead.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from local.events.auth.credentials import Credentials, lower_names
from local.events.control import TOKEN, TOKEN_HEADER
from local.events.control_plane import ControlPlane, Page
from local.events.errors import UNAUTHORIZED, Refusal
from local.events.server import SERVICE

ACCESS_DENIED: Final = "AccessDeniedException"

CALLER: Final = web.RequestKey("caller", tuple[str, str])
"""Account of who signed, and the region that it was signed for."""

_log = logging.getLogger(__name__)
Answer = Callable[[web.Request, ControlPlane], dict[str, Any]]


def control_plane_routes() -> list[web.RouteDef]:
    """The routes, by the paths of AppSync's service model."""
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
    routes = [web.get(path, _answered(answer), allow_head=False) for path, answer in answers.items()]
    return [web.get("/v2/apis", _answered(_list_apis), allow_head=False), *routes]


def _list_apis(request: web.Request, plane: ControlPlane) -> dict[str, Any]:
    caller = request.get(CALLER)
    account_id, region = caller if caller is not None else (None, None)
    return plane.list_apis(account_id, region, _page(request))


def _api(request: web.Request) -> str:
    return request.match_info["api_id"]


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["api_id"], request.match_info["name"]


def _page(request: web.Request) -> Page:
    return Page(request.query)


def _answered(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        request_id = str(uuid4())
        headers = {"x-amzn-RequestId": request_id}
        try:
            _authorize(request)
            return web.json_response(answer(request, ControlPlane(request.app[SERVICE].registered)), headers=headers)
        except Refusal as refusal:
            denied = refusal.error_type == UNAUTHORIZED
            kind, status = (ACCESS_DENIED, 403) if denied else (refusal.error_type, refusal.status)
            _log.warning("GET %s refused, %s: %s (request %s)", request.path, kind, refusal.reason, request_id)
            headers["x-amzn-ErrorType"] = kind
            return web.json_response({"message": refusal.message}, status=status, headers=headers)

    return answered


def _authorize(request: web.Request) -> None:
    """Let those through who hold the control token or a known access key; `request[CALLER]` names the latter.

    Raises:
        Refusal: it is neither.
    """
    presented = request.headers.get(TOKEN_HEADER)
    if presented is not None and hmac.compare_digest(presented.encode("utf-8", "replace"), request.app[TOKEN].encode()):
        return
    credentials = Credentials(
        lower_names(dict(request.headers)),
        request.remote or "",
        (request.rel_url.raw_path,),
        b"",
        query=request.rel_url.raw_query_string,
        method="GET",
    )
    request[CALLER] = request.app[SERVICE].signer_of(credentials)
