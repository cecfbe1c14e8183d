"""Applies the steps of `contract/vectors/calls.json` to the Python client's calls, and reads the state of the call."""

from __future__ import annotations

from typing import Any, Final

from client.api.server_clock import ServerClock
from client.state.call_tracker import CallTracker
from client.state.updates import CallChanged
from tests.harness.client.calls import ME, MEETING, NOW, OTHER, RINGS_UNTIL, SESSION, event, view

DEVICE: Final = "this"
Step = dict[str, Any]
_DEFAULTS: Final[dict[str, Step]] = {
    "INCOMING_CALL": {
        "callerId": OTHER,
        "callerName": "Grace Hopper",
        "callType": "DIRECT",
        "mediaType": "AUDIO",
        "conversationId": None,
        "participantIds": [ME],
        "ringsUntil": RINGS_UNTIL,
    },
    "CALL_RINGING": {"recipientId": OTHER, "recipientIds": [OTHER], "ringsUntil": RINGS_UNTIL},
    "CALL_CONNECTED": {
        "callType": "DIRECT",
        "mediaType": "AUDIO",
        "conversationId": None,
        "meeting": MEETING,
        "attendees": {ME: {"AttendeeId": "a", "ExternalUserId": ME, "JoinToken": "secret"}},
    },
    "CALL_ENDED": {"reason": "ENDED"},
}


class CallsUnderTest:
    """The tracked calls of one device, with a clock of the service and one of the device.

    Attributes:
        changes: what the application received.
    """

    def __init__(self) -> None:
        self.tracker = CallTracker(ME, DEVICE)
        self.changes: list[CallChanged] = []
        self._steady = 0.0
        self._device = NOW
        self._clock = ServerClock(steady=lambda: self._steady, device=lambda: self._device + self._steady)

    def apply(self, step: Step) -> None:
        """Apply one step."""
        if "deviceSeconds" in step:
            self._device += step["deviceSeconds"]
        elif "serverSeconds" in step:
            self._steady += step["serverSeconds"]
            self.changes += self.tracker.expire(self._now())
        elif "view" in step:
            fields = dict(step["view"])
            statuses, device = fields.pop("statuses", {}), fields.pop("deviceId", None)
            read = view(fields["version"], fields["status"], device=device, **statuses)
            self.changes += self.tracker.take_view(read, self._now())
        else:
            fields = {name: value for name, value in step.items() if name not in ("event", "version", "status")}
            data = _DEFAULTS.get(step["event"], {}) | fields
            arrived = event(step["event"], step["version"], step.get("status", "RINGING"), **data)
            self.changes += self.tracker.apply(arrived, self._now())

    def shown(self) -> Step:
        """Return the state of the call in the form of the vectors."""
        call = self.tracker[SESSION]
        return {
            "version": call.version,
            "status": call.status,
            "ringing": call.is_ringing,
            "here": call.on_this_device,
            "caller": call.caller_id,
            "owner": call.owner_id,
            "statuses": call.statuses,
        }

    def _now(self) -> float:
        """Return the service's time as the client knows it: each delivery names it."""
        self._clock.take(NOW + self._steady)
        return self._clock.now()
