"""Sending messages: stored items, responses, events and errors (promise P1)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contract import limits, tables
from contract.limits import FAST_PATH_GRACE_SECONDS, SEND_RATE, SLICE_RECIPIENTS
from handlers.core.shared.timestamps import from_iso
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.functions import FunctionHarness
from tests.harness.seeds import block, seed_conversation, unblock, user_ids

MEDIA = "https://media.example/file"


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on the tables of this test."""
    return FunctionHarness(aws)


def test_sent_message_has_the_same_content_in_the_response_the_table_and_every_event(
    harness: FunctionHarness,
) -> None:
    """Requirement G:1014."""
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben, eva])
    answer = harness.send(ana, conversation, "good morning", tempId="t-1")
    assert answer.status == 200
    message = answer.body["message"]
    assert answer.body["messageId"] == message["messageId"]
    assert answer.body["tempId"] == "t-1"
    assert answer.body["delivery"] == {"delivered": 3, "pending": 0}
    assert (message["seq"], message["content"], message["senderId"]) == (1, "good morning", ana)
    for user_id in (ana, ben, eva):
        (event,) = harness.publisher.events(user_id)
        assert event["type"] == "MESSAGE_SENT"
        assert event["timestamp"] == message["timestamp"]
        assert event["data"] == {**message, "tempId": "t-1"}
    assert len({harness.publisher.events(each)[0]["eventId"] for each in (ana, ben, eva)}) == 1
    stored = harness.aws.item(tables.MESSAGES, conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert stored["readBy"] == []
    assert stored["reactions"] == {}
    assert stored["deleted"] is False
    assert harness.aws.scan(tables.OUTBOX) == []


def test_send_updates_the_conversation_and_the_senders_read_mark(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation, "x" * 500).body["message"]
    stored = harness.aws.item(tables.CONVERSATIONS, conversationId=conversation)
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
    marks = {each["userId"]: each["lastReadSeq"] for each in harness.aws.scan(tables.CONVERSATION_MEMBERS)}
    assert marks == {ana: 1, ben: 0}


def test_direct_send_makes_no_transaction_and_no_read_of_a_cached_conversation(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])

    def calls() -> list[str]:
        harness.advance(1)
        harness.faults.calls.clear()
        assert harness.send(ana, conversation).status == 200
        return sorted(harness.faults.calls)

    published, counted = ["publish", "publish"], "update_item"
    tried_as_group = "update_item"
    assert calls() == sorted([counted, tried_as_group, "get_item", "transact_write_items", *published, "update_item"])
    reserved, accepted, completed, settled = "update_item", "put_item", ["put_item", "update_item"], "update_item"
    assert calls() == sorted([counted, reserved, accepted, *published, *completed, settled, "update_item"])


def test_timestamps_increase_with_the_sequence_numbers_even_if_the_clock_goes_back(
    harness: FunctionHarness,
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    sent = [harness.send(ana, conversation).body["message"] for _ in range(3)]
    harness.clock = clock = FakeClock(harness.clock.now() - 3_600_000)
    late = FunctionHarness(harness.aws, clock=clock)
    sent.append(late.send(ben, conversation).body["message"])
    stamps = [from_iso(message["timestamp"]) for message in sent]
    assert [message["seq"] for message in sent] == [1, 2, 3, 4]
    assert stamps == sorted(set(stamps))


def test_outdated_cache_entry_costs_one_attempt_and_no_wrong_sequence_number(aws: AwsResources) -> None:
    one, two = FunctionHarness(aws), FunctionHarness(aws)
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    numbers = [harness.send(ana, conversation).body["message"]["seq"] for harness in (one, two, one, two, two, one)]
    assert numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("duration", [0, 5e-324, 1e-200, 1e-131, 0.0009, limits.DURATION_SECONDS + 1, 1e200])
def test_duration_that_dynamodb_cannot_store_is_refused(harness: FunctionHarness, duration: float) -> None:
    """DynamoDB stores 0 and numbers from 1E-130 to 9.99E+125."""
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    audio: dict[str, Any] = {"type": "AUDIO", "mediaUrl": "https://example.org/a.mp3", "duration": duration}
    answer = harness.send(ana, conversation, **audio)
    assert (answer.status, answer.body["error"]["field"]) == (400, "duration")
    assert harness.send(ana, conversation, **{**audio, "duration": 0.001}).status == 200


@pytest.mark.parametrize("number", [2**53, 10**130])
def test_number_that_dynamodb_cannot_store_is_refused(harness: FunctionHarness, number: int) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    assert harness.call(ana, "markRead", {"conversationId": conversation, "seq": number}).status == 400
    for name in ("afterSeq", "afterChange"):
        assert harness.history(ana, conversation, **{name: number}).status == 400


def test_repeated_temp_id_returns_the_first_message_and_publishes_nothing(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    first = harness.send(ana, conversation, "one", tempId="t")
    again = harness.send(ana, conversation, "two", tempId="t")
    assert (first.body["duplicate"], again.body["duplicate"]) == (False, True)
    assert again.status == 200
    assert again.body["message"] == first.body["message"]
    assert again.body["delivery"] == {"delivered": 0, "pending": 0}
    assert len(harness.publisher.received(ben)) == 1
    assert len(harness.aws.scan(tables.MESSAGES)) == 1


def test_temp_id_is_scoped_to_one_sender_and_one_conversation(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(harness.aws, [ana, ben]) for _ in range(2))
    answers = [harness.send(*each, tempId="t") for each in ((ana, here), (ben, here), (ana, there))]
    assert [answer.body["duplicate"] for answer in answers] == [False, False, False]


def test_repeated_send_succeeds_even_if_the_sender_is_rate_limited_or_has_blocked_the_recipient(
    harness: FunctionHarness,
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    first = harness.send(ana, conversation, tempId="t")
    for _ in range(SEND_RATE.count - 1):
        assert harness.send(ana, conversation).status == 200
    assert harness.send(ana, conversation, tempId="other").status == 429
    assert harness.send(ana, conversation, tempId="t").body["message"] == first.body["message"]
    harness.advance(SEND_RATE.seconds)
    block(harness.aws, conversation, ana)
    assert harness.send(ana, conversation, tempId="t").body["duplicate"] is True
    assert harness.send(ana, conversation, tempId="other").status == 403


def test_refused_send_reads_the_temp_id_only_where_it_may_be_a_repeat(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben])

    def calls(sender: str, to: str, **fields: Any) -> tuple[int, list[str]]:
        harness.faults.calls.clear()
        status = harness.send(sender, to, **fields).status
        return status, [call for call in harness.faults.calls if call != "update_item"]

    read, replay = "get_item", "get_item"
    assert calls(eva, conversation) == (403, [read])
    assert calls(eva, conversation, tempId="t") == (403, [read, replay])
    assert calls(ana, "unknown") == (404, [read])
    assert calls(ana, "unknown", tempId="t") == (404, [read])
    harness.advance(SEND_RATE.seconds)
    for _ in range(SEND_RATE.count):
        harness.send_ok(ana, conversation)
    harness.send(ana, conversation)
    assert calls(ana, conversation) == (429, [])
    assert calls(ana, conversation, tempId="t") == (429, [replay])


def test_messages_above_the_rate_limit_are_refused_and_not_stored_until_the_window_ends(
    harness: FunctionHarness,
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    accepted = [harness.send(ana, conversation).status for _ in range(SEND_RATE.count)]
    refused = harness.send(ana, conversation)
    assert set(accepted) == {200}
    assert refused.status == 429
    assert refused.body["error"]["code"] == "TOO_MANY_REQUESTS"
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= SEND_RATE.seconds
    stored = [row for row in harness.aws.scan(tables.MESSAGES) if not row.get("voided")]
    assert len(stored) == SEND_RATE.count
    assert harness.send(ben, conversation).status == 200
    harness.advance(wait)
    assert harness.send(ana, conversation).status == 200


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


def test_each_message_type_accepts_only_its_fields_and_the_error_names_the_field(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    for fields, offending in TYPES:
        body = {"conversationId": conversation, **fields}
        answer = harness.call(ana, "sendMessage", body)
        assert answer.status == (400 if offending else 200), fields
        if offending:
            assert answer.body["error"]["field"] == offending, fields
        else:
            assert {name: answer.body["message"][name] for name in fields} == fields


def test_content_is_stored_and_delivered_unchanged(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    text = "  \u202eñ 👩‍👩‍👧 \u0000 <b>&amp;</b>\n"
    assert harness.send(ana, conversation, text).body["message"]["content"] == text
    assert harness.history(ben, conversation).body["messages"][0]["content"] == text
    assert harness.publisher.events(ben)[0]["data"]["content"] == text


def test_reply_must_name_a_message_of_the_same_conversation(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(harness.aws, [ana, ben]) for _ in range(2))
    first = harness.send(ana, here).body["messageId"]
    assert harness.send(ben, here, replyTo=first).body["message"]["replyTo"] == first
    for conversation, reply_to in ((there, first), (here, str(uuid.uuid4()))):
        refused = harness.send(ben, conversation, replyTo=reply_to)
        assert (refused.status, refused.body["error"]["field"]) == (404, "replyTo")


def test_send_without_permission_returns_the_reason(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben])
    assert harness.send(ana, str(uuid.uuid4())).status == 404
    assert harness.send(eva, conversation).status == 403
    other = harness.send(ana, conversation, senderId=ben)
    assert (other.status, other.body["error"]["field"]) == (403, "senderId")
    assert harness.send(ana, conversation, senderId=ana).status == 200


def test_new_participant_may_send_although_the_cached_conversation_lacks_the_participant(
    harness: FunctionHarness,
) -> None:
    ana, ben, eva = harness.users(3)
    conversation = harness.group(ana, ben)
    harness.send(ana, conversation)
    harness.call_ok(ana, "addMembers", {"userIds": [eva]}, conversationId=conversation)
    assert harness.send(eva, conversation).status == 200


def test_message_after_a_change_of_the_members_reaches_exactly_the_members(aws: AwsResources) -> None:
    """The process that sends has the members before the change in its cache."""
    one, two = FunctionHarness(aws), FunctionHarness(aws)
    two.publisher = one.publisher
    ana, ben, eva, tom = one.users(4)
    conversation = one.group(ana, ben, tom)
    one.send(ana, conversation, "first")
    two.call_ok(ana, "addMembers", {"userIds": [eva]}, conversationId=conversation)
    two.call_ok(ana, "removeMember", conversationId=conversation, userId=tom)
    one.send(ana, conversation, "second")
    texts = {
        user: [each["data"]["content"] for each in one.publisher.events(user) if each["type"] == "MESSAGE_SENT"]
        for user in (ana, ben, eva, tom)
    }
    assert texts == {ana: ["first", "second"], ben: ["first", "second"], eva: ["second"], tom: ["first"]}


def test_removed_participant_cannot_send_although_the_cached_conversation_has_the_participant(
    harness: FunctionHarness,
) -> None:
    ana, ben, eva = harness.users(3)
    conversation = harness.group(ana, ben, eva)
    harness.send(eva, conversation)
    FunctionHarness(harness.aws).call_ok(ana, "removeMember", conversationId=conversation, userId=eva)
    assert harness.send(eva, conversation).status == 403
    assert harness.send(ana, conversation).body["message"]["seq"] == 2
    assert [event["type"] for event in harness.publisher.events(eva)].count("MESSAGE_SENT") == 1


def test_group_whose_counter_was_restored_from_another_time_accepts_messages(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben, eva])
    for version in (5, 2):
        harness.send(ana, conversation)
        now = harness.aws.item(tables.CONVERSATIONS, conversationId=conversation)
        assert now is not None
        harness.aws.put(tables.CONVERSATIONS, {**now, "version": version})
        assert harness.send(eva, conversation).status == 200


def test_group_of_the_old_application_without_memberships_accepts_messages(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = str(uuid.uuid4())
    created = {"createdBy": ana, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    old = {"conversationId": conversation, "type": "GROUP", "participants": [ana, ben, eva], "admins": [ana]}
    harness.aws.put(tables.CONVERSATIONS, {**old, **created})
    assert [harness.send(each, conversation).body["message"]["seq"] for each in (ana, ben, ana)] == [1, 2, 3]
    assert harness.history(eva, conversation, afterSeq=0).body["latestSeq"] == 3


def test_conversation_of_the_old_application_accepts_messages_and_gets_sequence_numbers(
    harness: FunctionHarness,
) -> None:
    ana, ben = user_ids(2)
    conversation = str(uuid.uuid4())
    old = {"conversationId": conversation, "type": "DM", "participants": [ana, ben], "admins": []}
    created = {"createdBy": ana, "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
    harness.aws.put(tables.CONVERSATIONS, {**old, **created, "lastMessageAt": "2026-01-01T00:00:00.000Z"})
    numbers = [harness.send(sender, conversation).body["message"]["seq"] for sender in (ana, ben, ana)]
    assert numbers == [1, 2, 3]
    assert harness.history(ben, conversation, afterSeq=0).body["latestSeq"] == 3
    read = harness.call(ben, "markRead", {"conversationId": conversation, "seq": 3})
    assert (read.status, read.body["unreadCount"]) == (200, 0)


def test_blocked_sender_gets_a_normal_response_and_blocker_receives_nothing(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    plain, blocked = (seed_conversation(harness.aws, [ana, ben]) for _ in range(2))
    block(harness.aws, blocked, ben)
    usual, hidden = harness.send(ana, plain, tempId="a"), harness.send(ana, blocked, tempId="b")

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(each) for key, each in value.items()}
        return type(value).__name__ if isinstance(value, str) else value

    assert (hidden.status, hidden.headers) == (usual.status, usual.headers)
    assert shape(hidden.body) == shape(usual.body)
    here = [event for event in harness.publisher.events(ana) if event["data"]["conversationId"] == blocked]
    assert [event["data"]["messageId"] for event in here] == [hidden.body["messageId"]]
    assert [event["data"]["conversationId"] for event in harness.publisher.events(ben)] == [plain]
    assert len(harness.history(ana, blocked).body["messages"]) == 1
    assert harness.history(ben, blocked).body["messages"] == []
    member = harness.aws.item(tables.CONVERSATION_MEMBERS, userId=ben, conversationId=blocked)
    assert member is not None
    assert member["hasHidden"] is True


def test_message_sent_during_a_block_stays_hidden_after_it(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    harness.send(ana, conversation, "before")
    block(harness.aws, conversation, ben)
    harness.send(ana, conversation, "during")
    unblock(harness.aws, conversation, ben)
    harness.send(ana, conversation, "after")
    seen = harness.history(ben, conversation, afterSeq=0).body["messages"]
    assert [message["content"] for message in seen] == ["before", "after"]
    assert [event["data"]["content"] for event in harness.publisher.events(ben)] == ["before", "after"]


def test_blocker_must_unblock_before_sending(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    block(harness.aws, conversation, ana)
    refused = harness.send(ana, conversation)
    assert refused.status == 403
    assert "unblock first" in refused.body["error"]["message"]


def test_send_to_a_large_group_responds_at_once_and_is_delivered_in_slices(aws: AwsResources) -> None:
    members = user_ids(2 * SLICE_RECIPIENTS + 1)
    harness = FunctionHarness(aws, fanout_limit=20)
    conversation = seed_conversation(aws, members)
    answer = harness.send(members[0], conversation)
    assert answer.body["delivery"] == {"delivered": 0, "pending": len(members)}
    assert "publish" not in harness.faults.calls
    assert harness.deliver() == 0
    assert all(len(harness.publisher.received(member)) == 1 for member in members)
    assert aws.scan(tables.OUTBOX) == []


def test_only_recipients_whose_publish_failed_are_left_to_the_queue(harness: FunctionHarness) -> None:
    ana, ben, eva = user_ids(3)
    conversation = seed_conversation(harness.aws, [ana, ben, eva])
    harness.publisher.failing = {f"/chats/{eva}"}
    answer = harness.send(ana, conversation)
    assert (answer.status, answer.body["delivery"]) == (200, {"delivered": 2, "pending": 1})
    (record,) = harness.aws.scan(tables.OUTBOX)
    assert record["recipients"] == [eva]
    waiting = harness.aws.sqs.get_queue_attributes(
        QueueUrl=harness.aws.queue_url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    harness.advance(FAST_PATH_GRACE_SECONDS)
    harness.relay(record["eventId"])
    assert harness.deliver() == 1
    harness.publisher.failing = set()
    harness.relay(record["eventId"])
    assert harness.deliver() == 0
    assert [len(harness.publisher.received(each)) for each in (ana, ben, eva)] == [1, 1, 1]
    assert harness.aws.scan(tables.OUTBOX) == []
