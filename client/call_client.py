"""Calling: what a user does about calls, and what keeps this device's view of them true."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from client.api.calls_api import CallsApi
from client.errors import ConflictError, ForbiddenError, NotFoundError
from client.state.call import Call
from client.state.call_book import CallBook
from client.state.updates import CallChanged
from contract.calls import responses as call_responses
from contract.calls.events import CallEvent
from contract.calls.models import CallView, MediaType
from contract.calls.requests import InitiateCall

_HISTORY_PAGE: Final = 20


class Calling:
    """The calls of one user on one device, which names itself with a random id.

    Args:
        user_id: whose calls.
        api: what is asked.
        tell: tells the application what changed.
    """

    def __init__(self, user_id: str, api: CallsApi, tell: Callable[[Iterable[CallChanged]], None]) -> None:
        self.device_id = uuid.uuid4().hex
        self.book = CallBook(user_id, self.device_id)
        self._api = api
        self._tell = tell
        self._expiry: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """End what is under way."""
        if self._expiry is not None:
            self._expiry.cancel()

    def current(self) -> Call | None:
        """Return the call that the user would mean: the one this device is in, before one that rings."""
        live = sorted(self.book.live(), key=lambda call: call.here)
        return live[-1] if live else None

    # What a user does

    async def call(self, *, user_id: str | None = None, conversation_id: str | None = None, media: MediaType) -> Call:
        """Call a user, or everybody in a group.

        Raises:
            ConflictError: the user, or everybody called, is in another call.
            ApiError, UnreachableError: there is no call.
        """
        request = InitiateCall(
            recipientId=user_id,
            conversationId=conversation_id,
            callType="DIRECT" if user_id is not None else "GROUP",
            mediaType=media,
            tempId=uuid.uuid4().hex,
            deviceId=self.device_id,
        )
        try:
            answer = await self._api.initiate_call(request)
        except ConflictError as error:
            self._conflicting(error)
            raise
        self._told(self.book.initiated(answer.call, time.time()))
        return self.book[answer.sessionId]

    async def accept(self, session_id: str) -> Call:
        """Answer a call on this device, or join a group call that goes on.

        Raises:
            ConflictError: it is over, or was answered elsewhere; the view knows.
        """
        try:
            answer = await self._api.accept_call(session_id, device_id=self.device_id)
        except ConflictError as error:
            self._conflicting(error)
            raise
        attendee = answer.attendees[self.book.me]
        self._told(self.book.accepted(answer.call, answer.meeting, attendee, time.time()))
        return self.book[session_id]

    async def reject(self, session_id: str) -> None:
        """Decline a call."""
        await self._change(lambda: self._api.reject_call(session_id))

    async def cancel(self, session_id: str) -> None:
        """Take back an own call that nobody has answered."""
        await self._change(lambda: self._api.cancel_call(session_id))

    async def leave(self, session_id: str, new_owner_id: str | None = None) -> None:
        """Leave a call."""
        await self._change(lambda: self._api.leave_call(session_id, new_owner_id=new_owner_id))

    async def end(self, session_id: str) -> None:
        """End a call for everybody."""
        await self._change(lambda: self._api.end_call(session_id))

    async def who(self, session_id: str) -> CallView:
        """Ask who is in a call."""
        view = (await self._api.call(session_id)).call
        self._told(self.book.listed(view, time.time()))
        return view

    async def history(self) -> list[CallView]:
        """Ask for the latest calls, newest first."""
        return (await self._api.calls(limit=_HISTORY_PAGE)).calls

    # What comes in

    def apply(self, event: CallEvent) -> None:
        """Take one event."""
        self._told(self.book.apply(event, time.time()))

    async def refresh(self) -> None:
        """Ask for what goes on, and for what became of the calls that no longer do.

        Raises:
            ApiError, UnreachableError: the view is as it was.
        """
        active = (await self._api.calls(state="active")).calls
        for view in active:
            self._told(self.book.listed(view, time.time()))
        listed = {view.sessionId for view in active}
        for call in self.book.live():
            if call.session_id not in listed:
                try:
                    await self.who(call.session_id)
                except (ForbiddenError, NotFoundError):
                    self.book.gone(call.session_id)

    async def _change(self, ask: Callable[[], Awaitable[call_responses.CallChanged | call_responses.CallLeft]]) -> None:
        try:
            answer = await ask()
        except ConflictError as error:
            self._conflicting(error)
            raise
        self._told(self.book.listed(answer.call, time.time()))

    def _conflicting(self, error: ConflictError) -> None:
        if error.call is not None:
            self._told(self.book.listed(error.call, time.time()))

    def _told(self, changes: Iterable[CallChanged]) -> None:
        self._tell(changes)
        due = self.book.next_expiry()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if due is not None:
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, due - time.time()), self._expire, due)

    def _expire(self, due: float) -> None:
        self._told(self.book.expire(max(due, time.time())))
