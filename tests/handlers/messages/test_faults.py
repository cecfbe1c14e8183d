"""Promise P1: whatever goes wrong at whatever step of a send, nothing accepted is lost, doubled or numbered twice."""

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
from tests.harness.functions import FunctionHarness, Response
from tests.harness.seeds import seed_conversation, user_ids

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
    """The stream hands every new record to the relay; the time left to the sender is over."""
    harness.advance(FAST_PATH_GRACE_SECONDS + 1)
    harness.relay(*(record["eventId"] for record in harness.aws.scan(tables.OUTBOX)))
    harness.deliver()


def recover_by_sweep(harness: FunctionHarness) -> None:
    """Stream and relay are lost, too: only the sweep is left."""
    harness.advance(SWEEP_AFTER_SECONDS + 1)
    harness.sweep()
    harness.deliver()


class Scene:
    """One conversation in which one call of one request goes wrong.

    Args:
        fanout_limit: below the number of members the event goes out in slices.
        remembered: whether the process has used the conversation before.
    """

    def __init__(self, aws: AwsResources, at: int, fault: Fault, *, fanout_limit: int, remembered: bool) -> None:
        self.aws = aws
        self.members = user_ids(MEMBERS)
        self.conversation = seed_conversation(aws, self.members)
        self.before = 0
        self.healthy = FunctionHarness(aws, clock=FakeClock(), fanout_limit=fanout_limit)
        self.faults = FaultInjector()
        self.harness = FunctionHarness(
            aws, self.healthy.publisher, self.healthy.clock, faults=self.faults, fanout_limit=fanout_limit
        )
        if remembered:
            assert self.send("warm-up").status == 200
            self.healthy.deliver()
            self.before = 1
        self.faults.arm(at, fault)

    def send(self, temp_id: str) -> Response:
        """Send through the functions of which one call goes wrong."""
        return self.harness.send(self.members[0], self.conversation, temp_id, tempId=temp_id)

    def send_once(self) -> bool:
        """Send as a client that does not try again; return whether it heard that the message is accepted."""
        try:
            answer = self.send("message")
        except ProcessKilledError:
            return False
        assert answer.status in (200, 503), answer
        return answer.status == 200

    def check(self, *, accepted: bool) -> None:
        """Everybody has every stored message exactly once; what was accepted is stored; numbers have no hole."""
        stored = sorted(
            (row for row in self.aws.scan(tables.MESSAGES) if row["conversationId"] == self.conversation),
            key=lambda row: row["timestamp"],
        )
        contents = [row["content"] for row in stored]
        assert contents.count("message") == 1 or not accepted
        assert contents.count("message") <= 1
        assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
        conversation = self.aws.item(tables.CONVERSATIONS, conversationId=self.conversation)
        assert conversation is not None
        assert conversation["latestSeq"] == len(stored)
        for member in self.members:
            events = self.healthy.publisher.events(member)
            assert [event["data"]["content"] for event in events] == contents
        assert self.aws.scan(tables.OUTBOX) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("recover", [recover_by_relay, recover_by_sweep], ids=["relay", "sweep"])
@pytest.mark.parametrize("fanout_limit", [20, MEMBERS - 1], ids=["direct", "slices"])
def test_what_was_stored_reaches_everybody_although_the_client_never_comes_back(
    aws: AwsResources, fault: Fault, recover: Callable[[FunctionHarness], None], fanout_limit: int
) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(aws, at, fault, fanout_limit=fanout_limit, remembered=at % 2 == 0)
        accepted = scene.send_once()
        recover(scene.healthy)
        scene.check(accepted=accepted)
        if not scene.faults.triggered:
            return
    pytest.fail("a send has more steps than this test reaches")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_client_that_tries_again_gets_its_message_stored_once(aws: AwsResources, fault: Fault) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(aws, at, fault, fanout_limit=20, remembered=False)
        if not scene.send_once():
            again = scene.healthy.send(scene.members[0], scene.conversation, "message", tempId="message")
            assert again.status == 200
            assert again.body["message"]["content"] == "message"
        recover_by_relay(scene.healthy)
        scene.check(accepted=True)
        if not scene.faults.triggered:
            return
    pytest.fail("a send has more steps than this test reaches")


def test_only_a_fault_of_the_first_write_can_make_a_send_fail(aws: AwsResources) -> None:
    for fault in (faults.throttled, faults.service_error, faults.request_lost, faults.response_lost):
        for at in range(3, 6):
            scene = Scene(aws, at, fault, fanout_limit=20, remembered=False)
            assert scene.send_once()
            assert scene.faults.triggered


def test_a_write_whose_answer_is_lost_is_asked_for_again_and_happens_once(aws: AwsResources) -> None:
    scene = Scene(aws, 2, faults.response_lost, fanout_limit=20, remembered=False)
    answer = scene.send("message")
    assert (answer.status, answer.body["duplicate"]) == (200, False)
    assert scene.faults.calls.count("transact_write_items") == 2
    scene.check(accepted=True)


def test_relay_deliver_and_sweep_may_all_run_twice_and_at_once(aws: AwsResources) -> None:
    scene = Scene(aws, 3, faults.killed_before, fanout_limit=20, remembered=False)
    assert not scene.send_once()
    recover_by_relay(scene.healthy)
    recover_by_sweep(scene.healthy)
    recover_by_relay(scene.healthy)
    scene.check(accepted=False)
    assert [len(scene.healthy.publisher.events(member)) for member in scene.members] == [1] * MEMBERS
