"""The book of calls: what rings, what this device is in, and how it ended, whatever order the word comes in."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from client.cli.call_lines import change_line, duration, history_line, participant_lines
from client.state.call_book import RING_GRACE_SECONDS, CallBook
from client.state.inbox_entry import decode
from client.state.updates import CallChanged, CallNews
from contract.calls import events as call_events
from contract.calls.models import Attendee, CallView

ME, YOU, THIRD = "me", "you", "third"
DEVICE, OTHER_DEVICE = "here", "elsewhere"
SESSION = "s"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
RINGS_UNTIL = "2026-01-01T12:00:45.000Z"
MEETING = {"MeetingId": "m"}
NAMES = {ME: "Me Myself", YOU: "Grace Hopper", THIRD: "Alan Turing"}
_ids = itertools.count()


def event(kind: str, version: int = 1, status: str = "RINGING", **data: Any) -> call_events.CallEvent:
    """Return an event as it comes over the wire."""
    document = {
        "eventId": f"e{next(_ids)}",
        "type": kind,
        "timestamp": "t",
        "data": {"sessionId": SESSION, "version": version, "status": status, **data},
    }
    decoded = decode(document)
    assert isinstance(decoded, call_events.CallEvent)
    return decoded


def incoming(**changes: Any) -> call_events.CallEvent:
    """Return the event that lets a phone ring."""
    data = {
        "callerId": YOU,
        "callerName": NAMES[YOU],
        "callType": "DIRECT",
        "mediaType": "AUDIO",
        "conversationId": None,
        "participantIds": [ME],
        "ringsUntil": RINGS_UNTIL,
    }
    return event("INCOMING_CALL", **{**data, **changes})


def connected(device: str | None, version: int = 3) -> call_events.CallEvent:
    """Return the event that tells this user that a device is in the call."""
    attendee = {"AttendeeId": "a", "ExternalUserId": ME, "JoinToken": "secret"}
    return event(
        "CALL_CONNECTED",
        version,
        "ACTIVE",
        callType="DIRECT",
        mediaType="AUDIO",
        conversationId=None,
        meeting=MEETING,
        attendees={ME: attendee},
        deviceId=device,
    )


def view(version: int, status: str, *, caller: str = YOU, device: str | None = None, **statuses: str) -> CallView:
    """Return a call as the API shows it."""
    given = statuses or {caller: "JOINED", (YOU if caller == ME else ME): "RINGING"}
    document = {
        "sessionId": SESSION,
        "version": version,
        "status": status,
        "callType": "GROUP" if len(given) > 2 else "DIRECT",
        "mediaType": "AUDIO",
        "initiatedBy": caller,
        "ownerId": caller,
        "participants": [
            {"userId": user, "name": NAMES[user], "status": each, "deviceId": device if user == ME else None}
            for user, each in given.items()
        ],
        "createdAt": "2026-01-01T12:00:00.000Z",
        "ringsUntil": RINGS_UNTIL,
        "duration": 65 if status == "ENDED" else None,
    }
    return msgspec.convert(document, CallView)


@pytest.fixture
def book() -> CallBook:
    """The calls of this device."""
    return CallBook(ME, DEVICE)


def news(changes: list[CallChanged]) -> list[CallNews]:
    """Return what changes are about."""
    return [change.news for change in changes]


def test_a_call_rings_once_and_is_answered_on_this_device(book: CallBook) -> None:
    assert news(book.apply(incoming(), NOW)) == [CallNews.RINGS]
    assert book.listed(view(1, "RINGING"), NOW) == []
    attendee = Attendee(AttendeeId="a", ExternalUserId=ME, JoinToken="secret")
    answer = view(3, "ACTIVE", device=DEVICE, you="JOINED", me="JOINED")
    assert news(book.accepted(answer, MEETING, attendee, NOW)) == [CallNews.CONNECTED]
    assert book.apply(connected(DEVICE), NOW) == []
    call = book[SESSION]
    assert (call.here, call.rings, call.attendee, call.meeting) == (True, False, attendee, MEETING)


def test_another_device_that_answered_stops_the_ringing_and_this_one_does_not_join(book: CallBook) -> None:
    book.apply(incoming(), NOW)
    assert news(book.apply(connected(OTHER_DEVICE), NOW)) == [CallNews.ELSEWHERE]
    assert (book[SESSION].here, book[SESSION].rings, book[SESSION].attendee) == (False, False, None)


def test_a_conflict_says_that_another_device_answered(book: CallBook) -> None:
    book.apply(incoming(), NOW)
    changes = book.listed(view(3, "ACTIVE", device=OTHER_DEVICE, you="JOINED", me="JOINED"), NOW)
    assert news(changes) == [CallNews.ELSEWHERE]


def test_the_callers_device_joins_and_the_callers_other_device_does_not() -> None:
    for device, expected in ((DEVICE, True), ("the caller's other device", False)):
        book = CallBook(ME, device)
        assert news(book.apply(event("CALL_RINGING", recipientId=YOU, recipientIds=[YOU], ringsUntil=RINGS_UNTIL), NOW))
        book.apply(connected(DEVICE), NOW)
        assert book[SESSION].here is expected


def test_a_call_that_comes_too_late_does_not_ring(book: CallBook) -> None:
    assert book.apply(incoming(), NOW + 45) == []
    assert book[SESSION].rings is False


def test_ringing_ends_by_itself_where_nobody_says_so(book: CallBook) -> None:
    book.apply(incoming(), NOW)
    due = book.next_expiry()
    assert due == NOW + 45 + RING_GRACE_SECONDS
    assert book.expire(due - 1) == []
    assert news(book.expire(due)) == [CallNews.MISSED]
    assert book.next_expiry() is None


ENDS = [
    (event("CALL_CANCELLED", 2, "CANCELLED", cancelledBy=YOU), CallNews.CANCELLED),
    (event("CALL_MISSED", 2, "MISSED"), CallNews.MISSED),
    (event("CALL_REJECTED", 2, "REJECTED", rejectedBy=ME), CallNews.REJECTED),
    (event("CALL_ENDED", 2, "ENDED", endedBy=YOU, reason="ENDED", duration=5), CallNews.ENDED),
]


@pytest.mark.parametrize(("end", "expected"), ENDS, ids=lambda each: getattr(each, "value", ""))
def test_every_end_stops_the_ringing_and_what_comes_after_it_changes_nothing(
    book: CallBook, end: call_events.CallEvent, expected: CallNews
) -> None:
    book.apply(incoming(), NOW)
    assert news(book.apply(end, NOW)) == [expected]
    assert book.apply(end, NOW) == []
    assert (book[SESSION].rings, book[SESSION].here, book.live()) == (False, False, [])
    assert book.apply(incoming(), NOW) == []
    assert book[SESSION].rings is False


def test_an_end_that_overtakes_the_ringing_leaves_silence(book: CallBook) -> None:
    book.apply(event("CALL_CANCELLED", 2, "CANCELLED", cancelledBy=YOU), NOW)
    assert book.apply(incoming(), NOW) == []
    assert book.live() == []


def test_whoever_was_away_learns_of_what_rings_and_of_what_is_over(book: CallBook) -> None:
    assert news(book.listed(view(1, "RINGING"), NOW)) == [CallNews.RINGS]
    assert news(book.listed(view(4, "ENDED", you="LEFT", me="LEFT"), NOW)) == [CallNews.ENDED]
    assert book.listed(view(4, "ENDED", you="LEFT", me="LEFT"), NOW) == []
    assert book.listed(view(1, "RINGING"), NOW) == []


def test_comings_and_goings_of_a_group_are_told_to_whoever_is_in_it(book: CallBook) -> None:
    book.initiated(view(1, "RINGING", caller=ME, me="JOINED", you="RINGING", third="RINGING"), NOW)
    book.apply(connected(DEVICE), NOW)
    joined = book.apply(event("PARTICIPANT_JOINED", 4, "ACTIVE", userId=THIRD), NOW)
    assert [(each.news, each.user_id) for each in joined] == [(CallNews.JOINED, THIRD)]
    after = book.listed(view(6, "ACTIVE", caller=ME, device=DEVICE, me="JOINED", you="LEFT", third="JOINED"), NOW)
    assert [(each.news, each.user_id) for each in after] == [(CallNews.LEFT, YOU)]
    left = book.apply(event("PARTICIPANT_LEFT", 7, "ACTIVE", userId=THIRD, newOwnerId=None), NOW)
    assert news(left) == [CallNews.LEFT]
    assert book[SESSION].owner_id == ME


def test_a_call_that_becomes_the_users_is_told_as_such(book: CallBook) -> None:
    book.listed(view(3, "ACTIVE", device=DEVICE, you="JOINED", me="JOINED", third="JOINED"), NOW)
    changes = book.apply(event("PARTICIPANT_LEFT", 4, "ACTIVE", userId=YOU, newOwnerId=ME), NOW)
    assert news(changes) == [CallNews.LEFT, CallNews.OWNED]
    assert book[SESSION].owner_id == ME


def test_a_failed_connection_is_told_and_the_call_rings_on(book: CallBook) -> None:
    book.apply(incoming(), NOW)
    error = {"code": "UNAVAILABLE", "message": "the meeting cannot be made just now"}
    changes = book.apply(event("CALL_ERROR", 2, "RINGING", error=error), NOW)
    assert [(each.news, each.problem) for each in changes] == [(CallNews.FAILED, error["message"])]
    assert book[SESSION].rings is True


LINES = [
    (incoming(), "Grace Hopper is calling (audio). /accept or /reject."),
    (connected(OTHER_DEVICE), "Answered on another device."),
    (event("CALL_CANCELLED", 4, "CANCELLED", cancelledBy=YOU), "Grace Hopper took the call back."),
    (event("CALL_MISSED", 5, "MISSED"), "Missed a call from Grace Hopper."),
    (event("CALL_ENDED", 6, "ENDED", endedBy=YOU, reason="ENDED", duration=3725), "The call is over (1:02:05)."),
]


def test_the_terminal_says_it_in_words(book: CallBook) -> None:
    def name(user_id: str) -> str:
        return "you" if user_id == ME else user_id[:8]

    for happened, line in LINES:
        (change,) = book.apply(happened, NOW)
        assert change_line(change, ME, name) == line
    shown = view(3, "ACTIVE", you="JOINED", me="JOINED", third="MISSED")
    assert participant_lines(shown, ME) == [
        "Grace Hopper (owner): in the call",
        "you: in the call",
        "Alan Turing: did not answer",
    ]
    assert history_line(view(9, "ENDED", you="LEFT", me="LEFT"), ME).endswith("← Grace Hopper (audio): 1:05")
    assert history_line(view(9, "MISSED", caller=ME, me="LEFT", you="MISSED"), ME).endswith(
        "→ Grace Hopper (audio): missed"
    )
    assert duration(None) == "0:00"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_in_whatever_order_the_word_comes_the_last_one_counts(order: tuple[int, ...]) -> None:
    happened = [incoming(), connected(OTHER_DEVICE, 2), ENDS[3][0]]
    happened[2] = event("CALL_ENDED", 3, "ENDED", endedBy=YOU, reason="ENDED", duration=5)
    book = CallBook(ME, DEVICE)
    for place in order:
        book.apply(happened[place], NOW)
    assert (book[SESSION].status, book[SESSION].version, book[SESSION].rings) == ("ENDED", 3, False)
