"""Lost sockets, lost events and a killed cloud: everybody ends with everything, once and in order."""

from __future__ import annotations

import asyncio

from local.control.faults import FaultControl
from local.testing import LocalCloud
from tests.e2e.place import People, Person


async def history_texts(person: Person, conversation_id: str) -> list[str | None]:
    page = await person.api.history(conversation_id, limit=100)
    return [message.content for message in reversed(page.messages)]


async def test_a_lost_socket_is_recovered_without_a_gap(people: People, faults: FaultControl) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    first = await ada.chat.send(dm, "1")
    await grace.gets(dm, "1")
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "close", "times": 1},
        {"match": {"operation": "connect"}, "effect": "error", "status": 500},
    )
    for text in ("2", "3", "4"):
        await ada.chat.send(dm, text)
    await ada.chat.edit(dm, first.messageId, "1, edited")
    await ada.chat.typing(dm)
    assert grace.texts(dm) == ["1"]
    await asyncio.to_thread(faults.clear)
    await grace.reconnected()
    await grace.gets(dm, "1", "2", "3", "4")
    assert (await grace.sees_changed(first.messageId)).content == "1, edited"
    assert grace.inbox[dm].view.unreadCount == 4
    await grace.chat.send(dm, "5")
    await ada.gets(dm, "1", "2", "3", "4", "5")
    assert [message.seq for message in grace.received(dm)] == [1, 2, 3, 4, 5]


async def test_an_event_that_never_came_is_noticed_at_the_next_one_and_fetched(
    people: People, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "drop", "times": 2},
    )
    for text in ("1", "2", "3"):
        await ada.chat.send(dm, text)
    await grace.gets(dm, "1", "2", "3")


async def test_a_conversation_begun_while_offline_appears_with_its_messages(
    people: People, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    alan = await people.make("Alan", "Turing")
    dm = await people.direct(ada, grace)
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "close", "times": 1},
        {"match": {"operation": "connect"}, "effect": "error", "status": 500},
    )
    await ada.chat.send(dm, "cuts the line")
    group = await people.group(ada, alan, name="While you were out")
    await ada.api.add_members(group, [grace.id])
    await ada.chat.send(group, "welcome")
    await asyncio.to_thread(faults.clear)
    await grace.gets(group, "welcome")
    await grace.gets(dm, "cuts the line")
    assert grace.inbox[group].view.name == "While you were out"


async def test_killing_the_whole_cloud_while_messages_are_sent_loses_and_doubles_nothing(
    people: People, cloud: LocalCloud
) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    texts = [f"message {number}" for number in range(1, 16)]
    acknowledged: list[str] = []
    some = asyncio.Event()

    async def send_all() -> None:
        for text in texts:
            await ada.chat.send(dm, text)
            acknowledged.append(text)
            if len(acknowledged) == 5:
                some.set()

    sending = asyncio.create_task(send_all())
    await some.wait()
    await asyncio.to_thread(cloud.kill9)
    before = list(acknowledged)
    await asyncio.to_thread(cloud.restart)
    assert (await history_texts(grace, dm))[: len(before)] == before
    await sending
    await grace.reconnected()
    await grace.gets(dm, *texts)
    await ada.gets(dm, *texts)
    assert grace.texts(dm) == texts
    assert ada.texts(dm) == texts
    assert await history_texts(grace, dm) == texts
    again = await people.online(grace.account)
    assert await history_texts(again, dm) == texts


async def test_a_restart_of_the_event_api_alone_brings_every_socket_back(people: People, cloud: LocalCloud) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await ada.chat.send(dm, "before")
    await asyncio.to_thread(cloud.kill9, "events")
    await ada.chat.send(dm, "while it is down")
    await asyncio.to_thread(cloud.restart, "events")
    await grace.gets(dm, "before", "while it is down")
    await grace.chat.send(dm, "after")
    await ada.gets(dm, "before", "while it is down", "after")
