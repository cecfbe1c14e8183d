"""After lost connections, lost events and killed services, every client has every message once and in order."""

from __future__ import annotations

import asyncio

from local.control.faults import FaultControl
from local.testing import LocalCloud
from tests.harness.e2e.users import SignedInUser, Users


async def history_texts(user: SignedInUser, conversation_id: str) -> list[str | None]:
    page = await user.api.history(conversation_id, limit=100)
    return [message.content for message in reversed(page.messages)]


async def test_messages_sent_during_a_lost_connection_arrive_without_a_gap(users: Users, faults: FaultControl) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    first = await ada.conversation(dm).send("1")
    await grace.receives(dm, "1")
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "close", "times": 1},
        {"match": {"operation": "connect"}, "effect": "error", "status": 500},
    )
    for text in ("2", "3", "4"):
        await ada.conversation(dm).send(text)
    await ada.conversation(dm).edit(first.messageId, "1, edited")
    await ada.conversation(dm).typing()
    assert grace.received_texts(dm) == ["1"]
    await asyncio.to_thread(faults.clear)
    await grace.reconnected()
    await grace.receives(dm, "1", "2", "3", "4")
    assert (await grace.receives_change(first.messageId)).content == "1, edited"
    assert grace.inbox[dm].view.unreadCount == 4
    await grace.conversation(dm).send("5")
    await ada.receives(dm, "1", "2", "3", "4", "5")
    assert [message.seq for message in grace.received(dm)] == [1, 2, 3, 4, 5]


async def test_a_lost_event_is_detected_at_the_next_one_and_read_from_history(
    users: Users, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "drop", "times": 2},
    )
    for text in ("1", "2", "3"):
        await ada.conversation(dm).send(text)
    await grace.receives(dm, "1", "2", "3")


async def test_a_conversation_created_while_offline_appears_with_its_messages(
    users: Users, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    dm = await users.direct(ada, grace)
    await asyncio.to_thread(
        faults.set_events,
        {"match": {"operation": "deliver", "channel": f"/chats/{grace.id}"}, "effect": "close", "times": 1},
        {"match": {"operation": "connect"}, "effect": "error", "status": 500},
    )
    await ada.conversation(dm).send("closes the connection")
    group = await users.group(ada, alan, name="While you were out")
    await ada.api.add_members(group, [grace.id])
    await ada.conversation(group).send("welcome")
    await asyncio.to_thread(faults.clear)
    await grace.receives(group, "welcome")
    await grace.receives(dm, "closes the connection")
    assert grace.inbox[group].view.name == "While you were out"


async def test_killing_the_whole_cloud_loses_no_message_and_stores_none_twice(users: Users, cloud: LocalCloud) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    texts = [f"message {number}" for number in range(1, 16)]
    accepted: list[str] = []
    five_accepted = asyncio.Event()

    async def send_all() -> None:
        for text in texts:
            await ada.conversation(dm).send(text)
            accepted.append(text)
            if len(accepted) == 5:
                five_accepted.set()

    sending = asyncio.create_task(send_all())
    await five_accepted.wait()
    await asyncio.to_thread(cloud.kill9)
    before = list(accepted)
    await asyncio.to_thread(cloud.restart)
    assert (await history_texts(grace, dm))[: len(before)] == before
    await sending
    await grace.reconnected()
    await grace.receives(dm, *texts)
    await ada.receives(dm, *texts)
    assert grace.received_texts(dm) == texts
    assert ada.received_texts(dm) == texts
    assert await history_texts(grace, dm) == texts
    again = await users.online(grace.account)
    assert await history_texts(again, dm) == texts


async def test_every_client_reconnects_after_a_restart_of_the_event_api(users: Users, cloud: LocalCloud) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await ada.conversation(dm).send("before")
    await asyncio.to_thread(cloud.kill9, "events")
    await ada.conversation(dm).send("while it is down")
    await asyncio.to_thread(cloud.restart, "events")
    await grace.receives(dm, "before", "while it is down")
    await grace.conversation(dm).send("after")
    await ada.receives(dm, "before", "while it is down", "after")
