"""What a process knows about refused sends."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from contract.limits import SEND_RATE
from contract.requests import SendMessage

_CAPACITY: Final = 4_096


class SendHints:
    """What this process knows to be refused: used-up windows and accepted tempIds. It may forget.

    A refused send costs a number that becomes a placeholder. With the hints, a client that repeats such sends uses at
    most one number in each process.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self._lock = Lock()

    def add_used_up(self, sender_id: str, now: int) -> None:
        """Note that a sender has used up the present window of the rate limit."""
        self._add("rate", sender_id, SEND_RATE.window(now / 1000))

    def is_used_up(self, sender_id: str, now: int) -> bool:
        """Return whether a sender is known to have used up the present window."""
        return self._knows("rate", sender_id, SEND_RATE.window(now / 1000))

    def add_accepted(self, sender_id: str, request: SendMessage) -> None:
        """Note that a tempId is accepted."""
        if request.tempId is not None:
            self._add("sent", sender_id, request.conversationId, request.tempId)

    def is_accepted(self, sender_id: str, request: SendMessage) -> bool:
        """Return whether a tempId is known to be accepted."""
        return self._knows("sent", sender_id, request.conversationId, request.tempId)

    def _add(self, *hint: object) -> None:
        with self._lock:
            self._known[hint] = None
            if len(self._known) > _CAPACITY:
                self._known.popitem(last=False)

    def _knows(self, *hint: object) -> bool:
        with self._lock:
            return hint in self._known
