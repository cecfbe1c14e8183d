"""The users of a load run: made for it, signed in, connected, and deleted afterwards."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import aiohttp
from appsync_events import ConnectionState, EventsClient, EventsError

from client.api.cognito import Cognito
from client.api.http_api import HttpApi
from client.api.session import Session, events_auth
from client.api.targets import Target
from contract import channels
from ops.load.plan import Plan

_AT_ONCE: Final = 8
"""Concurrent sign-ups: Amazon Cognito allows 50 creations of users and 120 sign-ins a second."""
OnMessage = Callable[[str, dict[str, Any]], None]


@dataclass
class Person:
    """A signed-in user with a WebSocket.

    Args:
        email: the address that identifies the user in the pool.
        user_id: the user's id.
        api: the HTTP API; it does not retry, so that each refusal is counted.
        events: the WebSocket.
        conversation_id: where the user sends.
        disconnected: set when the connection is lost.
    """

    email: str
    user_id: str
    api: HttpApi
    events: EventsClient
    conversation_id: str = ""
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)


class Pool:
    """Creates users as the operator, without a mail to them, and deletes them.

    Args:
        cognito: botocore's client `cognito-idp` with the operator's credentials.
        target: the environment.
    """

    def __init__(self, cognito: Any, target: Target) -> None:
        self._cognito = cognito
        self._target = target
        self._created: list[str] = []

    def create(self, number: int) -> tuple[str, str]:
        """Create a user and return the address and the password.

        Mail to the address goes to Amazon's mailbox simulator, should one ever be sent.
        """
        email = f"success+load-{uuid.uuid4().hex}@simulator.amazonses.com"
        password = f"Aa1!{secrets.token_urlsafe(18)}"
        named = {"email": email, "given_name": "Load", "family_name": f"User {number}", "email_verified": "true"}
        place = {"UserPoolId": self._target.user_pool_id, "Username": email}
        attributes = [{"Name": name, "Value": value} for name, value in named.items()]
        self._cognito.admin_create_user(**place, UserAttributes=attributes, MessageAction="SUPPRESS")
        self._created.append(email)
        self._cognito.admin_set_user_password(**place, Password=password, Permanent=True)
        return email, password

    def delete_all(self) -> None:
        """Delete every user that was created here. Their conversations stay."""
        for email in self._created:
            self._cognito.admin_delete_user(UserPoolId=self._target.user_pool_id, Username=email)
        self._created.clear()


async def people(
    plan: Plan,
    target: Target,
    pool: Pool,
    http: aiohttp.ClientSession,
    on_message: OnMessage,
    progress: Callable[[str], None],
) -> list[Person]:
    """Create, sign in and connect the users of a plan, and make their conversations.

    Args:
        plan: how many, and in which conversations.
        target: the environment.
        pool: creates the users.
        http: the HTTP session.
        on_message: called with a user's id and the data of each message that arrives at the user.
        progress: called with what is done.
    """
    cognito = Cognito(target, http)
    limit = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def enter(number: int) -> Person:
        nonlocal done
        async with limit:
            email, password = await asyncio.to_thread(pool.create, number)
            session = await Session.sign_in(cognito, email, password)
            lost = asyncio.Event()
            events = EventsClient(target.events, events_auth(session), http=http, on_state=partial(_note_state, lost))
            api = HttpApi(target, session, http, retry_seconds=0)
            person = Person(email, session.user_id, api, events, disconnected=lost)
            channel = channels.channel(channels.CHATS, person.user_id)
            await events.subscribe(channel, partial(_pass_on, person, on_message))
            await person.api.me()  # stores the profile
            done += 1
            progress(f"signed in {done} of {plan.users} users")
            return person

    found = list(await asyncio.gather(*(enter(number) for number in range(plan.users))))
    for numbers in plan.conversations():
        await _talk([found[number] for number in numbers], direct=plan.direct)
    return found


async def _talk(members: Sequence[Person], *, direct: bool) -> None:
    first, others = members[0], [each.user_id for each in members[1:]]
    if direct:
        conversation_id = (await first.api.open_direct(others[0])).conversation.conversationId
    else:
        created = await first.api.create_group("Load", others, temp_id=uuid.uuid4().hex)
        conversation_id = created.conversation.conversationId
    for member in members:
        member.conversation_id = conversation_id


def _note_state(lost: asyncio.Event, state: ConnectionState, cause: EventsError | None) -> None:
    if state is not ConnectionState.CONNECTED:
        lost.set()


def _pass_on(person: Person, on_message: OnMessage, event: Any) -> None:
    if event["type"] == "MESSAGE_SENT":
        on_message(person.user_id, event["data"])
