"""From an HTTP API event (payload format 2.0) to an operation, and back to an answer.

The one place that decodes requests, knows who calls, and maps errors to statuses (Amazon API Gateway: Lambda proxy
integrations for HTTP APIs; JWT authorizers).
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from contract import limits
from contract.requests import Id, Request
from contract.responses import ErrorBody, Failure
from contract.route import Domain, Route
from contract.routes import ROUTES
from handlers.core.shared.errors import (
    CallConflictError,
    ChatError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from handlers.core.shared.timing import recording
from handlers.entry import logs

R = TypeVar("R", bound=Request)


class Caller(msgspec.Struct, frozen=True):
    """Who calls: the Cognito `sub`, and the access token itself (for Cognito's own API)."""

    user_id: str
    access_token: str


class ApiRequest(msgspec.Struct, Generic[R], frozen=True):
    """One decoded request: who calls, the body or query string, the path parameters (each a valid id)."""

    caller: Caller
    request: R
    path: Mapping[str, str]


class Reply(msgspec.Struct, frozen=True):
    """An answer whose status is not the route's first; operations may also return the body alone."""

    body: msgspec.Struct
    status: int


Operation = Callable[[ApiRequest[Any]], "msgspec.Struct | Reply"]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]

_HEADERS: Final = {"content-type": "application/json", "cache-control": "no-store"}
_FIELD: Final = re.compile(r"`\$\.?(?P<path>[^`]*)`")
_NAMED: Final = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>[^`]*)`")


def dispatcher(domain: Domain, operations: Mapping[str, Operation]) -> Handler:
    """Return the Lambda handler that serves the routes of a domain.

    Args:
        domain: which of `contract.routes` it serves.
        operations: operation name to function.

    Raises:
        ValueError: a route of the domain has no operation, or an operation has no route.
    """
    routes = {route.key: route for route in ROUTES if route.domain == domain}
    expected = {route.operation for route in routes.values()}
    if expected != set(operations):
        raise ValueError(f"{domain}: routes and operations differ in {sorted(expected ^ set(operations))}")
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        start = time.perf_counter()
        route = routes.get(event.get("routeKey", ""))
        caller: Caller | None = None
        headers: dict[str, str] = {}
        with recording() as stages:
            try:
                if route is None:
                    raise NotFoundError("no such route")
                caller = _caller(event)
                outcome = operations[route.operation](_call(event, route, caller))
                status, body = _success(route, outcome)
            except Exception as error:
                status, body, headers = _failure(error, logger)
        logs.info(
            logger,
            "request",
            requestId=event.get("requestContext", {}).get("requestId"),
            operation=route.operation if route else None,
            userId=caller.user_id if caller else None,
            status=status,
            code=body.error.code if isinstance(body, Failure) else None,
            milliseconds=round((time.perf_counter() - start) * 1000, 2),
            stages=stages,
        )
        return {
            "statusCode": status,
            "headers": {**_HEADERS, **headers},
            "body": msgspec.json.encode(body).decode(),
            "isBase64Encoded": False,
        }

    return handle


def _success(route: Route, outcome: msgspec.Struct | Reply) -> tuple[int, msgspec.Struct]:
    reply = outcome if isinstance(outcome, Reply) else Reply(outcome, route.status[0])
    if reply.status not in route.status or not isinstance(reply.body, route.response):
        raise TypeError(f"{route.operation} answered {reply.status} {type(reply.body).__name__}")
    return reply.status, reply.body


def _failure(error: Exception, logger: Any) -> tuple[int, Failure, dict[str, str]]:
    """Map an error to status, body and headers: the only mapping there is."""
    if isinstance(error, OutcomeUnknownError):
        logger.error("a write was not answered", exc_info=error)
        error = UnavailableError("the service did not answer; if you repeat the request, use the same tempId")
    if not isinstance(error, ChatError):
        logger.error("unexpected failure", exc_info=error)
        return 500, Failure(error=ErrorBody(code="INTERNAL", message="something went wrong on our side")), {}
    if error.status >= 500:
        logger.error("unavailable", exc_info=error)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequestsError) else {}
    body = Failure(error=ErrorBody(code=error.code, message=error.message, field=error.field))
    if isinstance(error, CallConflictError) and error.call is not None:
        body.call = error.call
    return error.status, body, headers


def _caller(event: Mapping[str, Any]) -> Caller:
    """Return who calls, from the claims that the API's authorizer has verified: access tokens only."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    user_id = claims.get("sub")
    if not user_id:
        raise UnauthenticatedError("sign in first")
    if claims.get("token_use") != "access":
        raise UnauthenticatedError("this API takes the access token, not the ID token")
    header = _header(event, "authorization") or ""
    return Caller(str(user_id), header.removeprefix("Bearer ").strip())


def _header(event: Mapping[str, Any], name: str) -> str | None:
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return None


def _call(event: Mapping[str, Any], route: Route, caller: Caller) -> ApiRequest[Any]:
    content = _body(event)
    if route.query:
        if content.strip():
            raise InvalidRequestError("this route takes no body")
        request = _decoded(route, lambda: _from_query(event, route))
    else:
        _refuse_query(event)
        _refuse_other_content(event, content)
        request = _decoded(route, lambda: msgspec.json.decode(content or b"{}", type=route.request))
    return ApiRequest(caller, request, _path(event))


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if len(text) > limits.BODY_BYTES * 4 // 3 + 4:
        raise _too_large()
    try:
        content = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidRequestError("the body cannot be decoded") from None
    if len(content) > limits.BODY_BYTES:
        raise _too_large()
    return content


def _too_large() -> TooLargeError:
    return TooLargeError(f"a request body may be {limits.BODY_BYTES} bytes at most")


def _refuse_query(event: Mapping[str, Any]) -> None:
    for name in event.get("queryStringParameters") or {}:
        raise InvalidRequestError(f"unknown query parameter {name}", field=name)


def _refuse_other_content(event: Mapping[str, Any], content: bytes) -> None:
    kind = (_header(event, "content-type") or "application/json").split(";")[0].strip().lower()
    if content and kind != "application/json":
        raise InvalidRequestError("the body must be JSON: send content-type application/json", field="content-type")


def _from_query(event: Mapping[str, Any], route: Route) -> Request:
    return msgspec.convert(event.get("queryStringParameters") or {}, type=route.request, strict=False)


def _path(event: Mapping[str, Any]) -> dict[str, str]:
    parameters = event.get("pathParameters") or {}
    for name, value in parameters.items():
        try:
            msgspec.convert(value, type=Id)
        except msgspec.ValidationError:
            raise InvalidRequestError(f"{name} is not an id", field=name) from None
    return dict(parameters)


def _decoded(route: Route, decode: Callable[[], Request]) -> Request:
    """Decode a request; name the field in the one error that a wrong one gets."""
    where = "query string" if route.query else "body"
    try:
        return decode()
    except msgspec.ValidationError as error:
        raise _named(str(error), where) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequestError("the body is not valid JSON") from None


def _named(text: str, where: str) -> InvalidRequestError:
    found = _NAMED.search(text)
    if found:
        problem = "is missing" if found["what"].startswith("missing") else "is not a field of this request"
        return InvalidRequestError(f"{found['name']} {problem}", field=found["name"])
    path = _FIELD.search(text)
    name = path["path"] if path else ""
    reason = text.split(" - at ")[0]
    if not name:
        return InvalidRequestError(f"the {where} must be an object: {reason}")
    return InvalidRequestError(f"{name}: {reason}", field=name)
