"""Signed-in users of a local cloud, each with an API client and a WebSocket."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from appsync_events import EventsClient

from client.api.cognito import Cognito
from client.api.http_api import HttpApi
from client.api.session import Session, events_auth
from client.api.targets import Target
from contract import channels
from contract.channels import Namespace

_CODE = "123456"
"""A confirmation code; the local cloud accepts any."""


@dataclass(frozen=True)
class User:
    """One signed-in user with its clients."""

    user_id: str
    api: HttpApi
    events: EventsClient


async def sign_up(
    target: Target,
    http: aiohttp.ClientSession,
    name: str,
    on_event: Callable[[str, Any], None] | None = None,
    namespace: Namespace = channels.CHATS,
) -> User:
    """Create a user, sign in, connect, and subscribe to the user's own channel.

    Args:
        target: the local cloud.
        http: the HTTP session.
        name: last name.
        on_event: called with the user's id and each event of `/{namespace}/{userId}`; without it, no subscription.
        namespace: `CHATS` or `USERS`.
    """
    cognito = Cognito(target, http)
    email, password = f"{uuid.uuid4().hex}@example.edu", f"Aa1!{secrets.token_urlsafe(12)}"
    user_id = await cognito.sign_up(email, password, first_name="User", last_name=name)
    await cognito.confirm(email, _CODE)
    session = await Session.sign_in(cognito, email, password)
    user = User(user_id, HttpApi(target, session, http), EventsClient(target.events, events_auth(session), http=http))
    user.events.start()
    await user.events.connected()
    if on_event is not None:
        await user.events.subscribe(channels.channel(namespace, user_id), partial(on_event, user_id))
    return user
