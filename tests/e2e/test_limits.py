"""Rate limits, a group above the fan-out limit, and 50 users who send at once."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

import aiohttp
import pytest

from client.api.http_api import HttpApi
from client.errors import TooManyRequestsError
from contract.limits import MEMBERS_PER_REQUEST, SEARCH_RATE, SEND_RATE, TYPING_RATE
from local.testing import LocalCloud
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.users import Account, SignedInUser, Users, create_account

USERS = 50
MESSAGES_EACH = 3
CONCURRENT_SENDERS = 6
"""On a local cloud, each concurrent request is one more process of a function."""


@pytest.fixture(scope="module")
def many_accounts(session_environment: TestEnvironment) -> Iterator[list[Account]]:
    """More accounts than one request publishes to, and as many as the load test has.

    Used only with the fixture `cloud`, on a local cloud: a deployed user pool should not get 60 users for a test.
    """

    async def create() -> list[Account]:
        async with aiohttp.ClientSession() as http:
            return [
                await create_account(session_environment, http, "Member", f"Number{number}")
                for number in range(USERS + 10)
            ]

    accounts = asyncio.run(create())
    yield accounts
    for account in accounts:
        session_environment.delete_user(account.email)


def api_without_retries(user: SignedInUser, users: Users) -> HttpApi:
    """Return the HTTP API as a user, without retries."""
    return HttpApi(users.environment.target, user.session, users.http, retry_seconds=0.0)


async def test_exactly_the_allowed_number_of_messages_is_accepted_in_a_window(users: Users) -> None:
    ada, grace = await users.pair()
    api = api_without_retries(ada, users)
    groups = [await users.group(ada, grace, name=f"group {number}") for number in range(4)]
    refused: list[TooManyRequestsError] = []
    accepted: list[int] = []

    async def send(group: str) -> None:
        while not refused and len(accepted) < 4 * SEND_RATE.count:
            try:
                sent = await api.send_message(group, "x")
            except TooManyRequestsError as error:
                refused.append(error)
            else:
                stored = datetime.fromisoformat(sent.message.timestamp).timestamp()
                accepted.append(SEND_RATE.window(stored))

    await asyncio.gather(*(send(group) for group in groups))
    assert refused
    assert all(1 <= error.retry_after <= SEND_RATE.seconds for error in refused)
    assert max(Counter(accepted).values()) == SEND_RATE.count
    stored = 0
    for group in groups:
        stored += len((await ada.api.history(group, limit=100)).messages)
    assert stored == len(accepted)


async def until_refused(act: Callable[[], Awaitable[object]], most: int) -> tuple[int, TooManyRequestsError]:
    for passed in range(most + 1):
        try:
            await act()
        except TooManyRequestsError as refusal:
            return passed, refusal
    raise AssertionError(f"{most + 1} requests in a row were accepted")


async def test_typing_and_searching_have_separate_rate_limits(users: Users) -> None:
    ada, grace = await users.pair()
    api = api_without_retries(ada, users)
    dm = await users.direct(ada, grace)
    for rate, act in (
        (TYPING_RATE, lambda: api.set_typing(dm, True)),
        (SEARCH_RATE, lambda: api.search_users("Gra")),
    ):
        passed, refusal = await until_refused(act, 3 * rate.count)
        assert passed >= rate.count
        assert 1 <= refusal.retry_after <= rate.seconds
    await ada.conversation(dm).send("sending is not limited")
    await grace.receives(dm, "sending is not limited")


async def test_a_client_above_the_rate_limit_waits_and_sends_everything(users: Users) -> None:
    ada, grace = await users.pair()
    dm = await users.direct(ada, grace)
    texts = [str(number) for number in range(SEND_RATE.count + 5)]
    for text in texts:
        await ada.conversation(dm).send(text)
    await grace.receives(dm, *texts)


async def test_a_group_above_the_fan_out_limit_is_served_by_the_queue(
    users: Users, cloud: LocalCloud, many_accounts: list[Account]
) -> None:
    ada, grace = await users.pair()
    members = [grace.id, *(account.user_id for account in many_accounts)]
    first, rest = members[:MEMBERS_PER_REQUEST], members[MEMBERS_PER_REQUEST:]
    group = (await ada.api.create_group("Large group", first, temp_id=uuid.uuid4().hex)).conversation.conversationId
    if rest:
        await ada.api.add_members(group, rest)
    late = await users.online(many_accounts[0])
    for user in (ada, grace, late):
        await user.has_conversation(group)
    sent = await ada.api.send_message(group, "to all members")
    assert (sent.delivery.delivered, sent.delivery.pending) == (0, len(members) + 1)
    for user in (ada, grace, late):
        await user.receives(group, "to all members")
    await late.conversation(group).send("from a member")
    for user in (ada, grace, late):
        await user.receives(group, "to all members", "from a member")
        assert [message.seq for message in user.received(group)] == [1, 2]


async def test_no_message_of_fifty_concurrent_users_is_lost_or_repeated(
    users: Users, cloud: LocalCloud, many_accounts: list[Account]
) -> None:
    online: list[SignedInUser] = []
    for account in many_accounts[:USERS]:
        online.append(await users.online(account))
    pairs = list(zip(online[::2], online[1::2], strict=True))
    conversations = [await users.direct(first, second) for first, second in pairs]
    slots = asyncio.Semaphore(CONCURRENT_SENDERS)

    async def send_all(user: SignedInUser, conversation: str) -> None:
        for number in range(MESSAGES_EACH):
            async with slots:
                await user.conversation(conversation).send(f"{user.id} {number}")

    await asyncio.gather(*(send_all(user, id) for pair, id in zip(pairs, conversations, strict=True) for user in pair))
    total = 2 * MESSAGES_EACH
    for pair, conversation in zip(pairs, conversations, strict=True):
        for user in pair:
            await user.receives_messages(conversation, total)
        seen = [[message.messageId for message in user.received(conversation)] for user in pair]
        assert seen[0] == seen[1]
        assert len(set(seen[0])) == len(seen[0]) == total
        for user in pair:
            mine = [text for text in user.received_texts(conversation) if text and text.startswith(user.id)]
            assert mine == [f"{user.id} {number}" for number in range(MESSAGES_EACH)]
