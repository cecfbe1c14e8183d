"""Promise P1: whatever goes wrong at whatever step of a send, nothing accepted is lost, doubled or numbered twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract.limits import FAST_PATH_GRACE_SECONDS, SWEEP_AFTER_SECONDS
from tests.harness.handlers import doubles
from tests.harness.handlers.cloud import World
from tests.harness.handlers.doubles import Calls, HeldClock, ProcessDiesError
from tests.harness.handlers.functions import Answer, Backend
from tests.harness.handlers.seeds import get, rows, seed_conversation, user_ids

Fault = Callable[[Callable[[], Any]], Any]
FAULTS: list[Fault] = [
    doubles.throttles,
    doubles.fails,
    doubles.never_arrives,
    doubles.answer_gets_lost,
    doubles.dies_before,
    doubles.dies_after,
]
STEPS_MAX = 30
MEMBERS = 3


def recover_by_relay(backend: Backend) -> None:
    """The stream hands every new record to the relay; the time left to the sender is over."""
    backend.clock.pause(FAST_PATH_GRACE_SECONDS + 1)
    backend.relay(*(record["eventId"] for record in rows(backend.world, "OUTBOX_TABLE")))
    backend.deliver()


def recover_by_sweep(backend: Backend) -> None:
    """Stream and relay are lost, too: only the sweep is left."""
    backend.clock.pause(SWEEP_AFTER_SECONDS + 1)
    backend.sweep()
    backend.deliver()


class Scene:
    """One conversation in which one call of one request goes wrong.

    Args:
        fanout_limit: below the number of members the event goes out in slices.
        remembered: whether the process has used the conversation before.
    """

    def __init__(self, world: World, at: int, fault: Fault, *, fanout_limit: int, remembered: bool) -> None:
        self.world = world
        self.members = user_ids(MEMBERS)
        self.conversation = seed_conversation(world, self.members)
        self.before = 0
        self.healthy = Backend(world, clock=HeldClock(), fanout_limit=fanout_limit)
        self.calls = Calls()
        self.backend = Backend(
            world, self.healthy.devices, self.healthy.clock, calls=self.calls, fanout_limit=fanout_limit
        )
        if remembered:
            assert self.send("warm-up").status == 200
            self.healthy.deliver()
            self.before = 1
        self.calls.arm(at, fault)

    def send(self, temp_id: str) -> Answer:
        """Send through the functions of which one call goes wrong."""
        return self.backend.send(self.members[0], self.conversation, temp_id, tempId=temp_id)

    def send_once(self) -> bool:
        """Send as a client that does not try again; return whether it heard that the message is accepted."""
        try:
            answer = self.send("message")
        except ProcessDiesError:
            return False
        assert answer.status in (200, 503), answer
        return answer.status == 200

    def check(self, *, accepted: bool) -> None:
        """Everybody has every stored message exactly once; what was accepted is stored; numbers have no hole."""
        stored = sorted(
            (row for row in rows(self.world, "MESSAGES_TABLE") if row["conversationId"] == self.conversation),
            key=lambda row: row["timestamp"],
        )
        contents = [row["content"] for row in stored]
        assert contents.count("message") == 1 or not accepted
        assert contents.count("message") <= 1
        assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
        conversation = get(self.world, "CONVERSATIONS_TABLE", conversationId=self.conversation)
        assert conversation is not None
        assert conversation["latestSeq"] == len(stored)
        for member in self.members:
            events = self.healthy.devices.events(member)
            assert [event["data"]["content"] for event in events] == contents
        assert rows(self.world, "OUTBOX_TABLE") == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("recover", [recover_by_relay, recover_by_sweep], ids=["relay", "sweep"])
@pytest.mark.parametrize("fanout_limit", [20, MEMBERS - 1], ids=["direct", "slices"])
def test_what_was_stored_reaches_everybody_although_the_client_never_comes_back(
    world: World, fault: Fault, recover: Callable[[Backend], None], fanout_limit: int
) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(world, at, fault, fanout_limit=fanout_limit, remembered=at % 2 == 0)
        accepted = scene.send_once()
        recover(scene.healthy)
        scene.check(accepted=accepted)
        if not scene.calls.triggered:
            return
    pytest.fail("a send has more steps than this test reaches")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_client_that_tries_again_gets_its_message_stored_once(world: World, fault: Fault) -> None:
    for at in range(1, STEPS_MAX):
        scene = Scene(world, at, fault, fanout_limit=20, remembered=False)
        if not scene.send_once():
            again = scene.healthy.send(scene.members[0], scene.conversation, "message", tempId="message")
            assert again.status == 200
            assert again.body["message"]["content"] == "message"
        recover_by_relay(scene.healthy)
        scene.check(accepted=True)
        if not scene.calls.triggered:
            return
    pytest.fail("a send has more steps than this test reaches")


def test_only_a_fault_of_the_first_write_can_make_a_send_fail(world: World) -> None:
    for fault in (doubles.throttles, doubles.fails, doubles.never_arrives, doubles.answer_gets_lost):
        for at in range(3, 6):
            scene = Scene(world, at, fault, fanout_limit=20, remembered=False)
            assert scene.send_once()
            assert scene.calls.triggered


def test_a_write_whose_answer_is_lost_is_asked_for_again_and_happens_once(world: World) -> None:
    scene = Scene(world, 2, doubles.answer_gets_lost, fanout_limit=20, remembered=False)
    answer = scene.send("message")
    assert (answer.status, answer.body["duplicate"]) == (200, False)
    assert scene.calls.made.count("transact_write_items") == 2
    scene.check(accepted=True)


def test_relay_deliver_and_sweep_may_all_run_twice_and_at_once(world: World) -> None:
    scene = Scene(world, 3, doubles.dies_before, fanout_limit=20, remembered=False)
    assert not scene.send_once()
    recover_by_relay(scene.healthy)
    recover_by_sweep(scene.healthy)
    recover_by_relay(scene.healthy)
    scene.check(accepted=False)
    assert [len(scene.healthy.devices.events(member)) for member in scene.members] == [1] * MEMBERS
