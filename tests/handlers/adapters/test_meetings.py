"""Chime through the adapter: asking twice makes one of each, what is gone is gone, and every failure has one name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from handlers.adapters import aws_clients
from handlers.adapters.chime.meetings import ChimeMeetings
from handlers.core.calls.ports import MeetingGoneError, MeetingsFailedError
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.handlers.cloud import REGION, free_port

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One stand-in for all tests here: every session is another."""
    with running_chime() as running:
        yield running


@pytest.fixture
def meetings(chime: ChimeServer) -> ChimeMeetings:
    """The adapter on a client that checks its requests against the service model."""
    client = chime.client()
    return ChimeMeetings(lambda: client, "eu-west-1")


@pytest.fixture
def session_id() -> str:
    """A call's id."""
    return str(uuid.uuid4())


def test_a_meeting_carries_the_session_and_the_region_and_its_document_is_chimes_own(
    chime: ChimeServer, meetings: ChimeMeetings, session_id: str
) -> None:
    made = meetings.create(session_id)
    document = json.loads(made.document)
    assert document == chime.client().get_meeting(MeetingId=made.meeting_id)["Meeting"]
    assert (document["ExternalMeetingId"], document["MediaRegion"]) == (session_id, "eu-west-1")
    assert "Token" not in made.document


def test_asking_again_finds_the_same_meeting_and_the_same_attendees(meetings: ChimeMeetings, session_id: str) -> None:
    first, second = meetings.create(session_id), meetings.create(session_id)
    assert first == second
    both = meetings.attendees(first.meeting_id, ["ana", "ben"])
    assert set(both) == {"ana", "ben"}
    assert meetings.attendees(first.meeting_id, ["ben", "ana", "ana"]) == both
    assert meetings.attendees(first.meeting_id, ["ana"]) == {"ana": both["ana"]}
    assert both["ana"].ExternalUserId == "ana"
    assert len({attendee.JoinToken for attendee in both.values()}) == 2


def test_a_meeting_can_be_deleted_again_and_again(chime: ChimeServer, meetings: ChimeMeetings, session_id: str) -> None:
    made = meetings.create(session_id)
    assert meetings.exists(made.meeting_id) is True
    meetings.delete(made.meeting_id)
    meetings.delete(made.meeting_id)
    assert meetings.exists(made.meeting_id) is False
    assert chime.meeting_of(session_id) is None


def test_an_attendee_can_be_deleted_again_and_again_and_without_its_meeting(
    chime: ChimeServer, meetings: ChimeMeetings, session_id: str
) -> None:
    made = meetings.create(session_id)
    attendee = meetings.attendees(made.meeting_id, ["ana"])["ana"]
    meetings.delete_attendee(made.meeting_id, attendee.AttendeeId)
    meetings.delete_attendee(made.meeting_id, attendee.AttendeeId)
    found = chime.meeting_of(session_id)
    assert found is not None
    assert found.attendees == {}
    meetings.delete_attendee(NOBODY, attendee.AttendeeId)


@pytest.mark.parametrize("users", [["ana"], ["ana", "ben"]])
def test_a_meeting_that_is_gone_takes_no_attendees(meetings: ChimeMeetings, users: list[str]) -> None:
    with pytest.raises(MeetingGoneError):
        meetings.attendees(NOBODY, users)


def test_one_attendee_that_cannot_be_made_fails_the_whole(meetings: ChimeMeetings, session_id: str) -> None:
    made = meetings.create(session_id)
    with pytest.raises(MeetingsFailedError, match="no attendee for aws:reserved"):
        meetings.attendees(made.meeting_id, ["ana", "aws:reserved"])


CODES = [
    ("ThrottlingException", 429),
    ("ServiceFailureException", 500),
    ("ServiceUnavailableException", 503),
    ("LimitExceededException", 400),
    ("ForbiddenException", 403),
    ("UnauthorizedException", 401),
    ("ConflictException", 409),
    ("BadRequestException", 400),
]


@pytest.mark.parametrize(("code", "status"), CODES)
def test_whatever_chime_refuses_is_one_error(chime: ChimeServer, session_id: str, code: str, status: int) -> None:
    client = chime.client()
    with Stubber(client) as stub:
        expected = {"ClientRequestToken": session_id, "ExternalMeetingId": session_id, "MediaRegion": ANY}
        stub.add_client_error("create_meeting", code, http_status_code=status, expected_params=expected)
        with pytest.raises(MeetingsFailedError, match=code):
            ChimeMeetings(lambda: client, REGION).create(session_id)


def test_chime_that_is_not_there_fails_within_seconds(monkeypatch: pytest.MonkeyPatch, session_id: str) -> None:
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
