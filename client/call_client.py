"""The calls of one user on one device, and a handle for each call."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from client.api.calls_api import CallsApi
from client.errors import ConflictError, ForbiddenError, NotFoundError
from client.state.call_state import CallState
from client.state.call_tracker import CallTracker
from client.state.updates import CallChanged
from contract.calls import responses
from contract.calls.events import CallEvent
from contract.calls.models import CallView, MediaType

Response = TypeVar("Response")
_HISTORY_PAGE: Final = 20


class CallHandle:
    """One call. `CallClient.start`, `CallClient.current` and `CallClient.call` return it.

    Every method takes the API's response into the state itself, also the call that a ConflictError carries.
    """

    def __init__(self, session_id: str, api: CallsApi, calls: CallClient) -> None:
        self.id = session_id
        self._api = api
        self._calls = calls

    def __repr__(self) -> str:
        return f"CallHandle({self.id!r})"

    @property
    def state(self) -> CallState:
        """The state of the call on this device.

        Raises:
            UnknownCallError: no event or response has named the call yet.
        """
        return self._calls.tracker[self.id]

    async def accept(self) -> CallState:
        """Answer the call on this device, or join an active group call.

        Returns:
            The state, with the meeting and attendee to join with.

        Raises:
            ConflictError: the call is over or was answered on another device; `state` shows which.
        """
        response = await self._calls.asking(self._api.accept_call(self.id, device_id=self._calls.device_id))
        self._calls.take_accepted(response)
        return self.state

    async def reject(self) -> None:
        """Decline the call."""
        await self._change(self._api.reject_call(self.id))

    async def cancel(self) -> None:
        """Cancel the user's own call before it is answered."""
        await self._change(self._api.cancel_call(self.id))

    async def leave(self, new_owner_id: str | None = None) -> None:
        """Leave the call; the owner of a group call may name a successor."""
        await self._change(self._api.leave_call(self.id, new_owner_id=new_owner_id))

    async def end(self) -> None:
        """End the call for all participants."""
        await self._change(self._api.end_call(self.id))

    async def refresh(self) -> CallView:
        """Read the call with its participants."""
        view = (await self._api.call(self.id)).call
        self._calls.take_view(view)
        return view

    async def _change(self, request: Awaitable[responses.CallChanged | responses.CallLeft]) -> None:
        self._calls.take_view((await self._calls.asking(request)).call)


class CallClient:
    """The calls of one user on one device; the device names itself with a random id.

    Args:
        user_id: the signed-in user.
        api: the routes of calls.
        publish: publishes updates to the application.
    """

    def __init__(self, user_id: str, api: CallsApi, publish: Callable[[Iterable[CallChanged]], None]) -> None:
        self.device_id = uuid.uuid4().hex
        self.tracker = CallTracker(user_id, self.device_id)
        self._api = api
        self._clock = api.clock
        self._publish = publish
        self._expiry: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Stop the timer that ends ringing."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    # For the application

    def call(self, session_id: str) -> CallHandle:
        """Return the handle of a call."""
        return CallHandle(session_id, self._api, self)

    def current(self) -> CallHandle | None:
        """Return the call that this device is in, else the newest live call, else None."""
        live = sorted(self.tracker.live(), key=lambda call: call.on_this_device)
        return self.call(live[-1].session_id) if live else None

    async def start(
        self, *, user_id: str | None = None, conversation_id: str | None = None, media: MediaType = "AUDIO"
    ) -> CallHandle:
        """Call a user, or every member of a group.

        Args:
            user_id: whom to call; exactly one of this and `conversation_id` is given.
            conversation_id: the group whose members to call.
            media: AUDIO or VIDEO.

        Raises:
            ValueError: not exactly one of the two was given.
            ConflictError: the user, or every member, is in another call.
            ApiError, UnreachableError: the call was not created.
        """
        if (user_id is None) == (conversation_id is None):
            raise ValueError("give exactly one of user_id and conversation_id")
        request = self._api.initiate_call(
            recipient_id=user_id,
            conversation_id=conversation_id,
            call_type="DIRECT" if user_id is not None else "GROUP",
            media_type=media,
            device_id=self.device_id,
            temp_id=uuid.uuid4().hex,
        )
        response = await self.asking(request)
        self._changed(self.tracker.take_initiated(response.call, self._clock.now()))
        return self.call(response.sessionId)

    async def history(self) -> list[CallView]:
        """Read the user's latest 20 calls, newest first."""
        return (await self._api.calls(limit=_HISTORY_PAGE)).calls

    # For the handles and the recovery

    async def asking(self, request: Awaitable[Response]) -> Response:
        """Await a request; if a call's state refuses it, take that state before the ConflictError is raised."""
        try:
            return await request
        except ConflictError as error:
            if error.call is not None:
                self.take_view(error.call)
            raise

    def take_view(self, view: CallView) -> None:
        """Take a call from a response of the API."""
        self._changed(self.tracker.take_view(view, self._clock.now()))

    def take_accepted(self, response: responses.CallAccepted) -> None:
        """Take the response to an accept of this device."""
        attendee = response.attendees[self.tracker.me]
        self._changed(self.tracker.take_accepted(response.call, response.meeting, attendee, self._clock.now()))

    def apply(self, event: CallEvent) -> None:
        """Apply an event of the user's channel."""
        self._changed(self.tracker.apply(event, self._clock.now()))

    async def refresh(self) -> None:
        """Read the active calls, and each tracked call that is not active any more.

        Raises:
            ApiError, UnreachableError: the state is incomplete; call it again.
        """
        active = (await self._api.calls(state="active")).calls
        for view in active:
            self.take_view(view)
        listed = {view.sessionId for view in active}
        for call in self.tracker.live():
            if call.session_id not in listed:
                try:
                    await self.call(call.session_id).refresh()
                except (ForbiddenError, NotFoundError):
                    self.tracker.forget(call.session_id)

    def _changed(self, changes: Iterable[CallChanged]) -> None:
        self._publish(changes)
        self.close()
        expires_at = self.tracker.next_expiry()
        if expires_at is not None:
            delay = max(0.0, expires_at - self._clock.now())
            self._expiry = asyncio.get_running_loop().call_later(delay, self._expire, expires_at)

    def _expire(self, expires_at: float) -> None:
        self._changed(self.tracker.expire(max(expires_at, self._clock.now())))
