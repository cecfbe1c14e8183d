"""The inbox is right in every order of events and responses, with duplicates and late ones."""

from __future__ import annotations

from typing import Any

import pytest

from client.state.inbox import TYPING_SECONDS, Inbox
from client.state.inbox_entry import decode
from client.state.updates import (
    BlockChanged,
    ConversationChanged,
    ConversationRemoved,
    MessageAdded,
    ReadMarkMoved,
    TypingChanged,
    Update,
    UserChanged,
)
from contract.models import ConversationView, LastMessage

ME, OTHER = "me", "other"
_numbers = iter(range(10**6))


def view(id: str = "c", **fields: Any) -> ConversationView:
    defaults: dict[str, Any] = {
        "type": "DM",
        "participants": [ME, OTHER],
        "admins": [],
        "createdBy": ME,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "version": 1,
        "name": "Your Name",
        "participantNames": {ME: "My Name", OTHER: "Your Name"},
    }
    return ConversationView(conversationId=id, **(defaults | fields))


def message(seq: int, sender: str = OTHER, conversation: str = "c", content: str = "text") -> dict[str, Any]:
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
    made.take_views([view()], first=True)
    return made


def test_a_message_counts_as_unread_and_moves_its_conversation_to_the_top(inbox: Inbox) -> None:
    inbox.take_views([view("d", createdAt="2026-01-01T12:00:00.000Z")], first=True)
    assert [v.conversationId for v in inbox.conversations()] == ["d", "c"]
    added, changed = take(inbox, event("MESSAGE_SENT", message(1)))
    assert isinstance(added, MessageAdded)
    assert isinstance(changed, ConversationChanged)
    [first, _] = inbox.conversations()
    assert (first.conversationId, first.unreadCount, first.latestSeq) == ("c", 1, 1)
    assert first.lastMessage is not None
    assert first.lastMessage.preview == "text"


def test_an_own_message_marks_everything_before_it_as_read(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    take(inbox, event("MESSAGE_SENT", message(2, ME) | {"tempId": "t"}))
    entry = inbox["c"]
    assert (entry.view.unreadCount, entry.view.lastReadSeq) == (0, 2)


def test_a_duplicate_event_changes_nothing(inbox: Inbox) -> None:
    first = event("MESSAGE_SENT", message(1))
    take(inbox, first)
    assert take(inbox, first) == []
    assert take(inbox, event("MESSAGE_SENT", message(1), id="another id")) == []
    assert inbox["c"].view.unreadCount == 1


def test_a_list_read_before_an_event_does_not_undo_it(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    inbox.take_views([view()])
    shown = inbox["c"].view
    assert (shown.latestSeq, shown.unreadCount, shown.lastMessageAt) == (1, 1, "2026-01-02T00:00:00.001Z")


def test_missed_messages_in_the_list_are_shown_and_not_counted_twice(inbox: Inbox) -> None:
    last = LastMessage(
        messageId="c-3", senderId=OTHER, type="TEXT", timestamp="2026-01-02T00:00:00.003Z", seq=3, preview="three"
    )
    inbox.take_views([view(latestSeq=3, unreadCount=3, lastMessage=last, lastMessageAt=last.timestamp)])
    assert [log.conversation_id for log in inbox.incomplete_logs()] == ["c"]
    take(inbox, event("MESSAGE_SENT", message(1)))
    assert inbox["c"].view.unreadCount == 3
    take(inbox, event("MESSAGE_SENT", message(2)))
    take(inbox, event("MESSAGE_SENT", message(3)))
    take(inbox, event("MESSAGE_SENT", message(4)))
    assert inbox["c"].view.unreadCount == 4
    assert not inbox.incomplete_logs()


def test_unread_messages_are_counted_at_the_start_and_reported_for_a_later_conversation() -> None:
    inbox = Inbox(ME)
    inbox.take_views([view(latestSeq=3, unreadCount=3)], first=True)
    assert not inbox.incomplete_logs()
    inbox.take_views([view("new", latestSeq=2, unreadCount=2)])
    [log] = inbox.incomplete_logs()
    assert (log.conversation_id, log.seq) == ("new", 0)


def test_an_edit_or_deletion_of_the_last_message_changes_its_preview(inbox: Inbox) -> None:
    take(inbox, event("MESSAGE_SENT", message(1)))
    edited = message(1, content="edited")
    take(
        inbox,
        event(
            "MESSAGE_UPDATED",
            {"conversationId": "c", "messageId": "c-1", "change": 1, "updatedBy": OTHER, "message": edited},
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
                "deletedBy": OTHER,
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


def test_the_marks_of_all_readers_of_an_event_move(inbox: Inbox) -> None:
    at = "2026-01-02T00:00:00.000Z"
    for seq in (1, 2, 3):
        take(inbox, event("MESSAGE_SENT", message(seq)))
    readers = [
        {"userId": OTHER, "readSeq": 3, "readAt": at},
        {"userId": "third", "readSeq": 2, "readAt": at},
        {"userId": ME, "readSeq": 1, "readAt": at},
    ]
    data = {"conversationId": "c", "readBy": OTHER, "readSeq": 3, "readAt": at, "readers": readers}
    updates = take(inbox, event("MESSAGE_READ", data))
    assert updates[:2] == [ReadMarkMoved("c", OTHER, 3), ReadMarkMoved("c", "third", 2)]
    assert (inbox["c"].view.unreadCount, inbox["c"].view.lastReadSeq) == (2, 1)


def test_a_read_mark_moves_forward_only(inbox: Inbox) -> None:
    assert take(inbox, read(OTHER, 3)) == [ReadMarkMoved("c", OTHER, 3)]
    assert take(inbox, read(OTHER, 2)) == []
    for seq in (1, 2, 3):
        take(inbox, event("MESSAGE_SENT", message(seq)))
    assert inbox["c"].view.unreadCount == 3
    take(inbox, read(ME, 2))
    assert (inbox["c"].view.unreadCount, inbox["c"].view.lastReadSeq) == (1, 2)
    inbox.take_own_read_mark("c", 3, 0)
    assert take(inbox, read(ME, 3)) == []
    assert inbox.take_own_read_mark("c", 1, 2) == []
    assert inbox["c"].view.unreadCount == 0


def typing(user: str, type: str = "USER_TYPING") -> dict[str, Any]:
    return event(type, {"conversationId": "c", "userId": user})


def test_a_typing_notice_ends_after_its_time_with_a_stop_event_and_with_a_message(inbox: Inbox) -> None:
    assert take(inbox, typing(OTHER), now=10.0) == [TypingChanged("c", (OTHER,))]
    assert take(inbox, typing(OTHER), now=12.0) == []
    assert inbox.next_expiry() == 12.0 + TYPING_SECONDS
    assert inbox.expire(13.5) == []
    assert inbox.expire(15.0) == [TypingChanged("c", ())]
    assert inbox.next_expiry() is None
    take(inbox, typing(OTHER), now=20.0)
    assert take(inbox, typing(OTHER, "USER_STOPPED_TYPING")) == [TypingChanged("c", ())]
    take(inbox, typing(OTHER), now=30.0)
    assert TypingChanged("c", ()) in take(inbox, event("MESSAGE_SENT", message(1)))
    assert take(inbox, typing(ME), now=40.0) == []


def changed(version: int, **fields: Any) -> dict[str, Any]:
    group = {
        "conversationId": "g",
        "type": "GROUP",
        "participants": [ME, OTHER],
        "admins": [ME],
        "createdBy": ME,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "version": version,
        "name": f"name {version}",
    }
    return event("CONVERSATION_UPDATED", {"conversation": group | fields, "changedBy": OTHER})


def test_the_greatest_version_of_a_conversation_wins(inbox: Inbox) -> None:
    inbox.take_views([view("g", type="GROUP", name="name 1")])
    take(inbox, changed(3))
    assert take(inbox, changed(2)) == []
    inbox.take_views([view("g", type="GROUP", name="name 1")])
    assert (inbox["g"].view.name, inbox["g"].view.version) == ("name 3", 3)


def test_a_created_conversation_is_to_be_read_from_the_api(inbox: Inbox) -> None:
    created = changed(1, conversationId="new") | {"type": "CONVERSATION_CREATED"}
    assert take(inbox, created) == []
    assert inbox.unknown == {"new"}


def test_a_direct_conversation_keeps_the_other_users_name(inbox: Inbox) -> None:
    take(inbox, changed(5, conversationId="c", type="DM", name=None))
    assert (inbox["c"].view.name, inbox["c"].view.version) == ("Your Name", 5)


def test_a_conversation_with_a_participant_of_unknown_name_must_be_read(inbox: Inbox) -> None:
    inbox.take_views([view("g", type="GROUP", name="g")])
    take(inbox, changed(2, participants=[ME, OTHER, "new"]))
    assert inbox.unknown == {"g"}


def test_an_unknown_conversation_must_be_read_and_a_left_one_is_removed(inbox: Inbox) -> None:
    assert take(inbox, event("MESSAGE_SENT", message(1, conversation="x"))) == []
    assert inbox.unknown == {"x"}
    inbox.take_views([view("x", latestSeq=1)])
    assert inbox.unknown == set()
    gone = {"conversationId": "x", "userId": ME, "removedBy": OTHER}
    assert take(inbox, event("CONVERSATION_REMOVED", gone)) == [ConversationRemoved("x", OTHER)]
    assert "x" not in inbox
    assert take(inbox, event("CONVERSATION_REMOVED", gone)) == []
    assert take(inbox, event("CONVERSATION_REMOVED", gone | {"conversationId": "c", "userId": OTHER})) == []
    assert "c" in inbox


def test_a_changed_user_name_is_shown_in_every_conversation(inbox: Inbox) -> None:
    inbox.take_views([view("g", type="GROUP", name="g")])
    user = {"userId": OTHER, "firstName": "New", "lastName": "Name", "fullName": "New Name"}
    first, *others = take(inbox, event("USER_UPDATED", {"user": user}))
    assert isinstance(first, UserChanged)
    assert len(others) == 2
    assert inbox["c"].view.name == "New Name"
    assert inbox["g"].view.name == "g"
    assert inbox["g"].view.participantNames[OTHER] == "New Name"


def test_blocks_are_known_on_every_device(inbox: Inbox) -> None:
    assert take(inbox, event("USER_BLOCKED", {"userId": OTHER})) == [BlockChanged(OTHER, True)]
    assert inbox.blocked == {OTHER}
    take(inbox, event("USER_UNBLOCKED", {"userId": OTHER}))
    assert inbox.blocked == set()


def test_a_list_of_blocks_replaces_the_blocks_known_from_events(inbox: Inbox) -> None:
    assert inbox.take_blocks([OTHER, "third"]) == [BlockChanged(OTHER, True), BlockChanged("third", True)]
    assert inbox.take_blocks([OTHER]) == [BlockChanged("third", False)]
    assert inbox.take_blocks([OTHER]) == []


def test_a_redelivered_event_does_not_undo_a_later_one(inbox: Inbox) -> None:
    block = event("USER_BLOCKED", {"userId": OTHER})
    take(inbox, block)
    take(inbox, event("USER_UNBLOCKED", {"userId": OTHER}))
    assert take(inbox, block) == []
    assert inbox.blocked == set()


@pytest.mark.parametrize(
    "document", [None, 1, {}, {"type": "MESSAGE_SENT"}, {"type": "CALL_STARTED", "eventId": "e", "data": {}}]
)
def test_an_unknown_or_malformed_event_is_decoded_as_none(document: Any) -> None:
    assert decode(document) is None
