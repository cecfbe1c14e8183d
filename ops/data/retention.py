"""Removes what is older than an environment keeps it: the content of messages, and whole calls.

A message keeps its item and its sequence number, as after a deletion, so that the history has no gap. It gets no change
number: clients that have the message keep their copy until they load the conversation again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from contract import tables
from ops.data.erase.person import Work
from ops.data.pace import Pace
from ops.data.restore.admission import CONTENT
from ops.data.table_access import TableAccess, key_of

_IN_PROGRESS: Final = ("RINGING", "ACTIVE")
_LEFT: Final = " OR ".join(["#deleted = :false", *(f"attribute_exists(#{name})" for name in CONTENT)])


class Retention:
    """What is older than the limits of an environment.

    Args:
        live: the tables.
        message_days, call_days: days for which messages and calls are kept; None keeps them for ever.
        now: the present time.
    """

    def __init__(
        self, live: TableAccess, message_days: int | None, call_days: int | None, now: datetime | None = None
    ) -> None:
        self._live = live
        self._now = now or datetime.now(UTC)
        self._message_days = message_days
        self._call_days = call_days

    def plan(self) -> dict[str, int]:
        """Return how many messages, previews and calls are too old."""
        return {name: sum(1 for _ in work) for name, work in self._work().items()}

    def run(self, pace: Pace) -> dict[str, int]:
        """Remove what is too old, and return how much it was. A repeated call continues."""
        done = {}
        for name, work in self._work().items():
            done[name] = 0
            for remove in work:
                pace.before_write()
                remove()
                done[name] += 1
                pace.report(f"{name}: {done[name]}")
        return done

    def _work(self) -> dict[str, Iterator[Work]]:
        return {"messages": self._messages(), "previews": self._previews(), "calls": self._calls()}

    def _before(self, days: int) -> str:
        return (self._now - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _messages(self) -> Iterator[Work]:
        if self._message_days is None:
            return
        condition = f"#timestamp < :before AND ({_LEFT})"
        found = self._live.scan(tables.MESSAGES, condition, before=self._before(self._message_days), false=False)
        for item in found:
            yield partial(
                self._live.update,
                tables.MESSAGES,
                key_of(tables.MESSAGES, item),
                "SET #deleted = :true REMOVE " + ", ".join(f"#{name}" for name in CONTENT),
                "attribute_exists(conversationId)",
                true=True,
            )

    def _previews(self) -> Iterator[Work]:
        if self._message_days is None:
            return
        condition = "lastMessage.#timestamp < :before AND attribute_exists(lastMessage.#preview)"
        for item in self._live.scan(tables.CONVERSATIONS, condition, before=self._before(self._message_days)):
            yield partial(
                self._live.update,
                tables.CONVERSATIONS,
                key_of(tables.CONVERSATIONS, item),
                "SET lastMessage.#deleted = :true REMOVE lastMessage.#preview",
                "lastMessage.messageId = :id",
                id=item["lastMessage"]["messageId"],
                true=True,
            )

    def _calls(self) -> Iterator[Work]:
        if self._call_days is None:
            return
        for item in self._live.scan(tables.CALLS, "createdAt < :before", before=self._before(self._call_days)):
            if item["status"] not in _IN_PROGRESS and "dueAt" not in item:
                yield partial(self._delete_call, item)

    def _delete_call(self, item: dict[str, Any]) -> None:
        """Delete a call; its entries in the lists of its participants first, since they refer to it."""
        for user_id in item["participants"]:
            key = {"userId": user_id, "callKey": f"{item['createdAt']}#{item['sessionId']}"}
            self._live.delete(tables.USER_CALLS, key)
        self._live.delete(tables.CALLS, {"sessionId": item["sessionId"]})
