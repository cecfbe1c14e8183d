"""Calls on the local cloud with its Chime emulation: browsers, ring timers, the sweep and faults."""

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
from handlers.adapters.aws_clients import ATTEMPTS
from local.control.faults import FaultControl
from local.emulator.strict.rules.dynamodb import LAG_MOST_MILLISECONDS
from local.testing import LocalCloud
from tests.harness.e2e.environment import LONGEST_WAIT_SECONDS
from tests.harness.e2e.users import SignedInUser, Users

ENVIRONMENT = "local"
LONG_AGO = {"S": "2020-01-01T00:00:00.000Z"}


async def eventually(check: Callable[[], Awaitable[Any]]) -> Any:
    """Repeat a check until its result is true, for at most LONGEST_WAIT_SECONDS, and return the result."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while True:
            if result := await check():
                return result
            await asyncio.sleep(0.1)


class ObservedCall:
    """A call on the local cloud, with the operator's access to its record and meeting."""

    def __init__(self, cloud: LocalCloud, caller: SignedInUser, session_id: str) -> None:
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
        """Return the active meetings of this call."""
        active = await asyncio.to_thread(self.cloud.meetings.active)
        return [meeting for meeting in active if meeting["externalMeetingId"] == self.id]

    async def attendees(self) -> set[str]:
        """Return the ids of the users with an attendee in the one meeting of this call."""
        (meeting,) = await self.meetings()
        return {each["externalUserId"] for each in meeting["attendees"]}

    async def has(self, user: SignedInUser, status: str) -> bool:
        """Return whether a participant has a status."""
        call = (await self.caller.api.call(self.id)).call
        return any(each.userId == user.id and each.status == status for each in call.participants)

    async def until_no_meeting(self) -> None:
        """Wait until no meeting of this call remains."""

        async def gone() -> bool:
            return not await self.meetings()

        await eventually(gone)

    async def backdate(self, *attributes: str) -> None:
        """Set dates of the record to the past, as the operator, so that the test need not wait."""
        values = {f":{name}": LONG_AGO for name in attributes}
        change = "SET " + ", ".join(f"{name} = :{name}" for name in attributes)
        await asyncio.to_thread(
            self.cloud.aws("dynamodb").update_item,
            TableName=tables.CALLS.name(ENVIRONMENT),
            Key={"sessionId": {"S": self.id}},
            UpdateExpression=change,
            ExpressionAttributeValues=values,
        )
        await asyncio.sleep(2 * LAG_MOST_MILLISECONDS / 1000)  # the index of due calls, which the sweep reads, lags

    async def deliver_ring_timer(self) -> None:
        """Deliver the ring timer's message now, and wait until it was processed."""
        sqs = self.cloud.aws("sqs")
        name = f"PantherKolab-RingTimeouts-{ENVIRONMENT}"
        queue = (await asyncio.to_thread(sqs.get_queue_url, QueueName=name))["QueueUrl"]
        await asyncio.to_thread(sqs.send_message, QueueUrl=queue, MessageBody=json.dumps({"sessionId": self.id}))
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        async def processed() -> bool:
            answer = await asyncio.to_thread(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=counts)
            return all(answer["Attributes"][count] == "0" for count in counts)

        await eventually(processed)

    async def sweep(self) -> None:
        """Run the sweep now."""
        await asyncio.to_thread(
            self.cloud.aws("lambda").invoke, FunctionName=f"PantherKolab-call_sweep-{ENVIRONMENT}", Payload=b"{}"
        )


async def start_call(cloud: LocalCloud, caller: SignedInUser, callee: SignedInUser) -> ObservedCall:
    response = await caller.api.initiate_call(recipient_id=callee.id, call_type="AUDIO", temp_id=uuid.uuid4().hex)
    assert response.call.status == "RINGING"
    return ObservedCall(cloud, caller, response.sessionId)


async def start_answered_call(
    cloud: LocalCloud, caller: SignedInUser, callee: SignedInUser
) -> tuple[ObservedCall, str, str]:
    """Return an answered direct call, its meeting's id and the callee's attendee id."""
    call = await start_call(cloud, caller, callee)
    accepted = await callee.api.accept_call(call.id)
    assert set(accepted.attendees) == {callee.id}
    (meeting,) = await call.meetings()
    attendee = accepted.attendees[callee.id]
    await asyncio.to_thread(cloud.meetings.join, meeting["meetingId"], attendee.AttendeeId, attendee.JoinToken)
    return call, meeting["meetingId"], attendee.AttendeeId


async def fail_publishing(faults: FaultControl, *channels: str) -> None:
    """Make publishing to these channels fail until the delivery queue retries it."""
    match = {"operation": "publish", "transport": "http"}
    rules = [
        {"match": {**match, "channel": channel}, "effect": "error", "status": 500, "times": 6} for channel in channels
    ]
    await asyncio.to_thread(faults.set_events, *rules)


async def test_hanging_up_ends_a_direct_call_and_its_meeting(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    call, _, _ = await start_answered_call(cloud, ada, grace)
    assert [each.sessionId for each in (await grace.api.calls(state="active")).calls] == [call.id]
    await fail_publishing(faults, f"/calls/{call.id}", f"/users/{ada.id}")
    assert (await grace.api.leave_call(call.id)).call.status == "ENDED"
    await call.until_no_meeting()
    assert [each.sessionId for each in (await grace.api.calls(state="history")).calls] == [call.id]


async def test_leaving_the_meeting_ends_the_call_without_a_request(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    call, meeting, attendee = await start_answered_call(cloud, ada, grace)
    await fail_publishing(faults, f"/users/{ada.id}")
    await asyncio.to_thread(cloud.meetings.leave, meeting, attendee)
    await call.until("ENDED")
    await call.until_no_meeting()


async def test_a_user_in_a_call_is_busy_for_other_callers(users: Users, cloud: LocalCloud) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    call, _, _ = await start_answered_call(cloud, ada, grace)
    with pytest.raises(ConflictError):
        await start_call(cloud, alan, grace)
    await grace.api.block(alan.id)
    with pytest.raises(ConflictError):  # the same for a blocked caller
        await start_call(cloud, alan, grace)
    await ada.api.end_call(call.id)


async def test_a_lost_media_connection_does_not_end_the_call(users: Users, cloud: LocalCloud) -> None:
    ada, grace = await users.pair()
    call, meeting, attendee = await start_answered_call(cloud, ada, grace)
    await asyncio.to_thread(cloud.meetings.drop, meeting, attendee)
    await asyncio.to_thread(cloud.meetings.join, meeting, attendee)
    assert (await ada.api.call(call.id)).call.status == "ACTIVE"
    await ada.api.end_call(call.id)


async def test_a_chime_event_whose_handler_fails_becomes_a_dead_letter(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    call, meeting, attendee = await start_answered_call(cloud, ada, grace)
    failing = {"service": "lambda", "operation": "Invoke", "function": "*chime_events*", "effect": "error"}
    await asyncio.to_thread(faults.set_aws, failing)
    await asyncio.to_thread(cloud.meetings.leave, meeting, attendee)
    queue = await asyncio.to_thread(
        cloud.aws("sqs").get_queue_url, QueueName=f"PantherKolab-ChimeEventsDeadLetters-{ENVIRONMENT}"
    )
    await eventually(lambda: take_dead_letter(cloud, queue["QueueUrl"], call.id))
    await asyncio.to_thread(faults.clear)
    await ada.api.end_call(call.id)


async def take_dead_letter(cloud: LocalCloud, queue: str, session_id: str) -> bool:
    answer = await asyncio.to_thread(cloud.aws("sqs").receive_message, QueueUrl=queue, MaxNumberOfMessages=10)
    messages = [message for message in answer.get("Messages", []) if session_id in message["Body"]]
    for message in messages:
        cloud.aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return bool(messages)


async def test_a_group_call_continues_until_its_owner_ends_it(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    group = await users.group(ada, grace, alan)
    response = await ada.api.initiate_call(conversation_id=group, call_type="GROUP", temp_id=uuid.uuid4().hex)
    call = ObservedCall(cloud, ada, response.sessionId)
    await grace.api.accept_call(call.id)
    await fail_publishing(faults, f"/users/{grace.id}")
    attendee = (await alan.api.accept_call(call.id)).attendees[alan.id]
    assert await call.attendees() == {ada.id, grace.id, alan.id}
    assert (await grace.api.leave_call(call.id)).call.status == "ACTIVE"
    assert await call.attendees() == {ada.id, alan.id}
    # Alan leaves the meeting without a request, as a closed browser does, and joins again.
    (meeting,) = await call.meetings()
    await asyncio.to_thread(cloud.meetings.join, meeting["meetingId"], attendee.AttendeeId, attendee.JoinToken)
    await asyncio.to_thread(cloud.meetings.leave, meeting["meetingId"], attendee.AttendeeId)
    await eventually(lambda: call.has(alan, "LEFT"))
    await alan.api.accept_call(call.id)
    # The sweep removes a user who is no longer a member of the group.
    await ada.api.remove_member(group, alan.id)
    await call.backdate("dueAt")
    await fail_publishing(faults, f"/users/{ada.id}")
    await call.sweep()
    assert await call.has(alan, "LEFT")
    await ada.api.end_call(call.id)
    await call.until_no_meeting()


async def test_ring_timer_whose_first_attempt_failed_ends_the_ringing_seconds_later(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    call = await start_call(cloud, ada, grace)
    await call.backdate("ringsUntil")
    failing = {"service": "dynamodb", "operation": "GetItem", "function": "*ring_timeout*", "effect": "error"}
    await asyncio.to_thread(faults.set_aws, {**failing, "status": 500, "times": ATTEMPTS})
    await call.deliver_ring_timer()
    assert (await call.until("MISSED")).endedAt is not None


@pytest.mark.parametrize("by", ["the timer", "the sweep"])
async def test_ringing_ends_after_its_time(users: Users, cloud: LocalCloud, faults: FaultControl, by: str) -> None:
    ada, grace = await users.pair()
    call = await start_call(cloud, ada, grace)
    await call.deliver_ring_timer()  # before the ringing time is over, the timer is started again
    await call.backdate("ringsUntil", "dueAt")
    await fail_publishing(faults, f"/users/{ada.id}")
    await (call.deliver_ring_timer() if by == "the timer" else call.sweep())
    assert (await call.until("MISSED")).endedAt is not None


@pytest.mark.parametrize("by", ["the timer", "the sweep"])
async def test_a_meeting_created_by_a_killed_function_is_deleted(
    users: Users, cloud: LocalCloud, faults: FaultControl, by: str
) -> None:
    ada, grace = await users.pair()
    call = await start_call(cloud, ada, grace)
    killed = {
        "service": "chime",
        "operation": "CreateMeeting",
        "function": "*calls*",
        "effect": "kill",
        "when": "after",
    }
    await asyncio.to_thread(faults.set_aws, killed)
    with pytest.raises(Exception, match=r"(?i)error|response|try again|unavailable"):
        await grace.api_with_retries(seconds=0).accept_call(call.id)
    await asyncio.to_thread(faults.clear)
    assert len(await call.meetings()) == 1
    await call.backdate("ringsUntil", "dueAt", "meetingAskedAt")
    await (call.deliver_ring_timer() if by == "the timer" else call.sweep())
    await call.until("MISSED")
    await call.until_no_meeting()


async def test_the_sweep_ends_a_call_whose_meeting_disappeared(
    users: Users, cloud: LocalCloud, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    call, _, _ = await start_answered_call(cloud, ada, grace)
    vanishing = {"service": "chime", "operation": "GetMeeting", "effect": "vanish", "times": 1}
    await asyncio.to_thread(faults.set_aws, vanishing)
    await call.backdate("dueAt")
    await call.sweep()
    assert (await call.until("ENDED")).endReason == "MEETING_ENDED"
