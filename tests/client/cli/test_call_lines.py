"""The lines that the terminal shows about calls."""

from __future__ import annotations

from client.cli.call_lines import change_line, duration, history_line, participant_lines
from client.state.call_tracker import CallTracker
from tests.harness.client.calls import ME, NOW, OTHER, connected, event, incoming, view

DEVICE, OTHER_DEVICE = "this device", "other device"
LINES = [
    (incoming(), "Grace Hopper is calling (audio). /accept or /reject."),
    (connected(OTHER_DEVICE), "Answered on another device."),
    (event("CALL_CANCELLED", 4, "CANCELLED", cancelledBy=OTHER), "Grace Hopper cancelled the call."),
    (event("CALL_MISSED", 5, "MISSED"), "Missed a call from Grace Hopper."),
    (event("CALL_ENDED", 6, "ENDED", endedBy=OTHER, reason="ENDED", duration=3725), "The call is over (1:02:05)."),
]


def test_each_change_of_a_call_is_one_line() -> None:
    tracker = CallTracker(ME, DEVICE)

    def name(user_id: str) -> str:
        return "you" if user_id == ME else user_id[:8]

    for change_event, line in LINES:
        (change,) = tracker.apply(change_event, NOW)
        assert change_line(change, ME, name) == line


def test_a_participant_and_a_past_call_are_one_line_each() -> None:
    shown = view(3, "ACTIVE", other="JOINED", me="JOINED", third="MISSED")
    assert participant_lines(shown, ME) == [
        "Grace Hopper (owner): in the call",
        "you: in the call",
        "Alan Turing: did not answer",
    ]
    assert history_line(view(9, "ENDED", other="LEFT", me="LEFT"), ME).endswith("← Grace Hopper (audio): 1:05")
    assert history_line(view(9, "MISSED", caller=ME, me="LEFT", other="MISSED"), ME).endswith(
        "→ Grace Hopper (audio): missed"
    )
    assert duration(None) == "0:00"
