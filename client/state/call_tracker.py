"""Tracks the calls of one user on one device: which ring, which this device is in, and how each ended.

Takes events and API responses, returns updates; no input, output or clock (times are arguments, in seconds). A view
with a smaller `version` than the tracked call is outdated and changes nothing. An outdated event changes only what no
later event or view named: a participant's status, or who called.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import singledispatchmethod
from typing import Any, Final

from client.errors import UnknownCallError
from client.state.call_state import CallState
from client.state.updates import CallChanged, CallChangeKind
from contract.calls import events as call_events
from contract.calls.models import Attendee, CallStatus, CallView, MeetingDocument, ParticipantStatus

RING_GRACE_SECONDS: Final = 5.0
"""How long after `ringsUntil` this device waits for the event CALL_MISSED; then it stops ringing without it."""
_ENDED: Final[Mapping[CallStatus, CallChangeKind]] = {
    "ENDED": CallChangeKind.ENDED,
    "MISSED": CallChangeKind.MISSED,
    "REJECTED": CallChangeKind.REJECTED,
    "CANCELLED": CallChangeKind.CANCELLED,
}
_PARTICIPANT: Final[Mapping[ParticipantStatus, CallChangeKind]] = {
    "JOINED": CallChangeKind.JOINED,
    "LEFT": CallChangeKind.LEFT,
    "REJECTED": CallChangeKind.REJECTED,
}
_PARTICIPANT_EVENTS: Final = (
    call_events.CallConnected,
    call_events.ParticipantJoined,
    call_events.ParticipantLeft,
    call_events.CallRejected,
)
_EVENT_IDS_KEPT: Final = 1_000
_CALLS_KEPT: Final = 200


class CallTracker:
    """The calls of the user `me` on the device `device_id`; the 200 newest are kept."""

    def __init__(self, me: str, device_id: str) -> None:
        self.me = me
        self.device_id = device_id
        self._calls: OrderedDict[str, CallState] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def __getitem__(self, session_id: str) -> CallState:
        """Return the state of a call.

        Raises:
            UnknownCallError: no such call is tracked.
        """
        try:
            return self._calls[session_id]
        except KeyError:
            raise UnknownCallError(session_id) from None

    def live(self) -> list[CallState]:
        """Return the ringing and active calls, the newest last."""
        return [call for call in self._calls.values() if call.is_live]

    # Responses of the API

    def take_view(self, view: CallView, now: float) -> list[CallChanged]:
        """Take a call from a response of the API."""
        known = self._calls.get(view.sessionId)
        if known is not None and view.version < known.version:
            return []
        call = known or self._track(view.sessionId)
        was_live, was_ringing, before = call.is_live and known is not None, call.is_ringing, dict(call.statuses)
        _copy(view, call)
        mine = next((each for each in view.participants if each.userId == self.me), None)
        ringing = mine is not None and mine.status == "RINGING" and call.is_live and now < call.rings_until
        call.is_ringing = ringing
        if not call.is_live:
            call.on_this_device = False
            return [self._ended(call)] if was_live else []
        elsewhere = mine is not None and mine.status == "JOINED" and mine.deviceId not in (None, self.device_id)
        out = [CallChanged(call, CallChangeKind.INCOMING)] if ringing and not was_ringing else []
        if was_ringing and elsewhere:
            out.append(CallChanged(call, CallChangeKind.ANSWERED_ELSEWHERE))
        elif known is not None and call.on_this_device:
            out += self._participant_changes(call, before)
        return out

    def take_initiated(self, view: CallView, now: float) -> list[CallChanged]:
        """Take the response to a call that this device initiated."""
        out = self.take_view(view, now)
        self._calls[view.sessionId].on_this_device = self._calls[view.sessionId].is_live
        return out

    def take_accepted(
        self, view: CallView, meeting: MeetingDocument, attendee: Attendee, now: float
    ) -> list[CallChanged]:
        """Take the response to an accept of this device, with the meeting and the attendee to join it with."""
        out = self.take_view(view, now)
        call = self._calls[view.sessionId]
        return out + (self._joined(call, meeting, attendee) if call.is_live else [])

    def forget(self, session_id: str) -> None:
        """Stop tracking a call: the API does not show it to this user."""
        self._calls.pop(session_id, None)

    # Time

    def next_expiry(self) -> float | None:
        """Return the next time at which `expire` changes something, or None while nothing rings."""
        times = [call.rings_until + RING_GRACE_SECONDS for call in self._calls.values() if call.is_ringing]
        return min(times, default=None)

    def expire(self, now: float) -> list[CallChanged]:
        """Stop ringing for calls whose ringing ended without an event."""
        over = [
            call for call in self._calls.values() if call.is_ringing and call.rings_until + RING_GRACE_SECONDS <= now
        ]
        for call in over:
            call.is_ringing = False
        return [CallChanged(call, CallChangeKind.MISSED, self.me) for call in over]

    # Events

    def apply(self, event: call_events.CallEvent, now: float) -> list[CallChanged]:
        """Take one event of the user's channel.

        Args:
            event: one of `contract.calls.events`.
            now: the present, in seconds since the epoch.

        Returns:
            What changed for the user; nothing for a duplicate or outdated event.
        """
        if event.eventId in self._seen:
            return []
        self._seen[event.eventId] = None
        if len(self._seen) > _EVENT_IDS_KEPT:
            self._seen.popitem(last=False)
        data = event.data
        known = self._calls.get(data.sessionId)
        if known is not None and data.version < known.version:
            return self._late(event, known, now)
        call = known or self._track(data.sessionId)
        call.version, call.status = data.version, data.status
        out = self._on(event, call, now)
        if not call.is_live:
            call.is_ringing = call.on_this_device = False
        return out

    def _late(self, event: call_events.CallEvent, call: CallState, now: float) -> list[CallChanged]:
        """Take from an outdated event what no later event or view named."""
        if isinstance(event, call_events.IncomingCall) and not call.caller_id:
            self._describe(event, call)
        elif isinstance(event, call_events.CallRinging) and not call.caller_id:
            self._describe_own(event, call)
        elif isinstance(event, _PARTICIPANT_EVENTS) and call.is_live:
            return self._on(event, call, now)
        return []

    @singledispatchmethod
    def _on(self, event: Any, call: CallState, now: float) -> list[CallChanged]:
        raise TypeError(f"no handler for {type(event).__name__}")

    @_on.register
    def _(self, event: call_events.IncomingCall, call: CallState, now: float) -> list[CallChanged]:
        self._describe(event, call)
        already = call.is_ringing or call.on_this_device
        call.is_ringing = not call.on_this_device and now < call.rings_until
        return [CallChanged(call, CallChangeKind.INCOMING)] if call.is_ringing and not already else []

    @_on.register
    def _(self, event: call_events.CallRinging, call: CallState, now: float) -> list[CallChanged]:
        self._describe_own(event, call)
        return [CallChanged(call, CallChangeKind.RINGING)]

    @_on.register
    def _(self, event: call_events.CallConnected, call: CallState, now: float) -> list[CallChanged]:
        data = event.data
        call.call_type, call.media_type = data.callType, data.mediaType
        known_at = call.changed_at.get(self.me, 0)
        if known_at >= data.version and call.statuses.get(self.me) != "JOINED":
            return []  # the user has left since
        for user_id in call.statuses if call.call_type == "DIRECT" else ():
            if call.changed_at.get(user_id, 0) < data.version:
                call.statuses[user_id] = "JOINED"
        call.statuses[self.me], call.changed_at[self.me] = "JOINED", max(known_at, data.version)
        attendee = data.attendees.get(self.me)
        if attendee is not None and (
            data.deviceId == self.device_id or (data.deviceId is None and call.on_this_device)
        ):
            return self._joined(call, data.meeting, attendee)
        rang, call.is_ringing = call.is_ringing, False
        return [CallChanged(call, CallChangeKind.ANSWERED_ELSEWHERE)] if rang else []

    @_on.register
    def _(self, event: call_events.ParticipantJoined, call: CallState, now: float) -> list[CallChanged]:
        return self._participant(call, event.data.userId, "JOINED", event.data.version)

    @_on.register
    def _(self, event: call_events.ParticipantLeft, call: CallState, now: float) -> list[CallChanged]:
        return self._left(event, call)

    @_on.register
    def _(self, event: call_events.CallRejected, call: CallState, now: float) -> list[CallChanged]:
        if event.data.rejectedBy == self.me:
            call.is_ringing = False
        return self._participant(call, event.data.rejectedBy, "REJECTED", event.data.version)

    @_on.register
    def _(self, event: call_events.CallCancelled, call: CallState, now: float) -> list[CallChanged]:
        return [CallChanged(call, CallChangeKind.CANCELLED, event.data.cancelledBy)]

    @_on.register
    def _(self, event: call_events.CallMissed, call: CallState, now: float) -> list[CallChanged]:
        call.is_ringing = False
        return [CallChanged(call, CallChangeKind.MISSED)]

    @_on.register
    def _(self, event: call_events.CallEnded, call: CallState, now: float) -> list[CallChanged]:
        call.duration = event.data.duration
        return [CallChanged(call, CallChangeKind.ENDED, event.data.endedBy)]

    @_on.register
    def _(self, event: call_events.CallError, call: CallState, now: float) -> list[CallChanged]:
        return [CallChanged(call, CallChangeKind.FAILED, problem=event.data.error.message)]

    # What changed

    def _describe(self, event: call_events.IncomingCall, call: CallState) -> None:
        data = event.data
        call.call_type, call.media_type = data.callType, data.mediaType
        call.caller_id, call.owner_id = data.callerId, call.owner_id or data.callerId
        call.names[data.callerId] = data.callerName
        call.rings_until = _seconds(data.ringsUntil)
        call.statuses = _called(data.participantIds, data.callerId, call) | call.statuses

    def _describe_own(self, event: call_events.CallRinging, call: CallState) -> None:
        call.caller_id, call.owner_id = self.me, call.owner_id or self.me
        call.rings_until = _seconds(event.data.ringsUntil)
        call.statuses = _called(event.data.recipientIds, self.me, call) | call.statuses

    def _participant(self, call: CallState, user_id: str, status: ParticipantStatus, version: int) -> list[CallChanged]:
        """Take a participant's status, unless a later one is known."""
        if call.changed_at.get(user_id, 0) >= version:
            return []
        call.statuses[user_id], call.changed_at[user_id] = status, version
        return [CallChanged(call, _PARTICIPANT[status], user_id)]

    def _left(self, event: call_events.ParticipantLeft, call: CallState) -> list[CallChanged]:
        data = event.data
        out = self._participant(call, data.userId, "LEFT", data.version)
        if data.newOwnerId is not None and call.changed_at.get("owner", 0) < data.version:
            call.owner_id, call.changed_at["owner"] = data.newOwnerId, data.version
            if data.newOwnerId == self.me:
                out.append(CallChanged(call, CallChangeKind.OWNERSHIP_RECEIVED))
        return out

    def _track(self, session_id: str) -> CallState:
        call = self._calls[session_id] = CallState(session_id)
        if len(self._calls) > _CALLS_KEPT:
            self._calls.popitem(last=False)
        return call

    def _joined(self, call: CallState, meeting: MeetingDocument, attendee: Attendee) -> list[CallChanged]:
        """Record that this device is in the call; event and response both report it, and it is published once."""
        again = call.attendee is not None
        call.on_this_device, call.is_ringing, call.meeting, call.attendee = True, False, meeting, attendee
        return [] if again else [CallChanged(call, CallChangeKind.CONNECTED)]

    def _ended(self, call: CallState) -> CallChanged:
        return CallChanged(call, _ENDED[call.status])

    def _participant_changes(self, call: CallState, before: Mapping[str, ParticipantStatus]) -> Iterable[CallChanged]:
        for user_id, status in call.statuses.items():
            if user_id != self.me and before.get(user_id) != status and status in ("JOINED", "LEFT"):
                yield CallChanged(call, CallChangeKind.JOINED if status == "JOINED" else CallChangeKind.LEFT, user_id)


def _called(user_ids: Iterable[str], caller_id: str, call: CallState) -> dict[str, ParticipantStatus]:
    """Return the statuses at the start of a call; a direct call that was answered has both users in it."""
    answered = call.status == "ACTIVE" and call.call_type == "DIRECT"
    statuses: dict[str, ParticipantStatus] = dict.fromkeys(user_ids, "JOINED" if answered else "RINGING")
    statuses[caller_id] = "JOINED"
    return statuses


def _copy(view: CallView, call: CallState) -> None:
    call.version, call.status = view.version, view.status
    call.call_type, call.media_type = view.callType, view.mediaType
    call.caller_id, call.owner_id = view.initiatedBy, view.ownerId
    call.rings_until, call.duration = _seconds(view.ringsUntil), view.duration
    call.names |= {each.userId: each.name for each in view.participants}
    call.statuses = {each.userId: each.status for each in view.participants}
    call.changed_at = dict.fromkeys((*call.statuses, "owner"), view.version)


def _seconds(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()
