"""Ends the person's call, and removes the person's name from stored calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from contract import tables
from contract.calls.models import Attendee
from contract.calls.transitions import Action
from handlers.adapters.call_log import CallLogWriter
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCallStore
from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import Meeting, Meetings, MeetingsFailedError
from handlers.core.shared.errors import CallConflictError, ForbiddenError
from ops.data.erase.person import FORMER, Person, WorkList
from ops.data.table_access import key_of

_IN_PROGRESS: Final = ("RINGING", "ACTIVE")
_IN_CALL: Final = ("RINGING", "JOINED")
_LEFT_OVER: Final = ("deviceId", "attendeeId")


class CallErasure:
    """Erases one person from calls."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def in_progress(self) -> WorkList:
        """Yield the end of the person's part in each call in progress; the sweep deletes meetings within a minute."""
        for item in self._calls():
            part = item["participants"][self._person.user_id]
            if item["status"] in _IN_PROGRESS and part["status"] in _IN_CALL:
                is_called = part["status"] == "RINGING" and item["initiatedBy"] != self._person.user_id
                yield partial(self._hang_up, item["sessionId"], "reject" if is_called else "leave")

    def records(self) -> WorkList:
        """Yield the removal of the name from each call that is over."""
        for item in self._calls():
            part = item["participants"][self._person.user_id]
            left = [name for name in _LEFT_OVER if name in part]
            if item["status"] not in _IN_PROGRESS and (part.get("name") != FORMER or left):
                yield partial(
                    self._person.live.update,
                    tables.CALLS,
                    key_of(tables.CALLS, item),
                    "SET participants.#who.#name = :former "
                    "REMOVE participants.#who.#deviceId, participants.#who.#attendeeId",
                    "attribute_exists(participants.#who)",
                    former=FORMER,
                    names={"#who": self._person.user_id},
                )

    def _calls(self) -> list[dict[str, Any]]:
        """Return the calls with the person; a call that was hidden from the person is in no list of calls."""
        condition, names = "attribute_exists(participants.#who)", {"#who": self._person.user_id}
        return list(self._person.live.scan(tables.CALLS, condition, names=names))

    def _hang_up(self, session_id: str, action: Action) -> None:
        executor = self._executor()
        command = CallCommand(action=action, actor=self._person.user_id, now=self._person.clock.now())
        try:
            executor.execute(session_id, command)
        except (CallConflictError, ForbiddenError):
            return  # the call has ended, or the person's part in it

    def _executor(self) -> TransitionExecutor:
        person = self._person
        names = CallTables(
            calls=person.table(tables.CALLS),
            call_locks=person.table(tables.CALL_LOCKS),
            outbox=person.table(tables.OUTBOX),
        )
        store = DynamoCallStore(person.client, names)
        return TransitionExecutor(
            calls=store,
            dispatcher=person.dispatcher,
            meeting_cleanup=MeetingCleanup(store, _LeftToTheSweep(), person.clock),
            clock=person.clock,
            ids=person.ids,
            log=CallLogWriter(),
        )


class _LeftToTheSweep(Meetings):
    """Fails every request, so that the sweep of calls deletes the meeting: only its role may use Chime."""

    def create(self, session_id: str) -> Meeting:
        raise MeetingsFailedError(session_id)

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        raise MeetingsFailedError(meeting_id)

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        raise MeetingsFailedError(meeting_id)

    def delete(self, meeting_id: str) -> None:
        raise MeetingsFailedError(meeting_id)

    def exists(self, meeting_id: str) -> bool:
        raise MeetingsFailedError(meeting_id)
