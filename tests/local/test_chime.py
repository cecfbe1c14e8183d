"""The stand-in for Chime SDK Meetings, through an unmodified boto3 client."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator.chime import service_model
from local.emulator.credentials import CredentialStore
from local.steps import StepError
from tests.local.conftest import REGION, EmulatorProcess
from tests.local.test_durability import eventually

MEETING_STATE = {"source": ["aws.chime"], "detail-type": ["Chime Meeting State Change"]}
RESOLUTIONS = {"Video": {"MaxResolution": "None"}, "Content": {"MaxResolution": "None"}}
RECEIVE = {"Audio": "Receive", "Video": "Receive", "Content": "Receive"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def client_of(emulator: EmulatorProcess) -> Any:
    """A client that checks nothing itself, so that the service has to."""
    keys = CredentialStore(emulator.state.credentials_file).operator()
    return boto3.client(
        "chime-sdk-meetings",
        endpoint_url=emulator.ports.emulator_url,
        region_name=REGION,
        aws_access_key_id=keys.accessKeyId,
        aws_secret_access_key=keys.secretAccessKey,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def chime(emulator: EmulatorProcess) -> Iterator[Any]:
    """A client; no meeting is left from another test, and no fault."""
    emulator.faults.clear()
    client = client_of(emulator)
    for meeting in emulator.meetings.active():
        client.delete_meeting(MeetingId=meeting["meetingId"])
    yield client
    emulator.faults.clear()


def create(client: Any, token: str | None = None, **more: Any) -> dict[str, Any]:
    name = token or str(uuid.uuid4())
    request = {"ClientRequestToken": name, "ExternalMeetingId": name, "MediaRegion": "eu-central-1", **more}
    return dict(client.create_meeting(**request)["Meeting"])


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def test_a_meeting_looks_like_one_of_aws(chime: Any) -> None:
    meeting = create(chime, "a-call")
    assert re.fullmatch(r"[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}", meeting["MeetingId"])
    assert meeting["MeetingArn"] == f"arn:aws:chime:{REGION}:000000000000:meeting/{meeting['MeetingId']}"
    placement = meeting["MediaPlacement"]
    assert re.fullmatch(r"[a-f0-9]{32}\.k\.m\d\.ec1\.app\.chime\.aws:3478", placement["AudioHostUrl"])
    assert placement["SignalingUrl"].endswith(f".app.chime.aws/control/{meeting['MeetingId']}")
    assert placement["TurnControlUrl"].startswith(f"https://{meeting['MeetingId'][-4:]}.cell.eu-central-1.")
    assert meeting["MeetingFeatures"]["Attendee"] == {"MaxCount": 250}
    assert chime.get_meeting(MeetingId=meeting["MeetingId"])["Meeting"] == meeting


def test_the_same_token_answers_with_the_same_meeting_and_refuses_other_properties(chime: Any) -> None:
    first = create(chime, "once")
    assert create(chime, "once") == first
    request = {"ClientRequestToken": "once", "ExternalMeetingId": "other", "MediaRegion": "eu-central-1"}
    assert refused(chime.create_meeting, **request)[:2] == ("ConflictException", 409)
    chime.delete_meeting(MeetingId=first["MeetingId"])
    assert create(chime, "once")["MeetingId"] != first["MeetingId"]


def test_a_user_has_one_attendee_and_one_token_in_a_meeting(chime: Any) -> None:
    meeting = create(chime)["MeetingId"]
    ada = chime.create_attendee(MeetingId=meeting, ExternalUserId="ada")["Attendee"]
    assert len(ada["JoinToken"]) > 50
    batch = chime.batch_create_attendee(
        MeetingId=meeting, Attendees=[{"ExternalUserId": name} for name in ("ada", "grace", "grace")]
    )
    assert batch["Attendees"][0] == ada
    assert batch["Attendees"][1] == batch["Attendees"][2]
    assert batch["Errors"] == []
    assert len({each["JoinToken"] for each in batch["Attendees"]}) == 2
    listed = chime.list_attendees(MeetingId=meeting, MaxResults=1)
    rest = chime.list_attendees(MeetingId=meeting, NextToken=listed["NextToken"])
    assert [each["ExternalUserId"] for each in (*listed["Attendees"], *rest["Attendees"])] == ["ada", "grace"]
    assert "NextToken" not in rest
    assert chime.get_attendee(MeetingId=meeting, AttendeeId=ada["AttendeeId"])["Attendee"] == ada
    chime.delete_attendee(MeetingId=meeting, AttendeeId=ada["AttendeeId"])
    again = {"MeetingId": meeting, "AttendeeId": ada["AttendeeId"]}
    assert refused(chime.get_attendee, **again)[:2] == ("NotFoundException", 404)
    assert refused(chime.delete_attendee, **again)[:2] == ("NotFoundException", 404)
    anew = chime.create_attendee(MeetingId=meeting, ExternalUserId="ada")["Attendee"]
    assert anew["JoinToken"] != ada["JoinToken"]


def test_a_meeting_comes_with_its_attendees(chime: Any) -> None:
    made = chime.create_meeting_with_attendees(
        ClientRequestToken="both",
        ExternalMeetingId="both",
        MediaRegion="us-east-1",
        MeetingFeatures={"Attendee": {"MaxCount": 2}},
        Attendees=[{"ExternalUserId": name} for name in ("ada", "grace", "alan")],
    )
    assert [each["ExternalUserId"] for each in made["Attendees"]] == ["ada", "grace"]
    assert [(each["ExternalUserId"], each["ErrorCode"]) for each in made["Errors"]] == [
        ("alan", "LimitExceededException")
    ]
    meeting = made["Meeting"]["MeetingId"]
    assert refused(chime.create_attendee, MeetingId=meeting, ExternalUserId="alan")[0] == "LimitExceededException"


def test_capabilities_follow_the_meetings_features(chime: Any) -> None:
    plain = create(chime)["MeetingId"]
    audio_only = create(chime, MeetingFeatures=RESOLUTIONS)["MeetingId"]
    attendee = chime.create_attendee(MeetingId=audio_only, ExternalUserId="ada")["Attendee"]
    assert attendee["Capabilities"] == {"Audio": "SendReceive", "Video": "None", "Content": "None"}
    given = {"MeetingId": audio_only, "AttendeeId": attendee["AttendeeId"], "Capabilities": RECEIVE}
    assert refused(chime.update_attendee_capabilities, **given)[0] == "BadRequestException"
    blind = {"Audio": "SendReceive", "Video": "None", "Content": "Receive"}
    arguments = {"MeetingId": plain, "ExternalUserId": "grace", "Capabilities": blind}
    assert "needs Video" in refused(chime.create_attendee, **arguments)[2]
    ada, grace = (chime.create_attendee(MeetingId=plain, ExternalUserId=name)["Attendee"] for name in ("ada", "grace"))
    excluded = [{"AttendeeId": ada["AttendeeId"]}]
    chime.batch_update_attendee_capabilities_except(MeetingId=plain, ExcludedAttendeeIds=excluded, Capabilities=RECEIVE)
    capabilities = [each["Capabilities"] for each in chime.list_attendees(MeetingId=plain)["Attendees"]]
    assert capabilities == [ada["Capabilities"], RECEIVE]
    assert grace["Capabilities"] != RECEIVE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MediaRegion": None}, "'mediaRegion' failed to satisfy constraint: Member must not be null"),
        ({"MediaRegion": "mars-north-1"}, "mediaRegion must be one of af-south-1"),
        ({"ExternalMeetingId": "x"}, "'externalMeetingId' failed to satisfy constraint: Member must have length"),
        ({"ExternalMeetingId": "x" * 65}, "length less than or equal to 64"),
        ({"ExternalMeetingId": "日本"}, "externalMeetingId must satisfy regular expression"),
        ({"ExternalMeetingId": "AWS:mine"}, "must not begin with aws:"),
        ({"ExternalMeetingId": 7}, "'externalMeetingId' must be a string"),
        ({"ClientRequestToken": "a b"}, "'clientRequestToken' failed to satisfy constraint: Member must satisfy reg"),
        ({"MeetingFeatures": {"Audio": {"EchoReduction": "YES"}}}, r"enum value set: \[AVAILABLE, UNAVAILABLE\]"),
        ({"MeetingFeatures": {"Attendee": {"MaxCount": 251}}}, "'meetingFeatures.attendee.maxCount' failed"),
        ({"MeetingFeatures": {"Attendee": {"MaxCount": True}}}, "must be a integer"),
        ({"Tags": [{"Key": "k"}]}, "'tags.1.member.value' failed to satisfy constraint: Member must not be null"),
        ({"PrimaryMeetingId": "primary"}, "PrimaryMeetingId is not imitated"),
    ],
)
def test_an_input_that_breaks_a_constraint_is_refused_with_its_name(
    chime: Any, change: dict[str, Any], message: str
) -> None:
    request = {"ClientRequestToken": "token", "ExternalMeetingId": "meeting", "MediaRegion": "us-east-1"}
    code, status, told = refused(chime.create_meeting, **{**request, **change})
    assert (code, status) == ("BadRequestException", 400)
    assert re.search(message, told)


def test_a_user_id_must_be_one_that_chime_takes(chime: Any) -> None:
    meeting = create(chime)["MeetingId"]
    for wrong in ("a", "x" * 65, "Łukasz", "日本", "aws:ada"):
        assert refused(chime.create_attendee, MeetingId=meeting, ExternalUserId=wrong)[0] == "BadRequestException"
    batch = chime.batch_create_attendee(MeetingId=meeting, Attendees=[{"ExternalUserId": "Łukasz"}])
    assert batch["Errors"][0]["ErrorCode"] == "BadRequestException"


def test_whatever_does_not_exist_is_not_found(chime: Any) -> None:
    for call, arguments in (
        (chime.get_meeting, {}),
        (chime.delete_meeting, {}),
        (chime.list_attendees, {}),
        (chime.create_attendee, {"ExternalUserId": "ada"}),
        (chime.batch_create_attendee, {"Attendees": [{"ExternalUserId": "ada"}]}),
        (chime.delete_attendee, {"AttendeeId": UNKNOWN}),
    ):
        assert refused(call, MeetingId=UNKNOWN, **arguments)[:2] == ("NotFoundException", 404)
    assert refused(chime.get_meeting, MeetingId="not-an-id")[0] == "BadRequestException"
    arn = f"arn:aws:chime:{REGION}:000000000000:meeting/{UNKNOWN}"
    assert refused(chime.list_tags_for_resource, ResourceARN=arn)[:2] == ("ResourceNotFoundException", 404)


def test_tags_of_a_meeting_are_kept(chime: Any) -> None:
    arn = create(chime, Tags=[{"Key": "kind", "Value": "call"}])["MeetingArn"]
    chime.tag_resource(ResourceARN=arn, Tags=[{"Key": "more", "Value": ""}])
    chime.untag_resource(ResourceARN=arn, TagKeys=["kind"])
    assert chime.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": ""}]


def test_an_operation_that_is_not_imitated_says_so(chime: Any) -> None:
    meeting = create(chime)["MeetingId"]
    arguments = {"MeetingId": meeting, "TranscriptionConfiguration": {}}
    assert "is not imitated" in refused(chime.start_meeting_transcription, **arguments)[2]
    assert set(service_model.operations()) >= {"StartMeetingTranscription", "StopMeetingTranscription"}


def test_every_operation_of_the_model_is_found_by_its_route() -> None:
    for name in service_model.operations():
        http = service_model._model().operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        parameters = {"operation": [query.removeprefix("operation=")]} if query else {}
        found = service_model.route(http["method"], path.replace("{", "").replace("}", ""), parameters)
        assert found is not None
        assert found.operation == name


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


def test_what_happens_in_a_meeting_is_told_to_eventbridge(emulator: EmulatorProcess, chime: Any) -> None:
    bus = Bus(emulator)
    meeting = create(chime, "told")["MeetingId"]
    (started,) = bus.until("MeetingStarted")
    assert started == {
        "version": "0",
        "eventType": "chime:MeetingStarted",
        "timestamp": started["timestamp"],
        "meetingId": meeting,
        "externalMeetingId": "told",
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


def test_nobody_joins_with_another_token(emulator: EmulatorProcess, chime: Any) -> None:
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
    assert emulator.meetings.advance(1500) == [alone]
    assert emulator.meetings.advance(22 * 3600) == []
    assert emulator.meetings.advance(3600 * 2) == [busy]
    details = bus.until(
        *["MeetingStarted", "MeetingEnded"] * 3, *["AttendeeAdded", "AttendeeAuthorized"] * 3, *["AttendeeJoined"] * 3
    )
    ended = [detail["meetingId"] for detail in details if detail["eventType"] == "chime:MeetingEnded"]
    assert ended == [empty, alone, busy]


def test_an_empty_meeting_is_ended_although_nobody_asks(emulator: EmulatorProcess, chime: Any) -> None:
    create(chime)
    emulator.meetings.advance(298.5)
    bus = Bus(emulator)
    bus.until("MeetingEnded")


def test_meetings_attendees_and_the_clock_survive_a_crash(new_emulator: Callable[..., EmulatorProcess]) -> None:
    emulator = new_emulator()
    chime = client_of(emulator)
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
    assert emulator.meetings.advance(1190) == []
    assert emulator.meetings.advance(11) == [meeting["MeetingId"]]


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
