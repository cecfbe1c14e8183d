"""The whole client against small servers: subscribe first, read then, and only then apply what came meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import aiohttp
import pytest
from appsync_events import Backoff
from events_harness.server import EventServer

from client.api.session import Session
from client.chat_client import ChatClient
from client.errors import ServerFaultError
from client.state.updates import (
    CallChanged,
    CallNews,
    ConversationGone,
    HistoryReset,
    Link,
    LinkChanged,
    MessageAdded,
    SendFailed,
    Update,
)
from tests.harness.client.servers import ApiServer, Asked, Reply, Tokens, target

ME, YOU = "me", "you"
QUICK = Backoff(base=0.01, cap=0.02)


class Backend:
    """Conversations as the API serves them: messages by conversation, gaps of at most `fillable` messages."""

    def __init__(self, api: ApiServer, events: EventServer) -> None:
        self.api, self.events = api, events
        self.messages: dict[str, list[dict[str, Any]]] = {"c": []}
        self.fillable = 3
        self.failing = 0
        self.gate: asyncio.Event | None = None
        self.listed = asyncio.Event()
        self.calls: dict[str, dict[str, Any]] = {}
        api.respond = self.respond

    def store(self, content: str, conversation: str = "c") -> dict[str, Any]:
        messages = self.messages.setdefault(conversation, [])
        seq = len(messages) + 1
        messages.append(
            {
                "messageId": f"{conversation}{seq}",
                "conversationId": conversation,
                "senderId": YOU,
                "timestamp": f"2026-01-01T00:00:00.{seq:03}Z",
                "type": "TEXT",
                "seq": seq,
                "content": content,
            }
        )
        return messages[-1]

    async def send(self, content: str, conversation: str = "c") -> None:
        """Store a message and tell whoever is subscribed."""
        await self.tell(self.store(content, conversation))

    def call_reply(self, asked: Asked) -> Reply:
        """Answer about calls as the API does: a list, or one."""
        if asked.path == "/api/calls":
            live = [call for call in self.calls.values() if call["status"] in ("RINGING", "ACTIVE")]
            return Reply(200, {"calls": live, "nextCursor": None})
        call = self.calls.get(asked.path.split("/")[3])
        if call is None:
            return Reply(404, {"success": False, "error": {"code": "NOT_FOUND", "message": "no such call"}})
        return Reply(200, {"call": call})

    async def tell(self, message: dict[str, Any]) -> None:
        event = {"eventId": message["messageId"], "type": "MESSAGE_SENT", "data": message, "timestamp": "t"}
        await self.events.push(f"/chats/{ME}", event)

    async def respond(self, asked: Asked) -> Reply:
        if self.failing > 0:
            self.failing -= 1
            return Reply(500)
        if asked.path == "/api/conversations":
            views = [self.view(id) for id in self.messages]
            self.listed.set()
            if self.gate is not None:
                await self.gate.wait()
            return Reply(200, {"conversations": views, "nextCursor": None})
        if asked.path == "/api/users/me/blocks":
            return Reply(200, {"userIds": []})
        if asked.path.startswith("/api/calls"):
            return self.call_reply(asked)
        kind, id = asked.path.split("/")[2:4]
        if id not in self.messages:
            return Reply(403, {"success": False, "error": {"code": "FORBIDDEN", "message": "not yours"}})
        if kind == "conversations":
            return Reply(200, {"conversation": self.view(id), "members": []})
        return Reply(200, self.history(id, asked.query))

    def view(self, id: str) -> dict[str, Any]:
        return {
            "conversationId": id,
            "type": "DM",
            "participants": [ME, YOU],
            "admins": [],
            "createdBy": ME,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "version": 1,
            "latestSeq": len(self.messages[id]),
        }

    def history(self, id: str, query: dict[str, str]) -> dict[str, Any]:
        messages = self.messages[id]
        wanted = messages[: -self.fillable - 1 : -1]
        reload = False
        if "afterSeq" in query:
            wanted = messages[int(query["afterSeq"]) :]
            reload = len(wanted) > self.fillable
        return {
            "conversationId": id,
            "messages": [] if reload else wanted,
            "latestSeq": len(messages),
            "latestChange": 0,
            "reload": reload,
        }


class Application:
    """What the client told."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self._happened = asyncio.Event()

    def take(self, update: Update) -> None:
        self.updates.append(update)
        self._happened.set()

    def texts(self) -> list[str | None]:
        return [update.message.content for update in self.updates if isinstance(update, MessageAdded)]

    def links(self) -> list[Link]:
        return [update.link for update in self.updates if isinstance(update, LinkChanged)]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self._happened.clear()
                await self._happened.wait()


@pytest.fixture
def backend(api: ApiServer, events: EventServer) -> Backend:
    return Backend(api, events)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def chat(backend: Backend, application: Application, http: aiohttp.ClientSession) -> AsyncIterator[ChatClient]:
    made = ChatClient(
        replace(target(events=backend.events.host), api_url=backend.api.url),
        cast(Session, Tokens(ME)),
        http,
        on_update=application.take,
        backoff=QUICK,
        socket_backoff=QUICK,
    )
    yield made
    await made.close()


async def test_what_comes_while_the_list_is_read_is_applied_after_it(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    backend.gate = asyncio.Event()
    starting = asyncio.ensure_future(chat.start())
    await asyncio.wait_for(backend.listed.wait(), 20)
    await backend.send("one")
    await backend.send("two")
    assert application.texts() == []
    backend.gate.set()
    await starting
    await application.until(lambda: application.texts() == ["one", "two"])
    assert application.links() == [Link.RECOVERING, Link.CURRENT]


async def test_what_was_sent_while_offline_is_fetched_in_order_with_what_comes_after(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    await backend.send("one")
    await application.until(lambda: application.texts() == ["one"])
    backend.gate = asyncio.Event()
    backend.listed.clear()
    await backend.events.cut()
    backend.store("two")
    backend.store("three")
    await asyncio.wait_for(backend.listed.wait(), 20)
    await backend.send("four")
    backend.gate.set()
    await application.until(lambda: application.texts() == ["one", "two", "three", "four"])
    assert Link.OFFLINE in application.links()


async def test_a_loss_during_the_first_recovery_does_not_end_the_start(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    backend.gate = asyncio.Event()
    starting = asyncio.ensure_future(chat.start())
    await asyncio.wait_for(backend.listed.wait(), 20)
    backend.listed.clear()
    await backend.events.cut()
    await asyncio.wait_for(backend.listed.wait(), 20)
    backend.gate.set()
    await asyncio.wait_for(starting, 20)
    assert chat.link is Link.CURRENT


async def test_a_list_that_arrives_after_its_connection_has_gone_makes_nothing_current(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    events = backend.events
    backend.gate = asyncio.Event()
    backend.listed.clear()
    await events.cut()
    await asyncio.wait_for(backend.listed.wait(), 20)
    acknowledge = events.on_connect
    events.on_connect = lambda token: {"type": "connection_error", "errors": [{"errorCode": 500}]}
    application.updates.clear()
    await events.cut()
    await application.until(lambda: application.links() == [Link.OFFLINE])
    backend.gate.set()
    tries = len(events.connections)
    await events.until(lambda: len(events.connections) >= tries + 3)
    assert application.links() == [Link.OFFLINE]
    events.on_connect = acknowledge
    await application.until(lambda: application.links() == [Link.OFFLINE, Link.RECOVERING, Link.CURRENT])


async def test_a_failing_api_delays_the_recovery_and_loses_nothing(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    backend.failing = 3
    await backend.events.cut()
    backend.store("one")
    await application.until(lambda: application.texts() == ["one"])
    assert application.links()[-1] is Link.CURRENT


async def test_a_gap_that_is_too_wide_is_a_reset_and_the_newest_page(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    for number in range(10):
        backend.store(f"missed {number}")
    await backend.send("last")
    await application.until(lambda: application.texts() == ["missed 8", "missed 9", "last"])
    [reset] = [update for update in application.updates if isinstance(update, HistoryReset)]
    assert (reset.after_seq, reset.first_seq) == (0, 9)
    assert [message.content for message in await chat.open("c")] == ["missed 8", "missed 9", "last"]


async def test_a_conversation_that_is_new_is_looked_up_and_its_messages_are_handed_out(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    await backend.send("hello", conversation="d")
    await application.until(lambda: application.texts() == ["hello"])
    assert "d" in chat.inbox


async def test_a_conversation_that_is_gone_after_a_loss_is_told(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    await chat.start()
    del backend.messages["c"]
    await backend.events.cut()
    await application.until(lambda: ConversationGone("c", None) in application.updates)


async def test_a_failed_send_stays_a_draft_and_its_repetition_is_the_same_request(
    backend: Backend, chat: ChatClient, application: Application, api: ApiServer
) -> None:
    await chat.start()
    chat.api._patience = 0.0
    respond = api.respond

    async def refuse(asked: Asked) -> Reply:
        return Reply(500)

    api.respond = refuse
    with pytest.raises(ServerFaultError):
        await chat.send("c", "hello")
    [(conversation, temp_id)] = chat.drafts
    assert conversation == "c"
    assert any(isinstance(update, SendFailed) and update.temp_id == temp_id for update in application.updates)
    with contextlib.suppress(ServerFaultError):
        await chat.resend(conversation, temp_id)
    assert api.asked[-1].body == api.asked[-2].body

    api.respond = respond
    stored = backend.store("hello") | {"senderId": ME, "tempId": temp_id}
    await backend.tell(stored)
    await application.until(lambda: application.texts() == ["hello"])
    assert not chat.drafts
    [added] = [update for update in application.updates if isinstance(update, MessageAdded)]
    assert added.temp_id == temp_id


def a_call(version: int, status: str, **statuses: str) -> dict[str, Any]:
    """Return a call as the API shows it."""
    return {
        "sessionId": "s",
        "version": version,
        "status": status,
        "callType": "DIRECT",
        "mediaType": "VIDEO",
        "initiatedBy": YOU,
        "ownerId": YOU,
        "participants": [{"userId": user, "name": user, "status": each} for user, each in statuses.items()],
        "createdAt": "2026-01-01T00:00:00.000Z",
        "ringsUntil": "2099-01-01T00:00:00.000Z",
    }


async def test_a_call_that_rang_and_ended_while_the_line_was_down_is_told_afterwards(
    backend: Backend, chat: ChatClient, application: Application
) -> None:
    def heard() -> list[CallNews]:
        return [update.news for update in application.updates if isinstance(update, CallChanged)]

    backend.calls["s"] = a_call(1, "RINGING", you="JOINED", me="RINGING")
    await chat.start()
    assert heard() == [CallNews.RINGS]
    assert chat.calling.current() is not None
    backend.calls["s"] = a_call(2, "CANCELLED", you="LEFT", me="MISSED")
    await backend.events.cut()
    await application.until(lambda: heard() == [CallNews.RINGS, CallNews.CANCELLED])
    assert chat.calling.current() is None
    event = {"sessionId": "s", "version": 1, "status": "RINGING", "error": {"code": "UNAVAILABLE", "message": "late"}}
    await chat.current()
    await backend.events.push(f"/users/{ME}", {"eventId": "e", "type": "CALL_ERROR", "timestamp": "t", "data": event})
    await backend.send("after")
    await application.until(lambda: "after" in application.texts())
    assert heard() == [CallNews.RINGS, CallNews.CANCELLED]
