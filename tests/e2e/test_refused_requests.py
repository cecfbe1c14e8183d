"""Requests that the routes refuse: no token, an invalid token, a user who is not a participant, invalid fields."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from client.api.session import token_claims
from client.errors import InvalidRequestError, NotFoundError
from contract import limits
from contract.route import Route
from contract.routes import ROUTES
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.users import SignedInUser, Users

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def url(environment: TestEnvironment, route: Route, **values: str) -> str:
    names = dict.fromkeys(("conversationId", "messageId", "userId", "sessionId"), UNKNOWN_ID) | values
    return environment.target.api_url + route.path.format_map(names)


async def status_of(environment: TestEnvironment, route: Route, authorization: str | None) -> int:
    headers = {} if authorization is None else {"authorization": authorization}
    body = None if route.method == "GET" else b"{}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(route.method, url(environment, route), headers=headers, data=body) as response,
    ):
        return response.status


def tampered(token: str, **changes: Any) -> str:
    """Return a token with changed claims and the signature of the original."""
    header, _, signature = token.split(".")
    payload = base64.urlsafe_b64encode(json.dumps(token_claims(token) | changes).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def forged(token: str, **changes: Any) -> str:
    """Return a token with valid claims and the id of Cognito's key, signed by another key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"kid": jwt.get_unverified_header(token)["kid"]}
    return jwt.encode(token_claims(token) | changes, key, algorithm="RS256", headers=headers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
async def test_a_route_without_a_token_is_refused(environment: TestEnvironment, route: Route) -> None:
    assert await status_of(environment, route, None) == 401


async def test_no_route_accepts_a_token_other_than_a_valid_access_token(
    environment: TestEnvironment, users: Users
) -> None:
    session = await users.session(await users.account())
    valid = await session.access_token()
    unsigned = jwt.encode(token_claims(valid), key="", algorithm="none")
    invalid = {
        "id token": f"Bearer {session.id_token}",
        "garbage": "Bearer garbage",
        "empty": "Bearer ",
        "sub of another user": f"Bearer {tampered(valid, sub=UNKNOWN_ID)}",
        "later expiry": f"Bearer {tampered(valid, exp=int(time.time()) + 10**6)}",
        "another key": f"Bearer {forged(valid)}",
        "expired": f"Bearer {forged(valid, exp=int(time.time()) - 10)}",
        "another issuer": f"Bearer {forged(valid, iss='https://issuer.example')}",
        "no signature": f"Bearer {unsigned}",
    }
    accepted = [
        (what, route.key, status)
        for route in ROUTES
        for what, header in invalid.items()
        if (status := await status_of(environment, route, header)) != 401
    ]
    assert accepted == []


def conversation_requests(
    conversation: str, message: str, member: str
) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    here = {"conversationId": conversation}
    yield "sendMessage", {}, {**here, "content": "x"}
    yield "setTyping", {}, {**here, "isTyping": True}
    yield "markRead", {}, {**here, "seq": 1}
    yield "getHistory", here, {}
    yield "editMessage", {"messageId": message}, {**here, "content": "x"}
    yield "deleteMessage", {"messageId": message}, here
    yield "getConversation", here, {}
    yield "updateGroup", here, {"name": "mine"}
    yield "addMembers", here, {"userIds": [member]}
    yield "removeMember", {**here, "userId": member}, {}
    yield "setRole", {**here, "userId": member}, {"role": "ADMIN"}
    yield "leaveGroup", here, {}


async def test_a_user_who_is_not_a_participant_is_refused_and_changes_nothing(
    environment: TestEnvironment, users: Users
) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    group = await users.group(ada, grace)
    message = await ada.conversation(group).send("between us")
    await grace.receives(group, "between us")
    before = await ada.api.conversation(group)
    for operation, path, fields in conversation_requests(group, message.messageId, grace.id):
        status, _ = await send_raw(environment, alan, operation, path, fields)
        assert (operation, status) == (operation, 403)
    for operation, path, fields in conversation_requests(UNKNOWN_ID, message.messageId, grace.id):
        status, _ = await send_raw(environment, alan, operation, path, fields)
        assert (operation, status) == (operation, 404)
    assert (await ada.api.conversation(group)) == before
    assert [m.content for m in (await ada.api.history(group)).messages] == ["between us"]
    assert group not in alan.inbox


CALL_CHANGES = ("acceptCall", "rejectCall", "cancelCall", "leaveCall", "endCall")


async def test_a_user_who_is_not_a_participant_can_neither_read_nor_change_a_call(
    environment: TestEnvironment, users: Users
) -> None:
    """Case H9."""
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    call = (await ada.api.initiate_call(recipient_id=grace.id)).call
    for session_id, expected in ((call.sessionId, 403), (UNKNOWN_ID, 404)):
        body = {"sessionId": session_id}
        statuses = {
            operation: (await send_raw(environment, alan, operation, {}, body))[0] for operation in CALL_CHANGES
        }
        statuses["getCall"] = (await send_raw(environment, alan, "getCall", body, {}))[0]
        assert statuses == dict.fromkeys((*CALL_CHANGES, "getCall"), expected)
    assert (await ada.api.call(call.sessionId)).call == call
    status, response = await send_raw(environment, grace, "leaveCall", {}, {"sessionId": call.sessionId})
    assert (status, response["call"]["status"]) == (409, "RINGING")
    await ada.api.cancel_call(call.sessionId)


async def send_raw(
    environment: TestEnvironment,
    user: SignedInUser,
    operation: str,
    path: dict[str, str],
    fields: dict[str, Any] | bytes,
) -> tuple[int, dict[str, Any]]:
    route = next(route for route in ROUTES if route.operation == operation)
    headers = {"authorization": f"Bearer {await user.session.access_token()}", "content-type": "application/json"}
    arguments: dict[str, Any] = {"data": fields}
    if not isinstance(fields, bytes):
        arguments = {"params": fields} if route.query else {"data": json.dumps(fields).encode()}
    async with (
        aiohttp.ClientSession() as http,
        http.request(route.method, url(environment, route, **path), headers=headers, **arguments) as response,
    ):
        return response.status, json.loads(await response.read())


async def test_an_invalid_request_is_refused_with_the_name_of_the_invalid_field(
    environment: TestEnvironment, users: Users
) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    here: dict[str, Any] = {"conversationId": dm}
    invalid: list[tuple[str, dict[str, str], Any, str | None]] = [
        ("sendMessage", {}, here, "content"),
        ("sendMessage", {}, {**here, "content": "   "}, "content"),
        ("sendMessage", {}, {**here, "content": "x" * (limits.CONTENT_CHARACTERS + 1)}, "content"),
        ("sendMessage", {}, {**here, "content": 7}, "content"),
        ("sendMessage", {}, {**here, "content": "x", "type": "SHOUT"}, "type"),
        ("sendMessage", {}, {**here, "content": "x", "extra": 1}, "extra"),
        ("sendMessage", {}, {**here, "content": "x", "mediaUrl": "https://a.example/b"}, "mediaUrl"),
        ("sendMessage", {}, {**here, "type": "IMAGE"}, "mediaUrl"),
        ("sendMessage", {}, {**here, "type": "IMAGE", "mediaUrl": "http://a.example/b"}, "mediaUrl"),
        ("sendMessage", {}, {**here, "content": "x", "tempId": ""}, "tempId"),
        ("sendMessage", {}, {"content": "x"}, "conversationId"),
        ("sendMessage", {}, b"{", None),
        ("sendMessage", {}, b"[]", None),
        ("sendMessage", {}, b"", None),
        ("setTyping", {}, {**here, "isTyping": "yes"}, "isTyping"),
        ("markRead", {}, {**here, "seq": 0}, "seq"),
        ("getHistory", here, {"limit": "0"}, "limit"),
        ("getHistory", here, {"limit": str(limits.HISTORY_PAGE_MAX + 1)}, "limit"),
        ("getHistory", here, {"cursor": "not a cursor"}, "cursor"),
        ("getHistory", here, {"unknown": "1"}, "unknown"),
        ("createGroup", {}, {"name": "", "memberIds": [grace.id]}, "name"),
        ("createGroup", {}, {"name": "x", "memberIds": []}, "memberIds"),
        ("openDirect", {}, {"userId": "a/b"}, "userId"),
        ("searchUsers", {}, {}, "q"),
        ("updateMe", {}, {"firstName": ""}, "firstName"),
        ("updateMe", {}, {"email": "other@example.edu"}, "email"),
    ]
    for operation, path, fields, field in invalid:
        status, body = await send_raw(environment, ada, operation, path, fields)
        assert (operation, fields, status, body["success"]) == (operation, fields, 400, False)
        assert body["error"]["code"] == "INVALID_REQUEST"
        if field is not None:
            assert field in (body["error"]["field"] or "") or field in body["error"]["message"]
    assert (await ada.api.history(dm)).messages == []


async def test_a_body_above_the_size_limit_is_refused(environment: TestEnvironment, users: Users) -> None:
    ada = await users.create()
    body = b'{"conversationId":"x","content":"' + b"x" * limits.BODY_BYTES + b'"}'
    status, response = await send_raw(environment, ada, "sendMessage", {}, body)
    assert (status, response["error"]["code"]) == (413, "TOO_LARGE")


async def test_a_request_cannot_name_another_sender_or_an_unknown_recipient(
    environment: TestEnvironment, users: Users
) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    forged_sender = {"conversationId": dm, "content": "x", "senderId": grace.id}
    status, response = await send_raw(environment, ada, "sendMessage", {}, forged_sender)
    assert (status, response["error"]["code"]) == (403, "FORBIDDEN")
    with pytest.raises(NotFoundError):
        await ada.api.send_message(dm, "x", reply_to=UNKNOWN_ID)
    with pytest.raises(InvalidRequestError):
        await ada.api.open_direct(ada.id)
    with pytest.raises(NotFoundError):
        await ada.api.open_direct(UNKNOWN_ID)
    assert (await grace.api.history(dm)).messages == []
