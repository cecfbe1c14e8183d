"""Random interleavings of concurrent operations, step by step, with faults and killed processes.

Each operation stops before every call to store, Chime, publisher and timers. Hypothesis decides which operation
continues, which fault its next call has, and when and how often timers, redeliveries, Chime's events and sweeps occur.
The invariants are checked after every step; at the end no call, lock or meeting may be left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from handlers.core.delivery.ports import DeliveryTask
from handlers.core.shared import concurrency
from tests.harness.in_memory.calls import InMemoryCalls
from tests.harness.in_memory.stepping import FAULTS, InlinePool, SteppedOperation

MEMBERS = ("ana", "ben", "cat", "dan")
PEOPLE = st.sampled_from(MEMBERS)
DEVICES = st.sampled_from(("phone", "laptop", None))
NUMBERS = st.integers(0, 1_000)
STEPS = st.sampled_from((100, 100, 100, 0, 1, 3, 5, 7, 9))
"""The steps of an operation before another one continues: mostly all of them."""
SOMETIMES = st.sampled_from((None, None, None, None, *FAULTS))


class Interleavings(RuleBasedStateMachine):
    """Four users, one group, and all operations and faults of their calls."""

    @initialize()
    def set_up(self) -> None:
        """Create four users and a group."""
        self.calls = InMemoryCalls()
        self.calls.add_users(*MEMBERS)
        self.calls.add_group(*MEMBERS)
        self.running: list[SteppedOperation] = []
        self.chime_events: list[Callable[[InMemoryCalls], Any]] = []

    def _start(self, work: Callable[[InMemoryCalls], Any], steps: int = 0) -> None:
        running = SteppedOperation(self.calls.services, work)
        for _ in range(steps):
            if running.done:
                return
            running.step()
        if not running.done:
            self.running.append(running)

    def _sessions(self) -> list[str]:
        return sorted(self.calls.services.store.calls)

    def _session(self, number: int) -> str:
        """Return a call, more likely one of the newest."""
        sessions = self._sessions()
        return sessions[-1 - number % min(3, len(sessions))]

    def _has_calls(self) -> bool:
        return bool(self._sessions())

    @rule(caller=PEOPLE, callee=PEOPLE, temp_id=st.sampled_from((None, "t-1", "t-2")), device=DEVICES, steps=STEPS)
    def ring(self, caller: str, callee: str, temp_id: str | None, device: str | None, steps: int) -> None:
        """A user calls a user, perhaps with a repeated tempId, perhaps the same user."""
        self._start(lambda calls: calls.initiate(caller, recipientId=callee, tempId=temp_id, deviceId=device), steps)

    @rule(caller=PEOPLE, steps=STEPS)
    def ring_group(self, caller: str, steps: int) -> None:
        """A user calls the group."""
        self._start(lambda calls: calls.initiate(caller, conversationId="group"), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, device=DEVICES, steps=STEPS)
    def accept(self, number: int, user_id: str, device: str | None, steps: int) -> None:
        """A user answers, called or not."""
        session_id = self._session(number)
        self._start(lambda calls: calls.accept(user_id, session_id, device), steps)

    def _a_user_is_called(self) -> bool:
        return any(
            call.is_live and call.with_status("RINGING", "MISSED") for call in self.calls.services.store.calls.values()
        )

    @precondition(_a_user_is_called)
    @rule(number=NUMBERS, device=DEVICES, steps=STEPS)
    def answer(self, number: int, device: str | None, steps: int) -> None:
        """A user who is called answers."""
        live = [call for call in self.calls.services.store.calls.values() if call.is_live]
        called = [(call.session_id, each) for call in live for each in call.with_status("RINGING", "MISSED")]
        session_id, user_id = sorted(called)[number % len(called)]
        self._start(lambda calls: calls.accept(user_id, session_id, device), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, way=st.sampled_from(("reject", "cancel", "end", "leave")), steps=STEPS)
    def hang_up(self, number: int, user_id: str, way: str, steps: int) -> None:
        """A user rejects, cancels, ends or leaves."""
        session_id = self._session(number)
        self._start(lambda calls: getattr(calls, way)(user_id, session_id), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, successor=PEOPLE, steps=STEPS)
    def hand_over(self, number: int, user_id: str, successor: str, steps: int) -> None:
        """A user leaves and names a successor, valid or not."""
        session_id = self._session(number)
        self._start(lambda calls: calls.leave(user_id, session_id, successor), steps)

    def _an_operation_runs(self) -> bool:
        return bool(self.running)

    @precondition(_an_operation_runs)
    @rule(number=NUMBERS, steps=st.integers(1, 6), fault=SOMETIMES)
    def continue_operation(self, number: int, steps: int, fault: str | None) -> None:
        """One operation makes some steps; the last of them may have a fault."""
        running = self.running[number % len(self.running)]
        for left in range(steps - 1, -1, -1):
            running.step(None if left else fault)
            if running.done:
                self.running.remove(running)
                return

    @rule(seconds=st.sampled_from((0.5, 3, 3, 5, 15, 46, 70, 150)))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.calls.services.clock.advance(seconds)

    def _timers_wait(self) -> bool:
        return bool(self.calls.services.timers.waiting)

    @precondition(_timers_wait)
    @rule(number=NUMBERS, again=st.booleans(), steps=STEPS)
    def time_out(self, number: int, again: bool, steps: int) -> None:
        """A ring timer fires, perhaps early, perhaps again later."""
        waiting = self.calls.services.timers.waiting
        position = number % len(waiting)
        session_id = waiting[position][1] if again else waiting.pop(position)[1]
        self._start(lambda calls: calls.ring_timeouts.expire(session_id), steps)

    def _events_wait(self) -> bool:
        return bool(self.calls.services.store.outbox)

    @precondition(_events_wait)
    @rule(number=NUMBERS)
    def redeliver(self, number: int) -> None:
        """The queue delivers a stored event, even if an operation is publishing it."""
        outbox = self.calls.services.store.outbox
        event_id = sorted(outbox)[number % len(outbox)]
        self.calls.deliverer.deliver(DeliveryTask(event_id))

    @rule(number=NUMBERS, steps=STEPS)
    def sweep(self, number: int, steps: int) -> None:
        """A sweep starts."""
        self._start(lambda calls: calls.sweep(), steps)

    def _meetings_exist(self) -> bool:
        return bool(self.calls.services.chime.meetings)

    @precondition(_meetings_exist)
    @rule(number=NUMBERS)
    def end_meeting(self, number: int) -> None:
        """Chime ends a meeting, and publishes its event at some time."""
        there = self.calls.services.chime.meetings
        meeting_id = sorted(there)[number % len(there)]
        session_id = there.pop(meeting_id)
        self.chime_events.append(lambda calls: calls.reconciler.meeting_ended(session_id, meeting_id))

    @precondition(_meetings_exist)
    @rule(number=NUMBERS, user_id=PEOPLE)
    def attendee_leaves(self, number: int, user_id: str) -> None:
        """An attendee leaves the meeting, and Chime publishes its event at some time."""
        chime = self.calls.services.chime
        meeting_id = sorted(chime.meetings)[number % len(chime.meetings)]
        session_id, attendee = chime.meetings[meeting_id], chime.attendees_of[meeting_id].get(user_id)
        if attendee is not None:
            arguments = session_id, user_id, attendee.AttendeeId, self.calls.services.clock.now()
            self.chime_events.append(lambda calls: calls.reconciler.attendee_left(*arguments))

    def _chime_events_wait(self) -> bool:
        return bool(self.chime_events)

    @precondition(_chime_events_wait)
    @rule(number=NUMBERS, again=st.booleans(), steps=STEPS)
    def deliver_chime_event(self, number: int, again: bool, steps: int) -> None:
        """One of Chime's events is delivered, in any order, perhaps again later."""
        position = number % len(self.chime_events)
        self._start(self.chime_events[position] if again else self.chime_events.pop(position), steps)

    @rule(user_id=PEOPLE)
    def change_group(self, user_id: str) -> None:
        """A member is removed from the group, or added again."""
        calls = self.calls
        if user_id in calls.services.directory.groups["group"].participants:
            calls.remove_from_group(user_id)
        else:
            calls.add_group(*calls.services.directory.groups["group"].participants, user_id)

    @rule(blocker=PEOPLE, blocked=PEOPLE)
    def block(self, blocker: str, blocked: str) -> None:
        """A user blocks or unblocks a user."""
        self.calls.services.directory.blocks ^= {(blocker, blocked)}

    @invariant()
    def is_consistent(self) -> None:
        """Check the invariants."""
        if hasattr(self, "calls"):
            self.calls.assert_consistent()

    def teardown(self) -> None:
        """Finish all operations and sweeps, and check that nothing is left."""
        if not hasattr(self, "calls"):
            return
        for running in self.running:
            running.finish()
        self.calls.settle()
        self.calls.assert_settled()
        self.calls.assert_clients_notified()
        self.calls.assert_nothing_left()
        self.calls.assert_clients_notified()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run concurrent calls one after the other."""
    monkeypatch.setattr(concurrency, "_pool", InlinePool)


def test_invariants_hold_in_every_interleaving_of_operations_timers_deliveries_and_faults() -> None:
    """Requirement P3."""
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=80,
            stateful_step_count=70,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
