"""Messages of the old application that the bridge numbers while a client shows them."""

from __future__ import annotations

from client.state.conversation_log import ConversationLog
from contract.models import Message
from contract.responses import HistoryPage


def _message(message_id: str, seq: int | None, timestamp: str = "2026-01-01T00:00:00.000Z") -> Message:
    return Message(
        messageId=message_id, conversationId="c", senderId="u", timestamp=timestamp, type="TEXT", seq=seq, content="hi"
    )


def _page(*messages: Message, latest: int) -> HistoryPage:
    return HistoryPage(conversationId="c", messages=list(messages), latestSeq=latest, latestChange=0)


def test_message_that_was_loaded_without_number_is_shown_once_when_it_gets_one() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.restart(_page(_message("old", None), latest=0))
    log.add_message(_message("old", 1))
    log.add_message(_message("new", 2))
    assert [(each.messageId, each.seq) for each in log.messages] == [("old", 1), ("new", 2)]


def test_message_that_moves_behind_a_newer_one_is_shown_in_its_new_place_only() -> None:
    log = ConversationLog("c", seq=0, change=0)
    log.restart(_page(_message("newer", 1), _message("overtaken", None), latest=1))
    log.add_message(_message("overtaken", 2, "2026-01-01T00:00:01.000Z"))
    assert [each.messageId for each in log.messages] == ["newer", "overtaken"]
