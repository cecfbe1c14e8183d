"""Calls as the contract has them; repeated where that is safe, and explained where they fail."""

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
from client.api.http_api import Api
from client.errors import (
    ApiError,
    ConflictError,
    InvalidRequestError,
    ServerFaultError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnreachableError,
)
from contract.calls.requests import InitiateCall
from contract.requests import CreateGroup, SendMessage, UpdateGroup, UpdateProfile
from contract.route import Route
from contract.routes import ROUTES
from tests.harness.client.servers import ApiServer, Reply, Tokens, target

DONE = {"success": True}
CALLS: dict[str, Callable[[Api], Awaitable[object]]] = {
    "sendMessage": lambda api: api.send_message(SendMessage(conversationId="c", content="x", tempId="t")),
    "setTyping": lambda api: api.set_typing("c", True),
    "markRead": lambda api: api.mark_read("c", seq=3),
    "getHistory": lambda api: api.history("c", limit=5, after_seq=1, after_change=2),
    "editMessage": lambda api: api.edit_message("c", "m", "x"),
    "deleteMessage": lambda api: api.delete_message("c", "m"),
    "listConversations": lambda api: api.conversations(limit=5),
    "openDirect": lambda api: api.open_direct("u"),
    "createGroup": lambda api: api.create_group(CreateGroup(name="n", memberIds=["u"])),
    "getConversation": lambda api: api.conversation("c"),
    "updateGroup": lambda api: api.update_group("c", UpdateGroup(description=None)),
    "addMembers": lambda api: api.add_members("c", ["u"]),
    "removeMember": lambda api: api.remove_member("c", "u"),
    "setRole": lambda api: api.set_role("c", "u", "ADMIN"),
    "leaveGroup": lambda api: api.leave_group("c"),
    "getMe": lambda api: api.me(),
    "updateMe": lambda api: api.update_me(UpdateProfile(firstName="Ada", bio=None)),
    "listBlocks": lambda api: api.blocks(),
    "searchUsers": lambda api: api.search_users("Ad", limit=5),
    "getUser": lambda api: api.user("u"),
    "blockUser": lambda api: api.block("u"),
    "unblockUser": lambda api: api.unblock("u"),
    "initiateCall": lambda api: api.initiate_call(InitiateCall(recipientId="u", mediaType="VIDEO")),
    "acceptCall": lambda api: api.accept_call("s", device_id="d"),
    "rejectCall": lambda api: api.reject_call("s"),
    "cancelCall": lambda api: api.cancel_call("s"),
    "leaveCall": lambda api: api.leave_call("s", new_owner_id="u"),
    "endCall": lambda api: api.end_call("s"),
    "getCall": lambda api: api.call("s"),
    "listCalls": lambda api: api.calls(state="active", limit=5),
}


def client(api: ApiServer, http: aiohttp.ClientSession, tokens: Tokens | None = None, patience: float = 30.0) -> Api:
    quick = Backoff(base=0.001, cap=0.002)
    return Api(target(api=api.url), tokens or Tokens(), http, backoff=quick, patience_seconds=patience)


def test_every_route_has_its_method_and_every_method_its_route() -> None:
    assert set(CALLS) == {route.operation for route in ROUTES}
    public = [name for name, _ in inspect.getmembers(Api, inspect.iscoroutinefunction) if not name.startswith("_")]
    assert len(public) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_a_call_is_what_its_route_accepts(api: ApiServer, http: aiohttp.ClientSession, route: Route) -> None:
    api.script = [Reply(418, {"teapot": True})]
    with pytest.raises(ApiError):
        await CALLS[route.operation](client(api, http))
    [asked] = api.asked
    pattern = re.sub(r"\{\w+\}", "[a-z]+", route.path)
    assert asked.method == route.method
    assert re.fullmatch(pattern, asked.path)
    assert asked.headers["authorization"] == "Bearer t0"
    if route.query:
        assert asked.body == b""
        msgspec.convert(asked.query, route.request, strict=False)
    else:
        assert asked.query == {}
        msgspec.json.decode(asked.body or b"{}", type=route.request)


async def test_a_conflict_carries_the_call_that_stood_in_the_way(api: ApiServer, http: aiohttp.ClientSession) -> None:
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


async def test_absent_fields_of_a_change_stay_absent_and_null_clears(
    api: ApiServer, http: aiohttp.ClientSession
) -> None:
    api.script = [Reply(418)]
    with pytest.raises(ApiError):
        await client(api, http).update_me(UpdateProfile(bio=None))
    assert json.loads(api.asked[0].body) == {"bio": None}


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
async def test_a_safe_call_is_repeated_unchanged_until_it_is_answered(
    api: ApiServer, http: aiohttp.ClientSession, operation: str, fault: Reply
) -> None:
    api.script = [fault, fault, Reply(418)]
    with pytest.raises(ApiError) as end:
        await CALLS[operation](client(api, http))
    assert end.value.status == 418
    assert len(api.asked) == 3
    assert len({(asked.method, asked.path, asked.body) for asked in api.asked}) == 1


ONCE: dict[str, Callable[[Api], Awaitable[object]]] = {
    "leaveGroup": CALLS["leaveGroup"],
    "removeMember": CALLS["removeMember"],
    "setTyping": CALLS["setTyping"],
    "sendMessage without tempId": lambda api: api.send_message(SendMessage(conversationId="c", content="x")),
    "createGroup without tempId": lambda api: api.create_group(CreateGroup(name="n", memberIds=["u"])),
}


@pytest.mark.parametrize("what", ONCE)
@pytest.mark.parametrize("fault", [Reply(500), Reply(cut=True)], ids=["500", "cut"])
async def test_a_call_that_may_have_taken_effect_is_not_repeated_where_that_would_do_harm(
    api: ApiServer, http: aiohttp.ClientSession, what: str, fault: Reply
) -> None:
    api.script = [fault]
    with pytest.raises((ServerFaultError, UnreachableError)):
        await ONCE[what](client(api, http))
    # A connection that was kept open may be found dead before anything was sent; the library then opens another.
    assert len({asked.body for asked in api.asked}) == 1
    assert len(api.asked) == 1 or fault.cut


async def test_a_call_is_given_up_when_patience_ends(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(429, DONE, {"retry-after": "7"})]
    with pytest.raises(TooManyRequestsError) as refusal:
        await CALLS["getMe"](client(api, http, patience=5.0))
    assert refusal.value.retry_after == 7.0
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), (None, 1, 1), ("soon", 1, 1), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0)],
)
async def test_retry_after_is_read_in_all_its_forms(
    api: ApiServer, http: aiohttp.ClientSession, header: str | None, least: float, most: float
) -> None:
    api.script = [Reply(429, DONE, {} if header is None else {"retry-after": header})]
    with pytest.raises(TooManyRequestsError) as refusal:
        await CALLS["getMe"](client(api, http, patience=0.0))
    assert least <= refusal.value.retry_after <= most


async def test_a_refused_token_is_renewed_once(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(401, {"message": "Unauthorized"}), Reply(418)]
    with pytest.raises(ApiError) as end:
        await CALLS["getMe"](client(api, http))
    assert end.value.status == 418
    assert [asked.headers["authorization"] for asked in api.asked] == ["Bearer t0", "Bearer t1"]
    api.script = [Reply(401, {"message": "Unauthorized"})]
    with pytest.raises(UnauthenticatedError, match="Unauthorized"):
        await CALLS["getMe"](client(api, http))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 418, 429, 500])
async def test_each_status_is_an_error_of_its_own_with_what_the_envelope_says(
    api: ApiServer, http: aiohttp.ClientSession, status: int
) -> None:
    envelope = {"success": False, "error": {"code": "INVALID_REQUEST", "message": "why", "field": "name"}}
    api.script = [Reply(status, envelope, {"apigw-requestid": "r1"})]
    with pytest.raises(ApiError) as caught:
        await CALLS["getMe"](client(api, http, patience=0.0))
    error = caught.value
    assert type(error) is errors.api_error(status)
    assert (error.status, error.code, error.message, error.field) == (status, "INVALID_REQUEST", "why", "name")
    assert error.request_id == "r1"


async def test_an_answer_that_is_none_is_the_servers_fault(api: ApiServer, http: aiohttp.ClientSession) -> None:
    for body in ("", "{", "[]", '{"success":true}'):
        api.script = [Reply(200, body)]
        with pytest.raises(ServerFaultError, match="getMe"):
            await CALLS["getMe"](client(api, http))


async def test_nobody_there_is_said_in_words(http: aiohttp.ClientSession) -> None:
    nowhere = ApiServer()
    await nowhere.start()
    await nowhere.stop()
    with pytest.raises(UnreachableError, match="the API gives no answer"):
        await CALLS["leaveGroup"](client(nowhere, http, patience=0.0))


async def test_ids_cannot_break_out_of_their_place_in_the_path(api: ApiServer, http: aiohttp.ClientSession) -> None:
    api.script = [Reply(400, {"success": False, "error": {"code": "INVALID_REQUEST", "message": "no"}})]
    with pytest.raises(InvalidRequestError):
        await client(api, http).user("../me?x=1")
    [asked] = api.asked
    assert asked.path.startswith("/api/users/")
    assert asked.query == {}
