"""Where the end-to-end suite runs, and the people who use the product there."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import boto3
from appsync_events import Backoff

from client.api.cognito import Cognito
from client.api.http_api import Api
from client.api.session import Session
from client.api.targets import Target
from client.chat_client import ChatClient
from client.state.inbox import Inbox
from client.state.updates import Link, LinkChanged, MessageAdded, MessageChanged, Update
from contract.models import ConversationView, Message
from contract.requests import CreateGroup

PATIENCE_SECONDS = 30.0
"""How long a test waits for something that must happen; far more than it takes."""
_ANY_CODE = "123456"


@dataclass(frozen=True)
class Place:
    """An environment under test, with the operator's AWS credentials (as environment variables)."""

    target: Target
    keys: dict[str, str] = field(repr=False)
    aws_endpoint: str | None

    @property
    def deployed(self) -> bool:
        return not self.target.local

    def aws(self, service: str) -> Any:
        """Return a boto3 client with the operator's rights."""
        session = boto3.Session(
            aws_access_key_id=self.keys.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.keys.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=self.keys.get("AWS_SESSION_TOKEN"),
            region_name=self.target.region,
        )
        return session.client(service, endpoint_url=self.aws_endpoint)

    def address(self) -> str:
        """Return an e-mail address that nobody has; on AWS mail to it ends in the SES mailbox simulator."""
        name = uuid.uuid4().hex
        return f"success+{name}@simulator.amazonses.com" if self.deployed else f"{name}@example.edu"

    async def register(self, email: str, password: str, attributes: dict[str, str]) -> str:
        """Make a user as the operator, without the mail that a sign-up sends, and return the user's id.

        Cognito's own mail service sends 50 messages a day (Amazon Cognito: quotas), fewer than this suite has users.
        """
        pool = {"UserPoolId": self.target.user_pool_id, "Username": email}
        described = [
            {"Name": name, "Value": value} for name, value in (attributes | {"email_verified": "true"}).items()
        ]
        cognito = self.aws("cognito-idp")
        made = await asyncio.to_thread(
            cognito.admin_create_user, **pool, UserAttributes=described, MessageAction="SUPPRESS"
        )
        await asyncio.to_thread(cognito.admin_set_user_password, **pool, Password=password, Permanent=True)
        return next(str(each["Value"]) for each in made["User"]["Attributes"] if each["Name"] == "sub")

    async def confirm(self, cognito: Cognito, email: str) -> None:
        """Confirm a sign-up: with the code where any is taken, else as the operator."""
        if not self.deployed:
            await cognito.confirm(email, _ANY_CODE)
            return
        await asyncio.to_thread(
            self.aws("cognito-idp").admin_confirm_sign_up, UserPoolId=self.target.user_pool_id, Username=email
        )

    def forget(self, email: str) -> None:
        """Delete a user of a deployed environment; a local cloud goes as a whole."""
        if self.deployed:
            self.aws("cognito-idp").admin_delete_user(UserPoolId=self.target.user_pool_id, Username=email)


@dataclass(frozen=True)
class Account:
    """A user who has signed up, and can sign in as often as wanted."""

    email: str
    password: str = field(repr=False)
    user_id: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


async def sign_up(place: Place, http: aiohttp.ClientSession, first_name: str, last_name: str) -> Account:
    """Sign a fresh user up, the way anybody signs up."""
    cognito = Cognito(place.target, http)
    email, password = place.address(), _password()
    user_id = await cognito.sign_up(email, password, first_name=first_name, last_name=last_name)
    await place.confirm(cognito, email)
    return Account(email, password, user_id, first_name, last_name)


async def enrol(place: Place, http: aiohttp.ClientSession, first_name: str, last_name: str) -> Account:
    """Make a fresh user who has a profile: by signing up, or as the operator where signing up sends mail."""
    if not place.deployed:
        return await sign_up(place, http, first_name, last_name)
    email, password = place.address(), _password()
    attributes = {"email": email, "given_name": first_name, "family_name": last_name}
    user_id = await place.register(email, password, attributes)
    session = await Session.sign_in(Cognito(place.target, http), email, password)
    await Api(place.target, session, http).me()
    return Account(email, password, user_id, first_name, last_name)


def _password() -> str:
    return f"Aa1!{secrets.token_urlsafe(12)}"


class Person:
    """A signed-in user with a running chat client, and everything that client has told."""

    def __init__(self, place: Place, account: Account, session: Session, http: aiohttp.ClientSession) -> None:
        self.account = account
        self.session = session
        self.id = account.user_id
        self.updates: list[Update] = []
        self._happened = asyncio.Event()
        self.chat = ChatClient(
            place.target,
            session,
            http,
            on_update=self._on_update,
            backoff=Backoff(base=0.1, cap=1.0),
            socket_backoff=Backoff(base=0.1, cap=1.0),
        )

    @property
    def api(self) -> Api:
        return self.chat.api

    @property
    def inbox(self) -> Inbox:
        return self.chat.inbox

    def _on_update(self, update: Update) -> None:
        self.updates.append(update)
        self._happened.set()

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition on what this person sees holds, and return its value."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := condition()):
                self._happened.clear()
                await self._happened.wait()
        return value

    def received(self, conversation_id: str) -> list[Message]:
        """Return the messages handed out, in the order in which they were."""
        return [
            update.message
            for update in self.updates
            if isinstance(update, MessageAdded) and update.conversation_id == conversation_id
        ]

    def texts(self, conversation_id: str) -> list[str | None]:
        return [message.content for message in self.received(conversation_id)]

    async def gets(self, conversation_id: str, *texts: str) -> list[Message]:
        """Wait until the last messages handed out are these; return everything handed out."""
        await self.until(lambda: self.texts(conversation_id)[-len(texts) :] == list(texts))
        return self.received(conversation_id)

    async def sees(self, kind: type[Any], **values: Any) -> Any:
        """Wait for an update of a kind whose fields have these values."""

        def found() -> Any:
            for update in self.updates:
                if isinstance(update, kind) and all(getattr(update, name) == value for name, value in values.items()):
                    return update
            return None

        return await self.until(found)

    async def sees_changed(self, message_id: str) -> Message:
        """Wait until a message was edited or deleted, and return it as it is then."""

        def found() -> Message | None:
            changes = [u.message for u in self.updates if isinstance(u, MessageChanged)]
            return next((message for message in changes if message.messageId == message_id), None)

        message: Message = await self.until(found)
        return message

    async def reconnected(self, times: int = 1) -> None:
        """Wait until the client has been current `times` more than once, so has come back that often."""

        def current() -> int:
            return sum(isinstance(u, LinkChanged) and u.link is Link.CURRENT for u in self.updates)

        await self.until(lambda: current() > times and self.chat.link is Link.CURRENT)

    async def knows(self, conversation_id: str) -> ConversationView:
        """Wait until a conversation is in the list."""
        await self.until(lambda: conversation_id in self.inbox)
        return self.inbox[conversation_id].view


class People:
    """Makes people, and ends their clients."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.http = aiohttp.ClientSession()
        self.accounts: list[Account] = []
        self._stack = contextlib.AsyncExitStack()

    async def account(self, first_name: str = "Ada", last_name: str = "Lovelace") -> Account:
        """Make a user who is not signed in."""
        account = await enrol(self.place, self.http, first_name, last_name)
        self.accounts.append(account)
        return account

    async def newcomer(self, first_name: str, last_name: str) -> Account:
        """Make a user by signing up, wherever this is."""
        account = await sign_up(self.place, self.http, first_name, last_name)
        self.accounts.append(account)
        return account

    async def session(self, account: Account) -> Session:
        """Sign a user in."""
        return await Session.sign_in(Cognito(self.place.target, self.http), account.email, account.password)

    async def online(self, account: Account) -> Person:
        """Sign a user in and start the chat."""
        person = Person(self.place, account, await self.session(account), self.http)
        await self._stack.enter_async_context(person.chat)
        return person

    async def make(self, first_name: str = "Ada", last_name: str = "Lovelace") -> Person:
        """Make a user, sign in, and start the chat."""
        return await self.online(await self.account(first_name, last_name))

    async def pair(self) -> tuple[Person, Person]:
        """Make two people."""
        return await self.make("Ada", "Lovelace"), await self.make("Grace", "Hopper")

    async def direct(self, first: Person, second: Person) -> str:
        """Open the direct conversation of two people and wait until both have it."""
        answer = await first.api.open_direct(second.id)
        first.chat.take(answer.conversation)
        id = answer.conversation.conversationId
        await second.knows(id)
        return id

    async def group(self, admin: Person, *others: Person, name: str = "Study group") -> str:
        """Make a group and wait until everybody has it."""
        request = CreateGroup(name=name, memberIds=[person.id for person in others], tempId=uuid.uuid4().hex)
        id = (await admin.api.create_group(request)).conversation.conversationId
        for person in (admin, *others):
            await person.knows(id)
        return id

    async def close(self) -> None:
        await self._stack.aclose()
        await self.http.close()
        for account in self.accounts:
            await asyncio.to_thread(self.place.forget, account.email)


@contextlib.asynccontextmanager
async def people_of(place: Place) -> AsyncIterator[People]:
    """Make people for one test and take them away afterwards."""
    people = People(place)
    try:
        yield people
    finally:
        await people.close()
