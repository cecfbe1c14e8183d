"""The call functions on real tables and queues: what they are invoked with, store and publish."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from contract import tables
from handlers.adapters import aws_clients
from handlers.entry import call_sweep, calls, chime_events, logs, ring_timeout
from tests.harness import faults
from tests.harness.call_functions import RING_SECONDS, CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.concurrency import RunningClock, run_concurrently
from tests.harness.emulator import REGION, AwsResources, queue_record
from tests.harness.event_api import CREDENTIALS, running_event_api
from tests.harness.http import http_event
from tests.harness.seeds import seed_conversation


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module: every test has its own sessions."""
    with running_chime() as running:
        yield running


@pytest.fixture
def functions(aws: AwsResources, chime: ChimeServer) -> CallFunctions:
    """The functions on this test's own tables and queues."""
    return CallFunctions(aws, chime)


def test_direct_call_from_initiate_to_end(functions: CallFunctions, aws: AwsResources, chime: ChimeServer) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    assert (functions.types(ben), functions.types(ana)) == (["INCOMING_CALL"], ["CALL_RINGING"])
    answer = functions.act("accept", ben, session_id, deviceId="ben-1")
    assert answer.status == 200
    meeting = chime.meeting_of(session_id)
    assert meeting is not None
    assert answer.body["meeting"]["MeetingId"] == meeting.meeting_id
    assert answer.body["attendees"][ben]["ExternalUserId"] == ben
    assert set(answer.body["attendees"]) == {ben}
    (connected,) = (each for each in functions.publisher.events(ana, "users") if each["type"] == "CALL_CONNECTED")
    assert set(connected["data"]["attendees"]) == {ana}
    assert functions.act("end", ana, session_id).status == 200
    assert chime.meeting_of(session_id) is None
    assert functions.types(ben)[-1] == functions.types(ana)[-1] == "CALL_ENDED"
    assert aws.scan(tables.CALL_LOCKS) == []
    assert aws.scan(tables.OUTBOX) == []
    page = functions.request("GET /api/calls", ben).body
    assert [call["status"] for call in page["calls"]] == ["ENDED"]
    assert functions.request("GET /api/calls", ben, query={"state": "active"}).body["calls"] == []


def test_two_devices_that_accept_at_once_get_no_error(aws: AwsResources, chime: ChimeServer) -> None:
    """Chime refuses simultaneous requests for one meeting with ConflictException."""
    functions = CallFunctions(aws, chime, clock=RunningClock())
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    answers = run_concurrently(
        *(partial(functions.act, "accept", ben, session_id, deviceId=device) for device in ("phone", "laptop"))
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert "CALL_ERROR" not in functions.types(ana) + functions.types(ben)


def test_ten_members_who_accept_at_once_are_in_the_call(aws: AwsResources, chime: ChimeServer) -> None:
    functions = CallFunctions(aws, chime, clock=RunningClock())
    ana, *members = functions.add_users("Ana", *(f"Member{number}" for number in range(10)))
    group = seed_conversation(aws, [ana, *members])
    session_id = functions.initiate(ana, conversationId=group).body["sessionId"]
    answers = run_concurrently(*(partial(functions.act, "accept", member, session_id) for member in members))
    assert [answer.status for answer in answers] == [200] * 10
    assert not [member for member in (ana, *members) if "CALL_ERROR" in functions.types(member)]


def test_ring_timer_is_delayed_in_the_queue_while_the_call_rings(functions: CallFunctions, aws: AwsResources) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    functions.ring(ana, ben)
    assert functions.due_timers() == []
    attributes = aws.sqs.get_queue_attributes(QueueUrl=aws.ring_queue_url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


def test_ring_timer_ends_an_unanswered_call_after_its_ring_time_and_not_before(
    functions: CallFunctions, aws: AwsResources
) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    record = queue_record(json.dumps({"sessionId": session_id}))
    assert functions.ring_timeout({"Records": [record]}, None) == {"batchItemFailures": []}
    assert functions.get(ana, session_id).body["call"]["status"] == "RINGING"
    assert functions.time_out(session_id) == {"batchItemFailures": []}
    assert functions.get(ana, session_id).body["call"]["status"] == "MISSED"
    assert functions.types(ana)[-1] == functions.types(ben)[-1] == "CALL_MISSED"
    assert aws.scan(tables.CALL_LOCKS) == []
    assert functions.time_out(session_id) == {"batchItemFailures": []}


def test_malformed_ring_timer_is_a_batch_failure_and_an_unknown_call_is_ignored(
    functions: CallFunctions,
) -> None:
    records = [
        queue_record("not json", "broken"),
        queue_record(json.dumps({"sessionId": "00000000-0000-4000-8000-000000000000"}), "unknown"),
    ]
    answer = functions.ring_timeout({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "broken"}]}


def test_scheduled_sweep_ends_ringing_whose_timer_was_lost(functions: CallFunctions) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    assert functions.sweep_calls(RING_SECONDS + 5) == {"lookedAt": 0, "ended": 0, "left": 0}
    assert functions.sweep_calls(6) == {"lookedAt": 1, "ended": 1, "left": 0}
    assert functions.get(ben, session_id).body["call"]["status"] == "MISSED"


def test_chime_event_of_an_ended_meeting_ends_the_call(functions: CallFunctions, chime: ChimeServer) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    meeting_id = functions.act("accept", ben, session_id).body["meeting"]["MeetingId"]
    other = {"meetingId": "00000000-0000-4000-8000-000000000000", "externalMeetingId": session_id}
    functions.chime_event("chime:MeetingEnded", **other)
    assert functions.get(ana, session_id).body["call"]["status"] == "ACTIVE"
    chime.meetings.vanish(meeting_id)
    functions.chime_event("chime:MeetingEnded", meetingId=meeting_id, externalMeetingId=session_id, mediaRegion=REGION)
    call = functions.get(ana, session_id).body["call"]
    assert (call["status"], call["endReason"], call["endedBy"]) == ("ENDED", "MEETING_ENDED", None)


def test_chime_event_of_an_attendee_who_left_lets_the_participant_leave(
    functions: CallFunctions, chime: ChimeServer
) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    accepted = functions.act("accept", ben, session_id).body
    functions.clock.pause(3)
    detail = {
        "meetingId": accepted["meeting"]["MeetingId"],
        "externalMeetingId": session_id,
        "externalUserId": ben,
        "networkType": "Voip",
        "timestamp": functions.clock.now(),
    }
    functions.chime_event("chime:AttendeeLeft", attendeeId="another", **detail)
    assert functions.get(ana, session_id).body["call"]["status"] == "ACTIVE"
    functions.chime_event("chime:AttendeeLeft", attendeeId=accepted["attendees"][ben]["AttendeeId"], **detail)
    call = functions.get(ana, session_id).body["call"]
    assert (call["status"], call["endReason"]) == ("ENDED", "LEFT")
    assert chime.meeting_of(session_id) is None


def test_reloaded_page_stays_in_the_call_when_the_old_page_leaves_the_meeting(functions: CallFunctions) -> None:
    """Requirement S5: the old page leaves, the new one accepts again, then Chime's event about the old page arrives."""
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    accepted = functions.act("accept", ben, session_id, deviceId="browser").body
    functions.clock.pause(3)
    left = {
        "meetingId": accepted["meeting"]["MeetingId"],
        "externalMeetingId": session_id,
        "externalUserId": ben,
        "attendeeId": accepted["attendees"][ben]["AttendeeId"],
    }
    left_at = functions.clock.now()
    functions.clock.pause(1)
    again = functions.act("accept", ben, session_id, deviceId="browser")
    assert (again.status, again.body["attendees"]) == (200, accepted["attendees"])
    functions.chime_event("chime:AttendeeLeft", timestamp=left_at, **left)
    assert functions.get(ana, session_id).body["call"]["status"] == "ACTIVE"
    functions.clock.pause(1)
    functions.chime_event("chime:AttendeeLeft", timestamp=functions.clock.now(), **left)
    assert functions.get(ana, session_id).body["call"]["status"] == "ENDED"


def test_participant_who_leaves_a_group_call_is_removed_from_the_meeting_and_may_join_again(
    functions: CallFunctions, aws: AwsResources, chime: ChimeServer
) -> None:
    ana, ben, eve = functions.add_users("Ana", "Ben", "Eve")
    group = seed_conversation(aws, [ana, ben, eve])
    session_id = functions.initiate(ana, conversationId=group).body["sessionId"]
    for user_id in (ben, eve):
        assert functions.act("accept", user_id, session_id).status == 200
    assert functions.act("leave", ben, session_id).status == 200
    meeting = chime.meeting_of(session_id)
    assert meeting is not None
    assert {each.external_user_id for each in meeting.attendees.values()} == {ana, eve}
    assert functions.act("accept", ben, session_id).status == 200
    assert {each.external_user_id for each in meeting.attendees.values()} == {ana, ben, eve}


def test_unused_meeting_is_deleted_after_the_call_ends(functions: CallFunctions, chime: ChimeServer) -> None:
    ana, ben = functions.add_users("Ana", "Ben")
    session_id = functions.ring(ana, ben)
    functions.faults.arm(3, faults.killed_after)
    with pytest.raises(faults.ProcessKilledError):
        functions.act("accept", ben, session_id)
    assert chime.meeting_of(session_id) is not None
    functions.sweep_calls(RING_SECONDS + 30)
    assert chime.meeting_of(session_id) is None


def test_unknown_chime_event_fails_the_function(functions: CallFunctions) -> None:
    with pytest.raises(Exception, match="chime:MeetingStarted"):
        functions.chime_event("chime:MeetingStarted", meetingId="m", externalMeetingId="s")


def test_scheduled_sweep_removes_former_group_members_and_ends_calls_without_meeting(
    functions: CallFunctions, aws: AwsResources, chime: ChimeServer
) -> None:
    ana, ben, eve = functions.add_users("Ana", "Ben", "Eve")
    group = seed_conversation(aws, [ana, ben, eve])
    session_id = functions.initiate(ana, conversationId=group).body["sessionId"]
    for user_id in (ben, eve):
        assert functions.act("accept", user_id, session_id).status == 200
    aws.put(
        tables.CONVERSATIONS,
        {
            "conversationId": group,
            "type": "GROUP",
            "participants": [ana, ben],
            "admins": [ana],
            "createdBy": ana,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "version": 2,
        },
    )
    functions.sweep_calls(121)
    statuses = {each["userId"]: each["status"] for each in functions.get(ana, session_id).body["call"]["participants"]}
    assert statuses == {ana: "JOINED", ben: "JOINED", eve: "LEFT"}
    meeting = chime.meeting_of(session_id)
    assert meeting is not None
    assert {each.external_user_id for each in meeting.attendees.values()} == {ana, ben}
    chime.meetings.vanish(meeting.meeting_id)
    functions.sweep_calls(121)
    assert functions.get(ana, session_id).body["call"]["endReason"] == "MEETING_ENDED"


def test_call_log_has_the_fields_that_the_metrics_count(
    functions: CallFunctions, caplog: pytest.LogCaptureFixture
) -> None:
    logs.configure()
    ana, ben = functions.add_users("Ana", "Ben")
    with caplog.at_level(logging.INFO, logger="handlers"):
        session_id = functions.ring(ana, ben)
        functions.clock.pause(4)
        functions.act("accept", ben, session_id)
        functions.clock.pause(61)
        functions.act("end", ana, session_id)
    notes: list[dict[str, Any]] = [vars(record)["fields"] for record in caplog.records if record.msg == "call"]
    assert [note["outcome"] for note in notes] == ["initiated", "delivered", "accepted", "ended"]
    assert {note["sessionId"] for note in notes} == {session_id}
    assert notes[2]["ringMilliseconds"] == 4000
    assert notes[3]["durationSeconds"] == 61
    assert "Token" not in json.dumps(notes)


WIRED: tuple[Any, ...] = (
    aws_clients.client,
    aws_clients.session,
    calls._use_cases,
    ring_timeout._ring_timeouts,
    chime_events._reconciler,
    call_sweep._sweep,
)


def test_functions_start_from_their_environment_alone(
    functions: CallFunctions, aws: AwsResources, chime: ChimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB, queue, Event API and Chime are found as on AWS, each by its own endpoint variable."""
    ana, ben = functions.add_users("Ana", "Ben")
    with running_event_api() as event_api:
        environment = {
            **aws.variables,
            "EVENTS_HTTP_ENDPOINT": event_api.url,
            "AWS_ENDPOINT_URL": aws.emulator.endpoint,
            "AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS": chime.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
            "AWS_SESSION_TOKEN": str(CREDENTIALS.token),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for each in WIRED:
            each.cache_clear()
        try:
            answer = calls.handle(http_event("POST /api/calls/initiate", ana, {"recipientId": ben}), None)
            session_id = json.loads(answer["body"])["sessionId"]
            accepted = calls.handle(http_event("POST /api/calls/accept", ben, {"sessionId": session_id}), None)
            assert accepted["statusCode"] == 200
            detail = {
                "eventType": "chime:MeetingEnded",
                "meetingId": json.loads(accepted["body"])["meeting"]["MeetingId"],
                "externalMeetingId": session_id,
            }
            chime_events.handle({"detail": detail}, None)
            body = json.dumps({"sessionId": session_id})
            assert ring_timeout.handle({"Records": [{"messageId": "1", "body": body}]}, None) == {
                "batchItemFailures": []
            }
            assert call_sweep.handle({}, None) == {"lookedAt": 0, "ended": 0, "left": 0}
            assert event_api.refused == []
        finally:
            for each in WIRED:
                each.cache_clear()
    published = [event for channel, events in event_api.received if channel == f"/users/{ben}" for event in events]
    types = [json.loads(event)["type"] for event in published]
    assert types == ["INCOMING_CALL", "CALL_CONNECTED", "CALL_ENDED"]
