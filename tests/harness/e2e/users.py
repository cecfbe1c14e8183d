"""The users of the end-to-end tests: accounts, and signed-in users with a running chat client."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from appsync_events import Backoff

from client.api.cognito import Cognito
from client.api.http_api import HttpApi
from client.api.session import Session
from client.chat_client import ChatClient
from client.conversation import ConversationHandle
from client.state.inbox import Inbox
from client.state.updates import MessageAdded, MessageChanged, SyncState, SyncStateChanged, Update
from contract.models import ConversationView, Message
from tests.harness.e2e.environment import LONGEST_WAIT_SECONDS, TestEnvironment


@dataclass(frozen=True)
class Account:
    """A user who has signed up."""

    email: str
    password: str = field(repr=False)
    user_id: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}"


async def sign_up(
    environment: TestEnvironment, http: aiohttp.ClientSession, first_name: str, last_name: str
) -> Account:
    """Create an account by signing up, as a user does."""
    cognito = Cognito(environment.target, http)
    email, password = environment.unused_address(), _password()
    user_id = await cognito.sign_up(email, password, first_name=first_name, last_name=last_name)
    await environment.confirm(cognito, email)
    return Account(email, password, user_id, first_name, last_name)


async def create_account(
    environment: TestEnvironment, http: aiohttp.ClientSession, first_name: str, last_name: str
) -> Account:
    """Create an account with a profile: by signing up on a local cloud, as the operator where sign-up sends mail."""
    if not environment.deployed:
        return await sign_up(environment, http, first_name, last_name)
    email, password = environment.unused_address(), _password()
    attributes = {"email": email, "given_name": first_name, "family_name": last_name}
    user_id = await environment.create_user(email, password, attributes)
    session = await Session.sign_in(Cognito(environment.target, http), email, password)
    await HttpApi(environment.target, session, http).me()
    return Account(email, password, user_id, first_name, last_name)


def _password() -> str:
    return f"Aa1!{secrets.token_urlsafe(12)}"


class SignedInUser:
    """A signed-in user with a running chat client, and every update that the client reported."""

    def __init__(
        self, environment: TestEnvironment, account: Account, session: Session, http: aiohttp.ClientSession
    ) -> None:
        self._environment, self._http = environment, http
        self.account = account
        self.session = session
        self.id = account.user_id
        self.updates: list[Update] = []
        self._changed = asyncio.Event()
        self.chat = ChatClient(
            environment.target,
            session,
            http=http,
            backoff=Backoff(base=0.1, cap=1.0),
            connection_backoff=Backoff(base=0.1, cap=1.0),
        )
        self.chat.add_listener(self._take)

    @property
    def api(self) -> HttpApi:
        """The HTTP API as this user."""
        return self.chat.api

    def api_with_retries(self, seconds: float) -> HttpApi:
        """Return the HTTP API as this user, with a limit for retries of its own.

        Args:
            seconds: how long a request is retried; 0 sends it once.
        """
        return HttpApi(self._environment.target, self.session, self._http, retry_seconds=seconds)

    @property
    def inbox(self) -> Inbox:
        """The user's view."""
        return self.chat.inbox

    def conversation(self, conversation_id: str) -> ConversationHandle:
        """Return the handle of a conversation."""
        return self.chat.conversation(conversation_id)

    def _take(self, update: Update) -> None:
        self.updates.append(update)
        self._changed.set()

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition on this user's view holds, and return its value."""
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while not (value := condition()):
                self._changed.clear()
                await self._changed.wait()
        return value

    def received(self, conversation_id: str) -> list[Message]:
        """Return the reported messages of a conversation, in order."""
        return [
            update.message
            for update in self.updates
            if isinstance(update, MessageAdded) and update.conversation_id == conversation_id
        ]

    def received_texts(self, conversation_id: str) -> list[str | None]:
        """Return the contents of the reported messages, in order."""
        return [message.content for message in self.received(conversation_id)]

    async def receives(self, conversation_id: str, *texts: str) -> list[Message]:
        """Wait until the last reported messages have these contents; return every reported message."""
        await self.until(lambda: self.received_texts(conversation_id)[-len(texts) :] == list(texts))
        return self.received(conversation_id)

    async def receives_messages(self, conversation_id: str, count: int) -> None:
        """Wait until at least `count` messages of a conversation were reported."""
        await self.until(lambda: len(self.received(conversation_id)) >= count)

    async def receives_update(self, kind: type[Any], **values: Any) -> Any:
        """Wait for an update of a class whose attributes have these values, and return it."""

        def found() -> Any:
            for update in self.updates:
                if isinstance(update, kind) and all(getattr(update, name) == value for name, value in values.items()):
                    return update
            return None

        return await self.until(found)

    async def receives_change(self, message_id: str) -> Message:
        """Wait until a message was edited or deleted, and return its state after that."""

        def found() -> Message | None:
            changes = [update.message for update in self.updates if isinstance(update, MessageChanged)]
            return next((message for message in changes if message.messageId == message_id), None)

        message: Message = await self.until(found)
        return message

    async def reconnected(self, times: int = 1) -> None:
        """Wait until the view is current after at least `times` reconnects."""

        def times_current() -> int:
            states = [update.state for update in self.updates if isinstance(update, SyncStateChanged)]
            return states.count(SyncState.CURRENT)

        await self.until(lambda: times_current() > times and self.chat.sync_state is SyncState.CURRENT)

    async def has_conversation(self, conversation_id: str) -> ConversationView:
        """Wait until a conversation is in the list, and return it."""
        await self.until(lambda: conversation_id in self.inbox)
        return self.inbox[conversation_id].view


class Users:
    """Creates the users of one test and closes their clients."""

    def __init__(self, environment: TestEnvironment) -> None:
        self.environment = environment
        self.http = aiohttp.ClientSession()
        self.accounts: list[Account] = []
        self._stack = contextlib.AsyncExitStack()

    async def account(self, first_name: str = "Ada", last_name: str = "Lovelace") -> Account:
        """Create an account that is not signed in."""
        account = await create_account(self.environment, self.http, first_name, last_name)
        self.accounts.append(account)
        return account

    async def signed_up(self, first_name: str, last_name: str) -> Account:
        """Create an account by signing up, in every environment."""
        account = await sign_up(self.environment, self.http, first_name, last_name)
        self.accounts.append(account)
        return account

    async def session(self, account: Account) -> Session:
        """Sign a user in."""
        return await Session.sign_in(Cognito(self.environment.target, self.http), account.email, account.password)

    async def online(self, account: Account) -> SignedInUser:
        """Sign a user in and connect the chat."""
        user = SignedInUser(self.environment, account, await self.session(account), self.http)
        await self._stack.enter_async_context(user.chat)
        return user

    async def create(self, first_name: str = "Ada", last_name: str = "Lovelace") -> SignedInUser:
        """Create a user, sign in, and connect the chat."""
        return await self.online(await self.account(first_name, last_name))

    async def pair(self) -> tuple[SignedInUser, SignedInUser]:
        """Create two users."""
        return await self.create("Ada", "Lovelace"), await self.create("Grace", "Hopper")

    async def direct(self, first: SignedInUser, second: SignedInUser) -> str:
        """Open the direct conversation of two users, wait until both have it, and return its id."""
        conversation = await first.chat.open_direct(second.id)
        await second.has_conversation(conversation.id)
        return conversation.id

    async def group(self, admin: SignedInUser, *others: SignedInUser, name: str = "Study group") -> str:
        """Create a group, wait until every member has received its event, and return its id."""
        response = await admin.api.create_group(name, [user.id for user in others], temp_id=uuid.uuid4().hex)
        id = response.conversation.conversationId
        for user in (admin, *others):
            await user.has_conversation(id)
        return id

    @staticmethod
    async def channel(member: SignedInUser, group: str) -> str:
        """Return the present channel of a group, as a member reads it."""
        channel = (await member.api.conversation(group)).conversation.channel
        assert channel is not None
        return channel

    async def close(self) -> None:
        """Close the clients and delete the accounts."""
        await self._stack.aclose()
        await self.http.close()
        for account in self.accounts:
            await asyncio.to_thread(self.environment.delete_user, account.email)


@contextlib.asynccontextmanager
async def users_of(environment: TestEnvironment) -> AsyncIterator[Users]:
    """Provide the users of one test; delete them afterwards."""
    users = Users(environment)
    try:
        yield users
    finally:
        await users.close()
