"""History responses fit Lambda's limit, whatever the messages contain, and paging still returns every message once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import limits
from contract.models import Message
from contract.requests import History
from contract.responses import HistoryPage
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.history import MessageHistory
from handlers.core.messages.numbering import ChangeCounter, ChangeReservation, SequenceCounter, SettledNumbers
from handlers.core.messages.ports import ConversationReader, HistoryStore
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.sizes import response_bytes
from handlers.core.shared.timestamps import to_iso
from tests.harness.fakes import FakeClock

LAMBDA_RESPONSE_BYTES = 6 * 1024 * 1024
"""Lambda quotas: payload of a synchronous invocation."""
EMOJI = "\N{GRINNING FACE}"
CHARACTERS = ("a", "ä", EMOJI, '"', "\\", "\n", "\x01")
PARTICIPANTS = ("ana", "ben")


class StoredHistory(ConversationReader, HistoryStore):
    """One conversation in memory.

    Args:
        rows: its messages, oldest first.
    """

    def __init__(self, rows: Sequence[StoredMessage], changes: int = 0) -> None:
        self.rows = rows
        self.queries = 0
        self._changes = changes

    def use_case(self) -> MessageHistory:
        """Return the use case on this conversation."""
        clock = FakeClock()
        numbers = SettledNumbers(NoCounter(), NoChangeCounter(), clock)
        return MessageHistory(conversations=self, numbers=numbers, store=self, clock=clock, fanout_limit=20)

    def read_by_ben(self) -> list[Message]:
        """Return the messages as ben's history contains them."""
        return [msgspec.structs.replace(row.message, readBy=["ben"]) for row in self.rows]

    def read(self, conversation_id: str) -> ConversationState | None:
        return ConversationState(
            conversation_id=conversation_id,
            is_group=False,
            participants=PARTICIPANTS,
            admins=(),
            version=1,
            latest_seq=len(self.rows),
            latest_change=self._changes,
            created_at=to_iso(0),
        )

    def newest(self, conversation_id: str, before: str | None, limit: int) -> Sequence[StoredMessage]:
        self.queries += 1
        below = [row for row in self.rows if before is None or row.message.timestamp < before]
        return below[::-1][:limit]

    def changes(self, conversation_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        return [(number, self.rows[number - 1].message.timestamp) for number in range(after + 1, self._changes + 1)]

    def messages_at(self, conversation_id: str, timestamps: Sequence[str]) -> Sequence[StoredMessage]:
        return [row for row in self.rows if row.message.timestamp in timestamps]

    def read_marks(self, conversation_id: str, user_ids: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(user_ids, len(self.rows))


class NoCounter(SequenceCounter):
    """The counter of a conversation without numbers is not read."""


class NoChangeCounter(ChangeCounter):
    """No change is pending, so that none is settled or voided."""

    def settle(self, reservation: ChangeReservation) -> None:
        raise AssertionError(reservation)

    def void(self, reservation: ChangeReservation) -> None:
        raise AssertionError(reservation)


def stored(seq: int, content: str, hidden_from: frozenset[str] = frozenset()) -> StoredMessage:
    """Return a message of ana."""
    message = Message(
        messageId=f"m-{seq}",
        conversationId="c",
        senderId="ana",
        timestamp=to_iso(seq * 1000),
        type="TEXT",
        seq=seq,
        content=content,
    )
    return StoredMessage(message, hidden_from)


def read(history: StoredHistory, **request: Any) -> HistoryPage:
    """Read history as ben; the response must fit."""
    use_case = history.use_case()
    page = use_case.read("ben", "c", History(**request))
    body = msgspec.json.encode(page).decode()
    response = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
    assert len(json.dumps(response, ensure_ascii=False).encode()) < LAMBDA_RESPONSE_BYTES
    return page


def paged(history: StoredHistory, limit: int) -> list[int | None]:
    """Return the sequence numbers of all pages."""
    seen: list[int | None] = []
    cursor: str | None = None
    while True:
        page = read(history, limit=limit, cursor=cursor)
        seen += [message.seq for message in page.messages]
        cursor = page.nextCursor
        if cursor is None:
            return seen


CONTENTS = st.lists(
    st.tuples(
        st.sampled_from(CHARACTERS), st.sampled_from((1, 120, 4_000, limits.CONTENT_CHARACTERS)), st.integers(1, 40)
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(runs=CONTENTS, limit=st.sampled_from((1, 50, limits.HISTORY_PAGE_MAX)))
def test_pages_fit_a_response_and_hold_every_message_once(runs: list[tuple[str, int, int]], limit: int) -> None:
    contents = [character * length for character, length, times in runs for _ in range(times)]
    history = StoredHistory([stored(seq, content) for seq, content in enumerate(contents, start=1)])
    assert paged(history, limit) == list(range(len(contents), 0, -1))
    gap = read(history, afterSeq=0)
    size = sum(response_bytes(message) for message in history.read_by_ben())
    assert gap.reload == (size > limits.RESPONSE_BYTES or len(contents) > limits.GAP_MESSAGES_MAX)
    assert gap.reload or [message.seq for message in gap.messages] == list(range(1, len(contents) + 1))


@pytest.mark.parametrize("character", [EMOJI, "\\", "\x01"])
def test_gap_of_the_longest_messages_asks_for_a_reload(character: str) -> None:
    content = character * limits.CONTENT_CHARACTERS
    rows = [stored(seq, content) for seq in range(1, limits.GAP_MESSAGES_MAX + 1)]
    assert read(StoredHistory(rows), afterSeq=0).reload
    assert read(StoredHistory(rows, changes=len(rows)), afterSeq=0, afterChange=0).reload
    assert not read(StoredHistory(rows), afterSeq=len(rows) - 50).reload
    newest = read(StoredHistory(rows))
    assert newest.messages[0].seq == len(rows)
    assert newest.nextCursor is not None


def test_hidden_messages_cost_a_bounded_number_of_queries() -> None:
    """A blocked user has sent 20,000 messages that ben does not see."""
    rows = [stored(seq, "hi", frozenset({"ben"}) if seq > 3 else frozenset()) for seq in range(1, 20_001)]
    for limit in (1, limits.HISTORY_PAGE_MAX):
        history = StoredHistory(rows)
        page = read(history, limit=limit)
        assert (page.messages, page.latestSeq) == ([], 20_000)
        assert history.queries <= 11
    assert paged(history, limits.HISTORY_PAGE_MAX) == [3, 2, 1]


def test_read_by_does_not_reveal_which_messages_were_hidden_during_a_block() -> None:
    rows = [stored(seq, "hi", frozenset({"ben"}) if seq == 2 else frozenset()) for seq in (1, 2, 3)]
    history = StoredHistory(rows)
    use_case = history.use_case()
    page = use_case.read("ana", "c", History())
    assert [message.readBy for message in page.messages] == [["ben"]] * 3
