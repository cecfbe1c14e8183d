"""How much each side writes, and how far each is behind."""

from __future__ import annotations

import msgspec

from ops.cutover.share import count_new
from ops.cutover.stored import Stored


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a time, and what waits.

    Args:
        old, new: messages that the old server and the backend have stored.
        new_percent: the backend's share of them; None without messages.
        without_number: messages of the old server that new clients do not show yet.
        oldest_without_number: timestamp of the oldest of them.
        to_forward: messages of the backend that are not queued for the old server yet.
        queued: messages that the old server has not emitted yet; None without bridge.
        users, users_new: users with a profile, and those who get the new client at the share asked for.
    """

    old: int
    new: int
    new_percent: float | None
    without_number: int
    oldest_without_number: str | None
    to_forward: int
    queued: int | None
    users: int
    users_new: int

    def behind(self) -> bool:
        """Return whether something waits."""
        return bool(self.without_number or self.to_forward or self.queued)

    def text(self) -> str:
        """Return the figures for people."""
        share = "no messages" if self.new_percent is None else f"{self.new_percent:.1f} % by the backend"
        oldest = f", the oldest of {self.oldest_without_number}" if self.oldest_without_number else ""
        queued = "no bridge" if self.queued is None else f"{self.queued} in the old server's queue"
        return "\n".join(
            (
                f"messages: {self.old} by the old server, {self.new} by the backend: {share}",
                f"old to new: {self.without_number} without number{oldest}",
                f"new to old: {self.to_forward} to forward, {queued}",
                f"users: {self.users_new} of {self.users} get the new client",
            )
        )


def traffic(stored: Stored, since: str, queued: int | None, percent: float) -> Traffic:
    """Return the figures.

    Args:
        stored: what is stored.
        since: ISO date; only messages after it are counted.
        queued: messages in the old server's queue; None without bridge.
        percent: the share of users who get the new client.
    """
    recent = [
        each
        for messages in stored.messages.values()
        for each in messages
        if each.timestamp > since and each.readable and not each.voided
    ]
    new = sum(each.seq is not None and not each.bridged for each in recent)
    waiting = sorted(each.timestamp for each in stored.waiting())
    return Traffic(
        old=len(recent) - new,
        new=new,
        new_percent=100 * new / len(recent) if recent else None,
        without_number=len(waiting),
        oldest_without_number=waiting[0] if waiting else None,
        to_forward=_to_forward(stored),
        queued=queued,
        users=len(stored.users),
        users_new=count_new(stored.users, percent),
    )


def _to_forward(stored: Stored) -> int:
    return sum(
        1
        for each in stored.conversations.values()
        if each.forwarded_seq is not None
        for message in stored.messages.get(each.conversation_id, ())
        if (message.seq or 0) > each.forwarded_seq and not message.bridged and not message.voided
    )
