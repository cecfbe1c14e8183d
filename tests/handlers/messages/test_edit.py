"""Editing and deleting."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.handlers import doubles
from tests.harness.handlers.cloud import World
from tests.harness.handlers.functions import Backend
from tests.harness.handlers.seeds import block, get, rows, seed_conversation, unblock, user_ids


@pytest.fixture
def backend(world: World) -> Backend:
    """The functions on this test's tables."""
    return Backend(world)


def last(backend: Backend, user_id: str) -> dict[str, Any]:
    """Return the newest event of a user."""
    return backend.devices.events(user_id)[-1]


def preview(backend: Backend, conversation: str) -> Any:
    """Return what the list shows of a conversation."""
    stored = get(backend.world, "CONVERSATIONS_TABLE", conversationId=conversation)
    assert stored is not None
    return stored["lastMessage"].get("preview"), stored["lastMessage"]["deleted"]


def test_an_edit_replaces_the_content_everywhere_and_is_numbered(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation, "helo").body["message"]
    answer = backend.edit(ana, message, "hello")
    assert (answer.status, answer.body["change"]) == (200, 1)
    edited = answer.body["message"]
    assert edited == {**message, "content": "hello", "editedAt": edited["editedAt"]}
    for user_id in (ana, ben):
        event = last(backend, user_id)
        assert event["type"] == "MESSAGE_UPDATED"
        assert event["data"] == {
            "conversationId": conversation,
            "messageId": message["messageId"],
            "change": 1,
            "updatedBy": ana,
            "message": edited,
        }
    assert backend.history(ben, conversation).body["messages"][0]["content"] == "hello"
    assert preview(backend, conversation) == ("hello", False)
    assert backend.edit(ana, message, "hello!").body["change"] == 2


def test_only_the_newest_message_changes_what_the_list_shows(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    first = backend.send(ana, conversation, "first").body["message"]
    second = backend.send(ana, conversation, "second").body["message"]
    backend.edit(ana, first, "1st")
    assert preview(backend, conversation) == ("second", False)
    backend.delete(ana, first)
    assert preview(backend, conversation) == ("second", False)
    backend.delete(ana, second)
    assert preview(backend, conversation) == (None, True)


def test_a_caption_may_be_changed_and_taken_away_but_a_text_not_blanked(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    text = backend.send(ana, conversation).body["message"]
    image = {"type": "IMAGE", "mediaUrl": "https://media.example/i", "content": "a caption"}
    sent = backend.request("POST /api/messages/send", ana, {"conversationId": conversation, **image})
    message = sent.body["message"]
    refused = backend.edit(ana, text, "  ")
    assert (refused.status, refused.body["error"]["field"]) == (400, "content")
    assert backend.edit(ana, message, "better").body["message"]["content"] == "better"
    assert preview(backend, conversation) == ("better", False)
    plain = backend.edit(ana, message, "").body["message"]
    assert (plain["content"], plain["mediaUrl"]) == (None, image["mediaUrl"])
    assert preview(backend, conversation) == (None, False)
    stored = get(backend.world, "MESSAGES_TABLE", conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert "content" not in stored


def test_a_deletion_leaves_the_place_and_nothing_of_the_content(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    file = {"type": "FILE", "mediaUrl": "https://m.example/f", "fileName": "f", "fileSize": 1, "content": "c"}
    sent = backend.request("POST /api/messages/send", ana, {"conversationId": conversation, **file})
    message = sent.body["message"]
    answer = backend.delete(ana, message)
    gone = dict.fromkeys(("content", "mediaUrl", "fileName", "fileSize", "duration"))
    assert (answer.status, answer.body["change"]) == (200, 1)
    assert answer.body["message"] == {**message, **gone, "deleted": True}
    assert last(backend, ben)["type"] == "MESSAGE_DELETED"
    data = last(backend, ben)["data"]
    assert (data["messageId"], data["seq"], data["change"], data["deletedBy"]) == (message["messageId"], 1, 1, ana)
    assert backend.history(ben, conversation).body["messages"][0] == {**answer.body["message"], "readBy": []}
    stored = get(backend.world, "MESSAGES_TABLE", conversationId=conversation, timestamp=message["timestamp"])
    assert stored is not None
    assert set(gone) & set(stored) == set()


def test_deleting_again_answers_the_same_and_tells_nobody_twice(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    first, second = (backend.send(ana, conversation).body["message"] for _ in range(2))
    answer = backend.delete(ana, first)
    backend.delete(ana, second)
    heard = len(backend.devices.received[f"/chats/{ben}"])
    again = backend.delete(ana, first)
    assert (again.status, again.body) == (200, answer.body)
    assert len(backend.devices.received[f"/chats/{ben}"]) == heard


def test_a_deleted_message_cannot_be_edited(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation).body["message"]
    backend.delete(ana, message)
    assert backend.edit(ana, message, "back again").status == 409


def test_only_the_sender_edits_and_only_the_sender_or_a_groups_admin_deletes(backend: Backend) -> None:
    admin, ana, ben = user_ids(3)
    (eva,) = user_ids(1)
    group = seed_conversation(backend.world, [admin, ana, ben])
    message = backend.send(ana, group).body["message"]
    assert backend.edit(admin, message, "no").status == 403
    assert backend.edit(eva, message, "no").status == 403
    assert backend.delete(ben, message).status == 403
    assert backend.delete(eva, message).status == 403
    direct = seed_conversation(backend.world, [ana, ben])
    theirs = backend.send(ana, direct).body["message"]
    assert backend.delete(ben, theirs).status == 403
    deleted = backend.delete(admin, message)
    assert deleted.status == 200
    assert last(backend, ana)["data"]["deletedBy"] == admin
    assert backend.delete(ben, message).status == 403


def test_a_message_is_changed_only_through_its_own_conversation(backend: Backend) -> None:
    ana, ben = user_ids(2)
    here, there = (seed_conversation(backend.world, [ana, ben]) for _ in range(2))
    message = backend.send(ana, here).body["message"]
    moved = {**message, "conversationId": there}
    unknown = {**message, "messageId": str(uuid.uuid4())}
    nowhere = {**message, "conversationId": str(uuid.uuid4())}
    for other in (moved, unknown, nowhere):
        assert backend.edit(ana, other, "x").status == 404
        assert backend.delete(ana, other).status == 404


def test_concurrent_changes_are_numbered_without_a_hole_and_each_is_heard(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    messages = [backend.send(ana, conversation).body["message"] for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: backend.edit(ana, each, "edited"), messages))
    assert [answer.status for answer in answers] == [200] * 6
    assert sorted(answer.body["change"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    heard = [event["data"]["change"] for event in backend.devices.events(ben) if event["type"] == "MESSAGE_UPDATED"]
    assert sorted(heard) == [1, 2, 3, 4, 5, 6]


def test_an_edit_does_not_carry_words_past_a_block(backend: Backend) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(backend.world, [ana, ben])
    message = backend.send(ana, conversation, "hello").body["message"]
    block(backend.world, conversation, ben)
    usual = backend.edit(ana, message, "words past the block")
    assert usual.status == 200
    assert last(backend, ana)["type"] == "MESSAGE_UPDATED"
    assert [event["type"] for event in backend.devices.events(ben)] == ["MESSAGE_SENT"]
    unblock(backend.world, conversation, ben)
    assert backend.history(ben, conversation, afterChange=0).body["changed"] == []
    assert backend.history(ben, conversation).body["messages"] == []
    block(backend.world, conversation, ana)
    assert backend.edit(ana, message, "unblock first").status == 403


@pytest.mark.parametrize("fault", [doubles.throttles, doubles.fails, doubles.answer_gets_lost, doubles.dies_after])
@pytest.mark.parametrize("change", ["edit", "delete"])
def test_a_stored_change_reaches_everybody_whatever_fails(world: World, fault: Any, change: str) -> None:
    for at in range(1, 12):
        healthy = Backend(world)
        ana, ben = user_ids(2)
        conversation = seed_conversation(world, [ana, ben])
        message = healthy.send(ana, conversation).body["message"]
        faulty = Backend(world, healthy.devices, healthy.clock)
        faulty.calls.arm(at, fault)
        try:
            answer = faulty.edit(ana, message, "new") if change == "edit" else faulty.delete(ana, message)
            assert answer.status in (200, 503)
        except doubles.ProcessDiesError:
            pass
        healthy.clock.pause(6)
        healthy.relay(*(record["eventId"] for record in rows(world, "OUTBOX_TABLE")))
        assert healthy.deliver() == 0
        stored = get(world, "CONVERSATIONS_TABLE", conversationId=conversation)
        assert stored is not None
        for user_id in (ana, ben):
            assert len(healthy.devices.events(user_id)) == 1 + stored["latestChange"]
        assert rows(world, "OUTBOX_TABLE") == []
        if not faulty.calls.triggered:
            return
    pytest.fail("a change has more steps than this test reaches")
