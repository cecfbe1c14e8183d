"""The HTTP API, one method a route: typed, authorised, repeated where a repetition is safe."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import UNSET

from appsync_events import Backoff
from client.errors import ApiError, ConflictError, ServerFaultError, TooManyRequestsError, UnreachableError, api_error
from client.session import TokenSource
from client.targets import Target
from handlers.core.contract import call_requests, call_responses, requests, responses
from handlers.core.contract.call_routes import CALL_ROUTES
from handlers.core.contract.models import Role
from handlers.core.contract.route import Route
from handlers.core.contract.routes import ROUTES

Answer = TypeVar("Answer", bound=responses.Success)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20.0, connect=5.0)
_PATIENCE_SECONDS: Final = 30.0
"""How long one call may go on with its retries."""
_ROUTES: Final = {route.operation: route for route in (*ROUTES, *CALL_ROUTES)}
# A repetition of these would answer differently than the first try, or come too late to mean anything.
_ONCE: Final = frozenset({"leaveGroup", "removeMember", "setTyping"})
_DECODERS: Final = {operation: msgspec.json.Decoder(route.response) for operation, route in _ROUTES.items()}


class Api:
    """The API as one signed-in user calls it. Every method raises a subclass of ApiError, or UnreachableError.

    Args:
        target: names the API.
        tokens: gives access tokens.
        http: the connection pool to use; stays the caller's.
        backoff: waits between tries.
        patience_seconds: how long one call may go on with its retries.
    """

    def __init__(
        self,
        target: Target,
        tokens: TokenSource,
        http: aiohttp.ClientSession,
        *,
        backoff: Backoff | None = None,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._target = target
        self._tokens = tokens
        self._http = http
        self._backoff = backoff or Backoff()
        self._patience = patience_seconds

    # Messages

    async def send_message(self, request: requests.SendMessage) -> responses.Sent:
        """Send a message. With a `tempId` it is repeated until it is known to be stored, and stored once."""
        return await self._call("sendMessage", request, responses.Sent, once=request.tempId is None)

    async def set_typing(self, conversation_id: str, typing: bool) -> responses.Done:
        """Tell the others that the caller is typing, or no longer is."""
        return await self._call(
            "setTyping", requests.Typing(conversationId=conversation_id, isTyping=typing), responses.Done
        )

    async def mark_read(
        self, conversation_id: str, *, seq: int | None = None, message_id: str | None = None
    ) -> responses.ReadDone:
        """Mark everything up to a message, by number or id, as read."""
        request = requests.MarkRead(conversationId=conversation_id, seq=seq, messageId=message_id)
        return await self._call("markRead", request, responses.ReadDone)

    async def history(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        before: str | None = None,
        cursor: str | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        after_change: int | None = None,
    ) -> responses.HistoryPage:
        """Read a page of history, or fill a gap (`after_seq`, `after_change`)."""
        query = {
            "limit": limit,
            "before": before,
            "cursor": cursor,
            "afterSeq": after_seq,
            "beforeSeq": before_seq,
            "afterChange": after_change,
        }
        return await self._call("getHistory", query, responses.HistoryPage, conversationId=conversation_id)

    async def edit_message(self, conversation_id: str, message_id: str, content: str) -> responses.Changed:
        """Replace the content of an own message."""
        request = requests.EditMessage(conversationId=conversation_id, content=content)
        return await self._call("editMessage", request, responses.Changed, messageId=message_id)

    async def delete_message(self, conversation_id: str, message_id: str) -> responses.Changed:
        """Delete a message."""
        query = {"conversationId": conversation_id}
        return await self._call("deleteMessage", query, responses.Changed, messageId=message_id)

    # Conversations

    async def conversations(self, *, limit: int | None = None, cursor: str | None = None) -> responses.ConversationPage:
        """Read a page of the caller's conversations, newest message first."""
        return await self._call("listConversations", {"limit": limit, "cursor": cursor}, responses.ConversationPage)

    async def open_direct(self, user_id: str) -> responses.DirectAnswer:
        """Find or create the conversation with one other user."""
        return await self._call("openDirect", requests.OpenDirect(userId=user_id), responses.DirectAnswer)

    async def create_group(self, request: requests.CreateGroup) -> responses.GroupAnswer:
        """Create a group; repeated only with a `tempId`."""
        return await self._call("createGroup", request, responses.GroupAnswer, once=request.tempId is None)

    async def conversation(self, conversation_id: str) -> responses.ConversationAnswer:
        """Read one conversation with its members."""
        return await self._call("getConversation", {}, responses.ConversationAnswer, conversationId=conversation_id)

    async def update_group(self, conversation_id: str, request: requests.UpdateGroup) -> responses.GroupAnswer:
        """Change a group's name, description or avatar; null clears."""
        return await self._call("updateGroup", request, responses.GroupAnswer, conversationId=conversation_id)

    async def add_members(self, conversation_id: str, user_ids: list[str]) -> responses.GroupAnswer:
        """Add users to a group."""
        request = requests.AddMembers(userIds=user_ids)
        return await self._call("addMembers", request, responses.GroupAnswer, conversationId=conversation_id)

    async def remove_member(self, conversation_id: str, user_id: str) -> responses.GroupAnswer:
        """Remove a user from a group."""
        return await self._call(
            "removeMember", {}, responses.GroupAnswer, conversationId=conversation_id, userId=user_id
        )

    async def set_role(self, conversation_id: str, user_id: str, role: Role) -> responses.GroupAnswer:
        """Make a member an admin, or an admin a member."""
        return await self._call(
            "setRole",
            requests.SetRole(role=role),
            responses.GroupAnswer,
            conversationId=conversation_id,
            userId=user_id,
        )

    async def leave_group(self, conversation_id: str) -> responses.Done:
        """Leave a group."""
        return await self._call("leaveGroup", requests.Nothing(), responses.Done, conversationId=conversation_id)

    # Users

    async def me(self) -> responses.MeAnswer:
        """Read the caller's own profile."""
        return await self._call("getMe", {}, responses.MeAnswer)

    async def update_me(self, request: requests.UpdateProfile) -> responses.MeAnswer:
        """Change the caller's own profile; null clears."""
        return await self._call("updateMe", request, responses.MeAnswer)

    async def user(self, user_id: str) -> responses.UserAnswer:
        """Read the public part of somebody's profile."""
        return await self._call("getUser", {}, responses.UserAnswer, userId=user_id)

    async def search_users(self, text: str, *, limit: int | None = None) -> responses.UserPage:
        """Find users by name."""
        return await self._call("searchUsers", {"q": text, "limit": limit}, responses.UserPage)

    async def block(self, user_id: str) -> responses.Done:
        """Block a user."""
        return await self._call("blockUser", requests.Nothing(), responses.Done, userId=user_id)

    async def unblock(self, user_id: str) -> responses.Done:
        """Unblock a user."""
        return await self._call("unblockUser", {}, responses.Done, userId=user_id)

    async def blocks(self) -> responses.BlockPage:
        """Read whom the caller has blocked."""
        return await self._call("listBlocks", {}, responses.BlockPage)

    # Calls

    async def initiate_call(self, request: call_requests.InitiateCall) -> call_responses.CallInitiated:
        """Call a user, or the members of a group; repeated only with a `tempId`."""
        return await self._call("initiateCall", request, call_responses.CallInitiated, once=request.tempId is None)

    async def accept_call(self, session_id: str, *, device_id: str | None = None) -> call_responses.CallAccepted:
        """Answer a call, or ask again for one's own credentials."""
        request = call_requests.AcceptCall(sessionId=session_id, deviceId=device_id)
        return await self._call("acceptCall", request, call_responses.CallAccepted)

    async def reject_call(self, session_id: str) -> call_responses.CallChanged:
        """Decline a call."""
        request = call_requests.RejectCall(sessionId=session_id)
        return await self._call("rejectCall", request, call_responses.CallChanged)

    async def cancel_call(self, session_id: str) -> call_responses.CallChanged:
        """Take an own call back before anybody has answered."""
        request = call_requests.CancelCall(sessionId=session_id)
        return await self._call("cancelCall", request, call_responses.CallChanged)

    async def leave_call(self, session_id: str, *, new_owner_id: str | None = None) -> call_responses.CallLeft:
        """Leave a call; an owner may name the successor."""
        request = call_requests.LeaveCall(sessionId=session_id, newOwnerId=new_owner_id)
        return await self._call("leaveCall", request, call_responses.CallLeft)

    async def end_call(self, session_id: str) -> call_responses.CallChanged:
        """End a call for everybody."""
        request = call_requests.EndCall(sessionId=session_id)
        return await self._call("endCall", request, call_responses.CallChanged)

    async def call(self, session_id: str) -> call_responses.CallAnswer:
        """Read one call."""
        return await self._call("getCall", {}, call_responses.CallAnswer, sessionId=session_id)

    async def calls(
        self,
        *,
        state: Literal["active", "history"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> call_responses.CallPage:
        """Read a page of the caller's calls, newest first."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._call("listCalls", query, call_responses.CallPage)

    # How a request is made

    async def _call(
        self,
        operation: str,
        request: requests.Request | Mapping[str, Any],
        answer: type[Answer],
        *,
        once: bool = False,
        **path: str,
    ) -> Answer:
        route = _ROUTES[operation]
        url = self._target.api_url + _path(route, path)
        once = once or operation in _ONCE
        give_up_at = time.monotonic() + self._patience
        attempt = 0
        refused: str | None = None
        while True:
            token = await self._tokens.access_token(refused=refused)
            try:
                status, headers, body = await self._exchange(route, url, request, token)
            except (aiohttp.ClientError, OSError, TimeoutError) as cause:
                error: ApiError | UnreachableError = UnreachableError("the API", str(cause) or type(cause).__name__)
                error.__cause__ = cause
                # Refused connections are certain not to have reached anybody.
                again = not once or isinstance(cause, aiohttp.ClientConnectorError)
                wait = self._backoff.delay(attempt)
            else:
                if status in route.status:
                    return _decoded(route, body, answer, status)
                error = _refusal(status, headers, body)
                if status == 401 and refused is None:
                    refused = token
                    continue
                again = status == 429 or (status >= 500 and not once)
                wait = self._backoff.delay(attempt)
                if isinstance(error, TooManyRequestsError):
                    wait = error.retry_after + wait
            if not again or time.monotonic() + wait > give_up_at:
                raise error
            attempt += 1
            await asyncio.sleep(wait)

    async def _exchange(
        self, route: Route, url: str, request: requests.Request | Mapping[str, Any], token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"authorization": f"Bearer {token}"}
        arguments: dict[str, Any] = {}
        if route.query:
            fields = request if isinstance(request, Mapping) else msgspec.to_builtins(request)
            arguments["params"] = {name: str(value) for name, value in fields.items() if value is not None}
        elif route.request is not requests.Nothing:
            headers["content-type"] = "application/json"
            arguments["data"] = msgspec.json.encode(request)
        async with self._http.request(route.method, url, headers=headers, timeout=_TIMEOUT, **arguments) as response:
            return response.status, response.headers, await response.read()


def _path(route: Route, values: Mapping[str, str]) -> str:
    return route.path.format_map({name: quote(value, safe="") for name, value in values.items()})


def _decoded(route: Route, body: bytes, answer: type[Answer], status: int) -> Answer:
    try:
        decoded = _DECODERS[route.operation].decode(body)
    except msgspec.DecodeError as error:
        raise ServerFaultError(status, "", f"the answer to {route.operation} is not what it should be: {error}") from (
            error
        )
    assert isinstance(decoded, answer)
    return decoded


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    request_id = headers.get("apigw-requestid") or headers.get("x-amzn-requestid")
    try:
        answer = msgspec.json.decode(body, type=responses.Failure)
        failure = answer.error
        error = api_error(status)(status, failure.code, failure.message, field=failure.field, request_id=request_id)
        if isinstance(error, ConflictError) and answer.call is not UNSET:
            error.call = answer.call
    except msgspec.DecodeError:
        # The gateway's own refusals (no token, throttled) have no envelope.
        text = body[:200].decode(errors="replace")
        error = api_error(status)(status, "", text or "no explanation", request_id=request_id)
    if isinstance(error, TooManyRequestsError):
        error.retry_after = _seconds(headers.get("retry-after"))
    return error


def _seconds(retry_after: str | None) -> float:
    """Return the seconds that a Retry-After header asks for, one where it says nothing usable (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return 1.0
    if retry_after.isdigit():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return 1.0
    return max(0.0, moment.timestamp() - time.time())
