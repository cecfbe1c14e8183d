"""The HTTP layer: authentication, decoding of requests, error responses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.calls.models import CallView
from contract.limits import BODY_BYTES
from contract.models import Message
from contract.requests import EmptyRequest, ErrorCode
from contract.responses import Delivery, Done, HistoryPage, ReadDone, Sent
from contract.route import Route
from contract.routes import ROUTES
from handlers.core.shared import errors
from handlers.core.shared.timing import stage
from handlers.entry.http import ApiRequest, Handler, Reply, route_handler
from tests.harness.http import Response, all_active, http_event

SEND = "POST /api/messages/send"
HISTORY = "GET /api/messages/{conversationId}"
DELETE = "DELETE /api/messages/{messageId}"
OPERATIONS = [route.operation for route in ROUTES if route.domain == "messages"]


class RecordingApi:
    """The handler of the messages routes, with operations that record their requests.

    Args:
        result: returns or raises what every operation does.
    """

    def __init__(self, result: Callable[[], Any] = Done) -> None:
        self.requests: list[ApiRequest[Any]] = []
        self._result = result
        self._handle: Handler = route_handler("messages", dict.fromkeys(OPERATIONS, self._operation), all_active)

    def _operation(self, request: ApiRequest[Any]) -> Any:
        self.requests.append(request)
        return self._result()

    def respond(self, event: dict[str, Any]) -> Response:
        """Invoke the handler with an HTTP API event."""
        return Response.of(self._handle(event, None))


def raising(error: BaseException) -> Callable[[], Any]:
    """Return an operation that raises an error."""

    def operation() -> Any:
        raise error

    return operation


def typing_event(**changes: Any) -> dict[str, Any]:
    """Return a valid request."""
    body = {"conversationId": "c-1", "isTyping": True}
    return http_event("POST /api/messages/typing", "me", body, **changes)


def test_valid_request_reaches_its_operation_and_gets_the_success_envelope() -> None:
    api = RecordingApi()
    response = api.respond(typing_event())
    assert (response.status, response.body) == (200, {"success": True})
    headers = {"content-type": "application/json", "cache-control": "no-store", "x-correlation-id": "request-1"}
    assert response.headers == headers
    (request,) = api.requests
    assert (request.caller.user_id, request.caller.access_token) == ("me", "token")
    assert (request.request.conversationId, request.request.isTyping) == ("c-1", True)


def test_handler_needs_exactly_one_operation_for_each_route_of_its_domain() -> None:
    operations: dict[str, Any] = dict.fromkeys(OPERATIONS, lambda request: Done())
    route_handler("messages", operations, all_active)
    for wrong in ({**operations, "extra": lambda request: Done()}, dict(list(operations.items())[1:])):
        with pytest.raises(ValueError, match="routes and operations differ"):
            route_handler("messages", wrong, all_active)


@pytest.mark.parametrize(
    "claims",
    [
        None,
        {},
        {"token_use": "access"},
        {"sub": "", "token_use": "access"},
        {"sub": "me"},
        {"sub": "me", "token_use": "id"},
        {"sub": "me", "token_use": "ACCESS"},
    ],
)
def test_only_access_tokens_are_accepted(claims: dict[str, str] | None) -> None:
    api = RecordingApi()
    event = typing_event()
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims}} if claims is not None else None
    response = api.respond(event)
    assert (response.status, response.body["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert api.requests == []


def test_request_without_a_context_is_unauthenticated() -> None:
    assert RecordingApi().respond({"routeKey": SEND}).status == 401


@pytest.mark.parametrize("route", ["", "GET /api/messages/send", "GET /nowhere", "$default", "GET /api/users/me"])
def test_unknown_route_or_route_of_another_function_is_not_found(route: str) -> None:
    assert RecordingApi().respond(http_event(route, "me")).status == 404


BODIES: list[tuple[Any, str | None]] = [
    ("", None),
    ("{}", "conversationId"),
    ('{"conversationId": "c", "content": "x"', None),
    ("[]", None),
    ("null", None),
    ('"text"', None),
    ("{'conversationId': 'c'}", None),
    ("\ud800", None),
    ({"conversationId": "c", "content": "x", "admin": True}, "admin"),
    ({"conversationId": 1, "content": "x"}, "conversationId"),
    ({"conversationId": "", "content": "x"}, "conversationId"),
    ({"conversationId": "a/b", "content": "x"}, "conversationId"),
    ({"conversationId": "*", "content": "x"}, "conversationId"),
    ({"conversationId": "c" * 81, "content": "x"}, "conversationId"),
    ({"conversationId": "c\n", "content": "x"}, "conversationId"),
    ({"conversationId": "c", "content": 1}, "content"),
    ({"conversationId": "c", "content": "x" * 8001}, "content"),
    ({"conversationId": "c", "content": "x", "type": "text"}, "type"),
    ({"conversationId": "c", "content": "x", "type": None}, "type"),
    ({"conversationId": "c", "content": "x", "tempId": ""}, "tempId"),
    ({"conversationId": "c", "content": "x", "tempId": "a#b"}, "tempId"),
    ({"conversationId": "c", "mediaUrl": "http://plain.example"}, "mediaUrl"),
    ({"conversationId": "c", "mediaUrl": "javascript:alert(1)"}, "mediaUrl"),
    ({"conversationId": "c", "fileSize": 0}, "fileSize"),
    ({"conversationId": "c", "fileSize": 1.5}, "fileSize"),
    ({"conversationId": "c", "fileSize": "1"}, "fileSize"),
    ({"conversationId": "c", "duration": -1}, "duration"),
    ({"conversationId": "c", "duration": 1e9}, "duration"),
    ({"conversationId": "c", "fileName": "f" * 256}, "fileName"),
]


@pytest.mark.parametrize(("body", "field"), BODIES)
def test_invalid_body_is_refused_with_the_name_of_the_field(body: Any, field: str | None) -> None:
    api = RecordingApi()
    response = api.respond(http_event(SEND, "me", body))
    assert response.status == 400
    assert response.body["success"] is False
    assert response.body["error"]["code"] == "INVALID_REQUEST"
    assert response.body["error"]["field"] == field
    assert response.body["error"]["message"]
    assert api.requests == []


def test_base64_encoded_body_is_decoded() -> None:
    api = RecordingApi(lambda: ReadDone(conversationId="c", lastReadSeq=1, unreadCount=0))
    content = json.dumps({"conversationId": "c", "seq": 1}).encode()
    event = http_event("POST /api/messages/read", "me", base64.b64encode(content).decode(), isBase64Encoded=True)
    assert api.respond(event).status == 200
    assert api.respond({**event, "body": "!not base64!"}).status == 400
    assert api.respond({**event, "body": base64.b64encode(b"\xff\xfe").decode()}).status == 400


def test_too_large_body_is_refused_before_it_is_parsed() -> None:
    api = RecordingApi()
    fits = " " * (BODY_BYTES - 2) + "{}"
    assert api.respond(http_event(SEND, "me", fits)).status == 400
    for body in (" " + fits, "é" * (BODY_BYTES // 2 + 1), "x" * 10_000_000):
        assert api.respond(http_event(SEND, "me", body)).status == 413
    encoded = base64.b64encode(b" " * (BODY_BYTES + 1)).decode()
    assert api.respond(http_event(SEND, "me", encoded, isBase64Encoded=True)).status == 413


def test_body_with_a_content_type_other_than_json_is_refused() -> None:
    api = RecordingApi()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = api.respond(typing_event(headers={"Content-Type": kind}))
        assert (response.status, response.body["error"]["field"]) == (400, "content-type")
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        assert api.respond(typing_event(headers={"Content-Type": kind})).status == 200
    assert api.respond(typing_event(headers={})).status == 200


def test_query_string_is_converted_and_validated_like_a_body() -> None:
    api = RecordingApi(lambda: HistoryPage(conversationId="c", messages=[], latestSeq=0, latestChange=0))
    path = {"conversationId": "c"}
    assert api.respond(http_event(HISTORY, "me", path=path, query={"limit": "7", "before": "x"})).status == 200
    assert api.requests[0].request.limit == 7
    assert api.requests[0].path == path
    assert api.respond(http_event(HISTORY, "me", path=path)).status == 200
    for query, field in (({"limit": "x"}, "limit"), ({"limit": "1,2"}, "limit"), ({"limitt": "1"}, "limitt")):
        response = api.respond(http_event(HISTORY, "me", path=path, query=query))
        assert (response.status, response.body["error"]["field"]) == (400, field)
    assert api.respond(http_event(DELETE, "me", path={"messageId": "m"})).body["error"]["field"] == "conversationId"


def test_unexpected_body_and_unexpected_query_string_are_refused() -> None:
    api = RecordingApi()
    path = {"conversationId": "c"}
    assert api.respond(http_event(HISTORY, "me", {"limit": 1}, path=path)).status == 400
    response = api.respond(typing_event(queryStringParameters={"debug": "1"}))
    assert (response.status, response.body["error"]["field"]) == (400, "debug")


@pytest.mark.parametrize("value", ["", "a b", "*", "../x", "é", "x" * 81])
def test_path_parameter_that_is_not_an_id_is_refused(value: str) -> None:
    response = RecordingApi().respond(http_event(HISTORY, "me", path={"conversationId": value}))
    assert (response.status, response.body["error"]["field"]) == (400, "conversationId")


@pytest.mark.server_errors("the operation raises, or returns what its route does not allow")
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequestError("m"), 400, "INVALID_REQUEST"),
        (errors.UnauthenticatedError("m"), 401, "UNAUTHENTICATED"),
        (errors.ForbiddenError("m"), 403, "FORBIDDEN"),
        (errors.NotFoundError("m"), 404, "NOT_FOUND"),
        (errors.ConflictError("m"), 409, "CONFLICT"),
        (errors.TooLargeError("m"), 413, "TOO_LARGE"),
        (errors.TooManyRequestsError("m", retry_after=4), 429, "TOO_MANY_REQUESTS"),
        (errors.UnavailableError("m"), 503, "UNAVAILABLE"),
    ],
)
def test_every_error_has_one_status_and_one_code(error: errors.ChatError, status: int, code: str) -> None:
    response = RecordingApi(raising(error)).respond(typing_event())
    assert response.status == status
    assert response.body == {"success": False, "error": {"code": code, "message": "m", "field": None}}
    assert response.headers.get("retry-after") == ("4" if status == 429 else None)


def test_error_classes_cover_exactly_the_error_codes() -> None:
    leaves = {each.code for each in errors.ChatError.__subclasses__()} | {errors.ChatError.code}
    assert leaves == set(msgspec.json.schema(ErrorCode)["enum"])


@pytest.mark.server_errors("the operation raises, or returns what its route does not allow")
def test_text_of_an_unexpected_error_is_logged_but_not_returned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = RecordingApi(raising(KeyError("the secret"))).respond(typing_event())
    assert (response.status, response.body["error"]["code"]) == (500, "INTERNAL")
    assert "secret" not in json.dumps(response.body)
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.exc_info is not None
    assert "the secret" in str(record.exc_info[1])


@pytest.mark.server_errors("the operation raises, or returns what its route does not allow")
def test_unknown_write_outcome_is_unavailable_and_asks_to_repeat_with_the_same_temp_id() -> None:
    response = RecordingApi(raising(errors.OutcomeUnknownError("x"))).respond(typing_event())
    assert (response.status, response.body["error"]["code"]) == (503, "UNAVAILABLE")
    assert "tempId" in response.body["error"]["message"]


def test_keyboard_interrupt_is_not_turned_into_a_response() -> None:
    with pytest.raises(KeyboardInterrupt):
        RecordingApi(raising(KeyboardInterrupt())).respond(typing_event())


@pytest.mark.server_errors("the operation raises, or returns what its route does not allow")
def test_response_that_contradicts_the_contract_is_an_internal_error() -> None:
    assert RecordingApi(lambda: Reply(Done(), 201)).respond(typing_event()).status == 500
    assert (
        RecordingApi(lambda: HistoryPage(conversationId="c", messages=[], latestSeq=0, latestChange=0))
        .respond(typing_event())
        .status
        == 500
    )
    assert RecordingApi(lambda: Reply(Done(), 200)).respond(typing_event()).status == 200


def test_each_request_logs_one_line_with_caller_operation_status_and_stage_durations(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def operation() -> Done:
        with stage("read"):
            pass
        with stage("read"), stage("inner"):
            pass
        return Done()

    RecordingApi(operation).respond(typing_event())
    (record,) = [each for each in caplog.records if each.getMessage() == "request"]
    fields: dict[str, Any] = record.__dict__["fields"]
    assert (fields["requestId"], fields["operation"], fields["userId"]) == ("request-1", "setTyping", "me")
    assert (fields["status"], fields["code"]) == (200, None)
    assert set(fields["stages"]) == {"account", "read", "inner"}
    assert all(isinstance(each, float) for each in (*fields["stages"].values(), fields["milliseconds"]))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, JSON)
def test_any_body_is_accepted_or_refused_and_never_an_internal_error(one: Any, other: Any) -> None:
    api = RecordingApi()
    for body in (one, str(one), {"conversationId": one, "isTyping": other}, {"conversationId": "c", "isTyping": one}):
        response = api.respond(http_event("POST /api/messages/typing", "me", body))
        assert response.status in (200, 400)
    assert response.status == (200 if isinstance(one, bool) else 400)
    assert all(isinstance(request.request.isTyping, bool) for request in api.requests)


@given(st.text(max_size=300))
def test_content_reaches_the_operation_and_the_response_unchanged(content: str) -> None:
    message = Message(messageId="m", conversationId="c", senderId="me", timestamp="t", type="TEXT", content=content)
    delivery = Delivery(delivered=1, pending=0)
    api = RecordingApi(lambda: Sent(messageId="m", tempId=None, message=message, delivery=delivery))
    response = api.respond(http_event(SEND, "me", {"conversationId": "c", "content": content}))
    assert response.status == 200
    assert api.requests[0].request.content == content
    assert response.body["message"]["content"] == content


def test_call_conflict_contains_the_call_and_other_errors_have_no_such_field() -> None:
    call = CallView(
        sessionId="s-1",
        version=3,
        status="CANCELLED",
        callType="DIRECT",
        mediaType="AUDIO",
        initiatedBy="ana",
        ownerId="ana",
        participants=[],
        createdAt="2026-01-01T00:00:00.000Z",
        ringsUntil="2026-01-01T00:00:45.000Z",
    )
    response = RecordingApi(raising(errors.CallConflictError("the call is over", call))).respond(typing_event())
    assert (response.status, response.body["error"]["code"]) == (409, "CONFLICT")
    assert response.body["call"] == msgspec.to_builtins(call)
    for error in (errors.CallConflictError("you are in another call"), errors.ConflictError("m")):
        assert set(RecordingApi(raising(error)).respond(typing_event()).body) == {"success", "error"}


READ = "POST /api/messages/read"
WITH_BODY = [route for route in ROUTES if not route.query and route.request is not EmptyRequest]


@pytest.mark.parametrize("text", ["null", "true", "1.0", "1e1", "+1", "01", " 1", "1_0", "٣", ""])
def test_query_value_that_is_no_canonical_integer_is_refused(text: str) -> None:
    event = http_event(HISTORY, "me", path={"conversationId": "c"}, query={"limit": text})
    response = RecordingApi().respond(event)
    assert (response.status, response.body["error"]["field"]) == (400, "limit")


@pytest.mark.parametrize(
    ("number", "status"), [("7.0", 200), ("7.5", 400), ('"7"', 400), ("true", 400), ("1e400", 400)]
)
def test_integral_number_of_any_spelling_is_an_integer(number: str, status: int) -> None:
    api = RecordingApi(lambda: ReadDone(conversationId="c", lastReadSeq=7, unreadCount=0))
    assert api.respond(http_event(READ, "me", f'{{"conversationId": "c", "seq": {number}}}')).status == status


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
def test_missing_body_is_refused(route: Route) -> None:
    operations = {each.operation: raising(AssertionError()) for each in ROUTES if each.domain == route.domain}
    response = Response.of(
        route_handler(route.domain, operations, all_active)(http_event(route.key, "me", path={}), None)
    )
    assert (response.status, "needs a body" in response.body["error"]["message"]) == (400, True)


def test_deeply_nested_body_is_refused() -> None:
    body = '{"conversationId": ' + "[" * 30_000 + "]" * 30_000 + "}"
    assert RecordingApi().respond(http_event(READ, "me", body)).status == 400
