"""Requests match the contract, are repeated where that is safe, and fail with typed errors."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec
import pytest
from appsync_events import Backoff

from client import errors
from client.api.http_api import HttpApi
from client.errors import (
    ApiError,
    ConflictError,
    InvalidRequestError,
    ServerFaultError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from contract.route import Route
from contract.routes import ROUTES
from tests.harness.client.servers import ApiServer, NumberedTokens, Reply, target

DONE = {"success": True}
REQUESTS: dict[str, Callable[[HttpApi], Awaitable[object]]] = {
    "sendMessage": lambda api: api.send_message("c", "x", temp_id="t"),
    "setTyping": lambda api: api.set_typing("c", True),
    "markRead": lambda api: api.mark_read("c", seq=3),
    "getHistory": lambda api: api.history("c", limit=5, after_seq=1, after_change=2),
    "editMessage": lambda api: api.edit_message("c", "m", "x"),
    "deleteMessage": lambda api: api.delete_message("c", "m"),
    "listConversations": lambda api: api.conversations(limit=5),
    "openDirect": lambda api: api.open_direct("u"),
    "createGroup": lambda api: api.create_group("n", ["u"]),
    "getConversation": lambda api: api.conversation("c"),
    "updateGroup": lambda api: api.update_group("c", description=None),
    "addMembers": lambda api: api.add_members("c", ["u"]),
    "removeMember": lambda api: api.remove_member("c", "u"),
    "setRole": lambda api: api.set_role("c", "u", "ADMIN"),
    "leaveGroup": lambda api: api.leave_group("c"),
    "getMe": lambda api: api.me(),
    "updateMe": lambda api: api.update_me(first_name="Ada", bio=None),
    "listBlocks": lambda api: api.blocks(),
    "searchUsers": lambda api: api.search_users("Ad", limit=5),
    "getUser": lambda api: api.user("u"),
    "blockUser": lambda api: api.block("u"),
    "unblockUser": lambda api: api.unblock("u"),
    "initiateCall": lambda api: api.initiate_call(recipient_id="u", media_type="VIDEO"),
    "acceptCall": lambda api: api.accept_call("s", device_id="d"),
    "rejectCall": lambda api: api.reject_call("s"),
    "cancelCall": lambda api: api.cancel_call("s"),
    "leaveCall": lambda api: api.leave_call("s", new_owner_id="u"),
    "endCall": lambda api: api.end_call("s"),
    "getCall": lambda api: api.call("s"),
    "listCalls": lambda api: api.calls(state="active", limit=5),
}


def client(
    api: ApiServer, http: aiohttp.ClientSession, tokens: NumberedTokens | None = None, retry_seconds: float = 30.0
) -> HttpApi:
    quick = Backoff(base=0.001, cap=0.002)
    return HttpApi(target(api=api.url), tokens or NumberedTokens(), http, backoff=quick, retry_seconds=retry_seconds)


def test_there_is_one_method_for_each_route() -> None:
    assert set(REQUESTS) == {route.operation for route in ROUTES}
    public = [name for name, _ in inspect.getmembers(HttpApi, inspect.iscoroutinefunction) if not name.startswith("_")]
    assert len(public) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_a_request_is_valid_for_its_route(api: ApiServer, http: aiohttp.ClientSession, route: Route) -> None:
    api.script = [Reply(418, {"teapot": True})]
    with pytest.raises(ApiError):
        await REQUESTS[route.operation](client(api, http))
    [request] = api.requests
    pattern = re.sub(r"\{\w+\}", "[a-z]+", route.path)
    assert request.method == route.method
    assert re.fullmatch(pattern, request.path)
    assert request.headers["authorization"] == "Bearer t0"
    if route.query:
        assert request.body == b""
        msgspec.convert(request.query, route.request, strict=False)
    else:
        assert request.query == {}
        msgspec.json.decode(request.body or b"{}", type=route.request)


async def test_a_conflict_carries_the_call_that_is_its_reason(api: ApiServer, http: aiohttp.ClientSession) -> None:
    call = {
        "sessionId": "s", "version": 3, "status": "CANCELLED", "callType": "DIRECT", "mediaType": "AUDIO",
        "initiatedBy": "u", "ownerId": "u", "participants": [], "createdAt": "2026-01-01T00:00:00.000Z",
        "ringsUntil": "2026-01-01T00:00:45.000Z",
    }  # fmt: skip
    api.script = [Reply(409, {"success": False, "error": {"code": "CONFLICT", "message": "over"}, "call": call})]
    with pytest.raises(ConflictError) as caught:
        await client(api, http).accept_call("s")
    assert caught.value.call is not None
    assert (caught.value.call.status, caught.value.call.version) == ("CANCELLED", 3)


async def test_an_omitted_argument_is_absent_from_the_body_and_none_is_null(
    api: ApiServer, http: aiohttp.ClientSession
) -> None:
    api.script = [Reply(418)]
    with pytest.raises(ApiError):
        await client(api, http).update_me(bio=None)
    assert json.loads(api.requests[0].body) == {"bio": None}


REPEATED = ["sendMessage", "markRead", "getHistory", "openDirect", "blockUser", "editMessage", "addMembers"]
FAULTS = [
    Reply(500),
    Reply(502, "<html>"),
    Reply(503),
    Reply(504),
    Reply(429, DONE, {"retry-after": "0"}),
    Reply(cut=True),
]


@pytest.mark.parametrize("operation", REPEATED)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "cut" if fault.cut else str(fault.status))
async def test_a_safe_request_is_repeated_unchanged_until_it_succeeds_or_is_refused(
    api: ApiServer, http: aiohttp.ClientSession, operation: str, fault: Reply
) -> None:
    api.script = [fault, fault, Reply(418)]
    with pytest.raises(ApiError) as end:
        await REQUESTS[operation](client(api, http))
    assert end.value.status == 418
    assert len(api.requests) == 3
    assert len({(request.method, request.path, request.body) for request in api.requests}) == 1


ONCE: dict[str, Callable[[HttpApi], Awaitable[object]]] = {
    "leaveGroup": REQUESTS["leaveGroup"],
    "removeMember": REQUESTS["removeMember"],
    "setTyping": REQUESTS["setTyping"],
    "sendMessage without temp_id": lambda api: api.send_message("c", "x"),
    "createGroup without temp_id": lambda api: api.create_group("n", ["u"]),
}


@pytest.mark.parametrize("what", ONCE)
@pytest.mark.parametrize("fault", [Reply(500), Reply(cut=True)], ids=["500", "cut"])
async def test_a_request_that_may_have_taken_effect_is_not_repeated_where_that_is_unsafe(
    api: ApiServer, http: aiohttp.ClientSession, what: str, fault: Reply
) -> None:
    api.script = [fault]
    with pytest.raises((ServerFaultError, UnreachableError)):
        await ONCE[what](client(api, http))
    # The HTTP library opens another connection when a kept-alive one is closed before anything was sent.
    assert len({request.body for request in api.requests}) == 1
    assert len(api.requests) == 1 or fault.cut


async def test_a_request_fails_when_the_retry_time_is_over(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(429, DONE, {"retry-after": "7"})]
    with pytest.raises(TooManyRequestsError) as refusal:
        await REQUESTS["getMe"](client(api, http, retry_seconds=5.0))
    assert refusal.value.retry_after == 7.0
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), (None, 1, 1), ("soon", 1, 1), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0)],
)
async def test_every_form_of_retry_after_is_read(
    api: ApiServer, http: aiohttp.ClientSession, header: str | None, least: float, most: float
) -> None:
    api.script = [Reply(429, DONE, {} if header is None else {"retry-after": header})]
    with pytest.raises(TooManyRequestsError) as refusal:
        await REQUESTS["getMe"](client(api, http, retry_seconds=0.0))
    assert least <= refusal.value.retry_after <= most


async def test_a_refused_token_is_renewed_once(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(401, {"message": "Unauthorized"}), Reply(418)]
    with pytest.raises(ApiError) as end:
        await REQUESTS["getMe"](client(api, http))
    assert end.value.status == 418
    assert [request.headers["authorization"] for request in api.requests] == ["Bearer t0", "Bearer t1"]
    api.script = [Reply(401, {"message": "Unauthorized"})]
    with pytest.raises(UnauthenticatedError, match="Unauthorized"):
        await REQUESTS["getMe"](client(api, http))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 418, 429, 500])
async def test_each_status_has_its_own_error_with_the_values_of_the_envelope(
    api: ApiServer, http: aiohttp.ClientSession, status: int
) -> None:
    envelope = {"success": False, "error": {"code": "INVALID_REQUEST", "message": "why", "field": "name"}}
    api.script = [Reply(status, envelope, {"apigw-requestid": "r1"})]
    with pytest.raises(ApiError) as caught:
        await REQUESTS["getMe"](client(api, http, retry_seconds=0.0))
    error = caught.value
    assert type(error) is errors.error_class(status)
    assert (error.status, error.code, error.message, error.field) == (status, "INVALID_REQUEST", "why", "name")
    assert error.request_id == "r1"


async def test_an_invalid_success_response_is_a_server_fault(api: ApiServer, http: aiohttp.ClientSession) -> None:
    for body in ("", "{", "[]", '{"success":true}'):
        api.script = [Reply(200, body)]
        with pytest.raises(ServerFaultError, match="getMe"):
            await REQUESTS["getMe"](client(api, http))


async def test_an_unreachable_api_is_an_unreachable_error(http: aiohttp.ClientSession) -> None:
    unreachable = ApiServer()
    await unreachable.start()
    await unreachable.stop()
    with pytest.raises(UnreachableError, match="no response from the HTTP API"):
        await REQUESTS["leaveGroup"](client(unreachable, http, retry_seconds=0.0))


async def test_an_id_with_special_characters_is_quoted_in_the_path(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(400, {"success": False, "error": {"code": "INVALID_REQUEST", "message": "no"}})]
    with pytest.raises(InvalidRequestError):
        await client(api, http).user("../me?x=1")
    [request] = api.requests
    assert request.path.startswith("/api/users/")
    assert request.query == {}
