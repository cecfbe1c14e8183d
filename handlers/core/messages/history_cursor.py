"""The start of a page of history: a date, or the opaque cursor of the previous page."""

from __future__ import annotations

import msgspec

from contract.requests import History
from handlers.core.shared import cursors
from handlers.core.shared.errors import InvalidRequestError
from handlers.core.shared.timestamps import from_iso, to_iso


class _Cursor(msgspec.Struct, forbid_unknown_fields=True):
    c: str
    t: str


class Position(msgspec.Struct, frozen=True):
    """A position in one conversation: the page holds messages older than `before` (ISO date with milliseconds)."""

    conversation_id: str
    before: str

    def cursor(self) -> str:
        """Return the position as opaque text, which the client sends with the next request."""
        return cursors.encode(_Cursor(self.conversation_id, self.before))


def position(conversation_id: str, request: History) -> Position | None:
    """Return the start of the requested page; None for the newest page.

    Raises:
        InvalidRequestError: parameters contradict each other, or a date or cursor is malformed.
    """
    _refuse_contradictions(request)
    if request.before is not None:
        return Position(conversation_id, _date(request.before, "before"))
    if request.cursor is not None:
        return _from_cursor(conversation_id, request.cursor)
    return None


def _refuse_contradictions(request: History) -> None:
    paging = [name for name in ("before", "cursor") if getattr(request, name) is not None]
    recovering = [name for name in ("afterSeq", "afterChange") if getattr(request, name) is not None]
    if len(paging) > 1:
        raise InvalidRequestError("before and cursor exclude each other; give one of them", field="cursor")
    if paging and recovering:
        raise InvalidRequestError(
            f"{paging[0]} requests a page, {recovering[0]} requests missed messages; give one of them",
            field=recovering[0],
        )
    if request.beforeSeq is None:
        return
    if request.afterSeq is None:
        raise InvalidRequestError("beforeSeq requires afterSeq", field="beforeSeq")
    if request.beforeSeq <= request.afterSeq:
        raise InvalidRequestError("beforeSeq must be greater than afterSeq", field="beforeSeq")


def _date(text: str, field: str) -> str:
    try:
        return to_iso(from_iso(text))
    except (ValueError, OverflowError):
        raise InvalidRequestError(f"{field} is not an ISO date with a time zone", field=field) from None


def _from_cursor(conversation_id: str, text: str) -> Position:
    content = cursors.decode(text, _Cursor)
    if content.c != conversation_id:
        raise InvalidRequestError("cursor belongs to another conversation", field="cursor")
    return Position(conversation_id, _date(content.t, "cursor"))
