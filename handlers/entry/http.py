"""Routes HTTP API events (payload format 2.0) to operations and returns their responses.

Only this module decodes requests, reads the caller from the token's claims and maps errors to statuses (Amazon API
Gateway: Lambda proxy integrations for HTTP APIs; JWT authorizers).
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Generic, TypeVar

import msgspec

from contract import limits
from contract.correlation import HEADER, is_valid
from contract.requests import PATH_PARAMETERS, EmptyRequest, Id, Request
from contract.responses import ErrorBody, Failure
from contract.route import Domain, Route
from contract.routes import ROUTES
from handlers.core.shared import correlation, deadline
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
from handlers.core.shared.timing import recording, stage
from handlers.core.users.accounts import ActiveAccounts
from handlers.entry import logs

R = TypeVar("R", bound=Request)


class Caller(msgspec.Struct, frozen=True):
    """The authenticated user.

    Args:
        user_id: the Cognito `sub`.
        access_token: the token itself, for requests to Cognito on behalf of the user.
    """

    user_id: str
    access_token: str


class ApiRequest(msgspec.Struct, Generic[R], frozen=True):
    """One decoded and validated HTTP request.

    Args:
        caller: the authenticated user.
        request: the request model, decoded from the body or the query string.
        path: path parameters by name, each a valid id.
    """

    caller: Caller
    request: R
    path: Mapping[str, str]


class Reply(msgspec.Struct, frozen=True):
    """A response with a status. An operation may return only the body: then the status is the route's first."""

    body: msgspec.Struct
    status: int


Operation = Callable[[ApiRequest[Any]], "msgspec.Struct | Reply"]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]

_HEADERS: Final = {"content-type": "application/json", "cache-control": "no-store"}
_SUBJECT: Final = ("conversationId", "messageId", "sessionId")
"""Ids that the log line of a request has, where the request or its response has them."""
_FIELD_PATH: Final = re.compile(r"`\$\.?(?P<path>[^`]*)`")
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,30}")
_MISSING_OR_UNKNOWN: Final = re.compile(
    r"Object (?P<problem>missing required|contains unknown) field `(?P<name>[^`]*)`"
)


def route_handler(
    domain: Domain, operations: Mapping[str, Operation], accounts: Callable[[], ActiveAccounts]
) -> Handler:
    """Return the Lambda handler for the routes of a domain.

    Args:
        domain: domain of the routes in `contract.routes`.
        operations: functions by operation name.
        accounts: refuses callers whose account is disabled, before the request is served.

    Raises:
        ValueError: a route of the domain has no operation, or an operation has no route.
    """
    routes = {route.key: route for route in ROUTES if route.domain == domain}
    expected = {route.operation for route in routes.values()}
    if expected != set(operations):
        raise ValueError(f"{domain}: routes and operations differ in {sorted(expected ^ set(operations))}")
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        correlation_id = _correlation_id(event)
        with correlation.scope(correlation_id):
            answer = _answer(event, context)
        if correlation_id:
            answer["headers"][HEADER] = correlation_id
        return answer

    def _answer(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        start = time.perf_counter()
        subject: dict[str, str] = {}
        route = routes.get(event.get("routeKey", ""))
        caller: Caller | None = None
        headers: dict[str, str] = {}
        with deadline.invocation(context), recording() as stages:
            try:
                if route is None:
                    raise NotFoundError("no route has this method and path")
                caller = _caller(event)
                with stage("account"):
                    accounts().require(caller.user_id)
                request = _api_request(event, route, caller)
                subject = _subject(request.path, request.request)
                status, body = _success(route, operations[route.operation](request))
                subject |= _subject({}, body)
            except Exception as error:
                status, body, headers = _error_response(error, logger)
        logs.info(
            logger,
            "request",
            requestId=event.get("requestContext", {}).get("requestId"),
            operation=route.operation if route else None,
            userId=caller.user_id if caller else None,
            status=status,
            code=body.error.code if isinstance(body, Failure) else None,
            **subject,
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


def _correlation_id(event: Mapping[str, Any]) -> str | None:
    """Return the client's correlation id, or the request's id; a client's id that is not valid is ignored."""
    given = _header(event, HEADER)
    if given is not None and is_valid(given):
        return given
    request_id: str | None = event.get("requestContext", {}).get("requestId")
    return request_id


def _subject(path: Mapping[str, str], document: msgspec.Struct) -> dict[str, str]:
    """Return the ids of what a request or a response is about, for the request's log line."""
    found = ((name, path.get(name) or getattr(document, name, None)) for name in _SUBJECT)
    return {name: value for name, value in found if isinstance(value, str)}


def _success(route: Route, result: msgspec.Struct | Reply) -> tuple[int, msgspec.Struct]:
    reply = result if isinstance(result, Reply) else Reply(result, route.status[0])
    if reply.status not in route.status or not isinstance(reply.body, route.response):
        raise TypeError(
            f"{route.operation} returned {reply.status} {type(reply.body).__name__}, "
            f"not {' or '.join(map(str, route.status))} {route.response.__name__}"
        )
    return reply.status, reply.body


def _error_response(error: Exception, logger: Any) -> tuple[int, Failure, dict[str, str]]:
    """Map an error to status, body and headers. Texts of unexpected errors are logged, not returned."""
    if isinstance(error, OutcomeUnknownError):
        logger.error("DynamoDB write outcome unknown", exc_info=error)
        error = UnavailableError("it is unknown whether the request was stored; repeat it with the same tempId")
    if not isinstance(error, ChatError):
        logger.error("unexpected error", exc_info=error)
        return 500, Failure(error=ErrorBody(code="INTERNAL", message="internal error")), {}
    if error.status >= 500:
        logger.error("service unavailable", exc_info=error)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequestsError) else {}
    body = Failure(error=ErrorBody(code=error.code, message=error.message, field=error.field))
    if isinstance(error, CallConflictError) and error.call is not None:
        body.call = error.call
    return error.status, body, headers


def _caller(event: Mapping[str, Any]) -> Caller:
    """Return the caller from the claims that the API's JWT authorizer has verified. Only access tokens are accepted."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    user_id = claims.get("sub")
    if not user_id:
        raise UnauthenticatedError("the request has no valid access token; sign in")
    if claims.get("token_use") != "access":
        raise UnauthenticatedError("the token must be an access token, not an ID token")
    header = _header(event, "authorization") or ""
    return Caller(str(user_id), header.removeprefix("Bearer ").strip())


def _header(event: Mapping[str, Any], name: str) -> str | None:
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return None


def _api_request(event: Mapping[str, Any], route: Route, caller: Caller) -> ApiRequest[Any]:
    if route.query:
        if (event.get("body") or "").strip():
            raise InvalidRequestError(f"{route.key} takes a query string and no body")
        request = _decoded(route, lambda: _from_query(event, route))
    else:
        content = _body(event)
        _require_no_query(event)
        _require_json(event, content)
        if not content and route.request is not EmptyRequest:
            raise InvalidRequestError(f"{route.key} needs a body: a JSON object")
        request = _decoded(route, lambda: _from_json(content or b"{}", route))
    return ApiRequest(caller, request, _path(event))


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if len(text) > limits.BODY_BYTES * 4 // 3 + 4:
        raise _too_large()
    try:
        content = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidRequestError("the body is not valid base64 or UTF-8") from None
    if len(content) > limits.BODY_BYTES:
        raise _too_large()
    return content


def _too_large() -> TooLargeError:
    return TooLargeError(f"the body must have at most {limits.BODY_BYTES} bytes")


def _require_no_query(event: Mapping[str, Any]) -> None:
    for name in event.get("queryStringParameters") or {}:
        raise InvalidRequestError(f"{name} is not a query parameter of this route, which takes none", field=name)


def _require_json(event: Mapping[str, Any], content: bytes) -> None:
    kind = (_header(event, "content-type") or "application/json").split(";")[0].strip().lower()
    if content and kind != "application/json":
        raise InvalidRequestError(f"content-type is {kind}; it must be application/json", field="content-type")


def _from_json(content: bytes, route: Route) -> Request:
    try:
        return msgspec.json.decode(content, type=route.request)
    except msgspec.ValidationError as error:
        # JSON has one type of number, so 1.0 is an integer; msgspec takes it for one only where no null is allowed.
        try:
            document = _with_integers(msgspec.json.decode(content))
        except RecursionError:
            raise error from None
        return msgspec.convert(document, type=route.request)


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _with_integers(field) for name, field in value.items()}
    return [_with_integers(item) for item in value] if isinstance(value, list) else value


def _from_query(event: Mapping[str, Any], route: Route) -> Request:
    """Decode a query string. Only a canonical integer is one: msgspec's own conversion also takes 1.0, 1e1 and null."""
    given = event.get("queryStringParameters") or {}
    integers = _integer_fields(route.request)
    values = {
        name: int(text) if name in integers and _INTEGER.fullmatch(text) else text for name, text in given.items()
    }
    return msgspec.convert(values, type=route.request)


@cache
def _integer_fields(model: type[Request]) -> frozenset[str]:
    properties = msgspec.json.schema_components((model,))[1][model.__name__]["properties"]
    return frozenset(
        name
        for name, field in properties.items()
        if any(one.get("type") == "integer" for one in field.get("anyOf", [field]))
    )


def _path(event: Mapping[str, Any]) -> dict[str, str]:
    parameters = event.get("pathParameters") or {}
    for name, value in parameters.items():
        try:
            msgspec.convert(value, type=PATH_PARAMETERS.get(name, Id))
        except msgspec.ValidationError:
            longest = limits.CONVERSATION_ID_CHARACTERS if name in PATH_PARAMETERS else limits.ID_CHARACTERS
            raise InvalidRequestError(
                f"{name} must be an id: letters, digits, dashes and underscores, at most {longest}",
                field=name,
            ) from None
    return dict(parameters)


def _decoded(route: Route, decode: Callable[[], Request]) -> Request:
    """Decode a request; name the wrong field in the error."""
    place = "query string" if route.query else "body"
    try:
        return decode()
    except msgspec.ValidationError as error:
        raise _invalid_request(str(error), place) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequestError("the body is not valid JSON") from None


def _invalid_request(text: str, place: str) -> InvalidRequestError:
    """Return the error for a validation error of msgspec, whose text names the field's path."""
    found = _MISSING_OR_UNKNOWN.search(text)
    if found:
        problem = "is missing" if found["problem"].startswith("missing") else "is not a field of this request"
        return InvalidRequestError(f"{found['name']} {problem}", field=found["name"])
    path = _FIELD_PATH.search(text)
    name = path["path"] if path else ""
    reason = text.split(" - at ")[0]
    if not name:
        return InvalidRequestError(f"the {place} must be an object: {reason}")
    return InvalidRequestError(f"{name}: {reason}", field=name)
