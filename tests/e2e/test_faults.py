"""A send survives a fault at every step: 200 or a clear refusal, stored once, delivered once to the application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client.state.updates import MessageAdded
from local.control.faults import FaultControl
from tests.e2e.place import People, Person

MESSAGES = "*messages*"
DELIVER = "*deliver*"
RELAY = "*relay*"


async def ends_well(sender: Person, receiver: Person, conversation_id: str, text: str) -> None:
    """A message sent under a fault, and one after it, are stored and shown once each, in order, on both sides."""
    await sender.chat.send(conversation_id, text)
    await receiver.gets(conversation_id, text)
    await sender.chat.send(conversation_id, "afterwards")
    for person in (sender, receiver):
        await person.gets(conversation_id, text, "afterwards")
        shown = [u.message.seq for u in person.updates if isinstance(u, MessageAdded)]
        assert shown == [1, 2]
    page = await receiver.api.history(conversation_id)
    assert [(message.seq, message.content) for message in page.messages] == [(2, "afterwards"), (1, text)]


PUBLISH_FAULTS: dict[str, dict[str, Any]] = {
    "fails once": {"effect": "error", "status": 500, "times": 1},
    "fails until the queue takes over": {"effect": "error", "status": 500, "times": 3},
    "is throttled": {"effect": "throttle", "times": 3},
    "is cut before it took effect": {"effect": "drop", "times": 2},
    "is cut after it took effect": {"effect": "drop", "when": "after", "times": 2},
    "answers too late": {"effect": "delay", "delayMs": 4000, "times": 2},
    "refuses the credentials": {"effect": "error", "status": 401, "errorType": "UnauthorizedException", "times": 2},
}


async def test_a_publisher_that_fails_in_any_way_loses_and_doubles_nothing(
    people: People, faults: FaultControl
) -> None:
    senders = {what: await people.make("Ada", "Lovelace") for what in PUBLISH_FAULTS}
    grace = await people.make("Grace", "Hopper")
    receivers = {what: await people.make("Alan", "Turing") for what in PUBLISH_FAULTS}
    conversations = {what: await people.direct(senders[what], receivers[what]) for what in PUBLISH_FAULTS}
    rules = []
    for what, rule in PUBLISH_FAULTS.items():
        for person in (senders[what], receivers[what]):
            match = {"operation": "publish", "transport": "http", "channel": f"/chats/{person.id}"}
            rules.append({"match": match, **rule})
    await asyncio.to_thread(faults.set_events, *rules)
    await asyncio.gather(
        *(ends_well(senders[what], receivers[what], conversations[what], what) for what in PUBLISH_FAULTS)
    )
    assert not grace.inbox.conversations()
    struck = await asyncio.to_thread(faults.events)
    assert all(rule["hits"] > 0 for rule in _rules(struck)), struck


def _rules(answer: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = answer["rules"] if isinstance(answer, dict) else answer
    return listed


CALL_FAULTS: dict[str, list[dict[str, Any]]] = {
    "the transaction fails": [
        {"service": "dynamodb", "operation": "TransactWriteItems", "function": MESSAGES, "effect": "error", "times": 2}
    ],
    "the transaction takes effect and its answer is lost": [
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
    "the event cannot be removed from the outbox": [
        {"service": "dynamodb", "operation": "DeleteItem", "function": MESSAGES, "effect": "error", "times": 5}
    ],
    "the function dies when the event is removed from the outbox": [
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


@pytest.mark.parametrize("what", CALL_FAULTS)
async def test_a_send_survives_when(what: str, people: People, faults: FaultControl) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    await asyncio.to_thread(faults.set_aws, *CALL_FAULTS[what])
    await ends_well(ada, grace, dm, what)
    struck = await asyncio.to_thread(faults.aws)
    assert all(rule["hits"] > 0 for rule in struck), struck


async def test_a_delivery_that_dies_in_the_queue_is_taken_up_again(people: People, faults: FaultControl) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
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
    answer = await ada.chat.send(dm, "survives")
    assert answer.seq == 1
    await asyncio.to_thread(faults.clear)
    await grace.gets(dm, "survives")
