"""Reads calls: one call, and the lists of a user's calls."""

from __future__ import annotations

from typing import Final

import msgspec

from contract import limits
from contract.calls.requests import ListCalls
from contract.calls.responses import CallAnswer, CallPage
from handlers.core.calls.ports import CallStore
from handlers.core.calls.state import CallState
from handlers.core.calls.views import view
from handlers.core.shared import cursors
from handlers.core.shared.errors import ForbiddenError, NotFoundError
from handlers.core.shared.ports import Clock
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_LONGEST_LIFE: Final = (limits.CALL_HOURS_MAX + 1) * 3_600_000
"""Milliseconds after which a call is certainly over: the longest meeting, and an hour for the ringing before it."""


class CallQueries(msgspec.Struct, frozen=True):
    """Returns calls to their participants."""

    calls: CallStore
    clock: Clock

    def one(self, user_id: str, session_id: str) -> CallAnswer:
        """Return one call.

        Raises:
            NotFoundError: no such call, or the user has blocked its caller.
            ForbiddenError: the user is not a participant.
        """
        with stage("read"):
            call = self.calls.read(session_id)
        if call is None or user_id in call.hidden_from:
            raise NotFoundError("no such call", field="sessionId")
        if user_id not in call.participants:
            raise ForbiddenError("you are not a participant of this call")
        return CallAnswer(call=view(call, user_id))

    def page(self, user_id: str, request: ListCalls) -> CallPage:
        """Return a page of a user's calls, newest first; with a `state` it may have fewer calls than its limit.

        Raises:
            InvalidRequestError: the cursor was not returned by this route.
        """
        before = cursors.decode(request.cursor, str) if request.cursor else None
        oldest = to_iso(self.clock.now() - _LONGEST_LIFE) if request.state == "active" else ""
        step = request.limit if request.state is None else limits.BATCH_GET_KEYS_MAX
        found: list[CallState] = []
        for _ in range(0, limits.CALLS_EXAMINED, step):
            with stage("read"):
                keys = self.calls.page(user_id, before, step)
                calls = self.calls.read_many([session_id for _, session_id in keys])
            for call_key, session_id in keys:
                if call_key < oldest:
                    return _page(user_id, found, None)
                before = call_key
                call = calls.get(session_id)
                if call is not None and _matches(call, request):
                    found.append(call)
                if len(found) == request.limit:
                    return _page(user_id, found, call_key)
            if len(keys) < step:
                return _page(user_id, found, None)
        return _page(user_id, found, before)


def _matches(call: CallState, request: ListCalls) -> bool:
    return request.state is None or call.is_live == (request.state == "active")


def _page(user_id: str, found: list[CallState], last_key: str | None) -> CallPage:
    cursor = None if last_key is None else cursors.encode(last_key)
    return CallPage(calls=[view(call, user_id) for call in found], nextCursor=cursor)
