"""Events of meetings reach EventBridge, survive a crash, and can be made to fail."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from local.steps import StepError
from tests.local.chime import create, refused
from tests.local.conftest import REGION, EmulatorProcess
from tests.local.emulator.test_durability import eventually

MEETING_STATE = {"source": ["aws.chime"], "detail-type": ["Chime Meeting State Change"]}


class Bus:
    """A queue that gets every event of meetings, by a rule on the default bus."""

    def __init__(self, emulator: EmulatorProcess) -> None:
        self._sqs, name = emulator.aws("sqs"), f"meetings-{uuid.uuid4().hex}"
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        events = emulator.aws("events")
        events.put_rule(Name=name, EventPattern=json.dumps(MEETING_STATE))
        events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:000000000000:{name}"}])
        self.received: list[dict[str, Any]] = []

    def until(self, *kinds: str) -> list[dict[str, Any]]:
        """Details of the events since the last call, once they are of these kinds in this order."""

        def complete() -> bool:
            messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
            self.received += [json.loads(each["Body"]) for each in messages]
            return len(self.received) >= len(kinds)

        eventually(complete)
        events, self.received = self.received, []
        events.sort(key=lambda event: event["detail"]["timestamp"])
        assert sorted(event["detail"]["eventType"] for event in events) == sorted(f"chime:{kind}" for kind in kinds)
        assert {(event["source"], event["detail-type"]) for event in events} == {
            ("aws.chime", "Chime Meeting State Change")
        }
        return [event["detail"] for event in events]


def test_events_of_a_meeting_reach_eventbridge(emulator: EmulatorProcess, chime: Any) -> None:
    bus = Bus(emulator)
    meeting = create(chime, "events")["MeetingId"]
    (started,) = bus.until("MeetingStarted")
    assert started == {
        "version": "0",
        "eventType": "chime:MeetingStarted",
        "timestamp": started["timestamp"],
        "meetingId": meeting,
        "externalMeetingId": "events",
        "mediaRegion": "eu-central-1",
    }
    ada = chime.create_attendee(MeetingId=meeting, ExternalUserId="ada")["Attendee"]
    (added,) = bus.until("AttendeeAdded")
    assert (added["attendeeId"], added["externalUserId"]) == (ada["AttendeeId"], "ada")
    seat = (meeting, ada["AttendeeId"])
    emulator.meetings.join(*seat, ada["JoinToken"])
    assert emulator.meetings.active()[0]["attendees"][0]["connected"]
    joined = bus.until("AttendeeAuthorized", "AttendeeJoined")
    assert [detail.get("networkType") for detail in joined if "Joined" in detail["eventType"]] == ["Voip"]
    emulator.meetings.join(*seat)
    bus.until("AttendeeDropped", "AttendeeAuthorized", "AttendeeJoined")
    emulator.meetings.drop(*seat)
    bus.until("AttendeeDropped")
    emulator.meetings.join(*seat)
    bus.until("AttendeeAuthorized", "AttendeeJoined")
    emulator.meetings.leave(*seat)
    (left,) = bus.until("AttendeeLeft")
    assert left["networkType"] == "Voip"
    emulator.meetings.leave(*seat)
    chime.delete_attendee(MeetingId=meeting, AttendeeId=ada["AttendeeId"])
    bus.until("AttendeeDeleted")
    chime.delete_meeting(MeetingId=meeting)
    bus.until("MeetingEnded")


def test_a_join_with_another_attendees_token_is_refused(emulator: EmulatorProcess, chime: Any) -> None:
    meeting = create(chime)["MeetingId"]
    ada = chime.create_attendee(MeetingId=meeting, ExternalUserId="ada")["Attendee"]
    with pytest.raises(StepError, match="401"):
        emulator.meetings.join(meeting, ada["AttendeeId"], "other")
    assert not emulator.meetings.active()[0]["attendees"][0]["connected"]


def test_meetings_end_by_themselves_and_are_not_found_then(emulator: EmulatorProcess, chime: Any) -> None:
    bus = Bus(emulator)
    empty, alone, busy = (create(chime, name)["MeetingId"] for name in ("empty", "alone", "busy"))
    for meeting, names in ((alone, ("ada",)), (busy, ("ada", "grace"))):
        for name in names:
            made = chime.create_attendee(MeetingId=meeting, ExternalUserId=name)["Attendee"]
            emulator.meetings.join(meeting, made["AttendeeId"])
    assert emulator.meetings.advance(290) == []
    assert emulator.meetings.advance(11) == [empty]
    assert refused(chime.get_meeting, MeetingId=empty)[0] == "NotFoundException"
    assert emulator.meetings.advance(23 * 3600) == []
    assert emulator.meetings.advance(3600) == [alone, busy]
    details = bus.until(
        *["MeetingStarted", "MeetingEnded"] * 3, *["AttendeeAdded", "AttendeeAuthorized"] * 3, *["AttendeeJoined"] * 3
    )
    ended = [detail["meetingId"] for detail in details if detail["eventType"] == "chime:MeetingEnded"]
    assert ended == [empty, alone, busy]


def test_an_empty_meeting_ends_without_a_request(emulator: EmulatorProcess, chime: Any) -> None:
    create(chime)
    emulator.meetings.advance(298.5)
    bus = Bus(emulator)
    bus.until("MeetingEnded")


def test_meetings_attendees_and_the_clock_survive_a_crash(new_emulator: Callable[..., EmulatorProcess]) -> None:
    emulator = new_emulator()
    chime = emulator.aws("chime-sdk-meetings")
    meeting = create(chime, "durable")
    ada = chime.create_attendee(MeetingId=meeting["MeetingId"], ExternalUserId="ada")["Attendee"]
    emulator.meetings.join(meeting["MeetingId"], ada["AttendeeId"])
    gone = create(chime, "gone")["MeetingId"]
    assert emulator.meetings.advance(600) == [gone]
    emulator.restart_after_crash()
    assert create(chime, "durable") == meeting
    assert chime.create_attendee(MeetingId=meeting["MeetingId"], ExternalUserId="ada")["Attendee"] == ada
    assert emulator.meetings.active()[0]["attendees"][0]["connected"]
    assert refused(chime.get_meeting, MeetingId=gone)[0] == "NotFoundException"
    assert emulator.meetings.advance(24 * 3600 - 600 - 200) == []
    assert emulator.meetings.advance(201) == [meeting["MeetingId"]]


@pytest.mark.parametrize(
    ("effect", "expected"), [("throttle", ("ThrottlingException", 429)), ("error", ("ServiceFailureException", 500))]
)
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_call_is_throttled_or_fails_before_or_after_it_took_effect(
    emulator: EmulatorProcess, chime: Any, effect: str, expected: tuple[str, int], when: str, made: int
) -> None:
    emulator.faults.set_aws(
        {"service": "chime", "operation": "CreateMeeting", "effect": effect, "when": when, "times": 1}
    )
    request = {"ClientRequestToken": "token", "ExternalMeetingId": "meeting", "MediaRegion": "us-east-1"}
    assert refused(chime.create_meeting, **request)[:2] == expected
    assert len(emulator.meetings.active()) == made


def test_a_call_is_slow(emulator: EmulatorProcess, chime: Any) -> None:
    emulator.faults.set_aws({"service": "chime", "operation": "Get*", "effect": "delay", "delayMs": 30})
    chime.get_meeting(MeetingId=create(chime)["MeetingId"])
    assert emulator.faults.aws()[0]["hits"] == 1


def test_a_meeting_vanishes_without_an_event_before_or_after_a_call(emulator: EmulatorProcess, chime: Any) -> None:
    bus = Bus(emulator)
    rule = {"service": "chime", "effect": "vanish", "times": 1}
    lost = create(chime)["MeetingId"]
    emulator.faults.set_aws({**rule, "operation": "CreateAttendee"})
    assert refused(chime.create_attendee, MeetingId=lost, ExternalUserId="ada")[0] == "NotFoundException"
    emulator.faults.set_aws({**rule, "operation": "CreateMeeting", "when": "after"})
    made = create(chime)["MeetingId"]
    assert refused(chime.get_meeting, MeetingId=made)[0] == "NotFoundException"
    assert emulator.meetings.active() == []
    bus.until("MeetingStarted", "MeetingStarted")


def test_only_meetings_can_vanish(emulator: EmulatorProcess) -> None:
    with pytest.raises(StepError, match="service must be chime"):
        emulator.faults.set_aws({"service": "dynamodb", "effect": "vanish"})
