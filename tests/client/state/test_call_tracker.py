"""The tracked calls are right in every order of events: which ring, which this device is in, how each ended."""

from __future__ import annotations

import itertools

import pytest

from client.state.call_tracker import RING_GRACE_SECONDS, CallTracker
from client.state.updates import CallChanged, CallChangeKind
from contract.calls import events as call_events
from contract.calls.models import Attendee
from tests.harness.client.calls import (
    ME,
    MEETING,
    NOW,
    OTHER,
    RINGS_UNTIL,
    SESSION,
    THIRD,
    connected,
    event,
    incoming,
    view,
)

DEVICE, OTHER_DEVICE = "this device", "other device"


@pytest.fixture
def tracker() -> CallTracker:
    """Tracks the calls of this device."""
    return CallTracker(ME, DEVICE)


def kinds(changes: list[CallChanged]) -> list[CallChangeKind]:
    """Return the kinds of changes."""
    return [change.kind for change in changes]


def test_a_call_rings_once_and_is_answered_on_this_device(tracker: CallTracker) -> None:
    assert kinds(tracker.apply(incoming(), NOW)) == [CallChangeKind.INCOMING]
    assert tracker.take_view(view(1, "RINGING"), NOW) == []
    attendee = Attendee(AttendeeId="a", ExternalUserId=ME, JoinToken="secret")
    accepted = view(3, "ACTIVE", device=DEVICE, other="JOINED", me="JOINED")
    assert kinds(tracker.take_accepted(accepted, MEETING, attendee, NOW)) == [CallChangeKind.CONNECTED]
    assert tracker.apply(connected(DEVICE), NOW) == []
    call = tracker[SESSION]
    assert (call.on_this_device, call.is_ringing, call.attendee, call.meeting) == (True, False, attendee, MEETING)


def test_an_answer_on_another_device_stops_the_ringing_and_this_device_does_not_join(tracker: CallTracker) -> None:
    tracker.apply(incoming(), NOW)
    assert kinds(tracker.apply(connected(OTHER_DEVICE), NOW)) == [CallChangeKind.ANSWERED_ELSEWHERE]
    assert (tracker[SESSION].on_this_device, tracker[SESSION].is_ringing, tracker[SESSION].attendee) == (
        False,
        False,
        None,
    )


def test_the_call_in_a_conflict_shows_that_another_device_answered(tracker: CallTracker) -> None:
    tracker.apply(incoming(), NOW)
    changes = tracker.take_view(view(3, "ACTIVE", device=OTHER_DEVICE, other="JOINED", me="JOINED"), NOW)
    assert kinds(changes) == [CallChangeKind.ANSWERED_ELSEWHERE]


def test_only_the_device_that_initiated_the_call_joins_when_it_is_answered() -> None:
    for device, expected in ((DEVICE, True), ("another device of the caller", False)):
        tracker = CallTracker(ME, device)
        assert kinds(
            tracker.apply(event("CALL_RINGING", recipientId=OTHER, recipientIds=[OTHER], ringsUntil=RINGS_UNTIL), NOW)
        )
        tracker.apply(connected(DEVICE), NOW)
        assert tracker[SESSION].on_this_device is expected


def test_an_incoming_call_event_after_the_ringing_time_does_not_ring(tracker: CallTracker) -> None:
    assert tracker.apply(incoming(), NOW + 45) == []
    assert tracker[SESSION].is_ringing is False


def test_ringing_ends_after_its_time_without_an_event(tracker: CallTracker) -> None:
    tracker.apply(incoming(), NOW)
    due = tracker.next_expiry()
    assert due == NOW + 45 + RING_GRACE_SECONDS
    assert tracker.expire(due - 1) == []
    assert kinds(tracker.expire(due)) == [CallChangeKind.MISSED]
    assert tracker.next_expiry() is None


ENDS = [
    (event("CALL_CANCELLED", 2, "CANCELLED", cancelledBy=OTHER), CallChangeKind.CANCELLED),
    (event("CALL_MISSED", 2, "MISSED"), CallChangeKind.MISSED),
    (event("CALL_REJECTED", 2, "REJECTED", rejectedBy=ME), CallChangeKind.REJECTED),
    (event("CALL_ENDED", 2, "ENDED", endedBy=OTHER, reason="ENDED", duration=5), CallChangeKind.ENDED),
]


@pytest.mark.parametrize(("end", "expected"), ENDS, ids=lambda each: getattr(each, "value", ""))
def test_every_end_stops_the_ringing_and_later_events_change_nothing(
    tracker: CallTracker, end: call_events.CallEvent, expected: CallChangeKind
) -> None:
    tracker.apply(incoming(), NOW)
    assert kinds(tracker.apply(end, NOW)) == [expected]
    assert tracker.apply(end, NOW) == []
    assert (tracker[SESSION].is_ringing, tracker[SESSION].on_this_device, tracker.live()) == (False, False, [])
    assert tracker.apply(incoming(), NOW) == []
    assert tracker[SESSION].is_ringing is False


def test_an_end_that_overtakes_the_incoming_call_prevents_ringing(tracker: CallTracker) -> None:
    tracker.apply(event("CALL_CANCELLED", 2, "CANCELLED", cancelledBy=OTHER), NOW)
    assert tracker.apply(incoming(), NOW) == []
    assert tracker.live() == []


def test_views_read_after_a_reconnect_report_ringing_and_ended_calls_once(tracker: CallTracker) -> None:
    assert kinds(tracker.take_view(view(1, "RINGING"), NOW)) == [CallChangeKind.INCOMING]
    assert kinds(tracker.take_view(view(4, "ENDED", other="LEFT", me="LEFT"), NOW)) == [CallChangeKind.ENDED]
    assert tracker.take_view(view(4, "ENDED", other="LEFT", me="LEFT"), NOW) == []
    assert tracker.take_view(view(1, "RINGING"), NOW) == []


def test_a_participant_of_a_group_call_sees_others_join_and_leave(tracker: CallTracker) -> None:
    tracker.take_initiated(view(1, "RINGING", caller=ME, me="JOINED", other="RINGING", third="RINGING"), NOW)
    tracker.apply(connected(DEVICE), NOW)
    joined = tracker.apply(event("PARTICIPANT_JOINED", 4, "ACTIVE", userId=THIRD), NOW)
    assert [(each.kind, each.user_id) for each in joined] == [(CallChangeKind.JOINED, THIRD)]
    after = tracker.take_view(
        view(6, "ACTIVE", caller=ME, device=DEVICE, me="JOINED", other="LEFT", third="JOINED"), NOW
    )
    assert [(each.kind, each.user_id) for each in after] == [(CallChangeKind.LEFT, OTHER)]
    left = tracker.apply(event("PARTICIPANT_LEFT", 7, "ACTIVE", userId=THIRD, newOwnerId=None), NOW)
    assert kinds(left) == [CallChangeKind.LEFT]
    assert tracker[SESSION].owner_id == ME


def test_the_new_owner_of_a_call_is_reported(tracker: CallTracker) -> None:
    tracker.take_view(view(3, "ACTIVE", device=DEVICE, other="JOINED", me="JOINED", third="JOINED"), NOW)
    changes = tracker.apply(event("PARTICIPANT_LEFT", 4, "ACTIVE", userId=OTHER, newOwnerId=ME), NOW)
    assert kinds(changes) == [CallChangeKind.LEFT, CallChangeKind.OWNERSHIP_RECEIVED]
    assert tracker[SESSION].owner_id == ME


def test_a_failed_connection_is_reported_and_the_call_keeps_ringing(tracker: CallTracker) -> None:
    tracker.apply(incoming(), NOW)
    error = {"code": "UNAVAILABLE", "message": "the meeting cannot be created now"}
    changes = tracker.apply(event("CALL_ERROR", 2, "RINGING", error=error), NOW)
    assert [(each.kind, each.problem) for each in changes] == [(CallChangeKind.FAILED, error["message"])]
    assert tracker[SESSION].is_ringing is True


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_greatest_version_wins_in_every_order_of_events(order: tuple[int, ...]) -> None:
    in_order = [incoming(), connected(OTHER_DEVICE, 2), ENDS[3][0]]
    in_order[2] = event("CALL_ENDED", 3, "ENDED", endedBy=OTHER, reason="ENDED", duration=5)
    tracker = CallTracker(ME, DEVICE)
    for position in order:
        tracker.apply(in_order[position], NOW)
    assert (tracker[SESSION].status, tracker[SESSION].version, tracker[SESSION].is_ringing) == ("ENDED", 3, False)
