"""What a user sees follows events and answers, whichever come first, twice or late."""

from __future__ import annotations

from typing import Any

import pytest

from client.state.inbox import TYPING_SECONDS, Inbox
from client.state.inbox_entry import decode
from client.state.updates import (
    BlockChanged,
    ConversationChanged,
    ConversationGone,
    MessageAdded,
    ReadMoved,
    TypingChanged,
    Update,
    UserChanged,
)
from contract.models import ConversationView, LastMessage

ME, YOU = "me", "you"
_numbers = iter(range(10**6))


def view(id: str = "c", **fields: Any) -> ConversationView:
    defaults: dict[str, Any] = {
        "type": "DM",
        "participants": [ME, YOU],
        "admins": [],
        "createdBy": ME,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "version": 1,
        "name": "Your Name",
        "participantNames": {ME: "My Name", YOU: "Your Name"},
    }
    return ConversationView(conversationId=id, **(defaults | fields))


def message(seq: int, sender: str = YOU, conversation: str = "c", content: str = "text") -> dict[str, Any]:
    return {
        "messageId": f"{conversation}-{seq}",
        "conversationId": conversation,
        "senderId": sender,
        "timestamp": f"2026-01-02T00:00:00.{seq:03}Z",
        "type": "TEXT",
        "seq": seq,
        "content": content,
    }


def event(type: str, data: dict[str, Any], id: str | None = None) -> dict[str, Any]:
    return {
        "eventId": id or f"e{next(_numbers)}",
        "type": type,
        "data": data,
        "timestamp": "2026-01-02T00:00:00.000Z",
        "serverTimestamp": "2026-01-02T00:00:00.001Z",
    }


def take(inbox: Inbox, document: dict[str, Any], now: float = 0.0) -> list[Update]:
    decoded = decode(document)
    assert decoded is not None
    return inbox.apply(decoded, now)


@pytest.fixture
def inbox() -> Inbox:
    made = Inbox(ME)
    made.listed([view()], first=True)
    return made


def test_a_message_counts_as_unread_and_moves_its_conversation_up(inbox: Inbox) -> None:
    inbox.listed([view("d", createdAt="2026-01-01T12:00:00.000Z")], first=True)
    assert [v.conversationId for v in inbox.conversations()] == ["d", "c"]
    added, changed = take(inbox, event("MESSAGE_SENT", message(1)))
    assert isinstance(added, MessageAdded)
    assert isinstance(changed, ConversationChanged)
    [first, _] = inbox.conversations()
    assert (first.conversationId, first.unreadCount, first.latestSeq) == ("c", 1, 1)
    assert first.lastMessage is not None
    assert first.lastMessage.preview == "text"


def test_an_own_message_reads_everything_before_it(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    take(inbox, event("MESSAGE_SENT", message(2, ME) | {"tempId": "t"}))
    entry = inbox["c"]
    assert (entry.view.unreadCount, entry.view.lastReadSeq) == (0, 2)


def test_an_event_that_comes_twice_changes_nothing(inbox: Inbox) -> None:
    first = event("MESSAGE_SENT", message(1))
    take(inbox, first)
    assert take(inbox, first) == []
    assert take(inbox, event("MESSAGE_SENT", message(1), id="another id")) == []
    assert inbox["c"].view.unreadCount == 1


def test_a_list_read_before_an_event_does_not_undo_it(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    inbox.listed([view()])
    shown = inbox["c"].view
    assert (shown.latestSeq, shown.unreadCount, shown.lastMessageAt) == (1, 1, "2026-01-02T00:00:00.001Z")


def test_a_list_that_is_ahead_shows_what_was_missed_and_does_not_count_it_twice(inbox: Inbox) -> None:
    last = LastMessage(
        messageId="c-3", senderId=YOU, type="TEXT", timestamp="2026-01-02T00:00:00.003Z", seq=3, preview="three"
    )
    inbox.listed([view(latestSeq=3, unreadCount=3, lastMessage=last, lastMessageAt=last.timestamp)])
    assert [log.conversation_id for log in inbox.behind()] == ["c"]
    take(inbox, event("MESSAGE_SENT", message(1)))
    assert inbox["c"].view.unreadCount == 3
    take(inbox, event("MESSAGE_SENT", message(2)))
    take(inbox, event("MESSAGE_SENT", message(3)))
    take(inbox, event("MESSAGE_SENT", message(4)))
    assert inbox["c"].view.unreadCount == 4
    assert not inbox.behind()


def test_what_is_unread_at_the_start_is_counted_and_what_appears_later_is_handed_out() -> None:
    inbox = Inbox(ME)
    inbox.listed([view(latestSeq=3, unreadCount=3)], first=True)
    assert not inbox.behind()
    inbox.listed([view("new", latestSeq=2, unreadCount=2)])
    [log] = inbox.behind()
    assert (log.conversation_id, log.seq) == ("new", 0)


def test_an_edit_or_deletion_of_the_last_message_changes_its_preview(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    edited = message(1, content="edited")
    take(
        inbox,
        event(
            "MESSAGE_UPDATED",
            {"conversationId": "c", "messageId": "c-1", "change": 1, "updatedBy": YOU, "message": edited},
        ),
    )
    last = inbox["c"].view.lastMessage
    assert last is not None
    assert last.preview == "edited"
    take(
        inbox,
        event(
            "MESSAGE_DELETED",
            {
                "conversationId": "c",
                "messageId": "c-1",
                "seq": 1,
                "change": 2,
                "deletedBy": YOU,
                "deletedAt": "2026-01-02T00:00:01.000Z",
            },
        ),
    )
    last = inbox["c"].view.lastMessage
    assert last is not None
    assert (last.preview, last.deleted) == (None, True)


def read(user: str, seq: int) -> dict[str, Any]:
    return event(
        "MESSAGE_READ", {"conversationId": "c", "readBy": user, "readSeq": seq, "readAt": "2026-01-02T00:00:00.000Z"}
    )


def test_reading_moves_forward_only(inbox: Inbox) -> None:
    assert take(inbox, read(YOU, 3)) == [ReadMoved("c", YOU, 3)]
    assert take(inbox, read(YOU, 2)) == []
    for seq in (1, 2, 3):
        take(inbox, event("MESSAGE_SENT", message(seq)))
    assert inbox["c"].view.unreadCount == 3
    take(inbox, read(ME, 2))
    assert (inbox["c"].view.unreadCount, inbox["c"].view.lastReadSeq) == (1, 2)
    inbox.own_read("c", 3, 0)
    assert take(inbox, read(ME, 3)) == []
    assert inbox.own_read("c", 1, 2) == []
    assert inbox["c"].view.unreadCount == 0


def typing(user: str, type: str = "USER_TYPING") -> dict[str, Any]:
    return event(type, {"conversationId": "c", "userId": user})


def test_typing_ends_by_time_by_notice_and_by_a_message(inbox: Inbox) -> None:
    assert take(inbox, typing(YOU), now=10.0) == [TypingChanged("c", (YOU,))]
    assert take(inbox, typing(YOU), now=12.0) == []
    assert inbox.next_expiry() == 12.0 + TYPING_SECONDS
    assert inbox.expire(13.5) == []
    assert inbox.expire(15.0) == [TypingChanged("c", ())]
    assert inbox.next_expiry() is None
    take(inbox, typing(YOU), now=20.0)
    assert take(inbox, typing(YOU, "USER_STOPPED_TYPING")) == [TypingChanged("c", ())]
    take(inbox, typing(YOU), now=30.0)
    assert TypingChanged("c", ()) in take(inbox, event("MESSAGE_SENT", message(1)))
    assert take(inbox, typing(ME), now=40.0) == []


def changed(version: int, **fields: Any) -> dict[str, Any]:
    group = {
        "conversationId": "g",
        "type": "GROUP",
        "participants": [ME, YOU],
        "admins": [ME],
        "createdBy": ME,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "version": version,
        "name": f"name {version}",
    }
    return event("CONVERSATION_UPDATED", {"conversation": group | fields, "changedBy": YOU})


def test_the_greatest_version_of_a_conversation_wins(inbox: Inbox) -> None:
    inbox.listed([view("g", type="GROUP", name="name 1")])
    take(inbox, changed(3))
    assert take(inbox, changed(2)) == []
    inbox.listed([view("g", type="GROUP", name="name 1")])
    assert (inbox["g"].view.name, inbox["g"].view.version) == ("name 3", 3)


def test_a_direct_conversation_keeps_the_other_ones_name(inbox: Inbox) -> None:
    take(inbox, changed(5, conversationId="c", type="DM", name=None))
    assert (inbox["c"].view.name, inbox["c"].view.version) == ("Your Name", 5)


def test_a_newcomer_whose_name_is_not_known_is_asked_for(inbox: Inbox) -> None:
    inbox.listed([view("g", type="GROUP", name="g")])
    take(inbox, changed(2, participants=[ME, YOU, "new"]))
    assert inbox.unknown == {"g"}


def test_a_conversation_that_is_not_known_is_asked_for_and_one_that_is_left_is_gone(inbox: Inbox) -> None:
    assert take(inbox, event("MESSAGE_SENT", message(1, conversation="x"))) == []
    assert inbox.unknown == {"x"}
    inbox.listed([view("x", latestSeq=1)])
    assert inbox.unknown == set()
    gone = {"conversationId": "x", "userId": ME, "removedBy": YOU}
    assert take(inbox, event("CONVERSATION_REMOVED", gone)) == [ConversationGone("x", YOU)]
    assert "x" not in inbox
    assert take(inbox, event("CONVERSATION_REMOVED", gone)) == []
    assert take(inbox, event("CONVERSATION_REMOVED", gone | {"conversationId": "c", "userId": YOU})) == []
    assert "c" in inbox


def test_a_changed_name_shows_wherever_it_stood(inbox: Inbox) -> None:
    inbox.listed([view("g", type="GROUP", name="g")])
    user = {"userId": YOU, "firstName": "New", "lastName": "Name", "fullName": "New Name"}
    first, *others = take(inbox, event("USER_UPDATED", {"user": user}))
    assert isinstance(first, UserChanged)
    assert len(others) == 2
    assert inbox["c"].view.name == "New Name"
    assert inbox["g"].view.name == "g"
    assert inbox["g"].view.participantNames[YOU] == "New Name"


def test_blocks_are_known_on_every_device(inbox: Inbox) -> None:
    assert take(inbox, event("USER_BLOCKED", {"userId": YOU})) == [BlockChanged(YOU, True)]
    assert inbox.blocked == {YOU}
    take(inbox, event("USER_UNBLOCKED", {"userId": YOU}))
    assert inbox.blocked == set()


def test_a_list_of_blocks_replaces_what_events_told(inbox: Inbox) -> None:
    assert inbox.listed_blocks([YOU, "third"]) == [BlockChanged("third", True), BlockChanged(YOU, True)]
    assert inbox.listed_blocks([YOU]) == [BlockChanged("third", False)]
    assert inbox.listed_blocks([YOU]) == []


def test_a_redelivered_event_does_not_undo_a_later_one(inbox: Inbox) -> None:
    block = event("USER_BLOCKED", {"userId": YOU})
    take(inbox, block)
    take(inbox, event("USER_UNBLOCKED", {"userId": YOU}))
    assert take(inbox, block) == []
    assert inbox.blocked == set()


@pytest.mark.parametrize(
    "document", [None, 1, {}, {"type": "MESSAGE_SENT"}, {"type": "CALL_STARTED", "eventId": "e", "data": {}}]
)
def test_what_is_no_known_event_is_passed_over(document: Any) -> None:
    assert decode(document) is None
