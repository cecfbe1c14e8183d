"""What happened to a message: `python -m ops explain message ID [--for USER]`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract import tables
from contract.correlation import FIELD
from ops.explain import outbox
from ops.explain.dead_letters import DeadLetter
from ops.explain.log_lines import DELIVERY, LogLine, iso, milliseconds
from ops.explain.log_sentences import sentence
from ops.explain.outbox import Record
from ops.explain.recipient import Facts, state
from ops.explain.sources import Sources
from ops.explain.story import RecipientState, Story

_BEFORE_MS: Final = 60_000
_RECIPIENTS_MAX: Final = 100
"""Most recipients whose state is listed; a larger group is asked about by `--for`."""


class _Found(msgspec.Struct, kw_only=True):
    """A message with what belongs to it. Arguments as of `recipient.Facts`; `complete`: it is in the table Messages."""

    message: dict[str, Any]
    complete: bool
    conversation: dict[str, Any]
    record: Record | None
    letters: list[DeadLetter]
    lines: list[LogLine]


def explain(
    sources: Sources, message_id: str, *, user_id: str | None = None, content: bool = False, hours: int = 48
) -> Story:
    """Return what happened to a message, in order.

    Args:
        sources: the environment.
        message_id: the message.
        user_id: the user who did not get it.
        content: whether the story contains the message's content.
        hours: for how long after the message log lines are searched.
    """
    subject = f"Message {message_id}"
    found = _find(sources, message_id, hours)
    if found is None:
        story = Story(subject=subject, found=False, unread=sources.unread())
        text = (
            "No message has this id: neither the table Messages nor a pending delivery record has it. A request that "
            "was answered with an error stored nothing; search its correlation id in the logs."
        )
        story.add(None, text, "Messages, Outbox")
        if user_id is not None:
            story.answer = RecipientState(user_id=user_id, code="unknown_message", text=text)
        return story
    story = Story(subject=subject)
    _describe(story, found, content=content)
    waiting = sources.waiting() if found.record is not None and found.record.pending else None
    if waiting is not None:
        story.add(None, f"About {waiting} tasks wait in the delivery queue.", "Delivery")
    if user_id is not None:
        story.answer = _state(sources, found, user_id, hours)
    else:
        participants = found.conversation.get("participants") or ()
        story.recipients = [_state(sources, found, each, hours) for each in participants[:_RECIPIENTS_MAX]]
        if len(participants) > _RECIPIENTS_MAX:
            text = f"{len(participants) - _RECIPIENTS_MAX} further recipients are not listed; use --for."
            story.add(None, text, "Conversations")
    story.unread = sources.unread()
    return story


def _find(sources: Sources, message_id: str, hours: int) -> _Found | None:
    index = tables.MESSAGES.index("MessageIdIndex")
    letters = sources.dead_letters(sources.queues.delivery_dead_letters)
    keys = sources.tables.query_index(tables.MESSAGES, index, message_id, most=1)
    record: Record | None = None
    if keys:
        key = {"conversationId": keys[0]["conversationId"], "timestamp": keys[0]["timestamp"]}
        message = sources.tables.item(tables.MESSAGES, **key)
        if message is None:
            return None
    else:
        record = outbox.of_message(sources, message_id, _event_ids(letters))
        if record is None:
            return None
        message = record.data()
    conversation = sources.tables.item(tables.CONVERSATIONS, conversationId=message["conversationId"]) or {}
    lines = _lines(sources, message, hours)
    if record is None:
        is_direct = conversation.get("type") == "DM"
        record = outbox.of_direct_message(sources, message) if is_direct else None
        if record is None:
            known = [*_event_ids(letters), *(str(line.fields["eventId"]) for line in lines if "eventId" in line.fields)]
            record = outbox.of_message(sources, message_id, dict.fromkeys(known))
    if record is not None and record.correlation_id is not None:
        lines = _merged(lines, _by_correlation(sources, message, {record.correlation_id}, hours))
    mine = [each for each in letters if record is not None and each.fields.get("eventId") == record.event_id]
    return _Found(
        message=message,
        complete=bool(keys),
        conversation=conversation,
        record=record,
        letters=mine,
        lines=lines,
    )


def _event_ids(letters: list[DeadLetter]) -> list[str]:
    return [str(each.fields["eventId"]) for each in letters if "eventId" in each.fields]


def _times(sources: Sources, message: dict[str, Any], hours: int) -> tuple[int, int]:
    sent = milliseconds(message["timestamp"])
    return sent - _BEFORE_MS, min(sources.clock() + _BEFORE_MS, sent + hours * 3_600_000)


def _lines(sources: Sources, message: dict[str, Any], hours: int) -> list[LogLine]:
    """Return the lines that name the message, and those that have the correlation id of its send."""
    start, end = _times(sources, message, hours)
    lines = sources.logs.find(("messages", *DELIVERY), (message["messageId"],), start, end)
    sends = [line.fields for line in lines if line.fields.get("eventType", "MESSAGE_SENT") == "MESSAGE_SENT"]
    operations = ("sendMessage", None)
    ids = {each[FIELD] for each in sends if each.get(FIELD) and each.get("operation") in operations}
    return _merged(lines, _by_correlation(sources, message, ids, hours))


def _by_correlation(sources: Sources, message: dict[str, Any], ids: set[str], hours: int) -> list[LogLine]:
    start, end = _times(sources, message, hours)
    return [line for each in sorted(ids) for line in sources.logs.find(("messages", *DELIVERY), (each,), start, end)]


def _merged(first: list[LogLine], second: list[LogLine]) -> list[LogLine]:
    """Return the lines of both, each once, oldest first."""
    lines = {(line.at, line.function, repr(line.fields)): line for line in (*first, *second)}
    return sorted(lines.values(), key=lambda line: line.at)


def _describe(story: Story, found: _Found, *, content: bool) -> None:
    message, conversation = found.message, found.conversation
    kind = "direct conversation" if conversation.get("type") == "DM" else "group"
    number = f"number {message['seq']}" if message.get("seq") is not None else "no number: an earlier application's"
    how = "It was stored" if found.complete else "It was accepted and is not completed: the next delivery completes it"
    story.add(
        message["timestamp"],
        f"{how}, with {number}, from {message['senderId']}, in the {kind} {message['conversationId']}, type "
        f"{message['type']}.",
        "Messages" if found.complete else "Outbox",
    )
    if content:
        shown = message.get("content") if message.get("content") is not None else "(none)"
        story.add(message["timestamp"], f"Its content is: {shown}", "Messages")
    for line in found.lines:
        text = sentence(line)
        if text is not None:
            story.add(line.date, text, f"log of {line.function}")
    if message.get("editedAt"):
        story.add(message["editedAt"], "It was edited.", "Messages")
    if message.get("deleted"):
        story.add(None, f"It is deleted, by change {message.get('deletedChange', 'of an unknown number')}.", "Messages")
    hidden = sorted(message.get("hiddenFrom") or ())
    if hidden:
        story.add(None, f"It is hidden from {', '.join(hidden)}, who had blocked the sender.", "Messages")
    if found.record is not None:
        story.add(None, outbox.describe(found.record), "Outbox")
        if found.record.correlation_id:
            story.add(None, f"The correlation id of the send is {found.record.correlation_id}.", "Outbox")
    else:
        story.add(None, "There is no delivery record any more: every recipient's publish is done.", "Outbox")
    for letter in found.letters:
        part = letter.fields.get("slice")
        what = "its delivery task" if part is None else f"the delivery task of slice {part}"
        story.add(iso(letter.sent_at), f"After the last attempt, {what} became a dead letter.", "DeliveryDeadLetters")


def _state(sources: Sources, found: _Found, user_id: str, hours: int) -> RecipientState:
    message = found.message
    profile = sources.tables.item(tables.USERS, userId=user_id)
    key = {"userId": user_id, "conversationId": message["conversationId"]}
    published = [
        line for line in found.lines if line.fields.get("message") == "event published" and _is_send(line, message)
    ]
    reached = [line.date for line in published if user_id not in line.fields["failed"]]
    is_participant = user_id in (found.conversation.get("participants") or ())
    return state(
        Facts(
            user_id=user_id,
            message=message,
            conversation=found.conversation,
            profile=profile,
            membership=sources.tables.item(tables.CONVERSATION_MEMBERS, **key),
            record=found.record,
            letters=found.letters,
            published_at=reached[-1] if reached else None,
            failures=[line.date for line in published if user_id in line.fields["failed"]],
            removed_at=None if is_participant else _removed_at(sources, message, user_id),
            now=iso(sources.clock()),
        )
    )


def _is_send(line: LogLine, message: dict[str, Any]) -> bool:
    fields = line.fields
    return fields.get("eventType") == "MESSAGE_SENT" and fields.get("messageId") == message["messageId"]


def _removed_at(sources: Sources, message: dict[str, Any], user_id: str) -> str | None:
    """Return when the user last left the conversation or was removed from it, by the log."""
    terms = ("CONVERSATION_REMOVED", message["conversationId"], user_id)
    lines = sources.logs.find(("conversations", *DELIVERY), terms, 0, sources.clock() + _BEFORE_MS)
    return lines[-1].date if lines else None
