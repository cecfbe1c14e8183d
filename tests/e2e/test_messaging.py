"""Two users and what they do with each other: everything through the public API and the socket."""

from __future__ import annotations

import msgspec
import pytest

from client.errors import ConflictError, ForbiddenError, NotFoundError, WrongCredentialsError
from client.state.updates import ConversationGone, ReadMoved, TypingChanged, UserChanged
from contract.requests import SendMessage, UpdateGroup, UpdateProfile
from tests.e2e.place import People


async def test_signing_up_makes_the_profile(people: People) -> None:
    account = await people.newcomer("Ada", "Lovelace")
    ada = await people.online(account)
    profile = (await ada.api.me()).user
    assert (profile.userId, profile.fullName, profile.email) == (account.user_id, "Ada Lovelace", account.email)
    assert profile.emailVerified


async def test_a_wrong_password_is_refused(people: People) -> None:
    account = await people.account()
    wrong = type(account)(account.email, f"{account.password}x", account.user_id, "Ada", "Lovelace")
    with pytest.raises(WrongCredentialsError):
        await people.session(wrong)


async def test_two_users_exchange_messages_in_real_time(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    assert grace.inbox[dm].view.name == "Ada Lovelace"
    assert ada.inbox[dm].view.name == "Grace Hopper"

    first = await ada.chat.send(dm, "hello Grace")
    await grace.gets(dm, "hello Grace")
    second = await grace.chat.send(dm, "hello Ada", replyTo=first.messageId)
    await ada.gets(dm, "hello Grace", "hello Ada")
    await grace.gets(dm, "hello Grace", "hello Ada")

    assert (first.seq, second.seq) == (1, 2)
    assert first.timestamp < second.timestamp
    assert ada.received(dm)[1].replyTo == first.messageId
    assert ada.inbox[dm].view.unreadCount == 1
    assert grace.inbox[dm].view.unreadCount == 0
    assert not ada.chat.drafts


async def test_every_device_of_a_user_is_kept_in_step(people: People) -> None:
    account = await people.account()
    laptop, phone = await people.online(account), await people.online(account)
    grace = await people.make("Grace", "Hopper")
    dm = await people.direct(laptop, grace)
    await phone.knows(dm)
    await laptop.chat.send(dm, "from the laptop")
    await phone.gets(dm, "from the laptop")
    await grace.chat.send(dm, "hi")
    await phone.gets(dm, "hi")
    await laptop.gets(dm, "hi")
    await phone.chat.mark_read(dm)
    await laptop.until(lambda: laptop.inbox[dm].view.unreadCount == 0 and laptop.inbox[dm].view.lastReadSeq == 2)


async def test_history_is_paged_backwards_to_the_first_message(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    texts = [f"message {number}" for number in range(1, 8)]
    for text in texts:
        await ada.chat.send(dm, text)
    by_cursor: list[str | None] = []
    cursor: str | None = None
    while True:
        page = await grace.api.history(dm, limit=3, cursor=cursor)
        assert (page.latestSeq, page.reload) == (7, False)
        by_cursor += [message.content for message in page.messages]
        cursor = page.nextCursor
        if cursor is None:
            break
    assert by_cursor == texts[::-1]
    newest = await grace.api.history(dm, limit=2)
    older = await grace.api.history(dm, limit=2, before=newest.messages[-1].timestamp)
    assert [message.seq for message in (*newest.messages, *older.messages)] == [7, 6, 5, 4]
    gap = await grace.api.history(dm, after_seq=4, after_change=0)
    assert sorted(message.seq or 0 for message in gap.messages) == [5, 6, 7]


async def test_reading_is_told_to_the_sender_and_clears_the_unread_count(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await ada.chat.send(dm, "one")
    await ada.chat.send(dm, "two")
    await grace.gets(dm, "one", "two")
    assert grace.inbox[dm].view.unreadCount == 2
    await grace.chat.mark_read(dm)
    await ada.sees(ReadMoved, conversation_id=dm, user_id=grace.id, seq=2)
    [view] = (await grace.api.conversations()).conversations
    assert (view.unreadCount, view.lastReadSeq) == (0, 2)
    back = await grace.api.mark_read(dm, seq=1)
    assert back.lastReadSeq == 2
    assert (await ada.api.history(dm)).messages[0].readBy == [grace.id]


async def test_an_edit_reaches_everybody_and_history_has_it(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    message = await ada.chat.send(dm, "helo")
    await grace.gets(dm, "helo")
    await ada.chat.edit(dm, message.messageId, "hello")
    assert (await grace.sees_changed(message.messageId)).content == "hello"
    [stored] = (await grace.api.history(dm)).messages
    assert (stored.content, stored.seq, stored.deleted) == ("hello", 1, False)
    assert stored.editedAt is not None
    with pytest.raises(ForbiddenError):
        await grace.api.edit_message(dm, message.messageId, "no")


async def test_a_deleted_message_loses_its_content_and_keeps_its_place(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    message = await ada.chat.send(dm, "regret", type="IMAGE", mediaUrl="https://media.example/secret.png")
    await grace.gets(dm, "regret")
    with pytest.raises(ForbiddenError):
        await grace.api.delete_message(dm, message.messageId)
    first = await ada.api.delete_message(dm, message.messageId)
    assert (await grace.sees_changed(message.messageId)).deleted
    [stored] = (await grace.api.history(dm)).messages
    assert (stored.deleted, stored.content, stored.mediaUrl, stored.seq) == (True, None, None, 1)
    assert (await ada.api.delete_message(dm, message.messageId)).change == first.change
    with pytest.raises(ConflictError):
        await ada.api.edit_message(dm, message.messageId, "again")


async def test_typing_is_shown_and_ends_with_a_notice_a_message_or_time(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await ada.chat.typing(dm)
    await grace.sees(TypingChanged, conversation_id=dm, user_ids=(ada.id,))
    await ada.chat.typing(dm, False)
    await grace.sees(TypingChanged, conversation_id=dm, user_ids=())
    grace.updates.clear()
    await ada.chat.typing(dm)
    await grace.sees(TypingChanged, conversation_id=dm, user_ids=(ada.id,))
    await grace.sees(TypingChanged, conversation_id=dm, user_ids=())
    assert not ada.inbox[dm].typing


async def test_a_group_is_made_changed_joined_and_left(people: People) -> None:
    ada, grace = await people.pair()
    alan = await people.make("Alan", "Turing")
    group = await people.group(ada, grace, name="Chess")
    await grace.chat.send(group, "hello all")
    await ada.gets(group, "hello all")

    await ada.api.update_group(group, UpdateGroup(name="Go", description="no chess"))
    await grace.until(lambda: grace.inbox[group].view.name == "Go")
    with pytest.raises(ForbiddenError):
        await grace.api.update_group(group, UpdateGroup(name="Chess"))

    with pytest.raises(ForbiddenError):
        await alan.api.history(group)
    await ada.api.add_members(group, [alan.id])
    view = await alan.knows(group)
    assert (view.name, sorted(view.participants)) == ("Go", sorted((ada.id, grace.id, alan.id)))
    await grace.until(lambda: alan.id in grace.inbox[group].view.participants)
    assert [m.content for m in (await alan.api.history(group)).messages] == ["hello all"]

    await ada.api.set_role(group, grace.id, "ADMIN")
    await grace.until(lambda: grace.id in grace.inbox[group].view.admins)
    await grace.api.remove_member(group, alan.id)
    await alan.sees(ConversationGone, conversation_id=group, removed_by=grace.id)
    with pytest.raises(ForbiddenError):
        await alan.api.history(group)
    await ada.chat.send(group, "without Alan")
    await grace.gets(group, "without Alan")
    assert "without Alan" not in alan.texts(group)

    await ada.api.leave_group(group)
    await ada.sees(ConversationGone, conversation_id=group, removed_by=ada.id)
    await grace.until(lambda: grace.inbox[group].view.participants == [grace.id])
    assert (await grace.api.conversation(group)).conversation.admins == [grace.id]


async def test_the_last_admin_hands_over_to_the_longest_standing_member(people: People) -> None:
    ada, grace = await people.pair()
    group = await people.group(ada, grace)
    with pytest.raises(ConflictError):
        await ada.api.set_role(group, ada.id, "MEMBER")
    await ada.api.leave_group(group)
    await grace.until(lambda: grace.inbox[group].view.admins == [grace.id])


async def test_people_are_found_by_the_beginning_of_any_word_of_their_name(people: People) -> None:
    ada = await people.make("Ada", "Lovelace")
    unique = f"Zq{ada.id[:8]}"
    grace = await people.make("Grâce", unique)
    for text in (unique[:6], unique.lower(), f"grace {unique[:5]}"):
        [found] = [user for user in (await ada.api.search_users(text)).users if user.userId == grace.id]
        assert found.fullName == f"Grâce {unique}"
    assert ada.id not in [user.userId for user in (await ada.api.search_users("Ada")).users]
    answer = await ada.api.user(grace.id)
    assert (answer.isOwnProfile, answer.isBlocked) == (False, False)
    with pytest.raises(NotFoundError):
        await ada.api.user("00000000-0000-4000-8000-000000000000")


async def test_a_changed_profile_reaches_the_people_one_talks_with(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await ada.api.update_me(UpdateProfile(firstName="Augusta", major="Mathematics"))
    update = await grace.sees(UserChanged)
    assert (update.user.fullName, update.user.major) == ("Augusta Lovelace", "Mathematics")
    assert grace.inbox[dm].view.name == "Augusta Lovelace"


async def test_a_blocked_user_cannot_tell(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    open_answer = await ada.api.send_message(_text(dm, "before"))
    await grace.gets(dm, "before")
    await grace.api.block(ada.id)
    await grace.until(lambda: ada.id in grace.inbox.blocked)

    blocked_answer = await ada.api.send_message(_text(dm, "while blocked"))
    await ada.gets(dm, "before", "while blocked")
    assert blocked_answer.delivery == open_answer.delivery
    assert set(_shape(blocked_answer)) == set(_shape(open_answer))
    assert not (await ada.api.user(grace.id)).isBlocked
    assert [m.content for m in (await ada.api.history(dm)).messages] == ["while blocked", "before"]
    await ada.api.set_typing(dm, True)
    with pytest.raises(ForbiddenError):
        await grace.api.send_message(_text(dm, "to somebody I blocked"))

    await grace.api.unblock(ada.id)
    await grace.until(lambda: ada.id not in grace.inbox.blocked)
    await ada.chat.send(dm, "after")
    await grace.gets(dm, "before", "after")
    assert [m.content for m in (await grace.api.history(dm)).messages] == ["after", "before"]
    assert not any(isinstance(update, TypingChanged) for update in grace.updates)


def _text(conversation_id: str, content: str) -> SendMessage:
    return SendMessage(conversationId=conversation_id, content=content)


def _shape(answer: object) -> dict[str, object]:
    shape: dict[str, object] = msgspec.to_builtins(answer)
    return shape


async def test_the_same_temp_id_stores_one_message(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    request = SendMessage(conversationId=dm, content="once", tempId="once-1")
    first = await ada.api.send_message(request)
    again = await ada.api.send_message(request)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.messageId == again.messageId
    await ada.chat.send(dm, "next")
    await grace.gets(dm, "once", "next")
    assert [m.seq for m in grace.received(dm)] == [1, 2]
