"""Everybody does everything at once: random interleavings of all actors, step by step, with faults and deaths.

Each operation stops before every call to store, Chime, channels and timers; hypothesis decides who goes next, what
goes wrong with the call, when timers, redeliveries, Chime's events and sweeps come, and how often. After every step the
call's soundness is checked; at the end, everything must come to rest and nothing may be left.
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
"""How far an operation gets before somebody else is let: mostly to its end."""
SOMETIMES = st.sampled_from((None, None, None, None, *FAULTS))


class Interleavings(RuleBasedStateMachine):
    """Four users, one group, and everything that can happen to their calls."""

    @initialize()
    def meet(self) -> None:
        """Let four users found a group."""
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
        """Somebody calls somebody, perhaps again, perhaps themselves."""
        self._start(lambda calls: calls.initiate(caller, recipientId=callee, tempId=temp_id, deviceId=device), steps)

    @rule(caller=PEOPLE, steps=STEPS)
    def ring_group(self, caller: str, steps: int) -> None:
        """Somebody calls the group."""
        self._start(lambda calls: calls.initiate(caller, conversationId="group"), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, device=DEVICES, steps=STEPS)
    def accept(self, number: int, user_id: str, device: str | None, steps: int) -> None:
        """Somebody answers, whether called or not."""
        session_id = self._session(number)
        self._start(lambda calls: calls.accept(user_id, session_id, device), steps)

    def _somebody_is_called(self) -> bool:
        return any(
            call.is_live and call.having("RINGING", "MISSED") for call in self.calls.services.store.calls.values()
        )

    @precondition(_somebody_is_called)
    @rule(number=NUMBERS, device=DEVICES, steps=STEPS)
    def answer(self, number: int, device: str | None, steps: int) -> None:
        """Somebody who is called answers."""
        live = [call for call in self.calls.services.store.calls.values() if call.is_live]
        called = [(call.session_id, each) for call in live for each in call.having("RINGING", "MISSED")]
        session_id, user_id = sorted(called)[number % len(called)]
        self._start(lambda calls: calls.accept(user_id, session_id, device), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, way=st.sampled_from(("reject", "cancel", "end", "leave")), steps=STEPS)
    def hang_up(self, number: int, user_id: str, way: str, steps: int) -> None:
        """Somebody wants out, in any way."""
        session_id = self._session(number)
        self._start(lambda calls: getattr(calls, way)(user_id, session_id), steps)

    @precondition(_has_calls)
    @rule(number=NUMBERS, user_id=PEOPLE, successor=PEOPLE, steps=STEPS)
    def hand_over(self, number: int, user_id: str, successor: str, steps: int) -> None:
        """Somebody leaves and names a successor, fit or not."""
        session_id = self._session(number)
        self._start(lambda calls: calls.leave(user_id, session_id, successor), steps)

    def _anything_runs(self) -> bool:
        return bool(self.running)

    @precondition(_anything_runs)
    @rule(number=NUMBERS, steps=st.integers(1, 6), fault=SOMETIMES)
    def go_on(self, number: int, steps: int, fault: str | None) -> None:
        """One operation goes on for some steps; the last of them may go wrong."""
        running = self.running[number % len(self.running)]
        for left in range(steps - 1, -1, -1):
            running.step(None if left else fault)
            if running.done:
                self.running.remove_from_group(running)
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
        """A timer wakes, perhaps early, perhaps not for the last time."""
        waiting = self.calls.services.timers.waiting
        place = number % len(waiting)
        session_id = waiting[place][1] if again else waiting.pop(place)[1]
        self._start(lambda calls: calls.ring_timeouts.expire(session_id), steps)

    def _events_wait(self) -> bool:
        return bool(self.calls.services.store.outbox)

    @precondition(_events_wait)
    @rule(number=NUMBERS)
    def redeliver(self, number: int) -> None:
        """The queue delivers an event that is stored, whoever is delivering it already."""
        outbox = self.calls.services.store.outbox
        event_id = sorted(outbox)[number % len(outbox)]
        self.calls.deliverer.deliver(DeliveryTask(event_id))

    @rule(number=NUMBERS, steps=STEPS)
    def sweep(self, number: int, steps: int) -> None:
        """A sweep begins."""
        self._start(lambda calls: calls.sweep(), steps)

    def _meetings_stand(self) -> bool:
        return bool(self.calls.services.chime.meetings)

    @precondition(_meetings_stand)
    @rule(number=NUMBERS)
    def vanish(self, number: int) -> None:
        """Chime ends a meeting, and says so some time."""
        there = self.calls.services.chime.meetings
        meeting_id = sorted(there)[number % len(there)]
        session_id = there.pop(meeting_id)
        self.chime_events.append(lambda calls: calls.reconciler.meeting_ended(session_id, meeting_id))

    @precondition(_meetings_stand)
    @rule(number=NUMBERS, user_id=PEOPLE)
    def drop_out(self, number: int, user_id: str) -> None:
        """An attendee leaves the meeting, and Chime says so some time."""
        chime = self.calls.services.chime
        meeting_id = sorted(chime.meetings)[number % len(chime.meetings)]
        session_id, attendee = chime.meetings[meeting_id], chime.attendees_of[meeting_id].get(user_id)
        if attendee is not None:
            arguments = session_id, user_id, attendee.AttendeeId, self.calls.services.clock.now()
            self.chime_events.append(lambda calls: calls.reconciler.attendee_left(*arguments))

    def _chime_spoke(self) -> bool:
        return bool(self.chime_events)

    @precondition(_chime_spoke)
    @rule(number=NUMBERS, again=st.booleans(), steps=STEPS)
    def hear(self, number: int, again: bool, steps: int) -> None:
        """One of Chime's events arrives, in any order, perhaps not for the last time."""
        place = number % len(self.chime_events)
        self._start(self.chime_events[place] if again else self.chime_events.pop(place), steps)

    @rule(user_id=PEOPLE)
    def remove(self, user_id: str) -> None:
        """Somebody is taken out of the group, or comes back."""
        calls = self.calls
        if user_id in calls.services.directory.groups["group"].participants:
            calls.remove_from_group(user_id)
        else:
            calls.add_group(*calls.services.directory.groups["group"].participants, user_id)

    @rule(who=PEOPLE, whom=PEOPLE)
    def block(self, who: str, whom: str) -> None:
        """Somebody blocks somebody, or no longer does."""
        self.calls.services.directory.blocks ^= {(who, whom)}

    @invariant()
    def is_sound(self) -> None:
        """Check what always holds."""
        if hasattr(self, "calls"):
            self.calls.assert_consistent()

    def teardown(self) -> None:
        """Let everything come to rest, and look at what is left."""
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
    """Let nothing run side by side but what the test lets."""
    monkeypatch.setattr(concurrency, "_pool", InlinePool)


def test_no_interleaving_of_actors_timers_deliveries_and_faults_breaks_a_call() -> None:
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=80,
            stateful_step_count=70,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
