"""Read marks and typing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from client.state.typing_announcements import ANNOUNCEMENT_INTERVAL_SECONDS
from contract import tables
from contract.limits import TYPING_INTERVAL_MILLISECONDS, TYPING_PARTICIPANTS_MAX, TYPING_RATE
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.dynamodb.messages.read_mark_store import DynamoReadMarkStore
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.ports import MessageWriteStatus, ReadMark, ReadMarkMove
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.seeds import block, seed_conversation, unblock, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def last(harness: FunctionHarness, user_id: str) -> dict[str, Any]:
    """Return the newest event of a user."""
    return harness.publisher.events(user_id)[-1]


def mark(harness: FunctionHarness, reader: str, conversation: str, **until: Any) -> Response:
    """Mark messages as read."""
    return harness.call(reader, "markRead", {"conversationId": conversation, **until})


def type_in(harness: FunctionHarness, user_id: str, conversation: str, is_typing: bool = True) -> Response:
    """Send a typing notice."""
    body = {"conversationId": conversation, "isTyping": is_typing}
    return harness.call(user_id, "setTyping", body)


def test_read_mark_moves_forward_and_is_published_to_every_participant(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    sent = [harness.send(ana, conversation).body["message"] for _ in range(3)]
    answer = mark(harness, ben, conversation, seq=2)
    assert answer.body == {"success": True, "conversationId": conversation, "lastReadSeq": 2, "unreadCount": 1}
    for user_id in (ana, ben):
        event = last(harness, user_id)
        assert event["type"] == "MESSAGE_READ"
        data = event["data"]
        assert (data["conversationId"], data["readBy"], data["readSeq"]) == (conversation, ben, 2)
    by_id = mark(harness, ben, conversation, messageId=sent[2]["messageId"])
    assert (by_id.body["lastReadSeq"], by_id.body["unreadCount"]) == (3, 0)


def test_read_mark_never_moves_back_or_beyond_the_newest_message(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    for _ in range(3):
        harness.send(ana, conversation)
    assert mark(harness, ben, conversation, seq=99).body["lastReadSeq"] == 3
    received = len(harness.publisher.events(ana))
    assert mark(harness, ben, conversation, seq=1).body["lastReadSeq"] == 3
    assert mark(harness, ben, conversation, seq=3).body["lastReadSeq"] == 3
    assert len(harness.publisher.events(ana)) == received
    assert harness.aws.scan(tables.OUTBOX) == []


def test_concurrent_read_marks_end_at_the_greatest(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    for _ in range(8):
        harness.send(ana, conversation)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda seq: mark(harness, ben, conversation, seq=seq), range(1, 9)))
    assert {answer.status for answer in answers} == {200}
    member = harness.aws.item(tables.CONVERSATION_MEMBERS, userId=ben, conversationId=conversation)
    assert member is not None
    assert member["lastReadSeq"] == 8


def test_mark_read_requires_exactly_one_of_seq_and_message_id(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation).body["message"]
    assert mark(harness, ben, conversation).status == 400
    assert mark(harness, ben, conversation, seq=1, messageId=message["messageId"]).status == 400
    assert mark(harness, ben, conversation, messageId=str(uuid.uuid4())).status == 404
    assert mark(harness, ben, str(uuid.uuid4()), seq=1).status == 404
    assert mark(harness, eva, conversation, seq=1).status == 403


def test_read_mark_in_a_blocked_conversation_is_published_to_the_reader_only(harness: FunctionHarness) -> None:
    for blocker, reader in ((0, 0), (0, 1)):
        pair = user_ids(2)
        conversation = seed_conversation(harness.aws, pair)
        harness.send(pair[1 - reader], conversation)
        block(harness.aws, conversation, pair[blocker])
        assert mark(harness, pair[reader], conversation, seq=1).status == 200
        assert last(harness, pair[reader])["type"] == "MESSAGE_READ"
        assert last(harness, pair[1 - reader])["type"] == "MESSAGE_SENT"


def test_hidden_messages_are_not_counted_as_unread(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    harness.send(ana, conversation)
    harness.send(ana, conversation)
    block(harness.aws, conversation, ben)
    harness.send(ana, conversation)
    unblock(harness.aws, conversation, ben)
    harness.send(ana, conversation)
    assert mark(harness, ben, conversation, seq=1).body["unreadCount"] == 2
    assert mark(harness, ben, conversation, seq=4).body["unreadCount"] == 0


def test_typing_is_published_to_the_other_participants_and_not_stored(harness: FunctionHarness) -> None:
    """Requirement G:1115."""
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben, eva])
    assert type_in(harness, ana, conversation).body == {"success": True}
    assert type_in(harness, ana, conversation, is_typing=False).status == 200
    for user_id in (ben, eva):
        events = harness.publisher.events(user_id)
        assert [event["type"] for event in events] == ["USER_TYPING", "USER_STOPPED_TYPING"]
        assert events[0]["data"] == {"conversationId": conversation, "userId": ana}
    assert harness.publisher.events(ana) == []
    assert harness.aws.scan(tables.OUTBOX) == []


def test_typing_is_refused_to_users_who_are_not_participants_and_above_the_rate_limit(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben])
    assert type_in(harness, eva, conversation).status == 403
    assert type_in(harness, ana, str(uuid.uuid4())).status == 404
    statuses = [type_in(harness, ben, conversation).status for _ in range(TYPING_RATE.count + 1)]
    assert statuses == [200] * TYPING_RATE.count + [429]
    refused = type_in(harness, ben, conversation)
    assert 1 <= int(refused.headers["retry-after"]) <= TYPING_RATE.seconds


def test_typing_is_not_published_across_a_block_in_either_direction(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    block(harness.aws, conversation, ben)
    assert type_in(harness, ana, conversation).status == 200
    assert type_in(harness, ben, conversation).status == 200
    assert harness.publisher.published == []


@pytest.mark.parametrize(
    ("members", "published"), [(TYPING_PARTICIPANTS_MAX, True), (TYPING_PARTICIPANTS_MAX + 1, False)]
)
def test_typing_in_a_large_group_is_accepted_and_not_published(
    harness: FunctionHarness, members: int, published: bool
) -> None:
    users = user_ids(members)
    conversation = seed_conversation(harness.aws, users)
    assert type_in(harness, users[0], conversation).status == 200
    assert len(harness.publisher.published) == (members - 1 if published else 0)
    assert len(harness.aws.scan(tables.RATE_LIMITS)) == (1 if published else 0)


def test_repeated_typing_is_published_once_in_a_moment_for_each_conversation(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    first, second = seed_conversation(harness.aws, [ana, ben]), seed_conversation(harness.aws, [ana, eva])
    for _ in range(3):
        assert type_in(harness, ana, first).status == 200
    type_in(harness, ana, second)
    type_in(harness, ana, first, is_typing=False)
    assert harness.publisher.types(ben) == ["USER_TYPING", "USER_STOPPED_TYPING"]
    assert harness.publisher.types(eva) == ["USER_TYPING"]
    harness.advance(TYPING_INTERVAL_MILLISECONDS / 1000)
    type_in(harness, ana, first)
    assert harness.publisher.types(ben) == ["USER_TYPING", "USER_STOPPED_TYPING", "USER_TYPING"]


def test_typing_that_clients_announce_is_never_left_out() -> None:
    """The clients announce every two seconds; a recipient shows an announcement for three."""
    assert TYPING_INTERVAL_MILLISECONDS < ANNOUNCEMENT_INTERVAL_SECONDS * 1000


def test_typing_is_accepted_if_the_publish_fails(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])

    def explode(channel: str) -> None:
        raise RuntimeError(channel)

    harness.publisher.before_publish = explode
    assert type_in(harness, ana, conversation).status == 200


def test_read_mark_is_not_moved_back_and_not_published_after_a_concurrent_request_moved_it_further(
    aws: AwsResources,
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben], latestSeq=9)
    state = DynamoConversationReader(aws.dynamodb, aws.table(tables.CONVERSATIONS), ConversationCache()).read(
        conversation
    )
    assert state is not None
    store = DynamoReadMarkStore(
        aws.dynamodb,
        conversations=aws.table(tables.CONVERSATIONS),
        messages=aws.table(tables.MESSAGES),
        members=aws.table(tables.CONVERSATION_MEMBERS),
        outbox=aws.table(tables.OUTBOX),
    )
    moves = [
        ReadMarkMove(
            seq=seq,
            read_at=1,
            count=1,
            record=OutboxRecord(
                event_id=f"e{n}", namespace="chats", event="{}", recipients=(ana,), created_at=0, due_at=0
            ),
        )
        for n, seq in enumerate((5, 3, 5))
    ]
    statuses = [store.advance(state, ben, move) for move in moves]
    assert statuses == [MessageWriteStatus.STORED, MessageWriteStatus.DUPLICATE, MessageWriteStatus.DUPLICATE]
    assert store.read_mark(ben, conversation) == ReadMark(last_read_seq=5, has_hidden=False, read_at=1, count=1)
    assert [row["eventId"] for row in aws.scan(tables.OUTBOX)] == ["e0"]
