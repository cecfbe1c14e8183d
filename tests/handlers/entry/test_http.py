"""The front door: who is let in, which requests are understood, how refusals look."""

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
from contract.requests import ErrorCode
from contract.responses import Delivery, Done, HistoryPage, ReadDone, Sent
from contract.routes import ROUTES
from handlers.core.shared import errors
from handlers.core.shared.timing import stage
from handlers.entry.http import ApiRequest, Handler, Reply, dispatcher
from tests.harness.functions import Response, http_event

SEND = "POST /api/messages/send"
HISTORY = "GET /api/messages/{conversationId}"
DELETE = "DELETE /api/messages/{messageId}"
OPERATIONS = [route.operation for route in ROUTES if route.domain == "messages"]


class Door:
    """A dispatcher whose operations remember their calls and do what they are told."""

    def __init__(self, act: Callable[[], Any] = Done) -> None:
        self.calls: list[ApiRequest[Any]] = []
        self._act = act
        self._handle: Handler = dispatcher("messages", dict.fromkeys(OPERATIONS, self._operation))

    def _operation(self, call: ApiRequest[Any]) -> Any:
        self.calls.append(call)
        return self._act()

    def answer(self, event: dict[str, Any]) -> Response:
        """Hand an event in."""
        answer = self._handle(event, None)
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def raising(error: BaseException) -> Callable[[], Any]:
    """Return an act that fails."""

    def act() -> Any:
        raise error

    return act


def typing_event(**changes: Any) -> dict[str, Any]:
    """Return a request that is in order."""
    body = {"conversationId": "c-1", "isTyping": True}
    return http_event("POST /api/messages/typing", "me", body, **changes)


def test_a_request_in_order_reaches_its_operation_and_is_answered_in_the_envelope() -> None:
    door = Door()
    answer = door.answer(typing_event())
    assert (answer.status, answer.body) == (200, {"success": True})
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}
    (call,) = door.calls
    assert (call.caller.user_id, call.caller.access_token) == ("me", "token")
    assert (call.request.conversationId, call.request.isTyping) == ("c-1", True)


def test_a_dispatcher_serves_exactly_the_routes_of_its_domain() -> None:
    operations: dict[str, Any] = dict.fromkeys(OPERATIONS, lambda call: Done())
    dispatcher("messages", operations)
    for wrong in ({**operations, "extra": lambda call: Done()}, dict(list(operations.items())[1:])):
        with pytest.raises(ValueError, match="routes and operations differ"):
            dispatcher("messages", wrong)


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
def test_only_an_access_token_lets_anybody_in(claims: dict[str, str] | None) -> None:
    door = Door()
    event = typing_event()
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims}} if claims is not None else None
    answer = door.answer(event)
    assert (answer.status, answer.body["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert door.calls == []


def test_a_request_without_any_context_is_unauthenticated() -> None:
    assert Door().answer({"routeKey": SEND}).status == 401


@pytest.mark.parametrize("route", ["", "GET /api/messages/send", "GET /nowhere", "$default", "GET /api/users/me"])
def test_a_route_of_nobody_or_of_another_function_is_not_found(route: str) -> None:
    assert Door().answer(http_event(route, "me")).status == 404


BODIES: list[tuple[Any, str | None]] = [
    ("", "conversationId"),
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
    ({"conversationId": "c" * 65, "content": "x"}, "conversationId"),
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
def test_a_body_that_is_not_understood_is_refused_once_and_names_its_field(body: Any, field: str | None) -> None:
    door = Door()
    answer = door.answer(http_event(SEND, "me", body))
    assert answer.status == 400
    assert answer.body["success"] is False
    assert answer.body["error"]["code"] == "INVALID_REQUEST"
    assert answer.body["error"]["field"] == field
    assert answer.body["error"]["message"]
    assert door.calls == []


def test_a_body_may_come_in_base64() -> None:
    door = Door(lambda: ReadDone(conversationId="c", lastReadSeq=1, unreadCount=0))
    content = json.dumps({"conversationId": "c", "seq": 1}).encode()
    event = http_event("POST /api/messages/read", "me", base64.b64encode(content).decode(), isBase64Encoded=True)
    assert door.answer(event).status == 200
    assert door.answer({**event, "body": "!not base64!"}).status == 400
    assert door.answer({**event, "body": base64.b64encode(b"\xff\xfe").decode()}).status == 400


def test_a_body_too_large_is_refused_before_it_is_parsed() -> None:
    door = Door()
    fits = " " * (BODY_BYTES - 2) + "{}"
    assert door.answer(http_event(SEND, "me", fits)).status == 400
    for body in (" " + fits, "é" * (BODY_BYTES // 2 + 1), "x" * 10_000_000):
        assert door.answer(http_event(SEND, "me", body)).status == 413
    encoded = base64.b64encode(b" " * (BODY_BYTES + 1)).decode()
    assert door.answer(http_event(SEND, "me", encoded, isBase64Encoded=True)).status == 413


def test_a_body_of_another_content_type_is_refused() -> None:
    door = Door()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = door.answer(typing_event(headers={"Content-Type": kind}))
        assert (answer.status, answer.body["error"]["field"]) == (400, "content-type")
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        assert door.answer(typing_event(headers={"Content-Type": kind})).status == 200
    assert door.answer(typing_event(headers={})).status == 200


def test_a_query_string_is_converted_and_checked_like_a_body() -> None:
    door = Door(lambda: HistoryPage(conversationId="c", messages=[], latestSeq=0, latestChange=0))
    path = {"conversationId": "c"}
    assert door.answer(http_event(HISTORY, "me", path=path, query={"limit": "7", "before": "x"})).status == 200
    assert door.calls[0].request.limit == 7
    assert door.calls[0].path == path
    assert door.answer(http_event(HISTORY, "me", path=path)).status == 200
    for query, field in (({"limit": "x"}, "limit"), ({"limit": "1,2"}, "limit"), ({"limitt": "1"}, "limitt")):
        answer = door.answer(http_event(HISTORY, "me", path=path, query=query))
        assert (answer.status, answer.body["error"]["field"]) == (400, field)
    assert door.answer(http_event(DELETE, "me", path={"messageId": "m"})).body["error"]["field"] == "conversationId"


def test_a_body_where_none_belongs_and_a_query_where_none_belongs_are_refused() -> None:
    door = Door()
    path = {"conversationId": "c"}
    assert door.answer(http_event(HISTORY, "me", {"limit": 1}, path=path)).status == 400
    answer = door.answer(typing_event(queryStringParameters={"debug": "1"}))
    assert (answer.status, answer.body["error"]["field"]) == (400, "debug")


@pytest.mark.parametrize("value", ["", "a b", "*", "../x", "é", "x" * 65])
def test_a_path_parameter_is_an_id(value: str) -> None:
    answer = Door().answer(http_event(HISTORY, "me", path={"conversationId": value}))
    assert (answer.status, answer.body["error"]["field"]) == (400, "conversationId")


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
def test_every_refusal_has_one_status_and_one_code(error: errors.ChatError, status: int, code: str) -> None:
    answer = Door(raising(error)).answer(typing_event())
    assert answer.status == status
    assert answer.body == {"success": False, "error": {"code": code, "message": "m", "field": None}}
    assert answer.headers.get("retry-after") == ("4" if status == 429 else None)


def test_no_refusal_is_forgotten_in_the_tree() -> None:
    leaves = {each.code for each in errors.ChatError.__subclasses__()} | {errors.ChatError.code}
    assert leaves == set(msgspec.json.schema(ErrorCode)["enum"])


def test_an_unexpected_failure_is_answered_without_its_text_and_logged_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Door(raising(KeyError("the secret"))).answer(typing_event())
    assert (answer.status, answer.body["error"]["code"]) == (500, "INTERNAL")
    assert "secret" not in json.dumps(answer.body)
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.exc_info is not None
    assert "the secret" in str(record.exc_info[1])


def test_a_write_that_nobody_answered_is_unavailable_and_says_how_to_repeat_it() -> None:
    answer = Door(raising(errors.OutcomeUnknownError("x"))).answer(typing_event())
    assert (answer.status, answer.body["error"]["code"]) == (503, "UNAVAILABLE")
    assert "tempId" in answer.body["error"]["message"]


def test_the_death_of_the_process_is_not_mistaken_for_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        Door(raising(KeyboardInterrupt())).answer(typing_event())


def test_an_answer_that_the_contract_does_not_know_is_a_defect() -> None:
    assert Door(lambda: Reply(Done(), 201)).answer(typing_event()).status == 500
    assert (
        Door(lambda: HistoryPage(conversationId="c", messages=[], latestSeq=0, latestChange=0))
        .answer(typing_event())
        .status
        == 500
    )
    assert Door(lambda: Reply(Done(), 200)).answer(typing_event()).status == 200


def test_each_request_logs_one_line_that_says_who_did_what_and_how_long_each_stage_took(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def act() -> Done:
        with stage("read"):
            pass
        with stage("read"), stage("inner"):
            pass
        return Done()

    Door(act).answer(typing_event())
    (record,) = [each for each in caplog.records if each.getMessage() == "request"]
    fields: dict[str, Any] = record.__dict__["fields"]
    assert (fields["requestId"], fields["operation"], fields["userId"]) == ("request-1", "setTyping", "me")
    assert (fields["status"], fields["code"]) == (200, None)
    assert set(fields["stages"]) == {"read", "inner"}
    assert all(isinstance(each, float) for each in (*fields["stages"].values(), fields["milliseconds"]))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, JSON)
def test_whatever_the_body_holds_it_is_understood_or_refused_and_never_a_failure(one: Any, other: Any) -> None:
    door = Door()
    for body in (one, str(one), {"conversationId": one, "isTyping": other}, {"conversationId": "c", "isTyping": one}):
        answer = door.answer(http_event("POST /api/messages/typing", "me", body))
        assert answer.status in (200, 400)
    assert answer.status == (200 if isinstance(one, bool) else 400)
    assert all(isinstance(call.request.isTyping, bool) for call in door.calls)


@given(st.text(max_size=300))
def test_a_content_arrives_as_it_was_sent(content: str) -> None:
    message = Message(messageId="m", conversationId="c", senderId="me", timestamp="t", type="TEXT", content=content)
    delivery = Delivery(delivered=1, pending=0)
    door = Door(lambda: Sent(messageId="m", tempId=None, message=message, delivery=delivery))
    answer = door.answer(http_event(SEND, "me", {"conversationId": "c", "content": content}))
    assert answer.status == 200
    assert door.calls[0].request.content == content
    assert answer.body["message"]["content"] == content


def test_a_conflict_over_a_call_carries_the_call_and_every_other_refusal_has_no_such_field() -> None:
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
    answer = Door(raising(errors.CallConflictError("the call is over", call))).answer(typing_event())
    assert (answer.status, answer.body["error"]["code"]) == (409, "CONFLICT")
    assert answer.body["call"] == msgspec.to_builtins(call)
    for error in (errors.CallConflictError("you are in another call"), errors.ConflictError("m")):
        assert set(Door(raising(error)).answer(typing_event()).body) == {"success", "error"}
