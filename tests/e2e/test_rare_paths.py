"""Rare paths that the other tests do not run; each needs permissions of its own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from client.api.http_api import HttpApi
from client.state.updates import BlockChanged, ReadMarkMoved, UserChanged
from contract import tables
from handlers.adapters.appsync.publisher import ATTEMPTS
from local.control.faults import FaultControl
from local.emulator.strict.rules.dynamodb import LAG_MOST_MILLISECONDS
from local.testing import LocalCloud
from tests.harness.e2e.users import Users

ENVIRONMENT = "local"
LONG_AGO = "2020-01-01T00:00:00.000Z"
FAILS_UNTIL_QUEUED = {"effect": "error", "status": 500, "times": 3}
FAILS_UNTIL_REDELIVERED = 2 * ATTEMPTS
"""Failures of a publish until the queue delivers its task for the second time."""


def publish_faults(*channels: str) -> list[dict[str, Any]]:
    """Return fault rules: the request's own publish to these channels fails, that of the delivery queue succeeds."""
    match = {"operation": "publish", "transport": "http"}
    return [{"match": {**match, "channel": channel}, **FAILS_UNTIL_QUEUED} for channel in channels]


async def test_a_hidden_conversation_reappears_empty_after_an_unblock_whose_publish_failed(
    users: Users, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    await ada.api.block(grace.id)
    await ada.receives_update(BlockChanged, user_id=grace.id, blocked=True)
    dm = await grace.chat.open_direct(ada.id)
    await dm.send("unseen")
    assert (await ada.api.conversations()).conversations == []
    await asyncio.to_thread(faults.set_events, *publish_faults(f"/users/{ada.id}"))
    await ada.api.unblock(grace.id)
    await ada.receives_update(BlockChanged, user_id=grace.id, blocked=False)
    await ada.has_conversation(dm.id)
    await dm.send("seen")
    await ada.receives(dm.id, "seen")
    (listed,) = (await ada.api.conversations()).conversations
    assert listed.lastMessage is not None
    assert (listed.lastMessage.preview, listed.unreadCount) == ("seen", 1)
    assert all(rule["hits"] > 0 for rule in (await asyncio.to_thread(faults.events))["rules"])


async def test_a_group_reaches_a_member_to_whom_publishing_failed(users: Users, faults: FaultControl) -> None:
    """The first delivery of the queue fails too: its message returns after seconds."""
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    (rule,) = publish_faults(f"/chats/{alan.id}")
    await asyncio.to_thread(faults.set_events, {**rule, "times": FAILS_UNTIL_REDELIVERED})
    group = await users.group(ada, grace, alan)
    assert (await alan.has_conversation(group)).name == "Study group"


async def test_read_marks_of_a_group_reach_a_sender_to_whom_publishing_failed(
    users: Users, faults: FaultControl
) -> None:
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    group = await users.group(ada, grace, alan)
    await grace.has_conversation(group)
    await ada.conversation(group).send("hello")
    await grace.receives(group, "hello")
    (rule,) = publish_faults(f"/chats/{ada.id}")
    await asyncio.to_thread(faults.set_events, {**rule, "times": ATTEMPTS})
    await grace.conversation(group).mark_read()
    await ada.receives_update(ReadMarkMoved, conversation_id=group, user_id=grace.id, seq=1)


async def test_a_changed_name_reaches_a_contact_to_whom_publishing_failed(users: Users, faults: FaultControl) -> None:
    ada, grace = await users.pair()
    await users.direct(ada, grace)
    await asyncio.to_thread(faults.set_events, *publish_faults(f"/users/{grace.id}"))
    changed = (await ada.api.update_me(first_name="Augusta")).user
    seen = await grace.until(lambda: next((u.user for u in grace.updates if isinstance(u, UserChanged)), None))
    assert (seen.userId, seen.firstName) == (ada.id, changed.firstName) == (ada.id, "Augusta")


async def test_the_sweep_publishes_an_event_that_sender_and_relay_did_not(
    users: Users, faults: FaultControl, cloud: LocalCloud
) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    killed = {"service": "dynamodb", "operation": "TransactWriteItems", "function": "*messages*", "effect": "kill"}
    failing = {"service": "dynamodb", "operation": "GetItem", "function": "*relay*", "effect": "error", "status": 500}
    await asyncio.to_thread(faults.set_aws, {**killed, "when": "after", "times": 1}, failing)
    sending = asyncio.create_task(ada.conversation(dm).send("unpublished"))
    event_id = await unpublished_event(cloud)
    # Makes the record old enough for the sweep.
    change = {"UpdateExpression": "SET dueAt = :then", "ExpressionAttributeValues": {":then": {"S": LONG_AGO}}}
    outbox = tables.OUTBOX.name(ENVIRONMENT)
    dynamodb, functions = cloud.aws("dynamodb"), cloud.aws("lambda")
    await asyncio.to_thread(dynamodb.update_item, TableName=outbox, Key={"eventId": {"S": event_id}}, **change)
    await asyncio.sleep(2 * LAG_MOST_MILLISECONDS / 1000)  # the index of due events, which the sweep reads, lags
    swept = await asyncio.to_thread(functions.invoke, FunctionName=f"PantherKolab-sweep-{ENVIRONMENT}", Payload=b"{}")
    assert json.loads(swept["Payload"].read())["offered"] >= 1
    await grace.receives(dm, "unpublished")
    await asyncio.to_thread(faults.clear)
    await sending


async def unpublished_event(cloud: LocalCloud) -> str:
    """Wait for the record that the killed sender left in the outbox, and return its id."""
    dynamodb, outbox = cloud.aws("dynamodb"), tables.OUTBOX.name(ENVIRONMENT)
    async with asyncio.timeout(20):
        while True:
            items = (await asyncio.to_thread(dynamodb.scan, TableName=outbox, ConsistentRead=True))["Items"]
            for item in items:
                if "unpublished" in json.dumps(item):
                    return str(item["eventId"]["S"])
            await asyncio.sleep(0.05)


async def test_a_participant_without_a_stored_member_gets_one_with_a_read_mark(users: Users, cloud: LocalCloud) -> None:
    """Conversations of the old application have no members' items."""
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await ada.conversation(dm).send("hello")
    key = {"userId": {"S": grace.id}, "conversationId": {"S": dm}}
    members = tables.CONVERSATION_MEMBERS.name(ENVIRONMENT)
    dynamodb = cloud.aws("dynamodb")
    await asyncio.to_thread(dynamodb.delete_item, TableName=members, Key=key)
    assert (await grace.api.mark_read(dm, seq=1)).lastReadSeq == 1
    stored = await asyncio.to_thread(dynamodb.get_item, TableName=members, Key=key, ConsistentRead=True)
    assert stored["Item"]["lastReadSeq"] == {"N": "1"}


async def test_a_user_without_a_profile_gets_one_with_the_first_request(users: Users, cloud: LocalCloud) -> None:
    session = await users.session(account := await users.account("Ada", "Lovelace"))
    dynamodb = cloud.aws("dynamodb")
    key = {"userId": {"S": account.user_id}}
    await asyncio.to_thread(dynamodb.delete_item, TableName=tables.USERS.name(ENVIRONMENT), Key=key)
    me = (await HttpApi(users.environment.target, session, users.http).me()).user
    assert (me.userId, me.email) == (account.user_id, account.email)


async def test_a_large_group_without_memberships_gets_its_messages(users: Users, cloud: LocalCloud) -> None:
    """The sender's membership is missing, as in a group of the old application; another's read mark is far ahead."""
    ada, grace = await users.pair()
    alan = await users.create("Alan", "Turing")
    group = await users.group(ada, grace, alan)
    await grace.has_conversation(group)
    dynamodb = cloud.aws("dynamodb")
    more = {":more": {"L": [{"S": f"absent-{number}"} for number in range(60)]}, ":one": {"N": "1"}}
    await asyncio.to_thread(
        dynamodb.update_item,
        TableName=tables.CONVERSATIONS.name(ENVIRONMENT),
        Key={"conversationId": {"S": group}},
        UpdateExpression="SET participants = list_append(participants, :more), version = version + :one",
        ExpressionAttributeValues=more,
    )
    members = tables.CONVERSATION_MEMBERS.name(ENVIRONMENT)
    key = {"userId": {"S": ada.id}, "conversationId": {"S": group}}
    await asyncio.to_thread(dynamodb.delete_item, TableName=members, Key=key)
    await ada.conversation(group).send("to many")
    await grace.receives(group, "to many")
    await asyncio.to_thread(
        dynamodb.update_item,
        TableName=members,
        Key={"userId": {"S": grace.id}, "conversationId": {"S": group}},
        UpdateExpression="SET lastReadSeq = :far",
        ExpressionAttributeValues={":far": {"N": "999"}},
    )
    await grace.conversation(group).send("read ahead")
    await ada.receives(group, "read ahead")


async def test_a_participant_without_a_stored_member_initiates_a_group_call(users: Users, cloud: LocalCloud) -> None:
    """The conversation shows that the caller is in the group, as in groups of the old application."""
    ada, grace = await users.pair()
    group = await users.group(ada, grace)
    key = {"userId": {"S": ada.id}, "conversationId": {"S": group}}
    members = tables.CONVERSATION_MEMBERS.name(ENVIRONMENT)
    await asyncio.to_thread(cloud.aws("dynamodb").delete_item, TableName=members, Key=key)
    call = await ada.api.initiate_call(conversation_id=group, media_type="AUDIO")
    assert (await ada.api.cancel_call(call.sessionId)).call.status == "CANCELLED"
