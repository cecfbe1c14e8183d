"""What every route refuses, whoever asks: no token, the wrong kind of token, no membership, bad requests."""

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

from client.api.session import claims
from client.errors import ForbiddenError, InvalidRequestError, NotFoundError
from contract import limits, requests
from contract.calls.requests import InitiateCall
from contract.route import Route
from contract.routes import ROUTES
from tests.e2e.place import People, Person, Place

NOBODY = "00000000-0000-4000-8000-000000000000"


def url(place: Place, route: Route, **values: str) -> str:
    names = dict.fromkeys(("conversationId", "messageId", "userId", "sessionId"), NOBODY) | values
    return place.target.api_url + route.path.format_map(names)


async def ask(place: Place, route: Route, authorization: str | None) -> int:
    headers = {} if authorization is None else {"authorization": authorization}
    body = None if route.method == "GET" else b"{}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(route.method, url(place, route), headers=headers, data=body) as response,
    ):
        return response.status


def tampered(token: str, **changes: Any) -> str:
    header, _, signature = token.split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(token) | changes).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def forged(token: str, **changes: Any) -> str:
    """Return a token with true claims and the true key's id, signed by a key of one's own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"kid": jwt.get_unverified_header(token)["kid"]}
    return jwt.encode(claims(token) | changes, key, algorithm="RS256", headers=headers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
async def test_a_route_without_a_token_is_refused(place: Place, route: Route) -> None:
    assert await ask(place, route, None) == 401


async def test_no_route_takes_a_token_that_is_not_a_good_access_token(place: Place, people: People) -> None:
    session = await people.session(await people.account())
    good = await session.access_token()
    unsigned = jwt.encode(claims(good), key="", algorithm="none")
    bad = {
        "id token": f"Bearer {session.id_token}",
        "garbage": "Bearer garbage",
        "empty": "Bearer ",
        "somebody else's sub": f"Bearer {tampered(good, sub=NOBODY)}",
        "longer life": f"Bearer {tampered(good, exp=int(time.time()) + 10**6)}",
        "own key": f"Bearer {forged(good)}",
        "expired": f"Bearer {forged(good, exp=int(time.time()) - 10)}",
        "foreign issuer": f"Bearer {forged(good, iss='https://issuer.example')}",
        "no signature": f"Bearer {unsigned}",
    }
    taken = [
        (what, route.key, status)
        for route in ROUTES
        for what, header in bad.items()
        if (status := await ask(place, route, header)) != 401
    ]
    assert taken == []


def outsiders(conversation: str, message: str, member: str) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
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


async def test_somebody_from_outside_is_refused_and_changes_nothing(place: Place, people: People) -> None:
    ada, grace = await people.pair()
    mallory = await people.make("Mallory", "Outside")
    group = await people.group(ada, grace)
    message = await ada.chat.send(group, "between us")
    await grace.gets(group, "between us")
    before = await ada.api.conversation(group)
    for operation, path, fields in outsiders(group, message.messageId, grace.id):
        status, _ = await raw(place, mallory, operation, path, fields)
        assert (operation, status) == (operation, 403)
    for operation, path, fields in outsiders(NOBODY, message.messageId, grace.id):
        status, _ = await raw(place, mallory, operation, path, fields)
        assert (operation, status) == (operation, 404)
    assert (await ada.api.conversation(group)) == before
    assert [m.content for m in (await ada.api.history(group)).messages] == ["between us"]
    assert group not in mallory.inbox


CALL_CHANGES = ("acceptCall", "rejectCall", "cancelCall", "leaveCall", "endCall")


async def test_h9_somebody_from_outside_can_do_nothing_to_a_call(place: Place, people: People) -> None:
    ada, grace = await people.pair()
    mallory = await people.make("Mallory", "Outside")
    call = (await ada.api.initiate_call(InitiateCall(recipientId=grace.id))).call
    for session_id, expected in ((call.sessionId, 403), (NOBODY, 404)):
        body = {"sessionId": session_id}
        answers = {operation: (await raw(place, mallory, operation, {}, body))[0] for operation in CALL_CHANGES}
        answers["getCall"] = (await raw(place, mallory, "getCall", body, {}))[0]
        assert answers == dict.fromkeys((*CALL_CHANGES, "getCall"), expected)
    assert (await ada.api.call(call.sessionId)).call == call
    status, refusal = await raw(place, grace, "leaveCall", {}, {"sessionId": call.sessionId})
    assert (status, refusal["call"]["status"]) == (409, "RINGING")
    await ada.api.cancel_call(call.sessionId)


async def raw(
    place: Place, person: Person, operation: str, path: dict[str, str], fields: dict[str, Any] | bytes
) -> tuple[int, dict[str, Any]]:
    route = next(route for route in ROUTES if route.operation == operation)
    headers = {"authorization": f"Bearer {await person.session.access_token()}", "content-type": "application/json"}
    arguments: dict[str, Any] = {"data": fields}
    if not isinstance(fields, bytes):
        arguments = {"params": fields} if route.query else {"data": json.dumps(fields).encode()}
    async with (
        aiohttp.ClientSession() as http,
        http.request(route.method, url(place, route, **path), headers=headers, **arguments) as response,
    ):
        return response.status, json.loads(await response.read())


async def test_a_request_that_breaks_a_rule_is_refused_with_the_field_that_does(place: Place, people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    here: dict[str, Any] = {"conversationId": dm}
    bad: list[tuple[str, dict[str, str], Any, str | None]] = [
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
    for operation, path, fields, field in bad:
        status, body = await raw(place, ada, operation, path, fields)
        assert (operation, fields, status, body["success"]) == (operation, fields, 400, False)
        assert body["error"]["code"] == "INVALID_REQUEST"
        if field is not None:
            assert field in (body["error"]["field"] or "") or field in body["error"]["message"]
    assert (await ada.api.history(dm)).messages == []


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(place: Place, people: People) -> None:
    ada = await people.make()
    body = b'{"conversationId":"x","content":"' + b"x" * limits.BODY_BYTES + b'"}'
    status, answer = await raw(place, ada, "sendMessage", {}, body)
    assert (status, answer["error"]["code"]) == (413, "TOO_LARGE")


async def test_nobody_sends_in_somebody_elses_name(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    with pytest.raises(ForbiddenError):
        await ada.api.send_message(requests.SendMessage(conversationId=dm, content="x", senderId=grace.id))
    with pytest.raises(NotFoundError):
        await ada.api.send_message(requests.SendMessage(conversationId=dm, content="x", replyTo=NOBODY))
    with pytest.raises(InvalidRequestError):
        await ada.api.open_direct(ada.id)
    with pytest.raises(NotFoundError):
        await ada.api.open_direct(NOBODY)
    assert (await grace.api.history(dm)).messages == []
