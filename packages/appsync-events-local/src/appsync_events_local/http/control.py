"""The control API: registers APIs, sets fault rules, and returns metrics.

Every request except the health check needs the header `x-local-control` with the token given at start. Invalid bodies
and code are answered with 400 `{"errors": [{"message", "line"?, "column"?}]}`; nothing has changed then.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from appsync_events_local.handlers.namespace_handlers import CodeRefused
from appsync_events_local.http.server import SERVICE
from appsync_events_local.model.properties import PropertyError
from appsync_events_local.observability.metrics import CLOUDWATCH_NAMESPACE
from appsync_events_local.publish.faults import fault_rule_from
from appsync_events_local.registry.store import InUseError, UnknownError
from appsync_events_local.strict_json import parse

TOKEN_HEADER: Final = "x-local-control"  # noqa: S105 - the header's name, not a token
PREFIX: Final = "/_control"
TOKEN: Final = web.AppKey("control_token", str)

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.Response]]


def control_routes() -> list[web.RouteDef]:
    """Return the routes of the control API."""
    api = PREFIX + "/apis/{api_id}"
    guarded: list[tuple[str, str, Handler]] = [
        ("GET", PREFIX + "/apis", _list_apis),
        ("PUT", api, _put_api),
        ("DELETE", api, _delete_api),
        ("PUT", api + "/data-sources/{name}", _put_data_source),
        ("DELETE", api + "/data-sources/{name}", _delete_data_source),
        ("PUT", api + "/namespaces/{name}", _put_namespace),
        ("DELETE", api + "/namespaces/{name}", _delete_namespace),
        ("PUT", api + "/keys/{name}", _put_key),
        ("DELETE", api + "/keys/{name}", _delete_key),
        ("GET", PREFIX + "/metrics", _metrics),
        ("GET", PREFIX + "/faults", _list_faults),
        ("PUT", PREFIX + "/faults", _put_faults),
        ("DELETE", PREFIX + "/faults", _delete_faults),
    ]
    return [
        web.get(PREFIX + "/health", _health),
        *(web.route(method, path, _guarded(handler)) for method, path, handler in guarded),
    ]


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "apis": len(request.app[SERVICE].apis)})


async def _list_apis(request: web.Request) -> web.Response:
    return web.json_response({"apis": request.app[SERVICE].registered()})


async def _put_api(request: web.Request) -> web.Response:
    api_id = request.match_info["api_id"]
    await request.app[SERVICE].put_api(api_id, await _document(request))
    return web.json_response({"apiId": api_id})


async def _delete_api(request: web.Request) -> web.Response:
    await request.app[SERVICE].delete_api(request.match_info["api_id"])
    return web.json_response({})


async def _put_data_source(request: web.Request) -> web.Response:
    api_id, name = _names(request)
    await request.app[SERVICE].put_data_source(api_id, name, await _document(request))
    return web.json_response({"apiId": api_id, "name": name})


async def _delete_data_source(request: web.Request) -> web.Response:
    await request.app[SERVICE].delete_data_source(*_names(request))
    return web.json_response({})


async def _put_namespace(request: web.Request) -> web.Response:
    api_id, name = _names(request)
    await request.app[SERVICE].put_namespace(api_id, name, await _document(request))
    return web.json_response({"apiId": api_id, "name": name})


async def _delete_namespace(request: web.Request) -> web.Response:
    await request.app[SERVICE].delete_namespace(*_names(request))
    return web.json_response({})


async def _put_key(request: web.Request) -> web.Response:
    key = await request.app[SERVICE].put_key(*_names(request), await _document(request))
    return web.json_response({"apiKeyId": key.key, "apiKey": key.key, "expires": key.expires})


async def _delete_key(request: web.Request) -> web.Response:
    await request.app[SERVICE].delete_key(*_names(request))
    return web.json_response({})


async def _metrics(request: web.Request) -> web.Response:
    data = [datum for served in request.app[SERVICE].apis.values() for datum in served.metrics()]
    return web.json_response({"Namespace": CLOUDWATCH_NAMESPACE, "MetricData": data})


async def _list_faults(request: web.Request) -> web.Response:
    return web.json_response({"rules": [rule.as_json() for rule in request.app[SERVICE].faults.rules]})


async def _put_faults(request: web.Request) -> web.Response:
    rules = await _json(request)
    if not isinstance(rules, list):
        raise PropertyError("body", "must be a list of fault rules")
    request.app[SERVICE].faults.rules = [fault_rule_from(rule) for rule in rules]
    _log.warning("%d fault rule(s) active", len(rules))
    return await _list_faults(request)


async def _delete_faults(request: web.Request) -> web.Response:
    request.app[SERVICE].faults.rules = []
    return await _list_faults(request)


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["api_id"], request.match_info["name"]


async def _json(request: web.Request) -> Any:
    try:
        return parse(await request.read())
    except ValueError as error:
        raise PropertyError("body", f"is not JSON: {error}") from error


async def _document(request: web.Request) -> dict[str, Any]:
    document = await _json(request)
    if not isinstance(document, dict):
        raise PropertyError("body", "must be a JSON object")
    return document


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.Response:
        presented = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(presented, request.app[TOKEN].encode()):
            return _errors(403, f"the header {TOKEN_HEADER} is missing or wrong")
        try:
            return await handler(request)
        except PropertyError as error:
            return _errors(400, str(error))
        except CodeRefused as refused:
            return web.json_response({"errors": [_problem(p) for p in refused.problems]}, status=400)
        except UnknownError as error:
            return _errors(404, str(error))
        except InUseError as error:
            return _errors(409, str(error))
        except ConnectionError:  # of the client's connection, not of the registry
            raise
        except OSError as error:
            _log.error("%s %s: the registry cannot be written: %s", request.method, request.path, error)
            return _errors(500, f"the registry cannot be written: {error}")

    return guarded


def _problem(problem: Any) -> dict[str, Any]:
    fields = {"message": problem.message, "line": problem.line, "column": problem.column}
    return {key: value for key, value in fields.items() if value is not None}


def _errors(status: int, message: str) -> web.Response:
    return web.json_response({"errors": [{"message": message}]}, status=status)
