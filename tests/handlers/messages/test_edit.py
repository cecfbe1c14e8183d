"""Editing and deleting messages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract import tables
from tests.harness import faults
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response
from tests.harness.seeds import block, seed_conversation, unblock, undelivered, user_ids


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def last(harness: FunctionHarness, user_id: str) -> dict[str, Any]:
    """Return the newest event of a user."""
    return harness.publisher.events(user_id)[-1]


def preview(harness: FunctionHarness, conversation: str) -> Any:
    """Return preview and deletion of the last message in a conversation."""
    stored = harness.aws.item(tables.CONVERSATIONS, conversationId=conversation)
    assert stored is not None
    return stored["lastMessage"].get("preview"), stored["lastMessage"]["deleted"]


def test_edit_replaces_the_content_everywhere_and_gets_a_change_number(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation, "helo").body["message"]
    answer = harness.edit(ana, message, "hello")
    assert (answer.status, answer.body["change"]) == (200, 1)
    edited = answer.body["message"]
    assert edited == {**message, "content": "hello", "editedAt": edited["editedAt"]}
    for user_id in (ana, ben):
        event = last(harness, user_id)
        assert event["type"] == "MESSAGE_UPDATED"
        assert event["data"] == {
            "conversationId": conversation,
            "messageId": message["messageId"],
            "change": 1,
            "updatedBy": ana,
            "message": edited,
        }
    assert harness.history(ben, conversation).body["messages"][0]["content"] == "hello"
    assert preview(harness, conversation) == ("hello", False)
    assert harness.edit(ana, message, "hello!").body["change"] == 2


def test_preview_follows_changes_of_the_newest_message_only(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    first = harness.send(ana, conversation, "first").body["message"]
    second = harness.send(ana, conversation, "second").body["message"]
    harness.edit(ana, first, "1st")
    assert preview(harness, conversation) == ("second", False)
    harness.delete(ana, first)
    assert preview(harness, conversation) == ("second", False)
    harness.delete(ana, second)
    assert preview(harness, conversation) == (None, True)


def test_caption_may_be_changed_and_removed_but_a_text_must_not_be_blank(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    text = harness.send(ana, conversation).body["message"]
    image = {"type": "IMAGE", "mediaUrl": "https://media.example/i", "content": "a caption"}
    sent = harness.call(ana, "sendMessage", {"conversationId": conversation, **image})
    message = sent.body["message"]
    refused = harness.edit(ana, text, "  ")
    assert (refused.status, refused.body["error"]["field"]) == (400, "content")
    assert harness.edit(ana, message, "better").body["message"]["content"] == "better"
    assert preview(harness, conversation) == ("better", False)
    plain = harness.edit(ana, message, "").body["message"]
    assert (plain["content"], plain["mediaUrl"]) == (None, image["mediaUrl"])
    assert preview(harness, conversation) == (None, False)
    stored = harness.aws.item(tables.MESSAGES, conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert "content" not in stored


def test_deletion_removes_the_content_and_keeps_the_sequence_number(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    file = {"type": "FILE", "mediaUrl": "https://m.example/f", "fileName": "f", "fileSize": 1, "content": "c"}
    sent = harness.call(ana, "sendMessage", {"conversationId": conversation, **file})
    message = sent.body["message"]
    answer = harness.delete(ana, message)
    gone = dict.fromkeys(("content", "mediaUrl", "fileName", "fileSize", "duration"))
    assert (answer.status, answer.body["change"]) == (200, 1)
    assert answer.body["message"] == {**message, **gone, "deleted": True}
    assert last(harness, ben)["type"] == "MESSAGE_DELETED"
    data = last(harness, ben)["data"]
    assert (data["messageId"], data["seq"], data["change"], data["deletedBy"]) == (message["messageId"], 1, 1, ana)
    assert harness.history(ben, conversation).body["messages"][0] == {**answer.body["message"], "readBy": []}
    stored = harness.aws.item(tables.MESSAGES, conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert set(gone) & set(stored) == set()


def test_repeated_deletion_returns_the_same_and_publishes_nothing(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    first, second = (harness.send(ana, conversation).body["message"] for _ in range(2))
    answer = harness.delete(ana, first)
    harness.delete(ana, second)
    received = len(harness.publisher.received(ben))
    again = harness.delete(ana, first)
    assert (again.status, again.body) == (200, answer.body)
    assert len(harness.publisher.received(ben)) == received


def test_deleted_message_cannot_be_edited(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation).body["message"]
    harness.delete(ana, message)
    assert harness.edit(ana, message, "back again").status == 409


def test_only_the_sender_may_edit_and_only_the_sender_or_a_group_admin_may_delete(harness: FunctionHarness) -> None:
    admin, ana, ben = user_ids(3)
    (eva,) = user_ids(1)
    group = seed_conversation(harness.aws, [admin, ana, ben])
    message = harness.send(ana, group).body["message"]
    assert harness.edit(admin, message, "no").status == 403
    assert harness.edit(eva, message, "no").status == 403
    assert harness.delete(ben, message).status == 403
    assert harness.delete(eva, message).status == 403
    direct = seed_conversation(harness.aws, [ana, ben])
    theirs = harness.send(ana, direct).body["message"]
    assert harness.delete(ben, theirs).status == 403
    deleted = harness.delete(admin, message)
    assert deleted.status == 200
    assert last(harness, ana)["data"]["deletedBy"] == admin
    assert harness.delete(ben, message).status == 403


def test_message_can_be_changed_only_through_its_own_conversation(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(harness.aws, [ana, ben]) for _ in range(2))
    message = harness.send(ana, here).body["message"]
    moved = {**message, "conversationId": there}
    unknown = {**message, "messageId": str(uuid.uuid4())}
    nowhere = {**message, "conversationId": str(uuid.uuid4())}
    for other in (moved, unknown, nowhere):
        assert harness.edit(ana, other, "x").status == 404
        assert harness.delete(ana, other).status == 404


def test_concurrent_changes_get_gap_free_change_numbers_and_each_is_published(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    messages = [harness.send(ana, conversation).body["message"] for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: harness.edit(ana, each, "edited"), messages))
    assert [answer.status for answer in answers] == [200] * 6
    assert sorted(answer.body["change"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    received = [
        event["data"]["change"] for event in harness.publisher.events(ben) if event["type"] == "MESSAGE_UPDATED"
    ]
    assert sorted(received) == [1, 2, 3, 4, 5, 6]


def test_edit_hides_an_old_message_from_a_participant_who_has_blocked_the_sender(harness: FunctionHarness) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(harness.aws, [ana, ben])
    message = harness.send(ana, conversation, "hello").body["message"]
    block(harness.aws, conversation, ben)
    usual = harness.edit(ana, message, "new content")
    assert usual.status == 200
    assert last(harness, ana)["type"] == "MESSAGE_UPDATED"
    assert [event["type"] for event in harness.publisher.events(ben)] == ["MESSAGE_SENT"]
    unblock(harness.aws, conversation, ben)
    assert harness.history(ben, conversation, afterChange=0).body["changed"] == []
    assert harness.history(ben, conversation).body["messages"] == []
    block(harness.aws, conversation, ana)
    assert harness.edit(ana, message, "unblock first").status == 403


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", [faults.throttled, faults.service_error, faults.response_lost, faults.killed_after])
@pytest.mark.parametrize("change", ["edit", "delete"])
def test_stored_change_reaches_every_participant_after_a_fault_at_any_step(
    aws: AwsResources, fault: Any, change: str
) -> None:
    for at in range(1, 20):
        healthy = FunctionHarness(aws)
        ana, ben = user_ids(2)
        conversation = seed_conversation(aws, [ana, ben])
        message = healthy.send(ana, conversation).body["message"]
        faulty = FunctionHarness(aws, healthy.publisher, healthy.clock)
        faulty.faults.arm(at, fault)
        try:
            answer = faulty.edit(ana, message, "new") if change == "edit" else faulty.delete(ana, message)
            assert answer.status in (200, 503)
        except faults.ProcessKilledError:
            pass
        healthy.advance(6)
        healthy.relay(*(record["eventId"] for record in aws.scan(tables.OUTBOX)))
        assert healthy.deliver() == 0
        rows = [row for row in aws.scan(tables.MESSAGE_CHANGES) if row["conversationId"] == conversation]
        stored = [row["change"] for row in rows if row["kind"] != "VOID"]
        for user_id in (ana, ben):
            assert len(healthy.publisher.events(user_id)) == 1 + len(stored)
        page = healthy.history(ben, conversation, afterSeq=1, afterChange=0).body
        assert (page["reload"], len(page["changed"])) == (False, min(1, len(stored)))
        assert page["latestChange"] >= max(stored, default=0)
        assert undelivered(aws) == []
        if not faulty.faults.triggered:
            return
    pytest.fail("a change makes more calls than this test reaches")


def _reply(harness: FunctionHarness, user_id: str, message: dict[str, Any]) -> Response:
    return harness.send(user_id, message["conversationId"], replyTo=message["messageId"])


def _read(harness: FunctionHarness, user_id: str, message: dict[str, Any]) -> Response:
    body = {"conversationId": message["conversationId"], "messageId": message["messageId"]}
    return harness.call(user_id, "markRead", body)


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize(
    ("by_sender", "operation"),
    [
        pytest.param(True, lambda harness, user_id, message: harness.edit(user_id, message, "new"), id="edit"),
        pytest.param(True, lambda harness, user_id, message: harness.delete(user_id, message), id="delete"),
        pytest.param(False, _reply, id="reply"),
        pytest.param(False, _read, id="read"),
    ],
)
def test_accepted_message_is_found_although_its_completion_failed(
    aws: AwsResources, by_sender: bool, operation: Callable[[FunctionHarness, str, dict[str, Any]], Response]
) -> None:
    """Promise P1: a 200 on a direct message means that it is stored, wherever the request failed after that."""
    for at in range(1, 20):
        healthy = FunctionHarness(aws)
        ana, ben = user_ids(2)
        conversation = seed_conversation(aws, [ana, ben])
        faulty = FunctionHarness(aws, healthy.publisher, healthy.clock)
        faulty.send(ana, conversation)
        faulty.faults.arm(at, faults.service_error)
        sent = faulty.send(ana, conversation, "sent")
        if sent.status == 200:
            assert operation(healthy, ana if by_sender else ben, sent.body["message"]).status == 200, at
        if not faulty.faults.triggered:
            return
    pytest.fail("a send makes more calls than this test reaches")
