"""Sending: what is stored, what is answered, what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract.limits import FAST_PATH_GRACE_SECONDS, SEND_RATE, SLICE_RECIPIENTS
from handlers.core.shared.timestamps import from_iso
from tests.harness.handlers.cloud import World
from tests.harness.handlers.doubles import HeldClock
from tests.harness.handlers.functions import Backend
from tests.harness.handlers.seeds import block, get, put, rows, seed_conversation, unblock, user_ids

MEDIA = "https://media.example/file"


@pytest.fixture
def backend(world: World) -> Backend:
    """The functions on this test's tables."""
    return Backend(world)


def test_a_sent_message_is_answered_stored_and_heard_by_everybody_with_the_same_content(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben, eva])
    answer = backend.send(ana, conversation, "good morning", tempId="t-1")
    assert answer.status == 200
    message = answer.body["message"]
    assert answer.body["messageId"] == message["messageId"]
    assert answer.body["tempId"] == "t-1"
    assert answer.body["delivery"] == {"delivered": 3, "pending": 0}
    assert (message["seq"], message["content"], message["senderId"]) == (1, "good morning", ana)
    for user_id in (ana, ben, eva):
        (event,) = backend.devices.events(user_id)
        assert event["type"] == "MESSAGE_SENT"
        assert event["timestamp"] == message["timestamp"]
        assert event["data"] == {**message, "tempId": "t-1"}
    assert len({backend.devices.events(each)[0]["eventId"] for each in (ana, ben, eva)}) == 1
    stored = get(backend.world, "MESSAGES_TABLE", conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert stored["readBy"] == []
    assert stored["reactions"] == {}
    assert stored["deleted"] is False
    assert rows(backend.world, "OUTBOX_TABLE") == []


def test_a_send_moves_the_conversation_on_and_counts_as_read_by_its_sender(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation, "x" * 500).body["message"]
    stored = get(backend.world, "CONVERSATIONS_TABLE", conversationId=conversation)
    assert stored is not None
    assert (stored["latestSeq"], stored["version"]) == (1, 1)
    assert stored["lastMessageAt"] == stored["updatedAt"] == message["timestamp"]
    assert stored["lastMessage"] == {
        "messageId": message["messageId"],
        "senderId": ana,
        "type": "TEXT",
        "timestamp": message["timestamp"],
        "seq": 1,
        "preview": "x" * 120,
        "deleted": False,
    }
    marks = {each["userId"]: each["lastReadSeq"] for each in rows(backend.world, "CONVERSATION_MEMBERS_TABLE")}
    assert marks == {ana: 1, ben: 0}


def test_an_ordinary_send_takes_four_round_trips_and_one_less_in_a_conversation_just_used(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    backend.send(ana, conversation)
    first = list(backend.calls.made)
    backend.send(ana, conversation)
    second = backend.calls.made[len(first) :]
    assert first == ["get_item", "transact_write_items", "publish", "publish", "delete_item"]
    assert second == ["transact_write_items", "publish", "publish", "delete_item"]


def test_timestamps_grow_with_the_numbers_although_the_clock_stands_still_or_goes_back(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    sent = [backend.send(ana, conversation).body["message"] for _ in range(3)]
    backend.clock = clock = HeldClock(backend.clock.now() - 3_600_000)
    late = Backend(backend.world, clock=clock)
    sent.append(late.send(ben, conversation).body["message"])
    stamps = [from_iso(message["timestamp"]) for message in sent]
    assert [message["seq"] for message in sent] == [1, 2, 3, 4]
    assert stamps == sorted(set(stamps))


def test_a_stale_memory_of_the_conversation_costs_a_try_and_never_a_wrong_number(world: World) -> None:
    one, two = Backend(world), Backend(world)
    ana, ben = user_ids(2)
    conversation = seed_conversation(world, [ana, ben])
    numbers = [backend.send(ana, conversation).body["message"]["seq"] for backend in (one, two, one, two, two, one)]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_a_repeated_temp_id_answers_the_first_message_and_publishes_nothing_again(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    first = backend.send(ana, conversation, "one", tempId="t")
    again = backend.send(ana, conversation, "two", tempId="t")
    assert (first.body["duplicate"], again.body["duplicate"]) == (False, True)
    assert again.status == 200
    assert again.body["message"] == first.body["message"]
    assert again.body["delivery"] == {"delivered": 0, "pending": 0}
    assert len(backend.devices.received[f"/chats/{ben}"]) == 1
    assert len(rows(backend.world, "MESSAGES_TABLE")) == 1


def test_a_temp_id_counts_for_one_sender_in_one_conversation(backend: Backend) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(backend.world, [ana, ben]) for _ in range(2))
    answers = [backend.send(*each, tempId="t") for each in ((ana, here), (ben, here), (ana, there))]
    assert [answer.body["duplicate"] for answer in answers] == [False, False, False]


def test_a_repeat_is_answered_even_when_the_sender_may_send_no_more(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    first = backend.send(ana, conversation, tempId="t")
    for _ in range(SEND_RATE.count - 1):
        assert backend.send(ana, conversation).status == 200
    assert backend.send(ana, conversation, tempId="other").status == 429
    assert backend.send(ana, conversation, tempId="t").body["message"] == first.body["message"]
    block(backend.world, conversation, ana)
    assert backend.send(ana, conversation, tempId="t").body["duplicate"] is True
    assert backend.send(ana, conversation, tempId="other").status == 403


def test_too_many_messages_are_refused_until_the_window_ends_and_nothing_of_them_is_stored(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    accepted = [backend.send(ana, conversation).status for _ in range(SEND_RATE.count)]
    refused = backend.send(ana, conversation)
    assert set(accepted) == {200}
    assert refused.status == 429
    assert refused.body["error"]["code"] == "TOO_MANY_REQUESTS"
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= SEND_RATE.seconds
    assert len(rows(backend.world, "MESSAGES_TABLE")) == SEND_RATE.count
    assert backend.send(ben, conversation).status == 200
    backend.clock.pause(wait)
    assert backend.send(ana, conversation).status == 200


TYPES: list[tuple[dict[str, Any], str | None]] = [
    ({"content": "hi"}, None),
    ({"type": "TEXT", "content": "hi"}, None),
    ({"type": "TEXT"}, "content"),
    ({"type": "TEXT", "content": " \n\t"}, "content"),
    ({"type": "TEXT", "content": "hi", "mediaUrl": MEDIA}, "mediaUrl"),
    ({"type": "TEXT", "content": "hi", "duration": 1}, "duration"),
    ({"type": "AUDIO", "mediaUrl": MEDIA, "duration": 3.5}, None),
    ({"type": "AUDIO", "mediaUrl": MEDIA, "duration": 3, "fileName": "a.ogg", "fileSize": 9}, None),
    ({"type": "AUDIO", "mediaUrl": MEDIA}, "duration"),
    ({"type": "AUDIO", "duration": 3}, "mediaUrl"),
    ({"type": "IMAGE", "mediaUrl": MEDIA}, None),
    ({"type": "IMAGE", "mediaUrl": MEDIA, "content": "a caption"}, None),
    ({"type": "IMAGE", "content": "no image"}, "mediaUrl"),
    ({"type": "IMAGE", "mediaUrl": MEDIA, "duration": 1}, "duration"),
    ({"type": "VIDEO", "mediaUrl": MEDIA}, None),
    ({"type": "VIDEO", "mediaUrl": MEDIA, "duration": 60}, None),
    ({"type": "VIDEO"}, "mediaUrl"),
    ({"type": "FILE", "mediaUrl": MEDIA, "fileName": "a.pdf", "fileSize": 1}, None),
    ({"type": "FILE", "mediaUrl": MEDIA, "fileName": "a.pdf"}, "fileSize"),
    ({"type": "FILE", "mediaUrl": MEDIA, "fileSize": 1}, "fileName"),
    ({"type": "FILE", "fileName": "a.pdf", "fileSize": 1}, "mediaUrl"),
    ({"type": "FILE", "mediaUrl": MEDIA, "fileName": "a.pdf", "fileSize": 1, "duration": 1}, "duration"),
]


def test_each_type_takes_exactly_its_fields_and_a_refusal_names_the_field(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    for fields, offending in TYPES:
        body = {"conversationId": conversation, **fields}
        answer = backend.request("POST /api/messages/send", ana, body)
        assert answer.status == (400 if offending else 200), fields
        if offending:
            assert answer.body["error"]["field"] == offending, fields
        else:
            assert {name: answer.body["message"][name] for name in fields} == fields


def test_content_is_kept_as_it_was_sent(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    text = "  \u202eñ 👩‍👩‍👧 \u0000 <b>&amp;</b>\n"
    assert backend.send(ana, conversation, text).body["message"]["content"] == text
    assert backend.history(ben, conversation).body["messages"][0]["content"] == text
    assert backend.devices.events(ben)[0]["data"]["content"] == text


def test_a_reply_names_a_message_of_the_same_conversation(backend: Backend) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(backend.world, [ana, ben]) for _ in range(2))
    first = backend.send(ana, here).body["messageId"]
    assert backend.send(ben, here, replyTo=first).body["message"]["replyTo"] == first
    for conversation, reply_to in ((there, first), (here, str(uuid.uuid4()))):
        refused = backend.send(ben, conversation, replyTo=reply_to)
        assert (refused.status, refused.body["error"]["field"]) == (404, "replyTo")


def test_who_may_not_send_is_told_why(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben])
    assert backend.send(ana, str(uuid.uuid4())).status == 404
    assert backend.send(eva, conversation).status == 403
    other = backend.send(ana, conversation, senderId=ben)
    assert (other.status, other.body["error"]["field"]) == (403, "senderId")
    assert backend.send(ana, conversation, senderId=ana).status == 200


def test_a_newcomer_may_send_although_the_process_remembers_the_conversation_without_them(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben], kind="GROUP")
    backend.send(ana, conversation)
    now = get(backend.world, "CONVERSATIONS_TABLE", conversationId=conversation)
    assert now is not None
    put(backend.world, "CONVERSATIONS_TABLE", {**now, "participants": [ana, ben, eva], "version": 2})
    assert backend.send(eva, conversation).status == 200


def test_who_was_removed_cannot_send_although_the_process_remembers_them(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben, eva])
    backend.send(eva, conversation)
    now = get(backend.world, "CONVERSATIONS_TABLE", conversationId=conversation)
    assert now is not None
    put(backend.world, "CONVERSATIONS_TABLE", {**now, "participants": [ana, ben], "version": 2})
    assert backend.send(eva, conversation).status == 403
    assert backend.send(ana, conversation).body["message"]["seq"] == 2
    assert len(backend.devices.events(eva)) == 1


def test_a_conversation_of_the_old_application_takes_messages_and_gets_its_numbers(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = str(uuid.uuid4())
    old = {"conversationId": conversation, "type": "DM", "participants": [ana, ben], "admins": []}
    created = {"createdBy": ana, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    put(backend.world, "CONVERSATIONS_TABLE", {**old, **created, "lastMessageAt": "2026-01-01T00:00:00.000Z"})
    numbers = [backend.send(sender, conversation).body["message"]["seq"] for sender in (ana, ben, ana)]
    assert numbers == [1, 2, 3]
    assert backend.history(ben, conversation, afterSeq=0).body["latestSeq"] == 3
    read = backend.request("POST /api/messages/read", ben, {"conversationId": conversation, "seq": 3})
    assert (read.status, read.body["unreadCount"]) == (200, 0)


def test_who_is_blocked_cannot_tell_and_who_blocks_hears_and_sees_nothing(backend: Backend) -> None:
    ana, ben = user_ids(2)
    plain, blocked = (seed_conversation(backend.world, [ana, ben]) for _ in range(2))
    block(backend.world, blocked, ben)
    usual, unheard = backend.send(ana, plain, tempId="a"), backend.send(ana, blocked, tempId="b")

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(each) for key, each in value.items()}
        return type(value).__name__ if isinstance(value, str) else value

    assert (unheard.status, unheard.headers) == (usual.status, usual.headers)
    assert shape(unheard.body) == shape(usual.body)
    here = [event for event in backend.devices.events(ana) if event["data"]["conversationId"] == blocked]
    assert [event["data"]["messageId"] for event in here] == [unheard.body["messageId"]]
    assert [event["data"]["conversationId"] for event in backend.devices.events(ben)] == [plain]
    assert len(backend.history(ana, blocked).body["messages"]) == 1
    assert backend.history(ben, blocked).body["messages"] == []
    member = get(backend.world, "CONVERSATION_MEMBERS_TABLE", userId=ben, conversationId=blocked)
    assert member is not None
    assert member["hasHidden"] is True


def test_what_was_sent_during_a_block_stays_hidden_afterwards(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    backend.send(ana, conversation, "before")
    block(backend.world, conversation, ben)
    backend.send(ana, conversation, "during")
    unblock(backend.world, conversation, ben)
    backend.send(ana, conversation, "after")
    seen = backend.history(ben, conversation, afterSeq=0).body["messages"]
    assert [message["content"] for message in seen] == ["before", "after"]
    assert [event["data"]["content"] for event in backend.devices.events(ben)] == ["before", "after"]


def test_who_blocks_must_unblock_before_sending(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    block(backend.world, conversation, ana)
    refused = backend.send(ana, conversation)
    assert refused.status == 403
    assert "unblock first" in refused.body["error"]["message"]


def test_a_large_group_is_answered_at_once_and_gets_the_message_in_slices(world: World) -> None:
    members = user_ids(2 * SLICE_RECIPIENTS + 1)
    backend = Backend(world, fanout_limit=20)
    conversation = seed_conversation(world, members)
    answer = backend.send(members[0], conversation)
    assert answer.body["delivery"] == {"delivered": 0, "pending": len(members)}
    assert "publish" not in backend.calls.made
    assert backend.deliver() == 0
    assert all(len(backend.devices.received[f"/chats/{member}"]) == 1 for member in members)
    assert rows(world, "OUTBOX_TABLE") == []


def test_a_partial_failure_leaves_exactly_the_failed_recipients_to_the_queue(backend: Backend) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(backend.world, [ana, ben, eva])
    backend.devices.broken = {f"/chats/{eva}"}
    answer = backend.send(ana, conversation)
    assert (answer.status, answer.body["delivery"]) == (200, {"delivered": 2, "pending": 1})
    (record,) = rows(backend.world, "OUTBOX_TABLE")
    assert record["recipients"] == [eva]
    waiting = backend.world.sqs.get_queue_attributes(
        QueueUrl=backend.world.queue_url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    backend.clock.pause(FAST_PATH_GRACE_SECONDS)
    backend.relay(record["eventId"])
    assert backend.deliver() == 1
    backend.devices.broken = set()
    backend.relay(record["eventId"])
    assert backend.deliver() == 0
    assert [len(backend.devices.received[f"/chats/{each}"]) for each in (ana, ben, eva)] == [1, 1, 1]
    assert rows(backend.world, "OUTBOX_TABLE") == []
