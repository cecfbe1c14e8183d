"""The events of a transition, as outbox records for the write of the transition itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from contract import channels, limits
from contract.calls import events
from contract.calls.models import Attendee
from handlers.core.calls.commands import EventType, Notification, Transition
from handlers.core.calls.state import CallState
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.ports import Ids
from handlers.core.shared.timestamps import to_iso

FAILED: Final = "the call could not be connected; it keeps ringing, and may be answered again"


class EventBatch(msgspec.Struct, frozen=True):
    """The outbox records of one notification: they are published concurrently, and before those of the next batch."""

    event: EventType
    records: tuple[OutboxRecord, ...]


def event_batches(transition: Transition, ids: Ids, now: int) -> tuple[EventBatch, ...]:
    """Return the records of a transition's notifications, in the order in which they are published.

    Args:
        now: milliseconds since the epoch.
    """
    return tuple(
        EventBatch(notification.event, tuple(_records(notification, transition.after, ids, now)))
        for notification in transition.notifications
        if notification.recipients
    )


def _records(notification: Notification, call: CallState, ids: Ids, now: int) -> Iterator[OutboxRecord]:
    timestamp = to_iso(now)
    if notification.event == "CALL_CONNECTED":
        for user_id in notification.recipients:
            data = _connected(call, user_id, notification.credentials[user_id])
            yield _record(events.CallConnected(eventId=ids.new(), timestamp=timestamp, data=data), (user_id,), now)
        return
    event = _EVENTS[notification.event](ids.new(), timestamp, call, notification)
    until = call.rings_until if notification.event == "INCOMING_CALL" else None
    yield _record(event, notification.recipients, now, valid_until=until)
    if notification.mirrored:
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
    """Return the record of an event; a call has so few participants that the request publishes to all of them."""
    return outbox_record(
        namespace,
        event,
        recipients,
        now=now,
        fanout_limit=limits.CALL_PARTICIPANTS_MAX,
        valid_until=valid_until,
        copy=copy,
    )


def _call_data(call: CallState) -> dict[str, Any]:
    """Return the fields that every event has of its call."""
    return {"sessionId": call.session_id, "version": call.version, "status": call.status}


def _incoming(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.IncomingCall:
    data = events.IncomingCallData(
        **_call_data(call),
        callerId=call.initiated_by,
        callerName=call.participants[call.initiated_by].name,
        callType=call.call_type,
        mediaType=call.media_type,
        conversationId=call.conversation_id,
        participantIds=sorted(call.participants),
        ringsUntil=to_iso(call.rings_until),
    )
    return events.IncomingCall(eventId=event_id, timestamp=timestamp, data=data)


def _ringing(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallRinging:
    called = call.with_status("RINGING")
    data = events.CallRingingData(
        **_call_data(call),
        recipientId=called[0] if call.call_type == "DIRECT" else None,
        recipientIds=list(called),
        ringsUntil=to_iso(call.rings_until),
    )
    return events.CallRinging(eventId=event_id, timestamp=timestamp, data=data)


def _connected(call: CallState, user_id: str, attendee: Attendee) -> events.CallConnectedData:
    return events.CallConnectedData(
        **_call_data(call),
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


def _joined(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.ParticipantJoined:
    data = events.ParticipantJoinedData(**_call_data(call), userId=notification.user_id or "")
    return events.ParticipantJoined(eventId=event_id, timestamp=timestamp, data=data)


def _left(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.ParticipantLeft:
    data = events.ParticipantLeftData(
        **_call_data(call), userId=notification.user_id or "", newOwnerId=notification.new_owner
    )
    return events.ParticipantLeft(eventId=event_id, timestamp=timestamp, data=data)


def _rejected(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallRejected:
    data = events.CallRejectedData(**_call_data(call), rejectedBy=notification.user_id or "")
    return events.CallRejected(eventId=event_id, timestamp=timestamp, data=data)


def _cancelled(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallCancelled:
    data = events.CallCancelledData(**_call_data(call), cancelledBy=notification.user_id or "")
    return events.CallCancelled(eventId=event_id, timestamp=timestamp, data=data)


def _missed(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallMissed:
    return events.CallMissed(eventId=event_id, timestamp=timestamp, data=events.CallData(**_call_data(call)))


def _ended(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallEnded:
    data = events.CallEndedData(
        **_call_data(call),
        endedBy=notification.user_id,
        reason=call.end_reason or "ENDED",
        duration=call.duration or 0,
    )
    return events.CallEnded(eventId=event_id, timestamp=timestamp, data=data)


def _error(event_id: str, timestamp: str, call: CallState, notification: Notification) -> events.CallError:
    detail = events.CallErrorDetail(code="UNAVAILABLE", message=FAILED)
    data = events.CallErrorData(**_call_data(call), error=detail)
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
