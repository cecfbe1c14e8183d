"""The in-memory harness of calls: the real core on fakes, and the invariants that must always hold."""

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
from tests.harness.in_memory.services import InMemoryServices
from tests.harness.in_memory.store import InMemoryOutbox, NoAudiences, NoDirectMessages

RING_SECONDS = 45
_TOKEN = re.compile(r"token-\d+-end")
Wrap = Callable[[str, Any], Any]
"""Returns what the core uses in place of a fake, which is named store, chime, publisher or timers."""


def unwrapped(name: str, service: Any) -> Any:
    """Return the fake itself."""
    return service


class InMemoryCalls:
    """The operations on calls, as the functions offer them.

    Args:
        services: shared by all harnesses whose users can call each other.
        wrap: replaces a fake.
    """

    def __init__(self, services: InMemoryServices | None = None, wrap: Wrap = unwrapped) -> None:
        self.services = services = services or InMemoryServices()
        self._versions: dict[str, int] = {}
        self._checked_events = 0
        clock = services.clock
        store, chime = wrap("store", services.store), wrap("chime", services.chime)
        directory, timers = wrap("store", services.directory), wrap("timers", services.timers)
        dispatcher = Dispatcher(
            wrap("publisher", services.publisher), wrap("store", InMemoryOutbox(services.store)), services.queue
        )
        cleanup = MeetingCleanup(store, chime, clock)
        executor = TransitionExecutor(
            calls=store,
            dispatcher=dispatcher,
            meeting_cleanup=cleanup,
            clock=clock,
            ids=services.ids,
            log=services.log,
        )
        self.initiator = CallInitiator(
            calls=store,
            executor=executor,
            invitations=Invitations(directory, directory, directory),
            timers=timers,
            clock=clock,
            ids=services.ids,
            ring_seconds=RING_SECONDS,
        )
        self.acceptor = CallAcceptor(
            calls=store,
            executor=executor,
            meeting_access=MeetingAccess(chime),
            meeting_cleanup=cleanup,
            conversations=directory,
            clock=clock,
        )
        self.termination = CallTermination(calls=store, executor=executor, clock=clock)
        self.queries = CallQueries(store, clock)
        self.ring_timeouts = RingTimeoutHandler(store, executor, timers, clock)
        self.reconciler = MeetingReconciler(store, executor, clock)
        self.call_sweep = CallSweep(
            calls=store,
            executor=executor,
            meetings=chime,
            meeting_cleanup=cleanup,
            conversations=directory,
            directory=directory,
            clock=clock,
        )
        self.deliverer = Deliverer(
            services.publisher, InMemoryOutbox(services.store), clock, NoAudiences(), NoDirectMessages()
        )

    # Users and groups

    def add_users(self, *names: str) -> tuple[str, ...]:
        """Add users; their ids are their names."""
        self.services.directory.full_names |= {name: f"{name.capitalize()} Example" for name in names}
        return names

    def add_group(self, *members: str, conversation_id: str = "group") -> str:
        """Add a group, or replace its members."""
        now = "2026-01-01T00:00:00.000Z"
        self.services.directory.groups[conversation_id] = Conversation(
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

    def remove_from_group(self, user_id: str, conversation_id: str = "group") -> None:
        """Remove a member from a group."""
        group = self.services.directory.groups[conversation_id]
        remaining = [member for member in group.participants if member != user_id]
        self.services.directory.groups[conversation_id] = replace(group, participants=remaining)

    # Operations

    def ring(self, caller: str, recipient: str, **fields: Any) -> str:
        """Call a user and return the session id."""
        return self.initiate(caller, recipientId=recipient, **fields).sessionId

    def ring_group(self, caller: str, *called: str, **fields: Any) -> str:
        """Call some members of the group, by default all of them, and return the session id."""
        chosen = {"participantIds": list(called)} if called else {}
        return self.initiate(caller, conversationId="group", **chosen, **fields).sessionId

    def initiate(self, caller: str, **fields: Any) -> CallInitiated:
        """Initiate a call."""
        return self.initiator.initiate(caller, InitiateCall(**fields))

    def accept(self, user_id: str, session_id: str, device: str | None = None, **fields: Any) -> CallAccepted:
        """Answer or join a call."""
        return self.acceptor.accept(user_id, AcceptCall(sessionId=session_id, deviceId=device, **fields))

    def reject(self, user_id: str, session_id: str, **fields: Any) -> CallChanged:
        """Decline a call."""
        return self.termination.reject(user_id, RejectCall(sessionId=session_id, **fields))

    def cancel(self, user_id: str, session_id: str) -> CallChanged:
        """Cancel a call."""
        return self.termination.cancel(user_id, session_id)

    def end(self, user_id: str, session_id: str) -> CallChanged:
        """End a call."""
        return self.termination.end(user_id, session_id)

    def leave(self, user_id: str, session_id: str, successor: str | None = None) -> CallLeft:
        """Leave a call."""
        return self.termination.leave(user_id, LeaveCall(sessionId=session_id, newOwnerId=successor))

    def page(self, user_id: str, **fields: Any) -> CallPage:
        """List a user's calls."""
        return self.queries.page(user_id, ListCalls(**fields))

    def time_out(self, session_id: str) -> bool:
        """Let the ring time pass, and fire the ring timer."""
        self.services.clock.advance(RING_SECONDS)
        return self.ring_timeouts.expire(session_id)

    def sweep(self, after_seconds: float = 0) -> CallSweepReport:
        """Let time pass and run the sweep."""
        self.services.clock.advance(after_seconds)
        return self.call_sweep.run()

    def redeliver(self) -> None:
        """Publish every event that is still stored, as relay and queue do."""
        for event_id in list(self.services.store.outbox):
            self.deliverer.deliver(DeliveryTask(event_id))

    def settle(self) -> None:
        """Run queue and sweeps until nothing is left to do."""
        for _ in range(4):
            self.redeliver()
            self.sweep(after_seconds=130)

    # State

    def call(self, session_id: str) -> CallState:
        """Return a call as stored."""
        return self.services.store.calls[session_id]

    def statuses(self, session_id: str) -> dict[str, str]:
        """Return the participants' statuses."""
        return {user_id: each.status for user_id, each in self.call(session_id).participants.items()}

    def types(self, user_id: str) -> list[str]:
        """Return the types of the events on a user's channel."""
        return self.services.publisher.types(user_id)

    def types_by_user(self, user_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the types of the events on each user's channel."""
        return {user_id: self.types(user_id) for user_id in user_ids}

    def last_event(self, user_id: str) -> tuple[str, dict[str, Any]]:
        """Return (type, data) of the newest event on a user's channel."""
        return self.services.publisher.events(user_id)[-1]

    def clear_events(self) -> None:
        """Forget what was published."""
        self.assert_consistent()
        self.services.publisher.published.clear()
        self._checked_events = 0

    # Invariants

    def assert_consistent(self) -> None:
        """Check what holds at every moment, also while operations are in progress."""
        store = self.services.store
        locked = {(user_id, call.session_id) for call in store.calls.values() for user_id in call.locked_users()}
        assert locked == set(store.lock_holders.items()), "locks are those of live calls, and one for each user"
        self._assert_history()
        self._assert_events()

    def assert_settled(self) -> None:
        """Check what holds once nothing is left to do: every answered call has a meeting, and no other exists."""
        self.assert_consistent()
        stored = self.services.store.calls.values()
        live = {call.meeting_id: call.session_id for call in stored if call.is_live and call.meeting_id}
        assert live == self.services.chime.meetings
        assert "RINGING" not in {call.status for call in stored}
        assert not [call for call in stored if not call.is_live and call.due_at is not None]

    def assert_clients_notified(self) -> None:
        """Check what clients show that ignore events older than the newest they received, once all are delivered.

        No client rings for a user who is not called any more, and every called user's client shows how the call ended.
        """
        assert self.services.store.outbox == {}
        newest: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
        for each in self.services.publisher.published:
            key, data = (each.channel, each.event["data"]["sessionId"]), each.event["data"]
            if key not in newest or data["version"] >= newest[key][1]["version"]:
                newest[key] = each.event["type"], data
        for call in self.services.store.calls.values():
            for user_id, participant in call.participants.items():
                kind, data = newest.get((f"/users/{user_id}", call.session_id), ("", {}))
                assert kind != "INCOMING_CALL" or participant.status == "RINGING"
                if not call.is_live and participant.rung and participant.status != "REJECTED":
                    assert data["status"] == call.status

    def assert_nothing_left(self) -> None:
        """Check that after the longest duration of a call no live call, lock or meeting is left."""
        self.sweep(after_seconds=CALL_HOURS_MAX * 3600)
        self.settle()
        self.assert_settled()
        assert not [call for call in self.services.store.calls.values() if call.is_live]
        assert (self.services.store.lock_holders, self.services.chime.meetings) == ({}, {})

    def _assert_history(self) -> None:
        """Check new writes: versions grow by one, a call is answered and ended once, and nothing follows the end."""
        versions, history = self._versions, self.services.store.history
        for each in history[sum(versions.values()) :]:
            session_id = each.after.session_id
            assert each.after.version == versions.get(session_id, 0) + 1
            assert (each.before.version if each.before else 0) == versions.get(session_id, 0)
            versions[session_id] = each.after.version
            before = each.before.status if each.before else None
            assert before in (None, "RINGING", "ACTIVE"), "nothing follows the end"
            assert (before, each.after.status) != ("ACTIVE", "RINGING")
            assert each.after.status != "ACTIVE" or each.after.meeting_id

    def _assert_events(self) -> None:
        """Check new events: a token is published to its user only, and no call rings after its ring time."""
        owners = self.services.chime.token_owners
        published = self.services.publisher.published
        for each in published[self._checked_events :]:
            tokens = _TOKEN.findall(json.dumps(each.event))
            assert {f"/users/{owners[token]}" for token in tokens} <= {each.channel}
            if each.event["type"] == "INCOMING_CALL":
                assert each.at < self.call(each.event["data"]["sessionId"]).rings_until
        self._checked_events = len(published)


def expect_error(operation: Callable[[], Any], error: type[Exception]) -> Any:
    """Run an operation that must raise an error, and return the error."""
    try:
        operation()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was expected")
