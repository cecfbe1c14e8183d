"""The calls one user takes part in, as this device sees them: what rings, what it is in, and how each of them ended.

Events and answers go in, updates come out; no input, output or clock (times are passed in, in seconds). Of two things
said about a call, the one with the greater version is the newer; what is older than what was seen changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import singledispatchmethod
from typing import Any, Final

from client.state.call import Call
from client.state.updates import CallChanged, CallNews
from contract.calls import events as call_events
from contract.calls.models import Attendee, CallStatus, CallView, MeetingDocument, ParticipantStatus

RING_GRACE_SECONDS: Final = 5.0
"""How long after its ringing is over a call waits for the word that it was missed; then it falls silent by itself."""
_OVER: Final[Mapping[CallStatus, CallNews]] = {
    "ENDED": CallNews.ENDED,
    "MISSED": CallNews.MISSED,
    "REJECTED": CallNews.REJECTED,
    "CANCELLED": CallNews.CANCELLED,
}
_REMEMBERED_EVENTS: Final = 1_000
_REMEMBERED_CALLS: Final = 200


class CallBook:
    """The calls of the user `me` on the device `device_id`."""

    def __init__(self, me: str, device_id: str) -> None:
        self.me = me
        self.device_id = device_id
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def __getitem__(self, session_id: str) -> Call:
        return self._calls[session_id]

    def live(self) -> list[Call]:
        """Return the calls that ring or go on, the newest last."""
        return [call for call in self._calls.values() if call.is_live]

    # Answers of the API

    def listed(self, view: CallView, now: float) -> list[CallChanged]:
        """Take a call as the API shows it."""
        known = self._calls.get(view.sessionId)
        if known is not None and view.version < known.version:
            return []
        call = known or self._begin(view.sessionId)
        was_live, was_ringing, before = call.is_live and known is not None, call.rings, dict(call.statuses)
        _copy(view, call)
        mine = next((each for each in view.participants if each.userId == self.me), None)
        rings = mine is not None and mine.status == "RINGING" and call.is_live and now < call.rings_until
        call.rings = rings
        if not call.is_live:
            call.here = False
            return [self._over(call)] if was_live else []
        elsewhere = mine is not None and mine.status == "JOINED" and mine.deviceId not in (None, self.device_id)
        out = [CallChanged(call, CallNews.RINGS)] if rings and not was_ringing else []
        if was_ringing and elsewhere:
            out.append(CallChanged(call, CallNews.ELSEWHERE))
        elif known is not None and call.here:
            out += self._comings(call, before)
        return out

    def initiated(self, view: CallView, now: float) -> list[CallChanged]:
        """Take the answer to a call that this device has made."""
        out = self.listed(view, now)
        self._calls[view.sessionId].here = self._calls[view.sessionId].is_live
        return out

    def accepted(self, view: CallView, meeting: MeetingDocument, attendee: Attendee, now: float) -> list[CallChanged]:
        """Take the answer to an accept of this device, with what it needs to join."""
        out = self.listed(view, now)
        call = self._calls[view.sessionId]
        return out + (self._joined(call, meeting, attendee) if call.is_live else [])

    def gone(self, session_id: str) -> None:
        """Take notice that there is no such call for this user."""
        self._calls.pop(session_id, None)

    # Time

    def next_expiry(self) -> float | None:
        """Return when `expire` has something to do, or None while nothing rings."""
        times = [call.rings_until + RING_GRACE_SECONDS for call in self._calls.values() if call.rings]
        return min(times, default=None)

    def expire(self, now: float) -> list[CallChanged]:
        """Let fall silent what has rung long enough, although nobody said so."""
        over = [call for call in self._calls.values() if call.rings and call.rings_until + RING_GRACE_SECONDS <= now]
        for call in over:
            call.rings = False
        return [CallChanged(call, CallNews.MISSED, self.me) for call in over]

    # Events

    def apply(self, event: call_events.CallEvent, now: float) -> list[CallChanged]:
        """Take one event of the user's channel.

        Args:
            event: one of `contract.calls.events`.
            now: the present, in seconds since the epoch.

        Returns:
            What changed for the user; nothing for an event that came before, or that newer ones have overtaken.
        """
        if event.eventId in self._seen:
            return []
        self._seen[event.eventId] = None
        if len(self._seen) > _REMEMBERED_EVENTS:
            self._seen.popitem(last=False)
        data = event.data
        known = self._calls.get(data.sessionId)
        if known is not None and data.version < known.version:
            return []
        call = known or self._begin(data.sessionId)
        call.version, call.status = data.version, data.status
        out = self._on(event, call, now)
        if not call.is_live:
            call.rings = call.here = False
        return out

    @singledispatchmethod
    def _on(self, event: Any, call: Call, now: float) -> list[CallChanged]:
        raise TypeError(f"no rule for {type(event).__name__}")

    @_on.register
    def _(self, event: call_events.IncomingCall, call: Call, now: float) -> list[CallChanged]:
        data = event.data
        call.call_type, call.media_type = data.callType, data.mediaType
        call.caller_id = call.owner_id = data.callerId
        call.names[data.callerId] = data.callerName
        call.rings_until = _seconds(data.ringsUntil)
        call.statuses |= _called(data.participantIds, data.callerId)
        already = call.rings or call.here
        call.rings = not call.here and now < call.rings_until
        return [CallChanged(call, CallNews.RINGS)] if call.rings and not already else []

    @_on.register
    def _(self, event: call_events.CallRinging, call: Call, now: float) -> list[CallChanged]:
        call.caller_id = call.owner_id = self.me
        call.rings_until = _seconds(event.data.ringsUntil)
        call.statuses |= _called(event.data.recipientIds, self.me)
        return [CallChanged(call, CallNews.RINGING)]

    @_on.register
    def _(self, event: call_events.CallConnected, call: Call, now: float) -> list[CallChanged]:
        data = event.data
        call.call_type, call.media_type = data.callType, data.mediaType
        call.statuses[self.me] = "JOINED"
        if call.call_type == "DIRECT":
            call.statuses = dict.fromkeys(call.statuses, "JOINED")
        attendee = data.attendees.get(self.me)
        if attendee is not None and (data.deviceId == self.device_id or (data.deviceId is None and call.here)):
            return self._joined(call, data.meeting, attendee)
        rang, call.rings = call.rings, False
        return [CallChanged(call, CallNews.ELSEWHERE)] if rang else []

    @_on.register
    def _(self, event: call_events.ParticipantJoined, call: Call, now: float) -> list[CallChanged]:
        call.statuses[event.data.userId] = "JOINED"
        return [CallChanged(call, CallNews.JOINED, event.data.userId)]

    @_on.register
    def _(self, event: call_events.ParticipantLeft, call: Call, now: float) -> list[CallChanged]:
        call.statuses[event.data.userId] = "LEFT"
        call.owner_id = event.data.newOwnerId or call.owner_id
        left = CallChanged(call, CallNews.LEFT, event.data.userId)
        return [left, CallChanged(call, CallNews.OWNED)] if event.data.newOwnerId == self.me else [left]

    @_on.register
    def _(self, event: call_events.CallRejected, call: Call, now: float) -> list[CallChanged]:
        call.statuses[event.data.rejectedBy] = "REJECTED"
        if event.data.rejectedBy == self.me:
            call.rings = False
        return [CallChanged(call, CallNews.REJECTED, event.data.rejectedBy)]

    @_on.register
    def _(self, event: call_events.CallCancelled, call: Call, now: float) -> list[CallChanged]:
        return [CallChanged(call, CallNews.CANCELLED, event.data.cancelledBy)]

    @_on.register
    def _(self, event: call_events.CallMissed, call: Call, now: float) -> list[CallChanged]:
        call.rings = False
        return [CallChanged(call, CallNews.MISSED)]

    @_on.register
    def _(self, event: call_events.CallEnded, call: Call, now: float) -> list[CallChanged]:
        call.duration = event.data.duration
        return [CallChanged(call, CallNews.ENDED, event.data.endedBy)]

    @_on.register
    def _(self, event: call_events.CallError, call: Call, now: float) -> list[CallChanged]:
        return [CallChanged(call, CallNews.FAILED, problem=event.data.error.message)]

    # What changed

    def _begin(self, session_id: str) -> Call:
        call = self._calls[session_id] = Call(session_id)
        if len(self._calls) > _REMEMBERED_CALLS:
            self._calls.popitem(last=False)
        return call

    def _joined(self, call: Call, meeting: MeetingDocument, attendee: Attendee) -> list[CallChanged]:
        """Note that this device is in the call; event and answer both say so, and are told once."""
        again = call.attendee is not None
        call.here, call.rings, call.meeting, call.attendee = True, False, meeting, attendee
        return [] if again else [CallChanged(call, CallNews.CONNECTED)]

    def _over(self, call: Call) -> CallChanged:
        return CallChanged(call, _OVER[call.status])

    def _comings(self, call: Call, before: Mapping[str, ParticipantStatus]) -> Iterable[CallChanged]:
        for user_id, status in call.statuses.items():
            if user_id != self.me and before.get(user_id) != status and status in ("JOINED", "LEFT"):
                yield CallChanged(call, CallNews.JOINED if status == "JOINED" else CallNews.LEFT, user_id)


def _called(user_ids: Iterable[str], caller_id: str) -> dict[str, ParticipantStatus]:
    statuses: dict[str, ParticipantStatus] = dict.fromkeys(user_ids, "RINGING")
    statuses[caller_id] = "JOINED"
    return statuses


def _copy(view: CallView, call: Call) -> None:
    call.version, call.status = view.version, view.status
    call.call_type, call.media_type = view.callType, view.mediaType
    call.caller_id, call.owner_id = view.initiatedBy, view.ownerId
    call.rings_until, call.duration = _seconds(view.ringsUntil), view.duration
    call.names |= {each.userId: each.name for each in view.participants}
    call.statuses = {each.userId: each.status for each in view.participants}


def _seconds(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()
