"""Marking as read, and typing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.limits import TYPING_RATE
from handlers.adapters.dynamodb.messages.read_mark_store import DynamoReadMarkStore
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.ports import MessageWriteStatus, ReadMark
from tests.harness.handlers.cloud import World
from tests.harness.handlers.functions import Answer, Backend
from tests.harness.handlers.seeds import block, get, rows, seed_conversation, unblock, user_ids


@pytest.fixture
def backend(world: World) -> Backend:
    """The functions on this test's tables."""
    return Backend(world)


def last(backend: Backend, user_id: str) -> dict[str, Any]:
    """Return the newest event of a user."""
    return backend.devices.events(user_id)[-1]


def mark(backend: Backend, reader: str, conversation: str, **until: Any) -> Answer:
    """Mark as read."""
    return backend.request("POST /api/messages/read", reader, {"conversationId": conversation, **until})


def type_in(backend: Backend, user_id: str, conversation: str, is_typing: bool = True) -> Answer:
    """Send a typing notice."""
    body = {"conversationId": conversation, "isTyping": is_typing}
    return backend.request("POST /api/messages/typing", user_id, body)


def test_reading_moves_the_mark_forward_and_tells_everybody(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    sent = [backend.send(ana, conversation).body["message"] for _ in range(3)]
    answer = mark(backend, ben, conversation, seq=2)
    assert answer.body == {"success": True, "conversationId": conversation, "lastReadSeq": 2, "unreadCount": 1}
    for user_id in (ana, ben):
        event = last(backend, user_id)
        assert event["type"] == "MESSAGE_READ"
        data = event["data"]
        assert (data["conversationId"], data["readBy"], data["readSeq"]) == (conversation, ben, 2)
    by_id = mark(backend, ben, conversation, messageId=sent[2]["messageId"])
    assert (by_id.body["lastReadSeq"], by_id.body["unreadCount"]) == (3, 0)


def test_a_mark_never_goes_back_nor_beyond_the_newest_message(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    for _ in range(3):
        backend.send(ana, conversation)
    assert mark(backend, ben, conversation, seq=99).body["lastReadSeq"] == 3
    heard = len(backend.devices.events(ana))
    assert mark(backend, ben, conversation, seq=1).body["lastReadSeq"] == 3
    assert mark(backend, ben, conversation, seq=3).body["lastReadSeq"] == 3
    assert len(backend.devices.events(ana)) == heard
    assert rows(backend.world, "OUTBOX_TABLE") == []


def test_marks_set_at_once_end_at_the_greatest(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    for _ in range(8):
        backend.send(ana, conversation)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda seq: mark(backend, ben, conversation, seq=seq), range(1, 9)))
    assert {answer.status for answer in answers} == {200}
    member = get(backend.world, "CONVERSATION_MEMBERS_TABLE", userId=ben, conversationId=conversation)
    assert member is not None
    assert member["lastReadSeq"] == 8


def test_a_mark_needs_exactly_one_of_number_and_message(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation).body["message"]
    assert mark(backend, ben, conversation).status == 400
    assert mark(backend, ben, conversation, seq=1, messageId=message["messageId"]).status == 400
    assert mark(backend, ben, conversation, messageId=str(uuid.uuid4())).status == 404
    assert mark(backend, ben, str(uuid.uuid4()), seq=1).status == 404
    assert mark(backend, eva, conversation, seq=1).status == 403


def test_in_a_blocked_conversation_only_ones_own_devices_hear_of_reading(backend: Backend) -> None:
    for blocker, reader in ((0, 0), (0, 1)):
        pair = user_ids(2)
        conversation = seed_conversation(backend.world, pair)
        backend.send(pair[1 - reader], conversation)
        block(backend.world, conversation, pair[blocker])
        assert mark(backend, pair[reader], conversation, seq=1).status == 200
        assert last(backend, pair[reader])["type"] == "MESSAGE_READ"
        assert last(backend, pair[1 - reader])["type"] == "MESSAGE_SENT"


def test_unread_is_counted_without_what_is_hidden(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    backend.send(ana, conversation)
    backend.send(ana, conversation)
    block(backend.world, conversation, ben)
    backend.send(ana, conversation)
    unblock(backend.world, conversation, ben)
    backend.send(ana, conversation)
    assert mark(backend, ben, conversation, seq=1).body["unreadCount"] == 2
    assert mark(backend, ben, conversation, seq=4).body["unreadCount"] == 0


def test_above_the_fan_out_limit_reading_is_heard_on_ones_own_devices_only(world: World) -> None:
    ana, ben, eva = user_ids(3)
    backend = Backend(world, fanout_limit=2)
    conversation = seed_conversation(world, [ana, ben, eva])
    backend.send(ana, conversation)
    backend.deliver()
    assert mark(backend, ben, conversation, seq=1).status == 200
    assert last(backend, ben)["type"] == "MESSAGE_READ"
    assert [event["type"] for event in backend.devices.events(ana)] == ["MESSAGE_SENT"]


def test_typing_is_heard_by_the_others_and_never_stored(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben, eva])
    assert type_in(backend, ana, conversation).body == {"success": True}
    assert type_in(backend, ana, conversation, is_typing=False).status == 200
    for user_id in (ben, eva):
        events = backend.devices.events(user_id)
        assert [event["type"] for event in events] == ["USER_TYPING", "USER_STOPPED_TYPING"]
        assert events[0]["data"] == {"conversationId": conversation, "userId": ana}
    assert backend.devices.events(ana) == []
    assert rows(backend.world, "OUTBOX_TABLE") == []


def test_typing_is_refused_to_strangers_and_when_it_is_too_much(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben])
    assert type_in(backend, eva, conversation).status == 403
    assert type_in(backend, ana, str(uuid.uuid4())).status == 404
    statuses = [type_in(backend, ben, conversation).status for _ in range(TYPING_RATE.count + 1)]
    assert statuses == [200] * TYPING_RATE.count + [429]
    refused = type_in(backend, ben, conversation)
    assert 1 <= int(refused.headers["retry-after"]) <= TYPING_RATE.seconds


def test_typing_is_not_heard_across_a_block_in_either_direction(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    block(backend.world, conversation, ben)
    assert type_in(backend, ana, conversation).status == 200
    assert type_in(backend, ben, conversation).status == 200
    assert backend.devices.received == {}


def test_typing_above_the_fan_out_limit_is_accepted_and_not_published(world: World) -> None:
    backend = Backend(world, fanout_limit=2)
    members = user_ids(3)
    conversation = seed_conversation(world, members)
    assert type_in(backend, members[0], conversation).status == 200
    assert backend.devices.received == {}


def test_typing_is_accepted_although_nobody_can_be_told(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])

    def explode(channel: str) -> None:
        raise RuntimeError(channel)

    backend.devices.before = explode
    assert type_in(backend, ana, conversation).status == 200


def test_a_mark_that_a_faster_request_has_passed_is_not_set_back_and_tells_nobody(world: World) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(world, [ana, ben], latestSeq=9)
    names = ("CONVERSATIONS_TABLE", "MESSAGES_TABLE", "CONVERSATION_MEMBERS_TABLE", "OUTBOX_TABLE")
    store = DynamoReadMarkStore(world.dynamodb, *(world.variables[name] for name in names))
    state = store.read(conversation)
    assert state is not None
    records = [
        OutboxRecord(event_id=f"e{n}", namespace="chats", event="{}", recipients=(ana,), created_at=0, due_at=0)
        for n in range(3)
    ]
    verdicts = [store.mark(state, ben, seq, record).verdict for seq, record in zip((5, 3, 5), records, strict=True)]
    assert verdicts == [MessageWriteStatus.STORED, MessageWriteStatus.REPLAYED, MessageWriteStatus.REPLAYED]
    assert store.membership(ben, conversation) == ReadMark(last_read_seq=5, has_hidden=False)
    assert [row["eventId"] for row in rows(world, "OUTBOX_TABLE")] == ["e0"]
