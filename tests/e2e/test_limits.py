"""Limits that hold exactly, and crowds: a group above the fan-out limit, fifty users at once."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

import aiohttp
import pytest

from client.api.http_api import Api
from client.errors import TooManyRequestsError
from contract.limits import MEMBERS_PER_REQUEST, SEARCH_RATE, SEND_RATE, TYPING_RATE
from contract.requests import CreateGroup, SendMessage
from local.testing import LocalCloud
from tests.e2e.place import Account, People, Person, Place, enrol

USERS = 50
MESSAGES_EACH = 3
SENDERS_AT_ONCE = 6
"""Each concurrent request is one more process of a function on a local cloud."""


@pytest.fixture(scope="module")
def crowd(session_place: Place) -> Iterator[list[Account]]:
    """More users than one request publishes to, and as many as the light load has.

    Only tests that have the local cloud to themselves use it: sixty users at once are no way to treat another's pool.
    """

    async def gather() -> list[Account]:
        async with aiohttp.ClientSession() as http:
            return [await enrol(session_place, http, "Member", f"Number{number}") for number in range(USERS + 10)]

    accounts = asyncio.run(gather())
    yield accounts
    for account in accounts:
        session_place.forget(account.email)


def impatient(person: Person, people: People) -> Api:
    """Return the API for a person who takes every refusal for final."""
    return Api(people.place.target, person.session, people.http, patience_seconds=0.0)


async def test_exactly_the_allowed_number_of_messages_is_accepted_in_a_window(people: People) -> None:
    ada, grace = await people.pair()
    api = impatient(ada, people)
    groups = [await people.group(ada, grace, name=f"group {number}") for number in range(4)]
    refused: list[TooManyRequestsError] = []
    accepted: list[int] = []

    async def send(group: str) -> None:
        while not refused and len(accepted) < 4 * SEND_RATE.count:
            try:
                answer = await api.send_message(SendMessage(conversationId=group, content="x"))
            except TooManyRequestsError as error:
                refused.append(error)
            else:
                stored = datetime.fromisoformat(answer.message.timestamp).timestamp()
                accepted.append(SEND_RATE.window(stored))

    await asyncio.gather(*(send(group) for group in groups))
    assert refused
    assert all(1 <= error.retry_after <= SEND_RATE.seconds for error in refused)
    assert max(Counter(accepted).values()) == SEND_RATE.count
    stored = 0
    for group in groups:
        stored += (await ada.api.history(group, limit=1)).latestSeq
    assert stored == len(accepted)


async def until_refused(act: Callable[[], Awaitable[object]], most: int) -> tuple[int, TooManyRequestsError]:
    for passed in range(most + 1):
        try:
            await act()
        except TooManyRequestsError as refusal:
            return passed, refusal
    raise AssertionError(f"{most + 1} calls in a row were accepted")


async def test_typing_and_searching_have_limits_of_their_own(people: People) -> None:
    ada, grace = await people.pair()
    api = impatient(ada, people)
    dm = await people.direct(ada, grace)
    for rate, act in (
        (TYPING_RATE, lambda: api.set_typing(dm, True)),
        (SEARCH_RATE, lambda: api.search_users("Gra")),
    ):
        passed, refusal = await until_refused(act, 3 * rate.count)
        assert passed >= rate.count
        assert 1 <= refusal.retry_after <= rate.seconds
    await ada.chat.send(dm, "sending goes on")
    await grace.gets(dm, "sending goes on")


async def test_a_client_waits_out_a_limit_and_then_goes_on(people: People) -> None:
    ada, grace = await people.pair()
    dm = await people.direct(ada, grace)
    texts = [str(number) for number in range(SEND_RATE.count + 5)]
    for text in texts:
        await ada.chat.send(dm, text)
    await grace.gets(dm, *texts)


async def test_a_group_above_the_fan_out_limit_is_served_by_the_queue(
    people: People, cloud: LocalCloud, crowd: list[Account]
) -> None:
    ada, grace = await people.pair()
    members = [grace.id, *(account.user_id for account in crowd)]
    first, rest = members[:MEMBERS_PER_REQUEST], members[MEMBERS_PER_REQUEST:]
    request = CreateGroup(name="Everybody", memberIds=first, tempId=uuid.uuid4().hex)
    group = (await ada.api.create_group(request)).conversation.conversationId
    if rest:
        await ada.api.add_members(group, rest)
    late = await people.online(crowd[0])
    for person in (ada, grace, late):
        await person.knows(group)
    answer = await ada.api.send_message(SendMessage(conversationId=group, content="to everybody"))
    assert (answer.delivery.delivered, answer.delivery.pending) == (0, len(members) + 1)
    for person in (ada, grace, late):
        await person.gets(group, "to everybody")
    await late.chat.send(group, "from the crowd")
    for person in (ada, grace, late):
        await person.gets(group, "to everybody", "from the crowd")
        assert [message.seq for message in person.received(group)] == [1, 2]


async def test_fifty_users_talk_at_once_and_nothing_is_lost_or_doubled(
    people: People, cloud: LocalCloud, crowd: list[Account]
) -> None:
    everybody: list[Person] = []
    for account in crowd[:USERS]:
        everybody.append(await people.online(account))
    pairs = list(zip(everybody[::2], everybody[1::2], strict=True))
    conversations = [await people.direct(first, second) for first, second in pairs]
    turns = asyncio.Semaphore(SENDERS_AT_ONCE)

    async def talk(person: Person, conversation: str) -> None:
        for number in range(MESSAGES_EACH):
            async with turns:
                await person.chat.send(conversation, f"{person.id} {number}")

    await asyncio.gather(*(talk(person, id) for pair, id in zip(pairs, conversations, strict=True) for person in pair))
    total = 2 * MESSAGES_EACH
    for pair, conversation in zip(pairs, conversations, strict=True):
        for person in pair:
            await person.until(lambda p=person, c=conversation: len(p.received(c)) >= total)
        seen = [[message.messageId for message in person.received(conversation)] for person in pair]
        assert seen[0] == seen[1]
        assert len(set(seen[0])) == len(seen[0]) == total
        for person in pair:
            mine = [text for text in person.texts(conversation) if text and text.startswith(person.id)]
            assert mine == [f"{person.id} {number}" for number in range(MESSAGES_EACH)]
