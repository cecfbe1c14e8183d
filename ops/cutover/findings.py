"""What of the stored data would not migrate (`check`), and what differs between both sides (`verify`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from contract.limits import CONVERSATION_ID_CHARACTERS
from ops.cutover.stored import Stored

_ID: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{CONVERSATION_ID_CHARACTERS}}}")
EXAMPLES: Final = 5


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of finding.

    Args:
        problem: what is wrong.
        remedy: what to do.
        ids: where; all of them.
        by_backfill: the command `backfill` corrects it.
    """

    problem: str
    remedy: str
    ids: list[str]
    by_backfill: bool = False

    def text(self) -> str:
        """Return the finding for people, with some examples."""
        shown = ", ".join(self.ids[:EXAMPLES]) + (", …" if len(self.ids) > EXAMPLES else "")
        return f"{len(self.ids)} x {self.problem}: {shown}\n    {self.remedy}"


def check(stored: Stored) -> list[Finding]:
    """Return what would not migrate; kinds without a case are left out."""
    return _present(_check(stored))


def _check(stored: Stored) -> Iterator[Finding]:
    conversations = stored.conversations
    yield Finding(
        problem="conversation id that no request accepts",
        remedy=f"Allowed are letters, digits, - and _, at most {CONVERSATION_ID_CHARACTERS}. Copy it under a new id.",
        ids=[each for each in conversations if not _ID.fullmatch(each)],
    )
    yield Finding(
        problem="conversation without type or participants",
        remedy="The old server's update of lastMessageAt has created it. Delete the item; nothing refers to it.",
        ids=[each.conversation_id for each in conversations.values() if not each.complete],
    )
    yield Finding(
        problem="participant without a profile",
        remedy="The participant shows as unknown. Let the user sign in once, or remove the id from participants.",
        ids=sorted({user for each in conversations.values() for user in each.participants} - stored.users),
    )
    pairs: Counter[tuple[str, ...]] = Counter(
        tuple(sorted(each.participants)) for each in conversations.values() if each.type == "DM"
    )
    yield Finding(
        problem="pair of users with several direct conversations",
        remedy="All of them stay in the lists. To merge them is for the users to decide; nothing has to be done.",
        ids=[" + ".join(pair) for pair, count in pairs.items() if count > 1],
    )
    yield Finding(
        problem="item of Messages that is no message",
        remedy="A failed deletion of the old application has left it. Delete the item before new clients read it.",
        ids=[
            f"{each.conversation_id} {each.timestamp}"
            for messages in stored.messages.values()
            for each in messages
            if not each.readable
        ],
    )
    yield Finding(
        problem="conversation of messages that does not exist",
        remedy="Restore the conversation, or delete its messages; no client can reach them.",
        ids=sorted(set(stored.messages) - {each.conversation_id for each in conversations.values() if each.complete}),
    )
    yield _repeated(stored)
    yield Finding(
        problem="conversation of the old application without memberships",
        remedy="The lists of the new clients do not show it. Run: backfill.",
        ids=[each.conversation_id for each in stored.without_members() if each.complete],
        by_backfill=True,
    )
    yield _waiting(stored)


def verify(stored: Stored, queued: int) -> list[Finding]:
    """Return where both sides differ.

    Args:
        stored: what is stored.
        queued: messages that wait in the old server's queue.
    """
    return _present(_verify(stored, queued))


def _verify(stored: Stored, queued: int) -> Iterator[Finding]:
    yield _waiting(stored)
    yield _repeated(stored)
    gaps = []
    for conversation_id, messages in stored.messages.items():
        numbers = [each.seq for each in messages if each.seq is not None]
        known = stored.conversations.get(conversation_id)
        latest = known.latest_seq if known else 0
        if numbers != list(range(1, len(numbers) + 1)) or len(numbers) != latest:
            gaps.append(conversation_id)
    yield Finding(
        problem="conversation whose numbers have a gap or are out of order",
        remedy="If a message is being stored just now, repeat this command. Otherwise read a page of its history with "
        "a new client, which replaces a number without a message by a placeholder.",
        ids=gaps,
    )
    yield Finding(
        problem="conversation that is not wholly forwarded to the old server",
        remedy="If messages are being sent just now, repeat this command. Otherwise look at the log of the function "
        "bridge; the next message of the conversation repeats the forwarding.",
        ids=[
            each.conversation_id
            for each in stored.conversations.values()
            if each.forwarded_seq is not None and each.forwarded_seq < _last_to_forward(stored, each.conversation_id)
        ],
    )
    yield Finding(
        problem="queue whose messages the old server has not emitted",
        remedy="Start the old server with its side of the bridge. Where no old client is left, nothing has to be done.",
        ids=[f"{queued} messages"] if queued else [],
    )


def _last_to_forward(stored: Stored, conversation_id: str) -> int:
    """Return the number of the backend's last message: those that the old server has stored are not sent to it."""
    messages = stored.messages.get(conversation_id, [])
    return max((each.seq or 0 for each in messages if not each.bridged and not each.voided), default=0)


def _repeated(stored: Stored) -> Finding:
    ids = Counter(each.message_id for messages in stored.messages.values() for each in messages if each.message_id)
    return Finding(
        problem="message id that two items have",
        remedy="A copy was made outside of both servers. Delete the one without a number.",
        ids=[each for each, count in ids.items() if count > 1],
    )


def _waiting(stored: Stored) -> Finding:
    return Finding(
        problem="message of the old server without a number, newer than a numbered one",
        remedy="New clients do not show it. With the bridge it gets a number within seconds; otherwise run: backfill.",
        ids=[f"{each.conversation_id} {each.timestamp}" for each in stored.waiting()],
        by_backfill=True,
    )


def _present(findings: Iterable[Finding]) -> list[Finding]:
    return [each for each in findings if each.ids]
