"""Requests of a disabled account are refused by every route, at the latest `ACCOUNT_CHECK_SECONDS` later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerRefused, Incoming, Invocation

from contract import tables
from contract.limits import ACCOUNT_CHECK_SECONDS
from contract.routes import ROUTES
from handlers.core.shared.errors import ForbiddenError
from handlers.core.users.accounts import Accounts, ActiveAccounts
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock
from tests.harness.functions import FunctionHarness
from tests.harness.namespaces import conversation_handlers


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module."""
    with running_chime() as running:
        yield running


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    """The functions on this test's tables."""
    return FunctionHarness(aws)


def disable(aws: AwsResources, user_id: str) -> None:
    """Write the flag as the operator's command does."""
    aws.dynamodb.update_item(
        TableName=aws.table(tables.USERS),
        Key={"userId": {"S": user_id}},
        UpdateExpression="SET disabledAt = :now",
        ExpressionAttributeValues={":now": {"S": "2026-01-01T00:00:00.000Z"}},
    )


def test_every_route_refuses_a_disabled_account(harness: FunctionHarness, chime: ChimeServer) -> None:
    """Requirement P2."""
    ana = harness.user()
    disable(harness.aws, ana)
    calls = CallFunctions(harness.aws, chime)
    for route in ROUTES:
        path: dict[str, Any] = {name.strip("{}"): "some-id" for name in route.path.split("/") if name.startswith("{")}
        if route.domain == "calls":
            answer = calls.request(route.key, ana, path=path)
        else:
            answer = harness.call(ana, route.operation, **path)
        assert (answer.status, answer.body["error"]["message"]) == (403, "this account is disabled"), route.operation


def test_account_that_is_disabled_during_a_session_is_refused_after_the_interval(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    direct = harness.direct(ana, ben)
    harness.send_ok(ana, direct)
    disable(harness.aws, ana)
    harness.advance(ACCOUNT_CHECK_SECONDS)
    assert harness.send(ana, direct).status == 403
    assert harness.call(ben, "getHistory", conversationId=direct).body["latestSeq"] == 1


def test_check_is_read_once_in_each_interval_and_its_memory_is_bounded() -> None:
    reads: list[str] = []
    clock = FakeClock()

    class Recorded(Accounts):
        def is_disabled(self, user_id: str) -> bool:
            reads.append(user_id)
            return user_id == "disabled"

    active = ActiveAccounts(Recorded(), clock, capacity=2)
    for _ in range(3):
        active.require("ana")
    assert reads == ["ana"]
    clock.advance(ACCOUNT_CHECK_SECONDS)
    active.require("ana")
    for user_id in ("ben", "cat", "ana"):
        active.require(user_id)
    assert reads == ["ana", "ana", "ben", "cat", "ana"]
    for _ in range(2):
        with pytest.raises(ForbiddenError):
            active.require("disabled")
    assert reads[-2:] == ["disabled", "disabled"]


async def test_disabled_member_neither_subscribes_nor_publishes_to_a_group(harness: FunctionHarness) -> None:
    ana, ben = harness.users(2)
    group = harness.group(ana, ben)
    channel = harness.call_ok(ben, "getConversation", conversationId=group)["conversation"]["channel"]
    invocation = Invocation({"sub": ben}, channel, "conversations")
    handlers = conversation_handlers(harness.aws)

    def message(seq: int) -> list[Incoming]:
        data = {"tempId": f"t-{seq}", "seq": seq, "content": "hello"}
        return [Incoming("1", {"type": "MESSAGE_SENT", "data": data})]

    try:
        await handlers.subscribe(invocation)
        await handlers.publish(invocation, message(1))
        disable(harness.aws, ben)
        with pytest.raises(HandlerRefused):
            await handlers.subscribe(invocation)
        with pytest.raises(HandlerRefused, match="account is disabled"):
            await handlers.publish(invocation, message(2))
    finally:
        await handlers.close()


def test_disabled_account_is_not_found_and_not_invited_but_still_named(harness: FunctionHarness) -> None:
    ana, ben, cat = harness.users(3)
    group = harness.group(ana, ben)
    disable(harness.aws, ben)
    found: dict[str, Any] = harness.call_ok(ana, "searchUsers", q="User1")
    assert found["users"] == []
    assert harness.call(ana, "openDirect", {"userId": ben}).status == 404
    assert harness.call(ana, "createGroup", {"name": "New", "memberIds": [ben, cat]}).status == 404
    shown = harness.call_ok(ana, "getConversation", conversationId=group)["conversation"]
    assert shown["participantNames"][ben] == "User1 Example"


def test_sweep_removes_a_disabled_account_from_its_call(aws: AwsResources, chime: ChimeServer) -> None:
    calls = CallFunctions(aws, chime)
    ana, ben = calls.add_users("Ana", "Ben")
    session_id = calls.ring(ana, ben)
    assert calls.act("accept", ben, session_id).status == 200
    disable(aws, ana)
    calls.sweep_calls(after_seconds=180)
    assert calls.get(ben, session_id).body["call"]["status"] == "ENDED"


def test_clock_that_was_set_back_does_not_extend_a_check() -> None:
    class Recorded(Accounts):
        reads = 0

        def is_disabled(self, user_id: str) -> bool:
            self.reads += 1
            return False

    recorded, clock = Recorded(), FakeClock()
    active = ActiveAccounts(recorded, clock)
    clock.advance(3600)
    active.require("ana")
    clock.advance(-3600)
    active.require("ana")
    assert recorded.reads == 2
