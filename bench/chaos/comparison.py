"""Compares what was accepted with the history of every member and the view of every client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench.chaos.clients import ChatUser, Talk
from bench.chaos.sending import Sends
from contract.limits import HISTORY_PAGE_MAX
from contract.models import Message

_AT_ONCE: Final = 4
_LOOK_AGAIN_SECONDS: Final = 0.5


async def read_history(user: ChatUser, talk: Talk) -> list[Message]:
    """Return every message of a conversation as one member reads it, oldest first."""
    messages: list[Message] = []
    cursor: str | None = None
    while True:
        page = await user.api.history(talk.id, limit=HISTORY_PAGE_MAX, cursor=cursor)
        messages += page.messages
        cursor = page.nextCursor
        if cursor is None:
            return messages[::-1]


async def differences(talks: Sequence[Talk], sends: Sends) -> list[str]:
    """Compare the histories of all members with what was accepted.

    Returns:
        A sentence for each difference: a message that is missing, doubled, unknown or out of its sender's order, and
        a member whose history is not that of the first member.
    """
    slots = asyncio.Semaphore(_AT_ONCE)

    async def read(user: ChatUser, talk: Talk) -> list[Message]:
        async with slots:
            return await read_history(user, talk)

    found: list[str] = []
    for talk in talks:
        histories = await asyncio.gather(*(read(user, talk) for user in talk.members))
        found += compare_accepted(talk, histories[0], sends)
        for user, history in zip(talk.members[1:], histories[1:], strict=True):
            if _identities(history) != _identities(histories[0]):
                found.append(f"{talk.id}: the history of {user.id} differs from that of {talk.members[0].id}")
    return found


def compare_accepted(talk: Talk, history: Sequence[Message], sends: Sends) -> list[str]:
    """Return how the history of one conversation differs from what was accepted."""
    found: list[str] = []
    seqs = [message.seq or 0 for message in history]
    if seqs != sorted(set(seqs)):
        found.append(f"{talk.id}: sequence numbers are not strictly increasing")
    for user in talk.members:
        accepted = sends.texts.get((talk.id, user.id), [])
        stored = [message.content or "" for message in history if message.senderId == user.id]
        if stored != accepted:
            missing, unknown = sorted(set(accepted) - set(stored)), sorted(set(stored) - set(accepted))
            doubled = len(stored) - len(set(stored))
            found.append(
                f"{talk.id}: messages of {user.id}: {len(accepted)} accepted, {len(stored)} stored, "
                f"missing {missing[:5]}, not accepted {unknown[:5]}, doubled {doubled}"
            )
    return found


async def settle(talks: Sequence[Talk], seconds: float) -> list[str]:
    """Wait until every client's view equals the server's history.

    Args:
        talks: the conversations.
        seconds: the longest wait.

    Returns:
        A sentence for each view that still differs then.
    """
    histories = {talk.id: await read_history(talk.members[0], talk) for talk in talks}
    deadline = time.monotonic() + seconds
    while True:
        found = [line for talk in talks for user in talk.senders for line in compare_view(user, talk, histories)]
        if not found or time.monotonic() >= deadline:
            return found
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def compare_view(user: ChatUser, talk: Talk, histories: dict[str, list[Message]]) -> list[str]:
    """Return how the view of one client differs from the histories, by conversation."""
    assert user.chat is not None
    history = _identities(histories[talk.id])
    if talk.id not in user.chat.inbox:
        return [f"{talk.id}: not in the list of {user.id}"]
    loaded = _identities(user.chat.conversation(talk.id).messages)
    reported = _identities(user.reported.get(talk.id, []))
    found: list[str] = []
    if loaded != history[len(history) - len(loaded) :] or (history and not loaded):
        found.append(f"{talk.id}: the view of {user.id} ends with {loaded[-1:]}, the history with {history[-1:]}")
    # Between two resets every message is reported, so without one the reports are the whole history.
    expected = history if not user.resets[talk.id] else [each for each in history if each in set(reported)]
    if reported != expected:
        found.append(f"{talk.id}: {user.id} was reported {len(reported)} messages of {len(expected)}, or out of order")
    unread_end = user.chat.inbox[talk.id].view.latestSeq
    if history and unread_end < history[-1][0]:
        found.append(f"{talk.id}: the list of {user.id} ends with {unread_end}, the history with {history[-1][0]}")
    return found


def _identities(messages: Sequence[Message]) -> list[tuple[int, str]]:
    return [(message.seq or 0, message.messageId) for message in messages]
