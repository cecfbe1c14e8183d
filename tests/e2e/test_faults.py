"""With a fault at each step of a send, the message is stored once and reported once to each application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client.state.updates import MessageAdded
from local.control.faults import FaultControl
from tests.harness.e2e.users import SignedInUser, Users

MESSAGES = "*messages*"
DELIVER = "*deliver*"
RELAY = "*relay*"


async def assert_delivered_once(
    sender: SignedInUser, receiver: SignedInUser, conversation_id: str, text: str, following: int = 2
) -> None:
    """Send a message under a fault and one after it; both are stored and reported once, in order, on both sides.

    Args:
        following: sequence number of the message after the fault.
    """
    await sender.conversation(conversation_id).send(text)
    await receiver.receives(conversation_id, text)
    await sender.conversation(conversation_id).send("after the fault")
    for user in (sender, receiver):
        await user.receives(conversation_id, text, "after the fault")
        shown = [u.message.seq for u in user.updates if isinstance(u, MessageAdded)]
        assert shown == [1, following]
    page = await receiver.api.history(conversation_id)
    assert [(message.seq, message.content) for message in page.messages] == [(following, "after the fault"), (1, text)]


PUBLISH_FAULTS: dict[str, dict[str, Any]] = {
    "fails once": {"effect": "error", "status": 500, "times": 1},
    "fails until the queue takes over": {"effect": "error", "status": 500, "times": 3},
    "is throttled": {"effect": "throttle", "times": 3},
    "loses its connection before it takes effect": {"effect": "drop", "times": 2},
    "loses its connection after it took effect": {"effect": "drop", "when": "after", "times": 2},
    "responds too late": {"effect": "delay", "delayMs": 4000, "times": 2},
    "refuses the credentials": {"effect": "error", "status": 401, "errorType": "UnauthorizedException", "times": 2},
}


async def test_no_failure_of_publishing_loses_or_repeats_a_message(users: Users, faults: FaultControl) -> None:
    senders = {what: await users.create("Ada", "Lovelace") for what in PUBLISH_FAULTS}
    grace = await users.create("Grace", "Hopper")
    receivers = {what: await users.create("Alan", "Turing") for what in PUBLISH_FAULTS}
    conversations = {what: await users.direct(senders[what], receivers[what]) for what in PUBLISH_FAULTS}
    rules = []
    for what, rule in PUBLISH_FAULTS.items():
        for user in (senders[what], receivers[what]):
            match = {"operation": "publish", "transport": "http", "channel": f"/chats/{user.id}"}
            rules.append({"match": match, **rule})
    await asyncio.to_thread(faults.set_events, *rules)
    await asyncio.gather(
        *(assert_delivered_once(senders[what], receivers[what], conversations[what], what) for what in PUBLISH_FAULTS)
    )
    assert not grace.inbox.conversations()
    applied = await asyncio.to_thread(faults.events)
    assert all(rule["hits"] > 0 for rule in _rules(applied)), applied


def _rules(answer: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = answer["rules"] if isinstance(answer, dict) else answer
    return listed


CALL_FAULTS: dict[str, list[dict[str, Any]]] = {
    "the transaction fails": [
        {"service": "dynamodb", "operation": "TransactWriteItems", "function": MESSAGES, "effect": "error", "times": 2}
    ],
    "the transaction takes effect and its response is lost": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "function": MESSAGES,
            "effect": "error",
            "when": "after",
            "times": 2,
        }
    ],
    "the transaction is throttled": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "function": MESSAGES,
            "effect": "throttle",
            "times": 2,
        }
    ],
    "the conversation cannot be read": [
        {"service": "dynamodb", "operation": "GetItem", "function": MESSAGES, "effect": "error", "times": 2}
    ],
    "the function dies before the transaction": [
        {"service": "dynamodb", "operation": "TransactWriteItems", "function": MESSAGES, "effect": "kill", "times": 1}
    ],
    "the function dies after the transaction": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "function": MESSAGES,
            "effect": "kill",
            "when": "after",
            "times": 1,
        }
    ],
    "the event cannot be deleted from the outbox": [
        {"service": "dynamodb", "operation": "DeleteItem", "function": MESSAGES, "effect": "error", "times": 5}
    ],
    "the function dies while it deletes the event from the outbox": [
        {"service": "dynamodb", "operation": "DeleteItem", "function": MESSAGES, "effect": "kill", "times": 1}
    ],
    "the relay dies": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "function": MESSAGES,
            "effect": "kill",
            "when": "after",
            "times": 1,
        },
        {"service": "dynamodb", "operation": "GetItem", "function": RELAY, "effect": "kill", "times": 1},
    ],
}


IN_GROUPS = {
    "the event cannot be deleted from the outbox": 2,
    "the function dies while it deletes the event from the outbox": 3,
}
"""Faults that only a group's message meets, with the sequence number of the following message.

A direct message's record is not deleted: it stays, without the event, as the record of the tempId. The client of a
killed request repeats it; the repeat has reserved a number of the group before it finds the first result, and leaves a
placeholder there.
"""


@pytest.mark.parametrize("what", CALL_FAULTS)
async def test_a_message_is_delivered_once_although(what: str, users: Users, faults: FaultControl) -> None:
    ada, grace = await users.pair()
    conversation = await (users.group(ada, grace) if what in IN_GROUPS else users.direct(ada, grace))
    await asyncio.to_thread(faults.set_aws, *CALL_FAULTS[what])
    await assert_delivered_once(ada, grace, conversation, what, following=IN_GROUPS.get(what, 2))
    applied = await asyncio.to_thread(faults.aws)
    assert all(rule["hits"] > 0 for rule in applied), applied


async def test_a_delivery_task_that_fails_is_retried(users: Users, faults: FaultControl) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    await asyncio.to_thread(
        faults.set_events,
        {
            "match": {"operation": "publish", "transport": "http", "channel": f"/chats/{grace.id}"},
            "effect": "error",
            "status": 500,
            "times": 2,
        },
    )
    await asyncio.to_thread(
        faults.set_aws,
        {"service": "dynamodb", "operation": "GetItem", "function": DELIVER, "effect": "error", "times": 1},
    )
    message = await ada.conversation(dm).send("survives")
    assert message.seq == 1
    await asyncio.to_thread(faults.clear)
    await grace.receives(dm, "survives")
