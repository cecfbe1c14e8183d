"""Calls on the local cloud, with the meetings of its Chime stand-in: what browsers, timers, the sweep and faults do."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from client.errors import ConflictError
from contract import tables
from contract.calls.models import CallView
from contract.calls.requests import InitiateCall
from local.control.faults import FaultControl
from local.testing import LocalCloud
from tests.e2e.place import PATIENCE_SECONDS, People, Person

ENVIRONMENT = "local"
LONG_AGO = {"S": "2020-01-01T00:00:00.000Z"}


async def eventually(check: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is not empty, and return it: a bounded wait for what happens elsewhere."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if answer := await check():
                return answer
            await asyncio.sleep(0.1)


class Line:
    """A call on the local cloud, seen by the test and by the operator."""

    def __init__(self, cloud: LocalCloud, caller: Person, session_id: str) -> None:
        self.cloud = cloud
        self.caller = caller
        self.id = session_id

    async def until(self, status: str) -> CallView:
        """Wait until the call has a status."""

        async def reached() -> CallView | None:
            call = (await self.caller.api.call(self.id)).call
            return call if call.status == status else None

        call: CallView = await eventually(reached)
        return call

    async def meetings(self) -> list[dict[str, Any]]:
        """The active meetings of this call."""
        active = await asyncio.to_thread(self.cloud.meetings.active)
        return [meeting for meeting in active if meeting["externalMeetingId"] == self.id]

    async def seats(self) -> set[str]:
        """Who has an attendee in the one meeting of this call."""
        (meeting,) = await self.meetings()
        return {each["externalUserId"] for each in meeting["attendees"]}

    async def has(self, person: Person, status: str) -> bool:
        """Whether a participant has a status."""
        call = (await self.caller.api.call(self.id)).call
        return any(each.userId == person.id and each.status == status for each in call.participants)

    async def until_no_meeting(self) -> None:
        """Wait until no meeting of this call is left."""

        async def gone() -> bool:
            return not await self.meetings()

        await eventually(gone)

    async def age(self, *attributes: str) -> None:
        """Put dates of the record into the past, as the operator, so that nobody has to wait."""
        values = {f":{name}": LONG_AGO for name in attributes}
        change = "SET " + ", ".join(f"{name} = :{name}" for name in attributes)
        await asyncio.to_thread(
            self.cloud.aws("dynamodb").update_item,
            TableName=tables.CALLS.name(ENVIRONMENT),
            Key={"sessionId": {"S": self.id}},
            UpdateExpression=change,
            ExpressionAttributeValues=values,
        )

    async def ring_out(self) -> None:
        """Deliver the ring timer's message now, and wait until it was taken."""
        sqs = self.cloud.aws("sqs")
        name = f"PantherKolab-RingTimeouts-{ENVIRONMENT}"
        queue = (await asyncio.to_thread(sqs.get_queue_url, QueueName=name))["QueueUrl"]
        await asyncio.to_thread(sqs.send_message, QueueUrl=queue, MessageBody=json.dumps({"sessionId": self.id}))
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        async def taken() -> bool:
            answer = await asyncio.to_thread(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=counts)
            return all(answer["Attributes"][count] == "0" for count in counts)

        await eventually(taken)

    async def sweep(self) -> None:
        """Let the sweep look now."""
        await asyncio.to_thread(
            self.cloud.aws("lambda").invoke, FunctionName=f"PantherKolab-call_sweep-{ENVIRONMENT}", Payload=b"{}"
        )


async def ring(cloud: LocalCloud, caller: Person, callee: Person) -> Line:
    request = InitiateCall(recipientId=callee.id, callType="AUDIO", tempId=uuid.uuid4().hex)
    answer = await caller.api.initiate_call(request)
    assert answer.call.status == "RINGING"
    return Line(cloud, caller, answer.sessionId)


async def talk(cloud: LocalCloud, caller: Person, callee: Person) -> tuple[Line, str, str]:
    """A direct call that was answered; with the meeting and the callee's attendee."""
    line = await ring(cloud, caller, callee)
    accepted = await callee.api.accept_call(line.id)
    assert set(accepted.attendees) == {callee.id}
    (meeting,) = await line.meetings()
    attendee = accepted.attendees[callee.id]
    await asyncio.to_thread(cloud.meetings.join, meeting["meetingId"], attendee.AttendeeId, attendee.JoinToken)
    return line, meeting["meetingId"], attendee.AttendeeId


async def unpublished(faults: FaultControl, *channels: str) -> None:
    """Let publishing to these channels fail until the queue takes over."""
    match = {"operation": "publish", "transport": "http"}
    rules = [
        {"match": {**match, "channel": channel}, "effect": "error", "status": 500, "times": 6} for channel in channels
    ]
    await asyncio.to_thread(faults.set_events, *rules)


async def test_hanging_up_ends_a_direct_call_and_its_meeting(
    people: People, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    line, _, _ = await talk(cloud, ada, grace)
    assert [call.sessionId for call in (await grace.api.calls(state="active")).calls] == [line.id]
    await unpublished(faults, f"/calls/{line.id}", f"/users/{ada.id}")
    assert (await grace.api.leave_call(line.id)).call.status == "ENDED"
    await line.until_no_meeting()
    assert [call.sessionId for call in (await grace.api.calls(state="history")).calls] == [line.id]


async def test_hanging_up_in_the_meeting_ends_the_call_though_nobody_told_us(
    people: People, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    line, meeting, attendee = await talk(cloud, ada, grace)
    await unpublished(faults, f"/users/{ada.id}")
    await asyncio.to_thread(cloud.meetings.leave, meeting, attendee)
    await line.until("ENDED")
    await line.until_no_meeting()


async def test_whoever_talks_is_busy_for_others(people: People, cloud: LocalCloud) -> None:
    ada, grace = await people.pair()
    alan = await people.make("Alan", "Turing")
    line, _, _ = await talk(cloud, ada, grace)
    with pytest.raises(ConflictError):
        await ring(cloud, alan, grace)
    await grace.api.block(alan.id)
    with pytest.raises(ConflictError):  # and being blocked makes no difference
        await ring(cloud, alan, grace)
    await ada.api.end_call(line.id)


async def test_a_lost_connection_ends_no_call(people: People, cloud: LocalCloud) -> None:
    ada, grace = await people.pair()
    line, meeting, attendee = await talk(cloud, ada, grace)
    await asyncio.to_thread(cloud.meetings.drop, meeting, attendee)
    await asyncio.to_thread(cloud.meetings.join, meeting, attendee)
    assert (await ada.api.call(line.id)).call.status == "ACTIVE"
    await ada.api.end_call(line.id)


async def test_an_event_of_chime_that_cannot_be_served_goes_to_the_dead_letters(
    people: People, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    line, meeting, attendee = await talk(cloud, ada, grace)
    failing = {"service": "lambda", "operation": "Invoke", "function": "*chime_events*", "effect": "error"}
    await asyncio.to_thread(faults.set_aws, failing)
    await asyncio.to_thread(cloud.meetings.leave, meeting, attendee)
    letters = await asyncio.to_thread(
        cloud.aws("sqs").get_queue_url, QueueName=f"PantherKolab-ChimeEventsDeadLetters-{ENVIRONMENT}"
    )
    await eventually(lambda: dead_letter(cloud, letters["QueueUrl"], line.id))
    await asyncio.to_thread(faults.clear)
    await ada.api.end_call(line.id)


async def dead_letter(cloud: LocalCloud, queue: str, session_id: str) -> bool:
    answer = await asyncio.to_thread(cloud.aws("sqs").receive_message, QueueUrl=queue, MaxNumberOfMessages=10)
    messages = [message for message in answer.get("Messages", []) if session_id in message["Body"]]
    for message in messages:
        cloud.aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bool(messages)


async def test_a_group_call_goes_on_until_its_owner_ends_it(
    people: People, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    alan = await people.make("Alan", "Turing")
    group = await people.group(ada, grace, alan)
    answer = await ada.api.initiate_call(InitiateCall(conversationId=group, callType="GROUP", tempId=uuid.uuid4().hex))
    line = Line(cloud, ada, answer.sessionId)
    await grace.api.accept_call(line.id)
    await unpublished(faults, f"/users/{grace.id}")
    alans = (await alan.api.accept_call(line.id)).attendees[alan.id]
    assert await line.seats() == {ada.id, grace.id, alan.id}
    assert (await grace.api.leave_call(line.id)).call.status == "ACTIVE"
    assert await line.seats() == {ada.id, alan.id}
    # Alan closes his browser, and comes back.
    (meeting,) = await line.meetings()
    await asyncio.to_thread(cloud.meetings.join, meeting["meetingId"], alans.AttendeeId, alans.JoinToken)
    await asyncio.to_thread(cloud.meetings.leave, meeting["meetingId"], alans.AttendeeId)
    await eventually(lambda: line.has(alan, "LEFT"))
    await alan.api.accept_call(line.id)
    # Whoever is no longer in the group does not stay in its call.
    await ada.api.remove_member(group, alan.id)
    await line.age("dueAt")
    await unpublished(faults, f"/users/{ada.id}")
    await line.sweep()
    assert await line.has(alan, "LEFT")
    await ada.api.end_call(line.id)
    await line.until_no_meeting()


@pytest.mark.parametrize("by", ["the timer", "the sweep"])
async def test_ringing_ends_in_time(people: People, cloud: LocalCloud, faults: FaultControl, by: str) -> None:
    ada, grace = await people.pair()
    line = await ring(cloud, ada, grace)
    await line.ring_out()  # too early: it is started again
    await line.age("ringsUntil", "dueAt")
    await unpublished(faults, f"/users/{ada.id}")
    await (line.ring_out() if by == "the timer" else line.sweep())
    assert (await line.until("MISSED")).endedAt is not None


@pytest.mark.parametrize("by", ["the timer", "the sweep"])
async def test_a_meeting_that_a_dying_function_made_is_found_and_deleted(
    people: People, cloud: LocalCloud, faults: FaultControl, by: str
) -> None:
    ada, grace = await people.pair()
    line = await ring(cloud, ada, grace)
    dies = {"service": "chime", "operation": "CreateMeeting", "function": "*calls*", "effect": "kill", "when": "after"}
    await asyncio.to_thread(faults.set_aws, dies)
    with pytest.raises(Exception, match=r"(?i)error|answer|try again|unavailable"):
        await grace.api.accept_call(line.id)
    await asyncio.to_thread(faults.clear)
    assert len(await line.meetings()) == 1
    await line.age("ringsUntil", "dueAt", "meetingAskedAt")
    await (line.ring_out() if by == "the timer" else line.sweep())
    await line.until("MISSED")
    await line.until_no_meeting()


async def test_a_call_whose_meeting_vanished_is_ended_by_the_sweep(
    people: People, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    line, _, _ = await talk(cloud, ada, grace)
    vanishing = {"service": "chime", "operation": "GetMeeting", "effect": "vanish", "times": 1}
    await asyncio.to_thread(faults.set_aws, vanishing)
    await line.age("dueAt")
    await line.sweep()
    assert (await line.until("ENDED")).endReason == "MEETING_ENDED"
