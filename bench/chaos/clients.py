"""Signed-in users with running chat clients, and the conversations between them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from client.api.cognito import Cognito
from client.api.http_api import HttpApi
from client.api.session import Session
from client.api.targets import Target
from client.chat_client import ChatClient
from client.errors import SignInError
from client.state.updates import HistoryReset, MessageAdded, Update
from contract.limits import MEMBERS_PER_REQUEST
from contract.models import Message

_CODE: Final = "123456"
"""A confirmation code; the local cloud accepts any."""
_TRIGGER_FAILED: Final = "UserLambdaValidationException"
_AT_ONCE: Final = 4


@dataclass
class ChatUser:
    """One user.

    Attributes:
        session: the signed-in user.
        chat: the running client; None for a member who is not online.
        reported: the messages that the client reported, by conversation, in the order of their updates.
        resets: conversations in which the client dropped its messages because it had missed too many.
    """

    session: Session
    api: HttpApi
    chat: ChatClient | None = None
    reported: dict[str, list[Message]] = field(default_factory=dict)
    resets: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        """The user's id."""
        return self.session.user_id

    def take(self, update: Update) -> None:
        """Record an update of the client."""
        if isinstance(update, MessageAdded):
            self.reported.setdefault(update.conversation_id, []).append(update.message)
        elif isinstance(update, HistoryReset):
            self.resets[update.conversation_id] += 1


@dataclass(frozen=True)
class Talk:
    """One conversation with its participants; those who are online send."""

    id: str
    members: tuple[ChatUser, ...]

    @property
    def senders(self) -> tuple[ChatUser, ...]:
        """The members with a running client."""
        return tuple(user for user in self.members if user.chat is not None)


async def sign_up(target: Target, http: aiohttp.ClientSession, count: int) -> list[ChatUser]:
    """Create users and sign them in."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> ChatUser:
        async with slots:
            cognito = Cognito(target, http)
            email, password = f"{uuid.uuid4().hex}@example.edu", f"Aa1!{secrets.token_urlsafe(12)}"
            await cognito.sign_up(email, password, first_name="User", last_name=str(number))
            try:
                await cognito.confirm(email, _CODE)
            except SignInError as error:
                # The user is confirmed also where the trigger timed out; the first request makes the profile then.
                if error.code != _TRIGGER_FAILED:
                    raise
            session = await Session.sign_in(cognito, email, password)
            user = ChatUser(session, HttpApi(target, session, http))
            await user.api.me()
            return user

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def open_direct(first: ChatUser, second: ChatUser) -> Talk:
    """Open the direct conversation of two users."""
    opened = await first.api.open_direct(second.id)
    return Talk(opened.conversation.conversationId, (first, second))


async def create_group(name: str, members: Sequence[ChatUser]) -> Talk:
    """Create a group; the first member is its admin."""
    admin, others = members[0], [user.id for user in members[1:]]
    first, rest = others[:MEMBERS_PER_REQUEST], others[MEMBERS_PER_REQUEST:]
    created = await admin.api.create_group(name, first, temp_id=uuid.uuid4().hex)
    group = created.conversation.conversationId
    for start in range(0, len(rest), MEMBERS_PER_REQUEST):
        await admin.api.add_members(group, rest[start : start + MEMBERS_PER_REQUEST])
    return Talk(group, tuple(members))


@contextlib.asynccontextmanager
async def online(target: Target, http: aiohttp.ClientSession, users: Sequence[ChatUser]) -> AsyncIterator[None]:
    """Run the chat clients of users."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def start(user: ChatUser) -> None:
        async with slots:
            user.chat = ChatClient(target, user.session, http=http)
            user.chat.add_listener(user.take)
            await user.chat.start()

    try:
        await asyncio.gather(*(start(user) for user in users))
        yield
    finally:
        await asyncio.gather(*(user.chat.close() for user in users if user.chat is not None))
