"""The handle of a conversation: each response is in the view without help of the caller."""

from __future__ import annotations

import contextlib

import pytest

from client.attachment import Attachment
from client.chat_client import ChatClient
from client.conversation import ConversationHandle
from client.errors import ServerFaultError
from client.state.updates import ConversationRemoved, MessageAdded, MessageChanged, ReadMarkMoved, SendFailed
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ME, OTHER, ChatBackend
from tests.harness.client.servers import Reply


@pytest.fixture
async def conversation(backend: ChatBackend, chat: ChatClient) -> ConversationHandle:
    """The handle of the conversation `c`, of a connected client."""
    await chat.start()
    return chat.conversation("c")


async def test_a_sent_message_is_reported_once_and_its_draft_is_gone(
    backend: ChatBackend, chat: ChatClient, conversation: ConversationHandle, application: RecordingApplication
) -> None:
    message = await conversation.send("hello")
    assert [each.content for each in conversation.messages] == ["hello"]
    assert not chat.drafts
    await backend.publish("MESSAGE_SENT", backend.messages["c"][0])
    await backend.send("next")
    await application.until(lambda: application.texts() == ["hello", "next"])
    [added] = [each for each in application.updates if isinstance(each, MessageAdded) and each.message == message]
    assert added.temp_id == backend.api.requests[-1].document.get("tempId")


async def test_an_attachment_and_a_reply_use_the_names_of_the_wire(
    backend: ChatBackend, conversation: ConversationHandle
) -> None:
    attachment = Attachment("IMAGE", "https://media.example/a.png", file_name="a.png", file_size=12)
    await conversation.send("caption", attachment=attachment, reply_to="m1")
    document = backend.api.requests[-1].document
    assert document.pop("tempId")
    assert {name: value for name, value in document.items() if value is not None} == {
        "conversationId": "c",
        "content": "caption",
        "type": "IMAGE",
        "mediaUrl": "https://media.example/a.png",
        "fileName": "a.png",
        "fileSize": 12,
        "replyTo": "m1",
    }


async def test_a_failed_send_keeps_its_draft_and_resend_repeats_the_same_request(
    backend: ChatBackend, chat: ChatClient, conversation: ConversationHandle, application: RecordingApplication
) -> None:
    chat.api._retry_seconds = 0.0
    backend.overrides["POST /api/messages/send"] = Reply(500)
    with pytest.raises(ServerFaultError):
        await conversation.send("hello")
    [(conversation_id, temp_id)] = chat.drafts
    assert conversation_id == "c"
    assert any(isinstance(update, SendFailed) and update.temp_id == temp_id for update in application.updates)
    with contextlib.suppress(ServerFaultError):
        await conversation.resend(temp_id)
    assert backend.api.requests[-1].body == backend.api.requests[-2].body

    await backend.publish("MESSAGE_SENT", backend.store("hello", sender=ME) | {"tempId": temp_id})
    await application.until(lambda: application.texts() == ["hello"])
    assert not chat.drafts
    [added] = [update for update in application.updates if isinstance(update, MessageAdded)]
    assert added.temp_id == temp_id


async def test_history_loads_the_newest_page_and_older_the_pages_before_it(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    for number in range(1, 6):
        backend.store(str(number), "with-other")
    direct = await chat.open_direct(OTHER)
    await application.until(lambda: len(direct.messages) == backend.fillable)
    loaded = await direct.history()
    older = await direct.older()
    assert [message.content for message in loaded] == ["3", "4", "5"]
    assert [message.content for message in older] == ["1", "2"]
    assert direct.messages == older + loaded
    assert await direct.older() == []


async def test_older_skips_pages_whose_messages_are_all_hidden(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    for number in range(1, 6):
        backend.store(str(number), "with-other")
    direct = await chat.open_direct(OTHER)
    await application.until(lambda: len(direct.messages) == backend.fillable)
    backend.hidden_pages = 3
    assert [message.content for message in await direct.older()] == ["1", "2"]


async def test_an_edit_and_a_deletion_change_the_loaded_message(
    backend: ChatBackend, conversation: ConversationHandle, application: RecordingApplication
) -> None:
    message = await conversation.send("helo")
    await conversation.edit(message.messageId, "hello")
    assert conversation.messages[0].content == "hello"
    await conversation.delete(message.messageId)
    [deleted] = conversation.messages
    assert (deleted.content, deleted.deleted) == (None, True)
    assert len([update for update in application.updates if isinstance(update, MessageChanged)]) == 2


async def test_mark_read_marks_the_reported_messages_once(
    backend: ChatBackend, conversation: ConversationHandle, application: RecordingApplication
) -> None:
    await conversation.mark_read()
    assert not any(request.path.endswith("/read") for request in backend.api.requests)
    await backend.send("one")
    await application.until(lambda: application.texts() == ["one"])
    assert conversation.view.unreadCount == 1
    await conversation.mark_read()
    assert (conversation.view.unreadCount, conversation.view.lastReadSeq) == (0, 1)
    assert ReadMarkMoved("c", ME, 1) in application.updates
    await conversation.mark_read()
    await conversation.mark_read(up_to_seq=1)
    assert len([request for request in backend.api.requests if request.path.endswith("/read")]) == 1


async def test_typing_is_announced_at_most_every_two_seconds(
    backend: ChatBackend, chat: ChatClient, conversation: ConversationHandle
) -> None:
    await conversation.typing()
    await chat.conversation("c").typing()
    await conversation.typing(False)
    await conversation.typing(False)
    announced = [each.document["isTyping"] for each in backend.api.requests if each.path.endswith("/typing")]
    assert announced == [True, False]


async def test_a_change_of_a_group_is_in_the_view_without_its_event(backend: ChatBackend, chat: ChatClient) -> None:
    await chat.start()
    group = await chat.create_group("Chess", [OTHER])
    await group.update(name="Go")
    assert group.view.name == "Go"
    for change in (group.add_members(["x"]), group.set_role(OTHER, "ADMIN"), group.remove_member("x")):
        version = group.view.version
        await change
        assert group.view.version == version + 1
    assert [member.userId for member in await group.members()] == [ME, OTHER]


async def test_a_left_group_is_removed_from_the_view_without_its_event(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    group = await chat.create_group("Chess", [OTHER])
    await group.leave()
    assert group.id not in chat.inbox
    assert ConversationRemoved(group.id, ME) in application.updates


async def test_updates_yields_the_updates_of_this_conversation_only(
    backend: ChatBackend, chat: ChatClient, conversation: ConversationHandle
) -> None:
    async with conversation.updates() as updates:
        await backend.send("elsewhere", conversation="d")
        await backend.send("here")
        async for update in updates:
            if isinstance(update, MessageAdded):
                break
    assert isinstance(update, MessageAdded)
    assert update.message.content == "here"
