"""The chat of one signed-in user: `ChatClient`."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import aiohttp
from appsync_events import Backoff, ConnectionState, EventsClient, EventsError, Gap, GapReason

from client.api.cognito import Cognito
from client.api.http_api import HttpApi
from client.api.session import Session, events_auth
from client.api.targets import Target
from client.call_client import CallClient
from client.conversation import ConversationHandle
from client.errors import ClientError, from_events_error
from client.live_view import LiveView
from client.recovery import CHECK_SECONDS, Recovery
from client.state.draft import Draft
from client.state.inbox import Inbox
from client.state.inbox_entry import decode
from client.state.updates import SyncState, SyncStateChanged
from client.update_feed import Listener, UpdateFeed, UpdateStream
from contract import channels
from contract.models import ConversationView

_log = logging.getLogger(__name__)


class ChatClient:
    """The chat of one user. Use it as `async with`, which connects and reads the conversations.

    Every method may raise a ClientError; `client.errors` shows the tree.

    Attributes:
        user_id: the signed-in user.
        api: the HTTP API, one method for each route, for what has no handle (profile, search).
        calls: the user's calls.
        sync_state: how current the view is.

    Args:
        target: the environment.
        session: the signed-in user; `sign_in` makes one.
        http: the HTTP session to use; the caller closes it. Without one the client makes and closes its own.
        backoff: waits between attempts of a recovery.
        connection_backoff: waits between attempts to connect.
        check_seconds: when completeness is checked while connected: first, and then again and again.
    """

    def __init__(
        self,
        target: Target,
        session: Session,
        *,
        http: aiohttp.ClientSession | None = None,
        backoff: Backoff | None = None,
        connection_backoff: Backoff | None = None,
        check_seconds: tuple[float, float] = CHECK_SECONDS,
    ) -> None:
        self._own_http = http is None
        self._http = http or aiohttp.ClientSession()
        self.user_id = session.user_id
        self.api = HttpApi(target, session, self._http)
        self.sync_state = SyncState.OFFLINE
        self._feed = UpdateFeed()
        self._view = LiveView(session.user_id, self._feed)
        self.calls = CallClient(session.user_id, self.api, self._view.publish)
        self._recovery = Recovery(
            self.api,
            self._view,
            self.calls,
            backoff=backoff or Backoff(base=0.3, cap=5.0),
            check_seconds=check_seconds,
        )
        self._events = EventsClient(
            target.events,
            events_auth(session),
            http=self._http,
            on_state=self._on_connection_state,
            backoff=connection_backoff,
        )
        self._subscribed = False
        self._settled = asyncio.Event()
        self._refusal: ClientError | None = None

    @classmethod
    async def sign_in(
        cls, target: Target, email: str, password: str, *, http: aiohttp.ClientSession | None = None
    ) -> ChatClient:
        """Sign a user in and return the client, which is not connected yet: `async with` connects it.

        Args:
            target: the environment.
            email: the user's e-mail address.
            password: sent to no service (SRP).
            http: the HTTP session to use; the caller closes it. Without one the client makes and closes its own.

        Raises:
            WrongCredentialsError, NotConfirmedError, SignInError, UnreachableError: signing in failed.
        """
        pool = http or aiohttp.ClientSession()
        try:
            session = await Session.sign_in(Cognito(target, pool), email, password)
        except BaseException:
            if http is None:
                await pool.close()
            raise
        client = cls(target, session, http=pool)
        client._own_http = http is None
        return client

    async def __aenter__(self) -> ChatClient:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect, subscribe to the user's two channels and read the conversations.

        Raises:
            RealtimeRefusedError, SignedOutError: the Event API refused this user.
        """
        self._events.start()
        try:
            for namespace in (channels.CHATS, channels.USERS):
                await self._events.subscribe(
                    channels.channel(namespace, self.user_id),
                    self._on_event,
                    on_gap=self._on_gap,
                    on_refused=self._on_refused,
                )
            await self._events.connected()
        except EventsError as error:
            if isinstance(error, ClientError):
                raise
            raise from_events_error(error) from error
        self._subscribed = True
        self._start_recovery()
        await self.current()

    async def close(self) -> None:
        """Disconnect, cancel every task, and end every stream of updates."""
        self._view.close()
        self.calls.close()
        await self._recovery.close()
        await self._events.close()
        self._feed.close(self._refusal)
        if self._own_http:
            await self._http.close()

    async def current(self) -> None:
        """Wait until the view is current: connected, and the list as new as the subscriptions.

        Raises:
            RealtimeRefusedError, SignedOutError: the session is over.
        """
        await self._settled.wait()
        if self._refusal is not None:
            raise self._refusal

    # Updates

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each update from now on, in order."""
        self._feed.add_listener(listener)

    def updates(self) -> UpdateStream:
        """Return every update from now on, for `async for`."""
        return self._feed.stream(lambda update: True)

    # Conversations and users

    @property
    def inbox(self) -> Inbox:
        """The view: conversations, unread counts, typing notices, read marks, blocked users. Read-only."""
        return self._view.inbox

    @property
    def drafts(self) -> Mapping[tuple[str, str], Draft]:
        """The messages that are not stored yet, by conversation id and `temp_id`."""
        return MappingProxyType(self._view.drafts)

    def conversations(self) -> list[ConversationView]:
        """Return the conversations as the list shows them, newest message first."""
        return self.inbox.conversations()

    def conversation(self, conversation_id: str) -> ConversationHandle:
        """Return the handle of a conversation."""
        return ConversationHandle(conversation_id, self.api, self._view, self._recovery)

    async def open_direct(self, user_id: str) -> ConversationHandle:
        """Find or create the conversation with one other user."""
        conversation = (await self.api.open_direct(user_id)).conversation
        self._recovery.take_conversation(conversation)
        return self.conversation(conversation.conversationId)

    async def create_group(
        self, name: str, member_ids: Sequence[str], *, description: str | None = None, avatar: str | None = None
    ) -> ConversationHandle:
        """Create a group with the user as its admin; it is created once, also when the request is retried."""
        response = await self.api.create_group(
            name, member_ids, description=description, avatar=avatar, temp_id=uuid.uuid4().hex
        )
        conversation_id = response.conversation.conversationId
        self._recovery.take_conversation((await self.api.conversation(conversation_id)).conversation)
        return self.conversation(conversation_id)

    async def block(self, user_id: str) -> None:
        """Block a user."""
        await self.api.block(user_id)
        self._view.publish(self.inbox.take_block(user_id, True))

    async def unblock(self, user_id: str) -> None:
        """Unblock a user."""
        await self.api.unblock(user_id)
        self._view.publish(self.inbox.take_block(user_id, False))

    # The connection

    def _on_event(self, document: Any) -> None:
        if isinstance(document, dict):
            self.api.clock.take_iso_date(document.get("serverTimestamp"))
        event = decode(document)
        if event is None:
            _log.info("ignored an event of unknown type or form")
            return
        self._recovery.take(event)

    def _on_connection_state(self, state: ConnectionState, cause: EventsError | None) -> None:
        if state is ConnectionState.CONNECTED:
            if self._subscribed:
                self._start_recovery()
            return
        self._settled.clear()
        if state is ConnectionState.CLOSED:
            return
        self._recovery.pause()
        if state is ConnectionState.REFUSED and cause is not None:
            self._on_refused(cause)
        elif state is not ConnectionState.CONNECTING or self.sync_state is not SyncState.OFFLINE:
            self._enter(SyncState.OFFLINE, None if cause is None else from_events_error(cause))

    def _on_gap(self, gap: Gap) -> None:
        if gap.reason is not GapReason.RECONNECTED:  # the connection state reports that once for both channels
            self._start_recovery()

    def _on_refused(self, cause: EventsError) -> None:
        self._refusal = from_events_error(cause)
        self._settled.set()
        self._enter(SyncState.SIGNED_OUT, self._refusal)
        self._feed.close(self._refusal)

    def _enter(self, state: SyncState, cause: ClientError | None = None) -> None:
        if state is not self.sync_state:
            self.sync_state = state
            self._view.publish([SyncStateChanged(state, cause)])

    def _start_recovery(self) -> None:
        self._enter(SyncState.RECOVERING)
        self._recovery.start(self._recovered)

    def _recovered(self) -> None:
        self._settled.set()
        self._enter(SyncState.CURRENT)
