"""Why one user got a message, or did not: the first rule that holds is the reason."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract import limits
from ops.explain.dead_letters import DeadLetter
from ops.explain.log_lines import milliseconds
from ops.explain.outbox import Record
from ops.explain.story import RecipientState

CODES: Final[dict[str, str]] = {
    "unknown_message": "no message has this id",
    "unknown_user": "no user has this id",
    "sender": "the user sent the message",
    "not_a_member": "the user is not in the conversation, and no log line says that the user was",
    "removed": "the user left the conversation or was removed from it",
    "hidden_member": "the user had blocked the member who added the user to the group",
    "blocked_sender": "the user had blocked the sender",
    "joined_later": "the user was added to the group after the message",
    "deleted": "the sender has deleted the message",
    "read": "the user has read the message",
    "disabled": "the user's account is disabled",
    "expired": "the event was not published in its time",
    "given_up": "the delivery was given up",
    "dead_letter": "the delivery task is a dead letter",
    "pending": "the delivery is not finished",
    "previous_application": "the previous application stored the message, which publishes no event",
    "unknown": "the message is so old that its delivery record has expired",
    "published": "the event was published to the user's channel",
}
"""The reasons, with their meaning."""


class Facts(msgspec.Struct, kw_only=True):
    """What was read about a message and one user.

    Args:
        message: the item of the table Messages, or the event's data where the message is accepted and not completed.
        conversation: the item of the table Conversations.
        profile: the item of the table Users.
        membership: the item of the table ConversationMembers.
        record: the outbox record of the message.
        letters: dead letters of the record.
        published_at: ISO date at which a log line reports a publish to all recipients of an attempt.
        failures: ISO dates at which the publish to the user failed.
        removed_at: ISO date at which a log line reports that the user left or was removed.
        now: ISO date.
    """

    user_id: str
    message: dict[str, Any]
    conversation: dict[str, Any]
    profile: dict[str, Any] | None
    membership: dict[str, Any] | None
    record: Record | None
    letters: list[DeadLetter]
    published_at: str | None
    failures: list[str]
    removed_at: str | None
    now: str


def state(facts: Facts) -> RecipientState:
    """Return the first reason that holds."""
    code, text = _excluded(facts) or _known(facts) or _delivery(facts)
    return RecipientState(user_id=facts.user_id, code=code, text=text)


def _excluded(facts: Facts) -> tuple[str, str] | None:
    """Return why the user is no recipient."""
    user_id, message, conversation = facts.user_id, facts.message, facts.conversation
    sent = message["timestamp"]
    if facts.profile is None:
        return "unknown_user", "No user has this id. Check the id: it is the user's sub in Cognito."
    if user_id == message["senderId"]:
        return "sender", "The user sent the message. The sender's own devices get the event, too."
    if user_id in (conversation.get("hiddenMembers") or {}):
        return "hidden_member", (
            "The user had blocked the member who added the user to this group. The user is listed as a member, but the "
            "group is hidden from the user, and no event of it is published to the user."
        )
    if user_id not in (conversation.get("participants") or ()):
        if facts.removed_at is not None:
            when = "after" if facts.removed_at > sent else "before"
            return "removed", (
                f"The user left the conversation or was removed from it at {facts.removed_at}, {when} the message was "
                "sent. The history is closed to former members."
            )
        return "not_a_member", (
            "The user is not in this conversation now, and the logs do not show that the user left it or was removed."
        )
    if user_id in (message.get("hiddenFrom") or ()):
        return "blocked_sender", (
            "The user had blocked the sender when the message was sent. It is hidden from the user for good, and the "
            "sender does not learn of it."
        )
    joined = (facts.membership or {}).get("joinedAt")
    if joined and joined > sent and conversation.get("type") == "GROUP":
        return "joined_later", (
            f"The user was added to the group at {joined}, after the message was sent. No event was published to the "
            "user; the user's history shows the message."
        )
    return None


def _known(facts: Facts) -> tuple[str, str] | None:
    """Return what is known of the user's view, whatever the delivery did."""
    message, membership = facts.message, facts.membership or {}
    if membership.get("lastReadSeq", 0) >= message.get("seq", float("inf")):
        return "read", (
            f"The user's read mark is {membership['lastReadSeq']}, at or above the message's number {message['seq']}: "
            "a client of the user has shown the message or a later one."
        )
    disabled = (facts.profile or {}).get("disabledAt")
    if disabled:
        return "disabled", (
            f"The user's account is disabled since {disabled}. No request of the user is served, so the history cannot "
            "be read; events reach only a connection that was open before."
        )
    if message.get("deleted"):
        return "deleted", "The sender has deleted the message. Its content is gone for every participant."
    return None


def _delivery(facts: Facts) -> tuple[str, str]:
    record = facts.record
    failed = f" The publish to the user failed at {', '.join(facts.failures)}." if facts.failures else ""
    if record is None and facts.message.get("seq") is None:
        return "previous_application", (
            "The previous application stored the message: it has no number, and no event was published. The user's "
            "history shows it."
        )
    if record is None and facts.published_at is None and _is_old(facts):
        return "unknown", (
            f"The message is older than {limits.OUTBOX_RETENTION_DAYS} days, after which a delivery record expires, "
            f"and the logs do not show a publish to the user.{failed} The user's history shows the message."
        )
    if record is None or not record.lacks(facts.user_id):
        return "published", _published(facts, failed)
    valid_until = record.item.get("validUntil")
    if valid_until and valid_until <= facts.now:
        return "expired", f"The event was to be published until {valid_until}, and was not.{failed}"
    number = record.slice_of(facts.user_id)
    where = "" if number is None else f" The user is in slice {number}."
    if record.given_up:
        return "given_up", (
            f"The delivery to the user was given up after {record.attempts} sweeps.{where}{failed} The user's history "
            "shows the message. Find out why publishes failed; see the runbook, section Events are given up."
        )
    letters = [each for each in facts.letters if each.fields.get("slice") in (None, number)]
    if letters:
        return "dead_letter", (
            f"The delivery task is in the dead-letter queue.{where}{failed} The sweep offers the event again at "
            f"{record.item.get('dueAt')}; `python -m ops redrive` does so at once."
        )
    return "pending", (
        f"The event was not published to the user yet.{where}{failed} The queue or the sweep repeats it, at the latest "
        f"at {record.item.get('dueAt')}. The user's history shows the message."
    )


def _is_old(facts: Facts) -> bool:
    """Return whether a delivery record of the message, also one that was given up, has expired."""
    age = milliseconds(facts.now) - milliseconds(facts.message["timestamp"])
    return age >= limits.OUTBOX_RETENTION_DAYS * 86_400_000


def _published(facts: Facts, failed: str) -> str:
    when = f" at {facts.published_at}" if facts.published_at else "; the logs do not show when"
    again = " A later attempt succeeded." if failed else ""
    return (
        f"The event was published to the channel /chats/{facts.user_id}{when}.{failed}{again} The user's read mark is "
        f"{(facts.membership or {}).get('lastReadSeq', 0)}, below the message's number: no client has shown it "
        "as read. A client that was not connected at that time reads it from the history when it connects."
    )
