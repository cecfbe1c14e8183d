"""Random interleavings of sends, recoveries, changes of members and blocks, with a fault or death at any step.

Each send stops before every call to another service. Hypothesis decides which one continues, and which fault its next
call has. Promise P1: an accepted message is stored once, with its own number, and reaches every member. Promise P4:
what a client reads is complete up to the number that the response declares, and covers all messages accepted before.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection
from threading import Semaphore, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from contract import tables
from contract.limits import FAST_PATH_GRACE_SECONDS
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.shared import concurrency
from handlers.core.shared.timestamps import from_iso
from tests.harness import faults
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.faults import Fault, FaultInjector, ProcessKilledError
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.in_memory.stepping import InlinePool
from tests.harness.seeds import numbers

MEMBERS = 4
TEMP_IDS = st.integers(0, 5)
NUMBERS = st.integers(0, 1_000)
STEPS = st.sampled_from((0, 1, 2, 3, 4, 5, 100))
FAULTS: tuple[Fault, ...] = (
    faults.throttled,
    faults.service_error,
    faults.request_lost,
    faults.response_lost,
    faults.killed_before,
    faults.killed_after,
)
ACCEPTING = ("put_item", "transact_write_items")
"""The calls that accept a message."""
SOMETIMES: st.SearchStrategy[Fault | None] = st.sampled_from((None, None, None, *FAULTS))


class SteppedSend:
    """One send in a thread of its own, which continues only when the test steps it."""

    def __init__(self, work: Callable[[], Response]) -> None:
        self.done = False
        self.answer: Response | None = None
        self.next_call = ""
        self._dead = False
        self._fault: Fault | None = None
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        Thread(target=self._run, args=(work,), daemon=True).start()
        self._stopped.acquire()

    def _run(self, work: Callable[[], Response]) -> None:
        _current.send = self
        try:
            self.answer = work()
        except ProcessKilledError:
            self._dead = True
        finally:
            self.done = True
            self._stopped.release()

    def step(self, fault: Fault | None = None) -> None:
        """Make the next call, and run up to the one after it."""
        if not self.done:
            self._fault = fault
            self._go.release()
            self._stopped.acquire()

    def call(self, name: str, make: Callable[[], Any]) -> Any:
        """Stop; then make a call, or let it fail."""
        if self._dead:
            raise ProcessKilledError(name)
        self.next_call = name
        self._stopped.release()
        self._go.acquire()
        fault, self._fault = self._fault, None
        if fault is None:
            return make()
        try:
            return fault(make)
        except ProcessKilledError:
            self._dead = True
            raise


_current = threading.local()


class SteppedFaults(FaultInjector):
    """Passes each call to the send whose thread makes it."""

    def call(self, name: str, make: Callable[[], Any]) -> Any:
        send: SteppedSend | None = getattr(_current, "send", None)
        return make() if send is None else send.call(name, make)


class Interleavings(RuleBasedStateMachine):
    """Four members of a group, two processes with a cache each, and a client that recovers."""

    aws: AwsResources
    statuses: Collection[int] = (200, 503)

    @initialize()
    def set_up(self) -> None:
        """Create the group, and one more user who joins and leaves."""
        random.seed(0)
        clock = FakeClock()
        first = FunctionHarness(self.aws, clock=clock, faults=SteppedFaults())
        second = FunctionHarness(self.aws, first.publisher, clock, faults=SteppedFaults())
        self.processes = (first, second)
        *self.members, self.guest = first.users(MEMBERS + 1)
        self.group = first.group(*self.members)
        self.guest_is_member = False
        self.running: list[tuple[str, SteppedSend]] = []
        self.accepted: dict[str, dict[str, Any]] = {}
        self.shown: dict[int, dict[str, Any]] = {}
        self.changed: dict[int, str] = {}
        self.edits: dict[str, str] = {}
        self.seq = self.change = 0

    @rule(who=NUMBERS, process=st.integers(0, 1), temp=TEMP_IDS, steps=STEPS)
    def send(self, who: int, process: int, temp: int, steps: int) -> None:
        """A member sends, perhaps what was sent before."""
        started = self._start(who, process, temp)
        for _ in range(steps):
            started.step()
        self._collect()

    @rule(who=NUMBERS, process=st.integers(0, 1), temp=TEMP_IDS, fault=SOMETIMES)
    def accept(self, who: int, process: int, temp: int, fault: Fault | None) -> None:
        """A send stops, or meets a fault, just after the message is accepted or refused."""
        started = self._start(who, process, temp)
        while not started.done and started.next_call not in ACCEPTING:
            started.step()
        started.step(fault)
        self._collect()

    @precondition(lambda self: self.running)
    @rule(number=NUMBERS, fault=SOMETIMES, steps=STEPS)
    def go_on(self, number: int, fault: Fault | None, steps: int) -> None:
        """One of the sends continues, perhaps with a fault."""
        _, send = self.running[number % len(self.running)]
        send.step(fault)
        for _ in range(steps):
            send.step()
        self._collect()

    @precondition(lambda self: self.accepted)
    @rule(number=NUMBERS, process=st.integers(0, 1), steps=STEPS)
    def edit(self, number: int, process: int, steps: int) -> None:
        """The sender of a message edits it."""
        key, message = list(self.accepted.items())[number % len(self.accepted)]
        content, harness = f"edit {len(self.edits) + 1}", self.processes[process]
        self.edits[content] = key
        started = SteppedSend(lambda: harness.edit(message["senderId"], message, content))
        self.running.append((content, started))
        self._started(content, message["senderId"])
        for _ in range(steps):
            started.step()
        self._collect()

    @rule(seconds=st.sampled_from((0.001, 0.5, 3.0, -1.0)))
    def let_time_pass(self, seconds: float) -> None:
        """Time passes, or the clock is set back."""
        self.processes[0].advance(seconds)

    @rule(process=st.integers(0, 1))
    def change_members(self, process: int) -> None:
        """The guest joins or leaves."""
        harness, admin = self.processes[process], self.members[0]
        if self.guest_is_member:
            harness.call_ok(admin, "removeMember", conversationId=self.group, userId=self.guest)
        else:
            harness.call_ok(admin, "addMembers", {"userIds": [self.guest]}, conversationId=self.group)
        self.guest_is_member = not self.guest_is_member

    @rule(process=st.integers(0, 1))
    def recover(self, process: int) -> None:
        """A client reads what it missed: complete up to the declared number, and with all that was accepted before."""
        accepted, changed = list(self.accepted.values()), dict(self.changed)
        page = self.processes[process].history(self.members[1], self.group, afterSeq=self.seq, afterChange=self.change)
        assert page.status == 200, page
        assert page.body["reload"] is False
        for message in page.body["messages"]:
            assert message["seq"] not in self.shown
            self.shown[message["seq"]] = message
        self.shown |= {message["seq"]: message for message in page.body["changed"]}
        self.seq, self.change = page.body["latestSeq"], page.body["latestChange"]
        assert all(change <= self.change for change in changed)
        visible = {row["seq"]: row for row in self._visible(self.members[1]) if row["seq"] <= self.seq}
        seen_before_hidden = {row["seq"] for row in self._hidden_by_edit(self.members[1])} & self.shown.keys()
        for message in accepted:
            assert message["seq"] <= self.seq
            if message["seq"] in visible:
                assert self.shown[message["seq"]]["messageId"] == message["messageId"]
        assert self.shown.keys() - seen_before_hidden == visible.keys()
        for seq, row in visible.items():
            assert self.shown[seq]["content"] == row["content"] or row["latestChange"] > self.change

    @rule(process=st.integers(0, 1))
    def read_newest_page(self, process: int) -> None:
        """The newest page has no gap that is not a placeholder."""
        reader = self.members[-1]
        page = self.processes[process].history(reader, self.group, limit=5)
        assert page.status == 200, page
        stored = [row["seq"] for row in self._visible(reader) if row["seq"] <= page.body["latestSeq"]]
        assert [message["seq"] for message in page.body["messages"]] == stored[::-1][:5]

    def _start(self, who: int, process: int, temp: int) -> SteppedSend:
        sender = self.members[who % len(self.members)]
        key = f"{sender}-{temp}"
        harness, group = self.processes[process], self.group
        started = SteppedSend(lambda: harness.send(sender, group, key, tempId=key))
        self._started(key, sender)
        self.running.append((key, started))
        return started

    def _collect(self) -> None:
        for key, send in [each for each in self.running if each[1].done]:
            self.running.remove((key, send))
            if send.answer is None:
                continue
            assert send.answer.status in self.statuses, send.answer
            if send.answer.status == 200 and "change" in send.answer.body:
                change = send.answer.body["change"]
                assert change not in self.changed
                self.changed[change] = key
            elif send.answer.status == 200:
                message = send.answer.body["message"]
                assert self.accepted.setdefault(key, message)["messageId"] == message["messageId"]

    def _started(self, key: str, sender: str) -> None:
        """Note the start of a send."""

    def _visible(self, member: str) -> list[dict[str, Any]]:
        """Return the stored messages that a member may see."""
        return [row for row in self._rows() if not row.get("voided") and member not in row.get("hiddenFrom", ())]

    def _hidden_by_edit(self, member: str) -> list[dict[str, Any]]:
        """Return the stored messages that an edit may have hidden from a member who had received them."""
        return []

    def _rows(self) -> list[dict[str, Any]]:
        answer = self.aws.dynamodb.query(
            TableName=self.aws.table(tables.MESSAGES),
            KeyConditionExpression="conversationId = :id",
            ExpressionAttributeValues=to_item({":id": self.group}),
            ConsistentRead=True,
        )
        return sorted(map(from_item, answer["Items"]), key=lambda row: row["timestamp"])

    def teardown(self) -> None:
        """Finish all sends; then every number has a message or a placeholder, and every message its recipients."""
        if not hasattr(self, "group"):
            return
        for _, send in self.running:
            while not send.done:
                send.step()
        self._collect()
        self.recover(0)
        rows = self._rows()
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        stamps = [from_iso(row["timestamp"]) for row in rows]
        assert stamps == sorted(set(stamps))
        messages = [row for row in rows if not row.get("voided")]
        sent = [(row["senderId"], row["tempId"]) for row in messages]
        assert len(set(sent)) == len(sent)
        assert set(self.accepted) <= {row["tempId"] for row in messages}
        changes = [row for row in self.aws.scan(tables.MESSAGE_CHANGES) if row["conversationId"] == self.group]
        numbered = {row["change"]: row["kind"] for row in changes}
        assert sorted(numbered) == list(range(1, len(changes) + 1))
        assert {change for change in self.changed if numbered[change] == "VOID"} == set()
        state = numbers(self.aws, self.group)
        assert state["latestSeq"] == len(rows)
        assert state.get("lastMessageAt") == (messages[-1]["timestamp"] if messages else None)
        harness = self.processes[0]
        harness.advance(FAST_PATH_GRACE_SECONDS + 3)
        harness.relay(*(record["eventId"] for record in self.aws.scan(tables.OUTBOX)))
        harness.deliver()
        for member in self.members:
            events = [each["data"] for each in harness.publisher.events(member) if each["type"] == "MESSAGE_SENT"]
            received = {each["messageId"] for each in events}
            hidden = {row["messageId"] for row in self._hidden_by_edit(member)}
            assert received - hidden == {row["messageId"] for row in self._visible(member)}


class DirectInterleavings(Interleavings):
    """Two users, one of whom blocks and unblocks the other. Both send; the one who has blocked is refused.

    A message that was sent or edited while the sender was blocked is hidden from the blocker, and no other one. Where
    the block changes during the send or edit, either may be the case. What the blocker received before stays received.
    """

    statuses = (200, 403, 503)

    @initialize()
    def set_up(self) -> None:
        """Create the conversation."""
        random.seed(0)
        clock = FakeClock()
        first = FunctionHarness(self.aws, clock=clock, faults=SteppedFaults())
        second = FunctionHarness(self.aws, first.publisher, clock, faults=SteppedFaults())
        self.processes = (first, second)
        self.members = first.users(2)
        self.group = first.direct(*self.members)
        first.publisher.clear()
        self.guest_is_member = False
        self.running: list[tuple[str, SteppedSend]] = []
        self.accepted: dict[str, dict[str, Any]] = {}
        self.shown: dict[int, dict[str, Any]] = {}
        self.changed: dict[int, str] = {}
        self.edits: dict[str, str] = {}
        self.seq = self.change = 0
        self.blocking = False
        self.hidden: dict[str, set[bool]] = {}

    @rule(process=st.integers(0, 1))
    def change_members(self, process: int) -> None:
        """The second user blocks or unblocks the first."""
        sender, blocker = self.members
        operation = "unblockUser" if self.blocking else "blockUser"
        self.processes[process].call_ok(blocker, operation, userId=sender)
        self.blocking = not self.blocking
        for key, _ in self.running:
            self.hidden[key].add(self.blocking)

    def _started(self, key: str, sender: str) -> None:
        self.hidden.setdefault(key, set()).add(self.blocking and sender == self.members[0])

    def teardown(self) -> None:
        """Check the hidden messages, and what is true of every conversation."""
        super().teardown()
        if not hasattr(self, "group"):
            return
        sender, blocker = self.members
        messages = [row for row in self._rows() if not row.get("voided") and row["senderId"] == sender]
        edited = [row["seq"] for row in self._hidden_by_edit(blocker)]
        for row in messages:
            hidden = bool(row.get("hiddenFrom"))
            assert hidden in self.hidden[row["tempId"]] or row["seq"] in edited
            assert hidden or False in self.hidden[row["content"]]
        events = [each["data"] for each in self.processes[0].publisher.events(blocker)]
        received = [*self.shown.values(), *(each.get("message", each) for each in events)]
        for message in received:
            assert message["senderId"] != sender or False in self.hidden[message["content"]]

    def _hidden_by_edit(self, member: str) -> list[dict[str, Any]]:
        edited = {key for content, key in self.edits.items() if True in self.hidden[content]}
        return [row for row in self._rows() if member in row.get("hiddenFrom", ()) and row["tempId"] in edited]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run concurrent calls one after the other."""
    monkeypatch.setattr(concurrency, "_pool", InlinePool)


@pytest.mark.server_errors("faults are injected")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [Interleavings, DirectInterleavings], ids=["group", "direct"])
def test_messages_are_complete_and_stored_once_in_every_interleaving_of_sends_and_deaths(
    aws: AwsResources, kind: type[Interleavings]
) -> None:
    """Promises P1 and P4."""
    machine = type(kind.__name__, (kind,), {"aws": aws})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
