"""Single rules of a conversation's log."""

from __future__ import annotations

import pytest

from client.state.conversation_log import ConversationLog, Gap
from client.state.updates import HistoryReset, MessageAdded, MessageChanged
from contract.models import Message
from contract.responses import HistoryPage


def message(seq: int, content: str = "", **fields: object) -> Message:
    return Message(
        messageId=f"m{seq}",
        conversationId="c",
        senderId="u",
        timestamp=f"2026-01-01T00:00:{seq:06}Z",
        type="TEXT",
        seq=seq,
        content=content or f"text {seq}",
        **fields,  # type: ignore[arg-type]
    )


def page(
    *messages: Message, seq: int, change: int = 0, changed: tuple[Message, ...] = (), reload: bool = False
) -> HistoryPage:
    return HistoryPage(
        conversationId="c",
        messages=list(messages),
        latestSeq=seq,
        latestChange=change,
        changed=list(changed),
        reload=reload,
    )


def test_a_message_after_a_gap_is_reported_when_the_gap_is_filled() -> None:
    log = ConversationLog("c", seq=1, change=0)
    assert log.add_message(message(3)) == []
    assert log.gap == Gap(1, 0)
    assert log.fill_gap(Gap(1, 0), page(message(2), message(3), seq=3)) == [
        MessageAdded("c", message(2)),
        MessageAdded("c", message(3)),
    ]
    assert log.gap is None


def test_a_sequence_number_hidden_from_this_user_is_no_gap_after_history_was_read() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.add_message(message(3))
    assert log.fill_gap(Gap(0, 0), page(message(1), message(3), seq=3)) == [
        MessageAdded("c", message(1)),
        MessageAdded("c", message(3)),
    ]
    assert log.gap is None


def test_an_edit_that_overtakes_its_message_is_in_the_reported_message() -> None:
    log = ConversationLog("c", seq=0, change=0)
    assert log.apply_change(1, message(1, "edited")) == []
    assert log.gap == Gap(0, 1)
    assert log.add_message(message(1, "first")) == [MessageAdded("c", message(1, "edited"))]


def test_a_deletion_that_overtakes_its_message_leaves_a_tombstone() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.apply_deletion(1, "m1", 1, "2026-01-01T00:00:00Z")
    [added] = log.add_message(message(1, "gone", mediaUrl="https://x.example/a"))
    assert isinstance(added, MessageAdded)
    assert (added.message.deleted, added.message.content, added.message.mediaUrl) == (True, None, None)


def test_an_old_edit_does_not_undo_a_newer_one() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.add_message(message(1))
    assert log.apply_change(2, message(1, "second")) == [MessageChanged("c", message(1, "second"))]
    assert log.apply_change(1, message(1, "first")) == []
    assert log.gap is None
    assert log.messages == [message(1, "second")]


def test_a_page_read_before_an_edit_does_not_undo_the_edit() -> None:
    log = ConversationLog("c", seq=5, change=0)
    read_before = page(message(5, "old"), seq=5, change=0)
    log.apply_change(1, message(5, "new"))
    assert log.add_older_page(read_before, log.generation) == [message(5, "new")]


def test_a_gap_response_read_before_an_edit_does_not_undo_the_edit() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.add_message(message(1))
    log.note_latest(1, 1)
    requested = log.gap
    assert requested == Gap(0 + 1, 0)
    log.apply_change(2, message(1, "second"))
    assert log.fill_gap(requested, page(seq=1, change=1, changed=(message(1, "first"),))) == []
    assert log.messages == [message(1, "second")]
    assert log.gap is None


def test_a_message_from_before_the_subscription_is_taken_from_history_with_its_edits() -> None:
    log = ConversationLog("c", seq=0, change=1, latest_seq=1, latest_change=1)
    assert log.add_message(message(1, "as first sent")) == []
    assert log.fill_gap(Gap(0, 1), page(message(1, "as edited"), seq=1, change=1)) == [
        MessageAdded("c", message(1, "as edited"))
    ]


def test_a_gap_that_cannot_be_filled_is_a_reset_and_no_message_is_reported_twice() -> None:
    """Requirement P4."""
    log = ConversationLog("c", seq=0, change=0)
    log.add_message(message(1))
    log.add_message(message(9))
    with pytest.raises(ValueError, match="restart"):
        log.fill_gap(Gap(1, 0), page(seq=9, reload=True))
    assert log.restart(page(message(9), message(8), seq=9)) == [
        HistoryReset("c", 1, 8),
        MessageAdded("c", message(8)),
        MessageAdded("c", message(9)),
    ]
    assert log.restart(page(message(9), message(8), seq=9)) == [HistoryReset("c", 9, 8)]
    assert log.messages == [message(8), message(9)]


def test_a_page_requested_before_a_reset_is_dropped() -> None:
    log = ConversationLog("c", seq=10, change=0)
    generation = log.generation
    log.restart(page(message(60), message(59), seq=60))
    assert log.add_older_page(page(message(9), message(8), seq=10), generation) == []
    assert log.messages == [message(59), message(60)]


def test_messages_of_the_old_application_have_no_sequence_number_and_sort_first() -> None:
    old = Message(messageId="old", conversationId="c", senderId="u", timestamp="2020-01-01T00:00:00Z", type="TEXT")
    log = ConversationLog("c", seq=1, change=0)
    assert log.add_older_page(page(message(1), old, seq=1), log.generation) == [old, message(1)]
    assert log.add_message(old) == []
