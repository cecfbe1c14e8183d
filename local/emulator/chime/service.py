"""Answers requests of the service: finds the operation, checks the input, does it, writes the answer or the error."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable

from ministack.core.responses import get_region

from local.emulator.chime.errors import ChimeError, bad_request
from local.emulator.chime.meeting import Attendee, Meeting
from local.emulator.chime.meetings import Json, Meetings
from local.emulator.chime.rates import RequestRates
from local.emulator.chime.rules import check_capabilities
from local.emulator.chime.service_model import Query, error_status, read_input, route, success_status
from local.emulator.strict.rules.chime import ChimeSwitches

SERVICE = "chime"
"""Ministack's name of the service: what requests of every Chime SDK are signed for."""
_PAGE = 100
_NO_CONTENT = 204
_CREATING = frozenset({"CreateMeeting", "CreateMeetingWithAttendees"})

Response = tuple[int, dict[str, str], bytes]


class ChimeService:
    """The operations, each from its checked input to the members of its output.

    Args:
        meetings: what they work on.
        rules: returns the switches of strict mode's rules.
        clock: seconds, steadily growing.
    """

    def __init__(
        self, meetings: Meetings, rules: Callable[[], ChimeSwitches], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._meetings = meetings
        self._rules = rules
        self._rates = RequestRates(clock)
        self._tokens_in_use: set[str] = set()
        self._operations: dict[str, Callable[[Json], Json | None]] = {
            "CreateMeeting": self._create_meeting,
            "CreateMeetingWithAttendees": self._create_meeting_with_attendees,
            "GetMeeting": self._get_meeting,
            "DeleteMeeting": self._delete_meeting,
            "CreateAttendee": self._create_attendee,
            "BatchCreateAttendee": self._batch_create_attendee,
            "GetAttendee": self._get_attendee,
            "ListAttendees": self._list_attendees,
            "DeleteAttendee": self._delete_attendee,
            "UpdateAttendeeCapabilities": self._update_capabilities,
            "BatchUpdateAttendeeCapabilitiesExcept": self._update_capabilities_except,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        """Answer one HTTP request, in the form of ministack's service handlers."""
        try:
            found = route(method, path, query)
            if found is None:
                raise bad_request(
                    f"{method} {path}: the local cloud imitates Chime SDK Meetings, nothing else of Chime"
                )
            operation = self._operations.get(found.operation)
            if operation is None:
                raise bad_request(f"{found.operation} is not imitated by the local cloud")
            rules = self._rules()
            if rules.request_rates:
                self._rates.take(found.operation, rules.request_rate_scale)
            given = read_input(found, query, body)
            if found.operation in _CREATING:
                await self._create_alone(given["ClientRequestToken"])
            output = operation(given)
        except ChimeError as error:
            return _error(error)
        status = success_status(found.operation)
        content = b"" if output is None or status == _NO_CONTENT else json.dumps(output).encode()
        return status, {"Content-Type": "application/json"}, content

    async def _create_alone(self, token: str) -> None:
        """Take as long as a CreateMeeting takes; meanwhile the same request is a conflict."""
        if not self._rules().meeting_conflicts:
            return
        if token in self._tokens_in_use:
            raise ChimeError(
                "ConflictException", "Multiple instances of the same request have been made simultaneously."
            )
        self._tokens_in_use.add(token)
        try:
            await asyncio.sleep(self._rules().meeting_milliseconds / 1000)
        finally:
            self._tokens_in_use.discard(token)

    def _create_meeting(self, given: Json) -> Json:
        request = {name: value for name, value in given.items() if name not in ("Tags", "Attendees")}
        tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or []}
        return {"Meeting": self._meetings.create(request, tags, get_region()).document()}

    def _create_meeting_with_attendees(self, given: Json) -> Json:
        meeting = self._create_meeting(given)
        return {**meeting, **self._added(meeting["Meeting"]["MeetingId"], given["Attendees"])}

    def _get_meeting(self, given: Json) -> Json:
        return {"Meeting": self._meetings.get(given["MeetingId"]).document()}

    def _delete_meeting(self, given: Json) -> None:
        self._meetings.delete(given["MeetingId"])

    def _create_attendee(self, given: Json) -> Json:
        meeting = self._meetings.get(given["MeetingId"])
        return {"Attendee": self._meetings.add(meeting, given["ExternalUserId"], given.get("Capabilities")).document()}

    def _batch_create_attendee(self, given: Json) -> Json:
        return self._added(given["MeetingId"], given["Attendees"])

    def _added(self, meeting_id: str, wanted: list[Json]) -> Json:
        meeting = self._meetings.get(meeting_id)
        attendees, errors = [], []
        for each in wanted:
            external_id = each["ExternalUserId"]
            try:
                attendees.append(self._meetings.add(meeting, external_id, each.get("Capabilities")).document())
            except ChimeError as error:
                errors.append({"ExternalUserId": external_id, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"Attendees": attendees, "Errors": errors}

    def _get_attendee(self, given: Json) -> Json:
        return {"Attendee": self._attendee(given)[1].document()}

    def _list_attendees(self, given: Json) -> Json:
        attendees = list(self._meetings.get(given["MeetingId"]).attendees.values())
        token = given.get("NextToken", "0")
        if not token.isdigit() or int(token) > len(attendees):
            raise bad_request("nextToken is not one that ListAttendees gave")
        start, size = int(token), given.get("MaxResults", _PAGE)
        page: Json = {"Attendees": [each.document() for each in attendees[start : start + size]]}
        return page | ({"NextToken": str(start + size)} if start + size < len(attendees) else {})

    def _delete_attendee(self, given: Json) -> None:
        self._meetings.remove(given["MeetingId"], given["AttendeeId"])

    def _update_capabilities(self, given: Json) -> Json:
        meeting, attendee = self._attendee(given)
        check_capabilities(given["Capabilities"], meeting.features)
        attendee.capabilities = given["Capabilities"]
        return {"Attendee": attendee.document()}

    def _update_capabilities_except(self, given: Json) -> None:
        meeting = self._meetings.get(given["MeetingId"])
        check_capabilities(given["Capabilities"], meeting.features)
        excluded = {each["AttendeeId"].lower() for each in given["ExcludedAttendeeIds"]}
        for attendee in meeting.attendees.values():
            if attendee.attendee_id not in excluded:
                attendee.capabilities = given["Capabilities"]

    def _tag(self, given: Json) -> Json:
        tags = self._meetings.by_arn(given["ResourceARN"]).tags
        tags.update({tag["Key"]: tag["Value"] for tag in given["Tags"]})
        return {}

    def _untag(self, given: Json) -> Json:
        tags = self._meetings.by_arn(given["ResourceARN"]).tags
        for key in given["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, given: Json) -> Json:
        tags = self._meetings.by_arn(given["ResourceARN"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _attendee(self, given: Json) -> tuple[Meeting, Attendee]:
        return self._meetings.attendee(given["MeetingId"], given["AttendeeId"])


def _error(error: ChimeError) -> Response:
    body = {"Code": error.code, "Message": error.message, "RequestId": str(uuid.uuid4())}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    return error_status(error), headers, json.dumps(body).encode()
