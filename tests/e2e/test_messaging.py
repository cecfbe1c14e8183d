"""Messages, conversations, profiles and blocks of two users, through the HTTP API and the Event API."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from client.attachment import Attachment
from client.errors import ConflictError, ForbiddenError, NotFoundError, WrongCredentialsError
from client.state.updates import ConversationRemoved, ReadMarkMoved, TypingChanged, UserChanged
from contract.limits import TYPING_INTERVAL_MILLISECONDS
from tests.harness.e2e.users import Users


async def test_signing_up_creates_the_profile(users: Users) -> None:
    account = await users.signed_up("Ada", "Lovelace")
    ada = await users.online(account)
    profile = (await ada.api.me()).user
    assert (profile.userId, profile.fullName, profile.email) == (account.user_id, "Ada Lovelace", account.email)
    assert profile.emailVerified


async def test_a_wrong_password_is_refused(users: Users) -> None:
    account = await users.account()
    wrong = type(account)(account.email, f"{account.password}x", account.user_id, "Ada", "Lovelace")
    with pytest.raises(WrongCredentialsError):
        await users.session(wrong)


async def test_two_users_exchange_messages_in_real_time(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    assert grace.inbox[dm].view.name == "Ada Lovelace"
    assert ada.inbox[dm].view.name == "Grace Hopper"

    first = await ada.conversation(dm).send("hello Grace")
    await grace.receives(dm, "hello Grace")
    second = await grace.conversation(dm).send("hello Ada", reply_to=first.messageId)
    await ada.receives(dm, "hello Grace", "hello Ada")
    await grace.receives(dm, "hello Grace", "hello Ada")

    assert (first.seq, second.seq) == (1, 2)
    assert first.timestamp < second.timestamp
    assert ada.received(dm)[1].replyTo == first.messageId
    assert ada.inbox[dm].view.unreadCount == 1
    assert grace.inbox[dm].view.unreadCount == 0
    assert not ada.chat.drafts


async def test_every_device_of_a_user_receives_messages_and_read_marks(users: Users) -> None:
    account = await users.account()
    laptop, phone = await users.online(account), await users.online(account)
    grace = await users.create("Grace", "Hopper")
    dm = await users.direct(laptop, grace)
    await phone.has_conversation(dm)
    await laptop.conversation(dm).send("from the laptop")
    await phone.receives(dm, "from the laptop")
    await grace.conversation(dm).send("hi")
    await phone.receives(dm, "hi")
    await laptop.receives(dm, "hi")
    await phone.conversation(dm).mark_read()
    await laptop.until(lambda: laptop.inbox[dm].view.unreadCount == 0 and laptop.inbox[dm].view.lastReadSeq == 2)


async def test_read_marks_in_a_group_reach_the_sender_and_the_readers_other_devices(users: Users) -> None:
    ada, grace = await users.pair()
    account = await users.account()
    laptop, phone = await users.online(account), await users.online(account)
    group = await users.group(ada, grace, laptop)
    await phone.has_conversation(group)
    await ada.conversation(group).send("hello")
    for member in (grace, laptop, phone):
        await member.receives(group, "hello")
    await grace.conversation(group).mark_read()
    await laptop.conversation(group).mark_read()
    await ada.receives_update(ReadMarkMoved, conversation_id=group, user_id=grace.id, seq=1)
    await ada.receives_update(ReadMarkMoved, conversation_id=group, user_id=laptop.id, seq=1)
    await phone.until(lambda: phone.inbox[group].view.lastReadSeq == 1 and phone.inbox[group].view.unreadCount == 0)


async def test_history_is_paged_backwards_to_the_first_message(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    texts = [f"message {number}" for number in range(1, 8)]
    for text in texts:
        await ada.conversation(dm).send(text)
    contents: list[str | None] = []
    cursor: str | None = None
    while True:
        page = await grace.api.history(dm, limit=3, cursor=cursor)
        assert (page.latestSeq, page.reload) == (7, False)
        contents += [message.content for message in page.messages]
        cursor = page.nextCursor
        if cursor is None:
            break
    assert contents == texts[::-1]
    newest = await grace.api.history(dm, limit=2)
    older = await grace.api.history(dm, limit=2, before=newest.messages[-1].timestamp)
    assert [message.seq for message in (*newest.messages, *older.messages)] == [7, 6, 5, 4]
    gap = await grace.api.history(dm, after_seq=4, after_change=0)
    assert sorted(message.seq or 0 for message in gap.messages) == [5, 6, 7]


async def test_a_read_mark_reaches_the_sender_and_clears_the_unread_count(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await ada.conversation(dm).send("one")
    await ada.conversation(dm).send("two")
    await grace.receives(dm, "one", "two")
    assert grace.inbox[dm].view.unreadCount == 2
    await grace.conversation(dm).mark_read()
    await ada.receives_update(ReadMarkMoved, conversation_id=dm, user_id=grace.id, seq=2)
    [view] = (await grace.api.conversations()).conversations
    assert (view.unreadCount, view.lastReadSeq) == (0, 2)
    back = await grace.api.mark_read(dm, seq=1)
    assert back.lastReadSeq == 2
    assert (await ada.api.history(dm)).messages[0].readBy == [grace.id]


async def test_an_edit_reaches_every_participant_and_is_in_history(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    message = await ada.conversation(dm).send("helo")
    await grace.receives(dm, "helo")
    await ada.conversation(dm).edit(message.messageId, "hello")
    assert (await grace.receives_change(message.messageId)).content == "hello"
    [stored] = (await grace.api.history(dm)).messages
    assert (stored.content, stored.seq, stored.deleted) == ("hello", 1, False)
    assert stored.editedAt is not None
    with pytest.raises(ForbiddenError):
        await grace.api.edit_message(dm, message.messageId, "no")


async def test_a_deleted_message_loses_its_content_and_keeps_its_sequence_number(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    message = await ada.conversation(dm).send(
        "regret", attachment=Attachment("IMAGE", "https://media.example/secret.png")
    )
    await grace.receives(dm, "regret")
    with pytest.raises(ForbiddenError):
        await grace.api.delete_message(dm, message.messageId)
    first = await ada.api.delete_message(dm, message.messageId)
    assert (await grace.receives_change(message.messageId)).deleted
    [stored] = (await grace.api.history(dm)).messages
    assert (stored.deleted, stored.content, stored.mediaUrl, stored.seq) == (True, None, None, 1)
    assert (await ada.api.delete_message(dm, message.messageId)).change == first.change
    with pytest.raises(ConflictError):
        await ada.api.edit_message(dm, message.messageId, "again")


async def test_a_typing_notice_ends_with_a_stop_event_or_after_its_time(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await ada.conversation(dm).typing()
    await grace.receives_update(TypingChanged, conversation_id=dm, user_ids=(ada.id,))
    await ada.conversation(dm).typing(False)
    await grace.receives_update(TypingChanged, conversation_id=dm, user_ids=())
    grace.updates.clear()
    await asyncio.sleep(TYPING_INTERVAL_MILLISECONDS / 1000)  # the same notice is published once in this time
    await ada.conversation(dm).typing()
    await grace.receives_update(TypingChanged, conversation_id=dm, user_ids=(ada.id,))
    await grace.receives_update(TypingChanged, conversation_id=dm, user_ids=())
    assert not ada.inbox[dm].typing


async def test_a_group_is_created_updated_joined_and_left(users: Users) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    group = await users.group(ada, grace, name="Chess")
    await grace.conversation(group).send("hello all")
    await ada.receives(group, "hello all")

    await ada.api.update_group(group, name="Go", description="no chess")
    await grace.until(lambda: grace.inbox[group].view.name == "Go")
    with pytest.raises(ForbiddenError):
        await grace.api.update_group(group, name="Chess")

    with pytest.raises(ForbiddenError):
        await alan.api.history(group)
    await ada.api.add_members(group, [alan.id])
    view = await alan.has_conversation(group)
    assert (view.name, sorted(view.participants)) == ("Go", sorted((ada.id, grace.id, alan.id)))
    await grace.until(lambda: alan.id in grace.inbox[group].view.participants)
    assert [m.content for m in (await alan.api.history(group)).messages] == ["hello all"]

    await ada.api.set_role(group, grace.id, "ADMIN")
    await grace.until(lambda: grace.id in grace.inbox[group].view.admins)
    await grace.api.remove_member(group, alan.id)
    removed = await alan.receives_update(ConversationRemoved, conversation_id=group)
    assert removed.removed_by in (grace.id, None)  # None: a recovery discovered it before the event arrived
    with pytest.raises(ForbiddenError):
        await alan.api.history(group)
    await ada.conversation(group).send("without Alan")
    await grace.receives(group, "without Alan")
    assert "without Alan" not in alan.received_texts(group)

    await ada.api.leave_group(group)
    removed = await ada.receives_update(ConversationRemoved, conversation_id=group)
    assert removed.removed_by in (ada.id, None)
    await grace.until(lambda: grace.inbox[group].view.participants == [grace.id])
    assert (await grace.api.conversation(group)).conversation.admins == [grace.id]


async def test_the_longest_standing_member_becomes_admin_when_the_last_admin_leaves(users: Users) -> None:
    ada, grace = await users.pair()
    group = await users.group(ada, grace)
    with pytest.raises(ConflictError):
        await ada.api.set_role(group, ada.id, "MEMBER")
    await ada.api.leave_group(group)
    await grace.until(lambda: grace.inbox[group].view.admins == [grace.id])


async def test_users_are_found_by_the_first_letters_of_any_word_of_their_name(users: Users) -> None:
    ada = await users.create("Ada", "Lovelace")
    unique = f"Zq{ada.id[:8]}"
    grace = await users.create("Grâce", unique)
    for text in (unique[:6], unique.lower(), f"grace {unique[:5]}"):
        [found] = [user for user in (await ada.api.search_users(text)).users if user.userId == grace.id]
        assert found.fullName == f"Grâce {unique}"
    assert ada.id not in [user.userId for user in (await ada.api.search_users("Ada")).users]
    response = await ada.api.user(grace.id)
    assert (response.isOwnProfile, response.isBlocked) == (False, False)
    with pytest.raises(NotFoundError):
        await ada.api.user("00000000-0000-4000-8000-000000000000")


async def test_a_changed_profile_reaches_the_users_of_shared_conversations(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await ada.api.update_me(first_name="Augusta", major="Mathematics")
    update = await grace.receives_update(UserChanged)
    assert (update.user.fullName, update.user.major) == ("Augusta Lovelace", "Mathematics")
    assert grace.inbox[dm].view.name == "Augusta Lovelace"


async def test_a_blocked_sender_gets_a_normal_response_and_the_blocker_receives_nothing(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    normal = await ada.api.send_message(dm, "before")
    await grace.receives(dm, "before")
    await grace.api.block(ada.id)
    await grace.until(lambda: ada.id in grace.inbox.blocked)

    blocked = await ada.api.send_message(dm, "while blocked")
    await ada.receives(dm, "before", "while blocked")
    assert blocked.delivery == normal.delivery
    assert set(_fields(blocked)) == set(_fields(normal))
    assert not (await ada.api.user(grace.id)).isBlocked
    assert [m.content for m in (await ada.api.history(dm)).messages] == ["while blocked", "before"]
    await ada.api.set_typing(dm, True)
    with pytest.raises(ForbiddenError):
        await grace.api.send_message(dm, "to a blocked user")

    await grace.api.unblock(ada.id)
    await grace.until(lambda: ada.id not in grace.inbox.blocked)
    await ada.conversation(dm).send("after")
    await grace.receives(dm, "before", "after")
    assert [m.content for m in (await grace.api.history(dm)).messages] == ["after", "before"]
    assert not any(isinstance(update, TypingChanged) for update in grace.updates)


def _fields(response: object) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(response)
    return fields


async def test_the_same_temp_id_stores_one_message(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    first = await ada.api.send_message(dm, "once", temp_id="once-1")
    again = await ada.api.send_message(dm, "once", temp_id="once-1")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.messageId == again.messageId
    await ada.conversation(dm).send("next")
    await grace.receives(dm, "once", "next")
    assert [m.seq for m in grace.received(dm)] == [1, 2]
    group = await users.group(ada, grace)
    in_group = [await ada.api.send_message(group, "once", temp_id="once-1") for _ in range(2)]
    assert [each.duplicate for each in in_group] == [False, True]
