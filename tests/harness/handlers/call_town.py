"""Users who call each other in memory: the real rules on doubles, and the invariants that must always hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from contract.calls.requests import AcceptCall, InitiateCall, LeaveCall, ListCalls, RejectCall
from contract.calls.responses import CallAccepted, CallChanged, CallInitiated, CallLeft, CallPage
from contract.limits import CALL_HOURS_MAX
from contract.models import Conversation
from handlers.core.calls.accept import CallAcceptor
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.hang_up import CallTermination
from handlers.core.calls.initiate import CallInitiator
from handlers.core.calls.invitations import Invitations
from handlers.core.calls.meeting_access import MeetingAccess
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.queries import CallQueries
from handlers.core.calls.reconcile import MeetingReconciler
from handlers.core.calls.ring_timeout import RingTimeoutHandler
from handlers.core.calls.state import CallState
from handlers.core.calls.sweep import CallSweep, CallSweepReport
from handlers.core.delivery.deliverer import Deliverer
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryTask
from tests.harness.handlers.call_memory import MemoryOutbox
from tests.harness.handlers.call_world import World

RING_SECONDS = 45
_TOKEN = re.compile(r"token-\d+-end")
Wrap = Callable[[str, Any], Any]
"""Puts something between the rules and one part of the world, named store, chime, screen or timer."""


def untouched(name: str, part: Any) -> Any:
    """Put nothing in between."""
    return part


class CallTown:
    """The operations on calls, as the functions offer them.

    Args:
        world: shared by all towns whose users can call each other.
        wrap: what stands between this town's rules and the world.
    """

    def __init__(self, world: World | None = None, wrap: Wrap = untouched) -> None:
        self.world = world = world or World()
        self._versions: dict[str, int] = {}
        self._screened = 0
        calls, chime = wrap("store", world.calls), wrap("chime", world.chime)
        people, timers = wrap("store", world.people), wrap("timer", world.timers)
        dispatcher = Dispatcher(wrap("screen", world.screens), wrap("store", MemoryOutbox(world.calls)), world.queue)
        cleaner = MeetingCleanup(calls, chime, world.clock)
        clock = world.clock
        transitions = TransitionExecutor(
            calls=calls, dispatcher=dispatcher, cleaner=cleaner, clock=clock, ids=world.ids, journal=world.notes
        )
        self.initiating = CallInitiator(
            calls=calls,
            transitions=transitions,
            invitations=Invitations(people, people, people),
            timers=timers,
            clock=clock,
            ids=world.ids,
            ring_seconds=RING_SECONDS,
        )
        self.accepting = CallAcceptor(
            calls=calls,
            transitions=transitions,
            seats=MeetingAccess(chime, transitions),
            cleaner=cleaner,
            conversations=people,
            clock=clock,
        )
        self.hanging_up = CallTermination(calls=calls, transitions=transitions, clock=clock)
        self.reading = CallQueries(calls, clock)
        self.timeouts = RingTimeoutHandler(calls, transitions, timers, clock)
        self.reconciling = MeetingReconciler(calls, transitions, clock)
        self.sweeping = CallSweep(
            calls=calls,
            transitions=transitions,
            meetings=chime,
            cleaner=cleaner,
            conversations=people,
            directory=people,
            clock=clock,
        )
        self.deliverer = Deliverer(world.screens, MemoryOutbox(world.calls), clock)

    # People

    def users(self, *names: str) -> tuple[str, ...]:
        """Let users sign up; their ids are their names."""
        self.world.people.known |= {name: f"{name.capitalize()} Example" for name in names}
        return names

    def group(self, *members: str, conversation_id: str = "group") -> str:
        """Let users found a group."""
        now = "2026-01-01T00:00:00.000Z"
        self.world.people.groups[conversation_id] = Conversation(
            conversationId=conversation_id,
            type="GROUP",
            participants=list(members),
            admins=list(members[:1]),
            createdBy=members[0],
            createdAt=now,
            updatedAt=now,
            version=1,
        )
        return conversation_id

    def remove(self, user_id: str, conversation_id: str = "group") -> None:
        """Take a user out of a group."""
        group = self.world.people.groups[conversation_id]
        left = [member for member in group.participants if member != user_id]
        self.world.people.groups[conversation_id] = replace(group, participants=left)

    # Operations

    def ring(self, caller: str, callee: str, **fields: Any) -> str:
        """Call a user and return the session id."""
        return self.initiate(caller, recipientId=callee, **fields).sessionId

    def ring_group(self, caller: str, *called: str, **fields: Any) -> str:
        """Call members of the group, all of them where none is named, and return the session id."""
        chosen = {"participantIds": list(called)} if called else {}
        return self.initiate(caller, conversationId="group", **chosen, **fields).sessionId

    def initiate(self, caller: str, **fields: Any) -> CallInitiated:
        """Make a call."""
        return self.initiating.initiate(caller, InitiateCall(**fields))

    def accept(self, user_id: str, session_id: str, device: str | None = None, **fields: Any) -> CallAccepted:
        """Answer a call."""
        return self.accepting.accept(user_id, AcceptCall(sessionId=session_id, deviceId=device, **fields))

    def reject(self, user_id: str, session_id: str, **fields: Any) -> CallChanged:
        """Decline a call."""
        return self.hanging_up.reject(user_id, RejectCall(sessionId=session_id, **fields))

    def cancel(self, user_id: str, session_id: str) -> CallChanged:
        """Take a call back."""
        return self.hanging_up.cancel(user_id, session_id)

    def end(self, user_id: str, session_id: str) -> CallChanged:
        """End a call."""
        return self.hanging_up.end(user_id, session_id)

    def leave(self, user_id: str, session_id: str, successor: str | None = None) -> CallLeft:
        """Leave a call."""
        return self.hanging_up.leave(user_id, LeaveCall(sessionId=session_id, newOwnerId=successor))

    def page(self, user_id: str, **fields: Any) -> CallPage:
        """List a user's calls."""
        return self.reading.page(user_id, ListCalls(**fields))

    def time_out(self, session_id: str) -> bool:
        """Let the ringing's time pass, and wake its timer."""
        self.world.clock.forward(RING_SECONDS)
        return self.timeouts.expire(session_id)

    def sweep(self, after_seconds: float = 0) -> CallSweepReport:
        """Let time pass and sweep."""
        self.world.clock.forward(after_seconds)
        return self.sweeping.run()

    def redeliver(self) -> None:
        """Do what relay and queue do: publish every event that is still stored."""
        for event_id in list(self.world.calls.outbox):
            self.deliverer.deliver(DeliveryTask(event_id))

    # What is so

    def call(self, session_id: str) -> CallState:
        """Return a call as stored."""
        return self.world.calls.calls[session_id]

    def statuses(self, session_id: str) -> dict[str, str]:
        """Return the participants' statuses."""
        return {user_id: each.status for user_id, each in self.call(session_id).participants.items()}

    def types(self, user_id: str) -> list[str]:
        """Return the types of the events on a user's channel."""
        return self.world.screens.types(user_id)

    def last(self, user_id: str) -> tuple[str, dict[str, Any]]:
        """Return the newest event on a user's channel."""
        return self.world.screens.of(user_id)[-1]

    def forget_events(self) -> None:
        """Clear the screens."""
        self.assert_sound()
        self.world.screens.shown.clear()
        self._screened = 0

    def rest(self) -> None:
        """Do what happens when nobody does anything: queue, timers and sweeps run until nothing is left to do."""
        for _ in range(4):
            self.redeliver()
            self.sweep(after_seconds=130)

    def assert_sound(self) -> None:
        """Check what holds at every moment, whoever is in the middle of what."""
        calls = self.world.calls
        locked = {(user_id, call.session_id) for call in calls.calls.values() for user_id in call.locked()}
        assert locked == set(calls.held.items()), "locks are those of live calls, and one for each user"
        self._assert_history()
        self._assert_screens()

    def assert_settled(self) -> None:
        """Check what holds once everything has come to rest: meetings and live calls are each other's."""
        self.assert_sound()
        active = {call.meeting_id: call.session_id for call in self.world.calls.calls.values() if call.is_live}
        assert {each: session for each, session in active.items() if each} == self.world.chime.there
        assert "RINGING" not in {call.status for call in self.world.calls.calls.values()}
        assert not [call for call in self.world.calls.calls.values() if not call.is_live and call.due_at is not None]

    def assert_told(self) -> None:
        """Check what clients show that ignore events older than what they know, once every event has arrived.

        Nobody rings who is not called any more, and everybody who was called knows how the call ended.
        """
        assert self.world.calls.outbox == {}
        known: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
        for shown in self.world.screens.shown:
            key, data = (shown.channel, shown.event["data"]["sessionId"]), shown.event["data"]
            if key not in known or data["version"] >= known[key][1]["version"]:
                known[key] = shown.event["type"], data
        for call in self.world.calls.calls.values():
            for user_id, participant in call.participants.items():
                kind, data = known.get((f"/users/{user_id}", call.session_id), ("", {}))
                assert kind != "INCOMING_CALL" or participant.status == "RINGING"
                if not call.is_live and participant.rung and participant.status != "REJECTED":
                    assert data["status"] == call.status

    def assert_over(self) -> None:
        """Check that a day later nothing at all is left."""
        self.sweep(after_seconds=CALL_HOURS_MAX * 3600)
        self.rest()
        self.assert_settled()
        assert not [call for call in self.world.calls.calls.values() if call.is_live]
        assert (self.world.calls.held, self.world.chime.there) == ({}, {})

    def _assert_history(self) -> None:
        """Check what is new: versions grow by one, one answer and one end win, and nothing follows the end."""
        versions, history = self._versions, self.world.calls.history
        for each in history[sum(versions.values()) :]:
            session_id = each.after.session_id
            assert each.after.version == versions.get(session_id, 0) + 1
            assert (each.before.version if each.before else 0) == versions.get(session_id, 0)
            versions[session_id] = each.after.version
            before = each.before.status if each.before else None
            assert before in (None, "RINGING", "ACTIVE"), "nothing follows the end"
            assert (before, each.after.status) != ("ACTIVE", "RINGING")
            assert each.after.status != "ACTIVE" or each.after.meeting_id

    def _assert_screens(self) -> None:
        """Check what is new: tokens reach their owners only, and nothing rings once its time is over."""
        owners: dict[str, str] = self.world.chime.tokens
        for shown in self.world.screens.shown[self._screened :]:
            found = _TOKEN.findall(json.dumps(shown.event))
            assert {f"/users/{owners[token]}" for token in found} <= {shown.channel}
            if shown.event["type"] == "INCOMING_CALL":
                assert shown.at < self.call(shown.event["data"]["sessionId"]).rings_until
        self._screened = len(self.world.screens.shown)


def refused(call: Callable[[], Any], error: type[Exception]) -> Any:
    """Make a call that must be refused, and return the refusal."""
    try:
        call()
    except error as refusal:
        return refusal
    raise AssertionError(f"{error.__name__} was expected")


def all_types(town: CallTown, user_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return what each user's channel got."""
    return {user_id: town.types(user_id) for user_id in user_ids}
