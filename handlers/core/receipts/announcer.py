"""Publishes the collected read marks of a group: to their readers, and to the senders of the messages they read."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from contract import channels, events
from contract.limits import DELIVERY_PAUSE_SECONDS
from handlers.core.delivery.outbox import event_json
from handlers.core.delivery.ports import Audiences, DeliveryQueue, Publisher, ReceiptTask
from handlers.core.receipts.ports import MovedMark, ReceiptReader
from handlers.core.shared import concurrency, deadline
from handlers.core.shared.timestamps import to_iso

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 5
"""Most attempts for one recipient. After that only history shows the marks: they are not worth a dead letter."""


class ReceiptAnnouncer(msgspec.Struct, frozen=True, kw_only=True):
    """Publishes read marks."""

    audiences: Audiences
    reader: ReceiptReader
    publisher: Publisher
    queue: DeliveryQueue

    def announce(self, task: ReceiptTask) -> bool:
        """Publish the marks of one task; return False if the queue must deliver the task again.

        Recipients whose publish failed get a task of their own, so that the others do not get the event again.
        """
        present = self.audiences.participants(task.conversation_id)
        asked = present if task.reader is None else [each for each in present if each == task.reader]
        marks = self.reader.moved_marks(task.conversation_id, asked, task.since, task.until) if asked else {}
        if not marks:
            return True
        shown = {user_id: {user_id: mark} for user_id, mark in marks.items()}
        if task.reader is None:
            for sender in self._senders(task, marks) & set(present):
                shown[sender] = dict(marks)
        if task.left:
            shown = {user_id: each for user_id, each in shown.items() if user_id in task.left}
        failed = self._publish(task, shown)
        return not failed or self._later(task, failed)

    def _senders(self, task: ReceiptTask, marks: Mapping[str, MovedMark]) -> set[str]:
        """Return the senders of messages that another member has read."""
        newest = self.reader.newest_senders(task.conversation_id)
        return {
            sender
            for seq, sender in newest
            if any(mark.from_seq < seq <= mark.seq and user_id != sender for user_id, mark in marks.items())
        }

    def _publish(self, task: ReceiptTask, shown: Mapping[str, Mapping[str, MovedMark]]) -> list[str]:
        """Publish to each recipient what the recipient is shown; return the recipients whose publish failed."""
        recipients: dict[str, list[str]] = defaultdict(list)
        for recipient, marks in shown.items():
            recipients[event_json(_event(task, recipient, marks))].append(recipient)

        def publish(event: str) -> list[str]:
            paths = {channels.channel(channels.CHATS, each): each for each in recipients[event]}
            return [paths[path] for path in self.publisher.publish(tuple(paths), event)]

        return [each for failed in concurrency.each(deadline.carried(publish), recipients) for each in failed]

    def _later(self, task: ReceiptTask, failed: list[str]) -> bool:
        if task.attempt >= _ATTEMPTS:
            _log.error("read marks of %s given up for %d recipients", task.conversation_id, len(failed))
            return True
        again = replace(task, left=tuple(failed), attempt=task.attempt + 1)
        return not self.queue.send([again], DELIVERY_PAUSE_SECONDS * task.attempt)


def _event(task: ReceiptTask, recipient: str, marks: Mapping[str, MovedMark]) -> events.MessageRead:
    """Return the event for one recipient. `readBy` is the recipient, or the last reader: earlier clients read only it.

    Every recipient's event has the same id: a client that gets its event again drops it.
    """
    readers = [
        events.ReadBy(userId=user_id, readSeq=mark.seq, readAt=to_iso(mark.read_at)) for user_id, mark in marks.items()
    ]
    first = next((each for each in readers if each.userId == recipient), max(readers, key=lambda each: each.readAt))
    return events.MessageRead(
        eventId=task.event_id,
        timestamp=first.readAt,
        data=events.MessageReadData(
            conversationId=task.conversation_id,
            readBy=first.userId,
            readSeq=first.readSeq,
            readAt=first.readAt,
            readers=readers,
        ),
    )
