"""The chat's backend in miniature: conversations, calls and sign-in, on an ApiServer and an EventServer."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from events_harness.server import EventServer

from client.api.targets import Target
from tests.harness.client.cognito import sign_in_reply
from tests.harness.client.servers import ApiServer, ReceivedRequest, Reply, target

ME, OTHER = "me", "other"


def error_reply(status: int, code: str, **fields: Any) -> Reply:
    """Return an error response of the API."""
    return Reply(status, {"success": False, "error": {"code": code, "message": code.lower()}, **fields})


def call_view(version: int, status: str, *, session_id: str = "s", caller: str = OTHER, **statuses: str) -> Any:
    """Return a direct call as the API shows it; `statuses` by participant."""
    return {
        "sessionId": session_id,
        "version": version,
        "status": status,
        "callType": "DIRECT",
        "mediaType": "VIDEO",
        "initiatedBy": caller,
        "ownerId": caller,
        "participants": [{"userId": user, "name": user, "status": each} for user, each in statuses.items()],
        "createdAt": "2026-01-01T00:00:00.000Z",
        "ringsUntil": "2099-01-01T00:00:00.000Z",
    }


class ChatBackend:
    """Conversations as the API serves them.

    Attributes:
        messages: the messages by conversation.
        hidden_pages: pages of hidden messages before each older page: they are empty and have a cursor.
        fillable: the widest gap, in messages, that history fills without `reload`.
        failures: how many of the next requests fail with status 500.
        list_gate: where set, the list of conversations is returned only after it is set.
        list_requested: set by each request for the list.
        calls: the calls by session id, as the API shows them.
        overrides: responses by "METHOD path", in place of the backend's own.
    """

    def __init__(self, api: ApiServer, events: EventServer) -> None:
        self.api, self.events = api, events
        self.messages: dict[str, list[dict[str, Any]]] = {"c": []}
        self.kinds: dict[str, str] = {}
        self.names: dict[str, str | None] = {}
        self.versions: dict[str, int] = {}
        self.hidden_pages = 0
        self.fillable = 3
        self.failures = 0
        self.list_gate: asyncio.Event | None = None
        self.list_requested = asyncio.Event()
        self.calls: dict[str, dict[str, Any]] = {}
        self.overrides: dict[str, Reply] = {}
        self.changes = 0
        self._event_ids = itertools.count()
        api.respond = self.respond

    @property
    def target(self) -> Target:
        """The target of this backend."""
        return target(self.api.url, self.events.host, self.api.url)

    def store(self, content: str | None, conversation: str = "c", *, sender: str = OTHER) -> dict[str, Any]:
        """Store a message without an event."""
        messages = self.messages.setdefault(conversation, [])
        seq = len(messages) + 1
        messages.append(
            {
                "messageId": f"{conversation}{seq}",
                "conversationId": conversation,
                "senderId": sender,
                "timestamp": f"2026-01-01T00:00:00.{seq:03}Z",
                "type": "TEXT",
                "seq": seq,
                "content": content,
            }
        )
        return messages[-1]

    async def send(self, content: str, conversation: str = "c") -> None:
        """Store a message of the other user and publish its event."""
        await self.publish("MESSAGE_SENT", self.store(content, conversation))

    async def publish(self, kind: str, data: dict[str, Any], *, namespace: str = "chats") -> None:
        """Publish an event on one of the user's channels."""
        event = {"eventId": f"e{next(self._event_ids)}", "type": kind, "data": data, "timestamp": "t"}
        await self.events.push(f"/{namespace}/{ME}", event)

    async def respond(self, request: ReceivedRequest) -> Reply:
        """Return the response to a request."""
        if "x-amz-target" in request.headers:
            return sign_in_reply(request, ME)
        if self.failures > 0:
            self.failures -= 1
            return Reply(500)
        override = self.overrides.get(f"{request.method} {request.path}")
        if override is not None:
            return override
        parts = request.path.split("/")[2:]
        match parts[0]:
            case "conversations":
                return await self._conversations(request, parts[1:])
            case "messages":
                return self._messages(request, parts[1:])
            case "calls":
                return self._calls(request, parts[1:])
        return Reply(200, {"userIds": []} if request.method == "GET" else {"success": True})

    async def _conversations(self, request: ReceivedRequest, parts: list[str]) -> Reply:
        if not parts and request.method == "GET":
            views = [self.view(id) for id in self.messages]
            self.list_requested.set()
            if self.list_gate is not None:
                await self.list_gate.wait()
            return Reply(200, {"conversations": views, "nextCursor": None})
        if parts in (["dm"], ["group"]):
            return self._created(request)
        id = parts[0]
        if id not in self.messages:
            return error_reply(403, "FORBIDDEN")
        if parts[1:] == ["leave"]:
            del self.messages[id]
            return Reply(200, {"success": True})
        if request.method != "GET":
            self.versions[id] = self.versions.get(id, 1) + 1
            self.names[id] = request.document.get("name", self.names.get(id))
        return Reply(200, {"conversation": self.view(id), "members": [_member(ME), _member(OTHER)]})

    def _created(self, request: ReceivedRequest) -> Reply:
        if "userId" in request.document:
            self.messages.setdefault("with-other", [])
            return Reply(200, {"conversation": self.view("with-other"), "otherUser": _user(OTHER), "created": True})
        self.messages.setdefault("g", [])
        self.kinds["g"], self.names["g"] = "GROUP", request.document["name"]
        return Reply(201, {"conversation": self.view("g")})

    def _messages(self, request: ReceivedRequest, parts: list[str]) -> Reply:
        if request.method == "GET":
            if parts[0] not in self.messages:
                return error_reply(403, "FORBIDDEN")
            return Reply(200, self.history(parts[0], request.query))
        if parts == ["typing"]:
            return Reply(200, {"success": True})
        if parts == ["read"]:
            seq = request.document["seq"]
            return Reply(200, {"conversationId": "c", "lastReadSeq": seq, "unreadCount": 0})
        if parts == ["send"]:
            return self._sent(request)
        message = next(each for all_of in self.messages.values() for each in all_of if each["messageId"] == parts[0])
        self.changes += 1
        deleted = request.method == "DELETE"
        message |= {"content": None if deleted else request.document["content"], "deleted": deleted}
        return Reply(200, {"message": message, "change": self.changes})

    def _sent(self, request: ReceivedRequest) -> Reply:
        document = request.document
        message = self.store(document.get("content"), document["conversationId"], sender=ME)
        message |= {name: document[name] for name in ("type", "mediaUrl", "replyTo") if document.get(name)}
        body = {"messageId": message["messageId"], "tempId": document.get("tempId"), "message": message}
        return Reply(200, body | {"delivery": {"delivered": 2, "pending": 0}})

    def _calls(self, request: ReceivedRequest, parts: list[str]) -> Reply:
        if request.method == "POST":
            return self._call_changed(request, parts[0])
        if not parts:
            live = [call for call in self.calls.values() if call["status"] in ("RINGING", "ACTIVE")]
            return Reply(200, {"calls": live, "nextCursor": None})
        call = self.calls.get(parts[0])
        return error_reply(404, "NOT_FOUND") if call is None else Reply(200, {"call": call})

    def _call_changed(self, request: ReceivedRequest, action: str) -> Reply:
        if action == "initiate":
            call = self.calls["s"] = call_view(1, "RINGING", caller=ME, me="JOINED", other="RINGING")
            return Reply(200, {"sessionId": "s", "call": call})
        before = self.calls[request.document["sessionId"]]
        if action == "accept":
            call = call_view(before["version"] + 1, "ACTIVE", me="JOINED", other="JOINED")
            attendee = {"AttendeeId": "a", "ExternalUserId": ME, "JoinToken": "secret"}
            body = {"meeting": {"MeetingId": "m"}, "attendees": {ME: attendee}}
        else:
            status = {"reject": "REJECTED", "cancel": "CANCELLED"}.get(action, "ENDED")
            call, body = call_view(before["version"] + 1, status, me="LEFT", other="LEFT"), {}
        self.calls["s"] = call
        return Reply(200, {"sessionId": "s", "call": call, **body})

    def view(self, id: str) -> dict[str, Any]:
        """Return a conversation as the list shows it."""
        return {
            "conversationId": id,
            "type": self.kinds.get(id, "DM"),
            "participants": [ME, OTHER],
            "admins": [],
            "createdBy": ME,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "version": self.versions.get(id, 1),
            "name": self.names.get(id),
            "latestSeq": len(self.messages[id]),
            "latestChange": self.changes,
        }

    def history(self, id: str, query: dict[str, str]) -> dict[str, Any]:
        """Return a page of history, or the response to a gap."""
        messages = self.messages[id]
        wanted = messages[: -self.fillable - 1 : -1]
        reload, cursor = False, None
        hidden, _, before = query.get("cursor", f"{self.hidden_pages}|{query.get('before', '')}").partition("|")
        if before:
            wanted = [each for each in messages if each["timestamp"] < before][: -self.fillable - 1 : -1]
            if int(hidden):
                wanted, cursor = [], f"{int(hidden) - 1}|{before}"
        if "afterSeq" in query:
            wanted = messages[int(query["afterSeq"]) :]
            reload = len(wanted) > self.fillable
        return {
            "conversationId": id,
            "messages": [] if reload else wanted,
            "latestSeq": len(messages),
            "latestChange": self.changes,
            "nextCursor": cursor,
            "reload": reload,
        }


def _member(user_id: str) -> dict[str, Any]:
    return {"userId": user_id, "role": "MEMBER", "joinedAt": "2026-01-01T00:00:00.000Z"}


def _user(user_id: str) -> dict[str, Any]:
    return {"userId": user_id, "firstName": user_id, "lastName": "", "fullName": user_id}
