"""What happens seldom: paths that the other tests pass by, each of which needs rights of its own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from client.api.http_api import Api
from client.state.updates import BlockChanged, UserChanged
from contract import tables
from contract.requests import UpdateProfile
from local.control.faults import FaultControl
from local.testing import LocalCloud
from tests.e2e.place import People

ENVIRONMENT = "local"
LONG_AGO = "2020-01-01T00:00:00.000Z"
QUEUE_TAKES_OVER = {"effect": "error", "status": 500, "times": 3}


def unpublished(*channels: str) -> list[dict[str, Any]]:
    """Fault rules under which the sender cannot publish to these channels, and the queue can."""
    match = {"operation": "publish", "transport": "http"}
    return [{"match": {**match, "channel": channel}, **QUEUE_TAKES_OVER} for channel in channels]


async def test_a_hidden_conversation_comes_back_empty_when_the_block_ends_though_publishing_fails(
    people: People, faults: FaultControl
) -> None:
    ada, grace = await people.pair()
    await ada.api.block(grace.id)
    await ada.sees(BlockChanged, user_id=grace.id, blocked=True)
    dm = (await grace.api.open_direct(ada.id)).conversation
    grace.chat.take(dm)
    await grace.chat.send(dm.conversationId, "unseen")
    assert (await ada.api.conversations()).conversations == []
    await asyncio.to_thread(faults.set_events, *unpublished(f"/users/{ada.id}"))
    await ada.api.unblock(grace.id)
    await ada.sees(BlockChanged, user_id=grace.id, blocked=False)
    await ada.knows(dm.conversationId)
    await grace.chat.send(dm.conversationId, "seen")
    await ada.gets(dm.conversationId, "seen")
    (listed,) = (await ada.api.conversations()).conversations
    assert listed.lastMessage is not None
    assert (listed.lastMessage.preview, listed.unreadCount) == ("seen", 1)
    assert all(rule["hits"] > 0 for rule in (await asyncio.to_thread(faults.events))["rules"])


async def test_a_group_reaches_the_member_whose_publish_failed(people: People, faults: FaultControl) -> None:
    ada, grace = await people.pair()
    alan = await people.make("Alan", "Turing")
    await asyncio.to_thread(faults.set_events, *unpublished(f"/chats/{alan.id}"))
    group = await people.group(ada, grace, alan)
    assert (await alan.knows(group)).name == "Study group"


async def test_a_changed_name_reaches_the_contact_whose_publish_failed(people: People, faults: FaultControl) -> None:
    ada, grace = await people.pair()
    await people.direct(ada, grace)
    await asyncio.to_thread(faults.set_events, *unpublished(f"/users/{grace.id}"))
    changed = (await ada.api.update_me(UpdateProfile(firstName="Augusta"))).user
    seen = await grace.until(lambda: next((u.user for u in grace.updates if isinstance(u, UserChanged)), None))
    assert (seen.userId, seen.firstName) == (ada.id, changed.firstName) == (ada.id, "Augusta")


async def test_an_event_that_sender_and_relay_left_behind_is_found_by_the_sweep(
    people: People, faults: FaultControl, cloud: LocalCloud
) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    dead = {"service": "dynamodb", "operation": "TransactWriteItems", "function": "*messages*", "effect": "kill"}
    mute = {"service": "dynamodb", "operation": "GetItem", "function": "*relay*", "effect": "error", "status": 500}
    await asyncio.to_thread(faults.set_aws, {**dead, "when": "after", "times": 1}, mute)
    sending = asyncio.create_task(ada.chat.send(dm, "forgotten"))
    event_id = await forgotten_event(cloud)
    # A minute later, as far as the sweep can tell.
    change = {"UpdateExpression": "SET dueAt = :then", "ExpressionAttributeValues": {":then": {"S": LONG_AGO}}}
    outbox = tables.OUTBOX.name(ENVIRONMENT)
    dynamodb, functions = cloud.aws("dynamodb"), cloud.aws("lambda")
    await asyncio.to_thread(dynamodb.update_item, TableName=outbox, Key={"eventId": {"S": event_id}}, **change)
    swept = await asyncio.to_thread(functions.invoke, FunctionName=f"PantherKolab-sweep-{ENVIRONMENT}", Payload=b"{}")
    assert json.loads(swept["Payload"].read())["offered"] >= 1
    await grace.gets(dm, "forgotten")
    await asyncio.to_thread(faults.clear)
    await sending


async def forgotten_event(cloud: LocalCloud) -> str:
    """Wait for the record that a dying sender left in the outbox."""
    dynamodb, outbox = cloud.aws("dynamodb"), tables.OUTBOX.name(ENVIRONMENT)
    async with asyncio.timeout(20):
        while True:
            items = (await asyncio.to_thread(dynamodb.scan, TableName=outbox, ConsistentRead=True))["Items"]
            for item in items:
                if "forgotten" in json.dumps(item):
                    return str(item["eventId"]["S"])
            await asyncio.sleep(0.05)


async def test_a_user_without_a_profile_gets_one_at_first_use(people: People, cloud: LocalCloud) -> None:
    session = await people.session(account := await people.account("Ada", "Lovelace"))
    dynamodb = cloud.aws("dynamodb")
    key = {"userId": {"S": account.user_id}}
    await asyncio.to_thread(dynamodb.delete_item, TableName=tables.USERS.name(ENVIRONMENT), Key=key)
    me = (await Api(people.place.target, session, people.http).me()).user
    assert (me.userId, me.email) == (account.user_id, account.email)
