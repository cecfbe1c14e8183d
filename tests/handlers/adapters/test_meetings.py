"""The Chime adapter: requests are idempotent, deletions of missing things succeed, and failures are two errors."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from handlers.adapters import aws_clients
from handlers.adapters.chime.meetings import ChimeMeetings
from handlers.core.calls.ports import MeetingGoneError, MeetingsBusyError, MeetingsFailedError
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import REGION, free_port

UNKNOWN_MEETING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module: every test has its own sessions."""
    with running_chime() as running:
        yield running


@pytest.fixture
def meetings(chime: ChimeServer) -> ChimeMeetings:
    """The adapter on a client that validates its requests against the service model."""
    client = chime.client()
    return ChimeMeetings(lambda: client, "eu-west-1")


@pytest.fixture
def session_id() -> str:
    """The session id of a call."""
    return str(uuid.uuid4())


def test_meeting_has_session_id_and_region_and_chimes_own_document(
    chime: ChimeServer, meetings: ChimeMeetings, session_id: str
) -> None:
    meeting = meetings.create(session_id)
    document = json.loads(meeting.document)
    assert document == chime.client().get_meeting(MeetingId=meeting.meeting_id)["Meeting"]
    assert (document["ExternalMeetingId"], document["MediaRegion"]) == (session_id, "eu-west-1")
    assert "Token" not in meeting.document


def test_repeated_request_returns_the_same_meeting_and_attendees(meetings: ChimeMeetings, session_id: str) -> None:
    first, second = meetings.create(session_id), meetings.create(session_id)
    assert first == second
    both = meetings.attendees(first.meeting_id, ["ana", "ben"])
    assert set(both) == {"ana", "ben"}
    assert meetings.attendees(first.meeting_id, ["ben", "ana", "ana"]) == both
    assert meetings.attendees(first.meeting_id, ["ana"]) == {"ana": both["ana"]}
    assert both["ana"].ExternalUserId == "ana"
    assert len({attendee.JoinToken for attendee in both.values()}) == 2


def test_delete_of_a_deleted_meeting_succeeds(chime: ChimeServer, meetings: ChimeMeetings, session_id: str) -> None:
    meeting = meetings.create(session_id)
    assert meetings.exists(meeting.meeting_id) is True
    meetings.delete(meeting.meeting_id)
    meetings.delete(meeting.meeting_id)
    assert meetings.exists(meeting.meeting_id) is False
    assert chime.meeting_of(session_id) is None


def test_delete_of_a_deleted_attendee_or_in_a_missing_meeting_succeeds(
    chime: ChimeServer, meetings: ChimeMeetings, session_id: str
) -> None:
    meeting = meetings.create(session_id)
    attendee = meetings.attendees(meeting.meeting_id, ["ana"])["ana"]
    meetings.delete_attendee(meeting.meeting_id, attendee.AttendeeId)
    meetings.delete_attendee(meeting.meeting_id, attendee.AttendeeId)
    found = chime.meeting_of(session_id)
    assert found is not None
    assert found.attendees == {}
    meetings.delete_attendee(UNKNOWN_MEETING, attendee.AttendeeId)


@pytest.mark.parametrize("users", [["ana"], ["ana", "ben"]])
def test_attendees_of_a_missing_meeting_raise_meeting_gone(meetings: ChimeMeetings, users: list[str]) -> None:
    with pytest.raises(MeetingGoneError):
        meetings.attendees(UNKNOWN_MEETING, users)


def test_one_refused_attendee_fails_the_request(meetings: ChimeMeetings, session_id: str) -> None:
    meeting = meetings.create(session_id)
    with pytest.raises(MeetingsFailedError, match="no attendee for aws:reserved"):
        meetings.attendees(meeting.meeting_id, ["ana", "aws:reserved"])


CODES = [
    ("ThrottlingException", 429),
    ("ThrottledClientException", 429),
    ("ServiceFailureException", 500),
    ("ServiceUnavailableException", 503),
    ("LimitExceededException", 400),
    ("ForbiddenException", 403),
    ("UnauthorizedException", 401),
    ("ConflictException", 409),
    ("BadRequestException", 400),
]


@pytest.mark.parametrize(("code", "status"), CODES)
def test_every_refusal_of_chime_raises_meetings_failed(
    chime: ChimeServer, session_id: str, code: str, status: int
) -> None:
    client = chime.client()
    with Stubber(client) as stub:
        expected = {"ClientRequestToken": session_id, "ExternalMeetingId": session_id, "MediaRegion": ANY}
        stub.add_client_error("create_meeting", code, http_status_code=status, expected_params=expected)
        with pytest.raises(MeetingsFailedError, match=code) as caught:
            ChimeMeetings(lambda: client, REGION).create(session_id)
    assert isinstance(caught.value, MeetingsBusyError) == (status in (409, 429))


def test_unreachable_chime_fails_within_3_seconds_for_each_attempt(
    monkeypatch: pytest.MonkeyPatch, session_id: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local-test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws_clients.client.cache_clear()
    aws_clients.session.cache_clear()
    try:
        client: Any = aws_clients.client("chime-sdk-meetings")
        assert client.meta.config.read_timeout + client.meta.config.connect_timeout <= 3
        assert client.meta.config.retries["total_max_attempts"] == 3
        with pytest.raises(MeetingsFailedError):
            ChimeMeetings(lambda: client, REGION).create(session_id)
    finally:
        aws_clients.client.cache_clear()
        aws_clients.session.cache_clear()
