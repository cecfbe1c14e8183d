"""Collects the read marks of a group, so that they are published once in some seconds instead of once for each reader.

The first reader opens a window and enqueues a task that is delayed until the window is due. The other readers only
store their marks: the task reads them. A reader relies on an open window only if it is due well after the mark was
stored. The next window begins where the marks of the one before end, so that each mark is in exactly one of them.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec

from contract.limits import RECEIPT_MARGIN_SECONDS, RECEIPT_WINDOW_SECONDS
from handlers.core.delivery.ports import DeliveryQueue, ReceiptTask
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.receipts.ports import ReceiptWindows
from handlers.core.shared import correlation
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.ports import Clock, Ids

_log = logging.getLogger(__name__)

_WINDOW_MS: Final = RECEIPT_WINDOW_SECONDS * 1000
_MARGIN_MS: Final = RECEIPT_MARGIN_SECONDS * 1000
_SLOW_MS: Final = _MARGIN_MS // 2
"""A write of a mark that took longer than this gets a task of its own: the window's task may have missed it."""


class ReceiptCollector(msgspec.Struct, frozen=True, kw_only=True):
    """Makes sure that a stored read mark of a group is published.

    Args:
        fanout_limit: in a larger group a mark is published only to the reader's own devices.
    """

    windows: ReceiptWindows
    queue: DeliveryQueue
    clock: Clock
    ids: Ids
    fanout_limit: int

    def collect(self, conversation: ConversationState, user_id: str, read_at: int) -> None:
        """Publish a mark with the open window, or open one. A failure is logged: history shows the mark all the same.

        Args:
            conversation: the conversation as it was read before the mark was stored.
            user_id: the reader.
            read_at: the time stored with the mark, in milliseconds since the epoch.
        """
        try:
            task, delay_seconds = self._task(conversation, user_id, read_at)
            refused = self.queue.send([task], delay_seconds) if task is not None else ()
        except Exception:
            _log.exception("read mark of %s in %s is not published", user_id, conversation.conversation_id)
            return
        if refused:
            _log.error("queue refused the read marks of %s; they are not published", conversation.conversation_id)

    def _task(self, conversation: ConversationState, user_id: str, read_at: int) -> tuple[ReceiptTask | None, int]:
        now = self.clock.now()
        if len(conversation.participants) > self.fanout_limit:
            return self._new(conversation, read_at, read_at + 1, reader=user_id), 0
        if now - read_at > _SLOW_MS:
            return self._new(conversation, read_at, now + 1), 0
        if conversation.receipts_due_at > now + _MARGIN_MS:
            return None, 0
        due = now + _WINDOW_MS
        try:
            before = self.windows.open(conversation.conversation_id, now + _MARGIN_MS, due)
        except (UnavailableError, OutcomeUnknownError) as error:
            _log.warning("opening a window for the read marks failed; this one has its own: %s", error)
            return self._new(conversation, read_at, due - _MARGIN_MS), RECEIPT_WINDOW_SECONDS
        if before is None:
            return None, 0
        since = min(before - _MARGIN_MS, read_at) if before else read_at
        return self._new(conversation, since, due - _MARGIN_MS), RECEIPT_WINDOW_SECONDS

    def _new(self, conversation: ConversationState, since: int, until: int, reader: str | None = None) -> ReceiptTask:
        return ReceiptTask(
            event_id=self.ids.new(),
            conversation_id=conversation.conversation_id,
            since=since,
            until=until,
            reader=reader,
            correlation_id=correlation.present(),
        )
