"""The events of a call's transition, as records for the write of the transition itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from contract import channels, limits
from contract.calls import events
from contract.calls.models import Attendee
from handlers.core.calls.commands import Notification, Transition
from handlers.core.calls.state import CallState
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.ports import Ids
from handlers.core.shared.timestamps import to_iso

Wave = tuple[OutboxRecord, ...]
"""Records that may go out side by side; one wave goes out after the other."""
FAILED: Final = "the call cannot be connected just now; it rings on, and may be answered again"


def waves(move: Transition, ids: Ids, now: int, credentials: Mapping[str, Attendee]) -> tuple[Wave, ...]:
    """Return the records of a move's notices, in the order in which they go out.

    Args:
        now: milliseconds since the epoch.
        credentials: by user id, for those who are told CALL_CONNECTED.
    """
    return tuple(tuple(_records(notice, move, ids, now, credentials)) for notice in move.notices if notice.to)


def _records(
    notice: Notification, move: Transition, ids: Ids, now: int, credentials: Mapping[str, Attendee]
) -> Iterator[OutboxRecord]:
    call = move.after
    timestamp = to_iso(now)
    if notice.event == "CALL_CONNECTED":
        for user_id in notice.to:
            data = _connected(call, user_id, credentials[user_id])
            yield _record(events.CallConnected(eventId=ids.new(), timestamp=timestamp, data=data), (user_id,), now)
        return
    event = _EVENTS[notice.event](ids.new(), timestamp, call, notice)
    until = call.rings_until if notice.event == "INCOMING_CALL" else None
    yield _record(event, notice.to, now, valid_until=until)
    if notice.mirrored:
        yield _record(event, (call.session_id,), now, namespace=channels.CALLS, copy=True)


def _record(
    event: events.CallEvent,
    recipients: tuple[str, ...],
    now: int,
    *,
    namespace: channels.Namespace = channels.USERS,
    valid_until: int | None = None,
    copy: bool = False,
) -> OutboxRecord:
    """Return the record of an event; a call has so few participants that the request itself tells all of them."""
    return outbox_record(
        namespace,
        event,
        recipients,
        now=now,
        fanout_limit=limits.CALL_PARTICIPANTS_MAX,
        valid_until=valid_until,
        copy=copy,
    )


def _about(call: CallState) -> dict[str, Any]:
    """Return what every event says of its call."""
    return {"sessionId": call.session_id, "version": call.version, "status": call.status}


def _incoming(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.IncomingCall:
    data = events.IncomingCallData(
        **_about(call),
        callerId=call.initiated_by,
        callerName=call.participants[call.initiated_by].name,
        callType=call.call_type,
        mediaType=call.media_type,
        conversationId=call.conversation_id,
        participantIds=sorted(call.participants),
        ringsUntil=to_iso(call.rings_until),
    )
    return events.IncomingCall(eventId=event_id, timestamp=timestamp, data=data)


def _ringing(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallRinging:
    called = call.having("RINGING")
    data = events.CallRingingData(
        **_about(call),
        recipientId=called[0] if call.call_type == "DIRECT" else None,
        recipientIds=list(called),
        ringsUntil=to_iso(call.rings_until),
    )
    return events.CallRinging(eventId=event_id, timestamp=timestamp, data=data)


def _connected(call: CallState, user_id: str, attendee: Attendee) -> events.CallConnectedData:
    return events.CallConnectedData(
        **_about(call),
        callType=call.call_type,
        mediaType=call.media_type,
        conversationId=call.conversation_id,
        meeting=meeting_document(call),
        attendees={user_id: attendee},
        deviceId=call.participants[user_id].device_id,
    )


def meeting_document(call: CallState) -> dict[str, Any]:
    """Return Chime's meeting object of a call that has a meeting."""
    return msgspec.json.decode(call.meeting or "", type=dict[str, Any])


def _joined(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.ParticipantJoined:
    data = events.ParticipantJoinedData(**_about(call), userId=notice.who or "")
    return events.ParticipantJoined(eventId=event_id, timestamp=timestamp, data=data)


def _left(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.ParticipantLeft:
    data = events.ParticipantLeftData(**_about(call), userId=notice.who or "", newOwnerId=notice.new_owner)
    return events.ParticipantLeft(eventId=event_id, timestamp=timestamp, data=data)


def _rejected(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallRejected:
    data = events.CallRejectedData(**_about(call), rejectedBy=notice.who or "")
    return events.CallRejected(eventId=event_id, timestamp=timestamp, data=data)


def _cancelled(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallCancelled:
    data = events.CallCancelledData(**_about(call), cancelledBy=notice.who or "")
    return events.CallCancelled(eventId=event_id, timestamp=timestamp, data=data)


def _missed(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallMissed:
    return events.CallMissed(eventId=event_id, timestamp=timestamp, data=events.CallData(**_about(call)))


def _ended(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallEnded:
    reason = call.end_reason or "ENDED"
    data = events.CallEndedData(**_about(call), endedBy=notice.who, reason=reason, duration=call.duration or 0)
    return events.CallEnded(eventId=event_id, timestamp=timestamp, data=data)


def _error(event_id: str, timestamp: str, call: CallState, notice: Notification) -> events.CallError:
    detail = events.CallErrorDetail(code="UNAVAILABLE", message=FAILED)
    data = events.CallErrorData(**_about(call), error=detail)
    return events.CallError(eventId=event_id, timestamp=timestamp, data=data)


_EVENTS: Final[Mapping[str, Callable[[str, str, CallState, Notification], events.CallEvent]]] = {
    "INCOMING_CALL": _incoming,
    "CALL_RINGING": _ringing,
    "PARTICIPANT_JOINED": _joined,
    "PARTICIPANT_LEFT": _left,
    "CALL_REJECTED": _rejected,
    "CALL_CANCELLED": _cancelled,
    "CALL_MISSED": _missed,
    "CALL_ENDED": _ended,
    "CALL_ERROR": _error,
}
