"""The stand-in for Chime SDK Meetings, through an unmodified boto3 client: its operations."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.chime import service_model
from tests.local.chime import create, refused
from tests.local.conftest import REGION, EmulatorProcess

RESOLUTIONS = {"Video": {"MaxResolution": "None"}, "Content": {"MaxResolution": "None"}}
RECEIVE = {"Audio": "Receive", "Video": "Receive", "Content": "Receive"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


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


def test_simultaneous_requests_with_one_token_conflict(emulator: EmulatorProcess, chime: Any) -> None:
    """Switched by `meetingConflicts`."""

    def at_once(token: str) -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            requests = [pool.submit(create, chime, token) for _ in range(3)]
            return [_code(request) for request in requests]

    emulator.faults.set_strict({"meetingMilliseconds": 400})
    assert sorted(at_once("conflict")) == ["", "ConflictException", "ConflictException"]
    emulator.faults.set_strict({"meetingConflicts": False})
    assert at_once("conflict") == ["", "", ""]
    emulator.faults.set_strict({})
    assert create(chime, "conflict") == create(chime, "conflict")


def _code(request: Future[Any]) -> str:
    error = request.exception()
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


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
    second = chime.create_attendee(MeetingId=meeting, ExternalUserId="ada")["Attendee"]
    assert second["JoinToken"] != ada["JoinToken"]


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
    code, status, text = refused(chime.create_meeting, **{**request, **change})
    assert (code, status) == ("BadRequestException", 400)
    assert re.search(message, text)


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
