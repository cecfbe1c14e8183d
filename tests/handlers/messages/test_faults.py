"""Promise P1: after a fault at any step of a send, no accepted message is lost, stored twice or numbered twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract import tables
from contract.limits import FAST_PATH_GRACE_SECONDS, SWEEP_AFTER_SECONDS
from tests.harness import faults
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.faults import FaultInjector, ProcessKilledError
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.seeds import numbers, seed_conversation, undelivered, user_ids

Fault = Callable[[Callable[[], Any]], Any]
FAULTS: list[Fault] = [
    faults.throttled,
    faults.service_error,
    faults.request_lost,
    faults.response_lost,
    faults.killed_before,
    faults.killed_after,
]
STEPS_MAX = 30
MEMBERS = 3


def recover_by_relay(harness: FunctionHarness) -> None:
    """Invoke the relay with every record after the delay that it grants the request, then deliver."""
    harness.advance(FAST_PATH_GRACE_SECONDS + 1)
    harness.relay(*(record["eventId"] for record in harness.aws.scan(tables.OUTBOX)))
    harness.deliver()


def recover_by_sweep(harness: FunctionHarness) -> None:
    """Recover by the sweep alone, as if stream and relay had failed too."""
    harness.advance(SWEEP_AFTER_SECONDS + 1)
    harness.sweep()
    harness.deliver()


class FaultyConversation:
    """A conversation in which one call of one request fails.

    Args:
        fanout_limit: below the number of members the event is delivered in slices.
        cached: whether the process has the conversation in its cache.
    """

    def __init__(self, aws: AwsResources, at: int, fault: Fault, *, fanout_limit: int, cached: bool) -> None:
        self.aws = aws
        self.members = user_ids(MEMBERS)
        self.conversation = seed_conversation(aws, self.members)
        self.before = 0
        self.healthy = FunctionHarness(aws, clock=FakeClock(), fanout_limit=fanout_limit)
        self.faults = FaultInjector()
        self.harness = FunctionHarness(
            aws, self.healthy.publisher, self.healthy.clock, faults=self.faults, fanout_limit=fanout_limit
        )
        if cached:
            assert self.send("warm-up").status == 200
            self.healthy.deliver()
            self.before = 1
        self.faults.arm(at, fault)

    def send(self, temp_id: str) -> Response:
        """Send through the functions with the fault."""
        return self.harness.send(self.members[0], self.conversation, temp_id, tempId=temp_id)

    def send_once(self) -> bool:
        """Send once without a repeat; return whether the response says that the message is accepted."""
        try:
            answer = self.send("message")
        except ProcessKilledError:
            return False
        assert answer.status in (200, 503), answer
        return answer.status == 200

    def check(self, *, accepted: bool) -> None:
        """Check delivery and storage: every member has each stored message once; sequence numbers are gap-free.

        A number that a sender reserved and did not use is voided by the history that a member reads.
        """
        history = self.healthy.history(self.members[0], self.conversation, afterSeq=0)
        assert history.status == 200, history
        stored = sorted(
            (row for row in self.aws.scan(tables.MESSAGES) if row["conversationId"] == self.conversation),
            key=lambda row: row["timestamp"],
        )
        contents = [row["content"] for row in stored if not row.get("voided")]
        assert len(stored) <= len(contents) + 2
        assert [message["content"] for message in history.body["messages"]] == contents
        assert (history.body["latestSeq"], history.body["reload"]) == (len(stored), False)
        assert contents.count("message") == 1 or not accepted
        assert contents.count("message") <= 1
        assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
        state = numbers(self.aws, self.conversation)
        assert state["latestSeq"] == len(stored)
        if contents:
            assert state["lastMessageAt"] == max(row["timestamp"] for row in stored if not row.get("voided"))
        for member in self.members:
            events = self.healthy.publisher.events(member)
            assert [event["data"]["content"] for event in events] == contents
        assert undelivered(self.aws) == []


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("recover", [recover_by_relay, recover_by_sweep], ids=["relay", "sweep"])
@pytest.mark.parametrize("fanout_limit", [20, MEMBERS - 1], ids=["direct", "slices"])
def test_stored_message_reaches_every_recipient_without_a_repeat_by_the_client(
    aws: AwsResources, fault: Fault, recover: Callable[[FunctionHarness], None], fanout_limit: int
) -> None:
    """Promise P1."""
    for at in range(1, STEPS_MAX):
        case = FaultyConversation(aws, at, fault, fanout_limit=fanout_limit, cached=at % 2 == 0)
        accepted = case.send_once()
        recover(case.healthy)
        case.check(accepted=accepted)
        if not case.faults.triggered:
            return
    pytest.fail("a send makes more calls than this test reaches")


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_repeated_send_after_a_fault_is_stored_once(aws: AwsResources, fault: Fault) -> None:
    """Promise P1."""
    for at in range(1, STEPS_MAX):
        case = FaultyConversation(aws, at, fault, fanout_limit=20, cached=False)
        if not case.send_once():
            again = case.healthy.send(case.members[0], case.conversation, "message", tempId="message")
            assert again.status == 200
            assert again.body["message"]["content"] == "message"
        recover_by_relay(case.healthy)
        case.check(accepted=True)
        if not case.faults.triggered:
            return
    pytest.fail("a send makes more calls than this test reaches")


def transaction_step(aws: AwsResources) -> int:
    """Return the number of the call that stores the message, when the conversation is not in the cache."""
    case = FaultyConversation(aws, 0, faults.throttled, fanout_limit=20, cached=False)
    assert case.send_once()
    return case.faults.calls.index("transact_write_items") + 1


def test_fault_after_the_transaction_does_not_fail_the_send(aws: AwsResources) -> None:
    stored = transaction_step(aws)
    for fault in (faults.throttled, faults.service_error, faults.request_lost, faults.response_lost):
        for at in range(stored + 1, stored + 4):
            case = FaultyConversation(aws, at, fault, fanout_limit=20, cached=False)
            assert case.send_once()
            assert case.faults.triggered


def test_transaction_with_a_lost_response_is_repeated_and_stored_once(aws: AwsResources) -> None:
    case = FaultyConversation(aws, transaction_step(aws), faults.response_lost, fanout_limit=20, cached=False)
    answer = case.send("message")
    assert (answer.status, answer.body["duplicate"]) == (200, False)
    assert case.faults.calls.count("transact_write_items") == 2
    case.check(accepted=True)


def test_relay_deliver_and_sweep_may_run_repeatedly_for_one_event(aws: AwsResources) -> None:
    case = FaultyConversation(aws, transaction_step(aws) + 1, faults.killed_before, fanout_limit=20, cached=False)
    assert not case.send_once()
    recover_by_relay(case.healthy)
    recover_by_sweep(case.healthy)
    recover_by_relay(case.healthy)
    case.check(accepted=False)
    assert [len(case.healthy.publisher.events(member)) for member in case.members] == [1] * MEMBERS
