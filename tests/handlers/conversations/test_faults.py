"""Whatever fails at whichever step: a repeated request ends in one whole result, and everybody hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from contract import tables
from tests.harness.emulator import Emulator, create_resources
from tests.harness.faults import FaultInjector, ProcessKilledError
from tests.harness.functions import FunctionHarness, Response

Call = Callable[[], Any]


def _no_connection(call: Call) -> Any:
    raise EndpointConnectionError(endpoint_url="http://dynamodb")


def _throttled(call: Call) -> Any:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Operation")


def _answer_lost(call: Call) -> Any:
    call()
    raise ReadTimeoutError(endpoint_url="http://dynamodb")


def _dies_before(call: Call) -> Any:
    raise ProcessKilledError


def _dies_after(call: Call) -> Any:
    call()
    raise ProcessKilledError


_FAULTS = [_no_connection, _throttled, _answer_lost, _dies_before, _dies_after]
_STEPS_MAX = 40


class _Quick:
    """The machine's time, without waiting between attempts."""

    def now(self) -> int:
        return 1_800_000_000_000

    def pause(self, seconds: float) -> None:
        return


Do = Callable[..., Response]


def _through_every_step(
    emulator: Emulator,
    fault: Callable[[Call], Any],
    prepare: Callable[[FunctionHarness], Any],
    act: Callable[..., Response],
    check: Callable[..., None],
) -> None:
    """Let the fault strike at the first step, the second …, until the act has no such step any more."""
    harness = FunctionHarness(create_resources(emulator), clock=_Quick())
    for step in range(1, _STEPS_MAX):
        scene = prepare(harness)
        harness.publisher.clear()
        faults = FaultInjector(step, fault)
        handlers = harness.functions(faults=faults)
        answer: Response | None = None
        try:
            answer = act(harness, scene, handlers)
        except ProcessKilledError:
            assert fault in (_dies_before, _dies_after)
        if answer is not None:
            assert answer.status in (200, 201, 503), answer
        if answer is None or answer.status == 503:
            again = act(harness, scene, harness.handlers)
            assert again.status < 300, again
        harness.deliver_outbox()
        check(harness, scene)
        assert harness.aws.scan(tables.OUTBOX) == []
        if not faults.triggered:
            assert step > 3
            return
    raise AssertionError("the act never ends")


@pytest.mark.parametrize("fault", _FAULTS)
def test_creating_a_group_survives_a_fault_at_every_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def act(harness: FunctionHarness, scene: list[str], handlers: Any) -> Response:
        body = {"name": "x", "memberIds": scene[1:], "tempId": "t-1"}
        return harness.call(scene[0], "createGroup", body, handlers=handlers)

    def check(harness: FunctionHarness, scene: list[str]) -> None:
        mine = [item for item in harness.aws.scan(tables.CONVERSATIONS) if item["createdBy"] == scene[0]]
        assert len(mine) == 1
        harness.assert_consistent(mine[0]["conversationId"])
        for user in scene:
            assert len({event["eventId"] for event in harness.publisher.received(user, "CONVERSATION_CREATED")}) == 1

    _through_every_step(emulator, fault, lambda harness: harness.users(3), act, check)


@pytest.mark.parametrize("fault", _FAULTS)
def test_opening_a_direct_conversation_survives_a_fault_at_every_step(
    emulator: Emulator, fault: Callable[[Call], Any]
) -> None:
    def act(harness: FunctionHarness, scene: list[str], handlers: Any) -> Response:
        return harness.call(scene[0], "openDirect", {"userId": scene[1]}, handlers=handlers)

    def check(harness: FunctionHarness, scene: list[str]) -> None:
        mine = [item for item in harness.aws.scan(tables.CONVERSATIONS) if item["createdBy"] == scene[0]]
        assert len(mine) == 1
        harness.assert_consistent(mine[0]["conversationId"])
        for user in scene:
            assert len({event["eventId"] for event in harness.publisher.received(user)}) == 1

    _through_every_step(emulator, fault, lambda harness: harness.users(2), act, check)


@pytest.mark.parametrize("fault", _FAULTS)
def test_adding_members_survives_a_fault_at_every_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str, str, str]:
        ada, bob, cat = harness.users(3)
        return harness.group(ada, bob), ada, bob, cat

    def act(harness: FunctionHarness, scene: tuple[str, str, str, str], handlers: Any) -> Response:
        group, ada, _, cat = scene
        return harness.call(ada, "addMembers", {"userIds": [cat]}, conversationId=group, handlers=handlers)

    def check(harness: FunctionHarness, scene: tuple[str, str, str, str]) -> None:
        group, ada, bob, cat = scene
        stored = harness.assert_consistent(group)
        assert (stored["participants"], stored["version"]) == ([ada, bob, cat], 2)
        assert len({event["eventId"] for event in harness.publisher.received(cat, "CONVERSATION_CREATED")}) == 1
        assert len({event["eventId"] for event in harness.publisher.received(bob, "CONVERSATION_UPDATED")}) == 1

    _through_every_step(emulator, fault, prepare, act, check)


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_block_survives_a_fault_at_every_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str, str]:
        ada, bob = harness.users(2)
        return harness.direct(ada, bob), ada, bob

    def act(harness: FunctionHarness, scene: tuple[str, str, str], handlers: Any) -> Response:
        _, ada, bob = scene
        return harness.call(ada, "blockUser", userId=bob, handlers=handlers)

    def check(harness: FunctionHarness, scene: tuple[str, str, str]) -> None:
        direct, ada, bob = scene
        stored = harness.aws.item(tables.CONVERSATIONS, conversationId=direct)
        assert stored is not None
        assert (stored["blockedBy"], stored["version"]) == ({ada}, 2)
        assert harness.call_ok(ada, "listBlocks")["userIds"] == [bob]
        assert len({event["eventId"] for event in harness.publisher.received(ada, namespace="users")}) == 1

    _through_every_step(emulator, fault, prepare, act, check)


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_changed_profile_survives_a_fault_at_every_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str]:
        ada, bob = harness.user("Ada", "Lovelace"), harness.user()
        harness.direct(ada, bob)
        return ada, bob

    def act(harness: FunctionHarness, scene: tuple[str, str], handlers: Any) -> Response:
        return harness.call(scene[0], "updateMe", {"lastName": "Byron"}, handlers=handlers)

    def check(harness: FunctionHarness, scene: tuple[str, str]) -> None:
        ada = scene[0]
        words = {item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH) if item["userId"] == ada}
        assert words == {"ada", "byron"}
        for user in scene:
            told = {event["eventId"]: event for event in harness.publisher.received(user, namespace="users")}
            assert [event["data"]["user"]["fullName"] for event in told.values()] == ["Ada Byron"]

    _through_every_step(emulator, fault, prepare, act, check)


class Overtaken:
    """A DynamoDB client whose first transactions meet others that are under way on the same items."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self._left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, TransactItems: list[Any], ClientRequestToken: str) -> Any:  # noqa: N803
        if not self._left:
            return self._client.transact_write_items(TransactItems=TransactItems, ClientRequestToken=ClientRequestToken)
        self._left -= 1
        reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in TransactItems[1:])]
        raise ClientError(
            {"Error": {"Code": "TransactionCanceledException", "Message": "conflict"}, "CancellationReasons": reasons},
            "TransactWriteItems",
        )


_WRITES: dict[str, tuple[dict[str, Any] | None, bool]] = {
    "createGroup": ({"name": "x", "memberIds": ["BOB"], "tempId": "t-1"}, False),
    "openDirect": ({"userId": "BOB"}, False),
    "updateGroup": ({"name": "y"}, True),
    "blockUser": (None, False),
    "updateMe": ({"bio": "x"}, False),
}


@pytest.mark.parametrize("operation", _WRITES)
def test_a_transaction_under_way_elsewhere_is_waited_for_and_for_ever_means_503(
    emulator: Emulator, operation: str
) -> None:
    harness = FunctionHarness(create_resources(emulator), clock=_Quick())
    ada, bob = harness.users(2)
    body, on_group = _WRITES[operation]
    if body:
        named = {"memberIds": [bob], "userId": bob}
        body = {field: named.get(field, value) for field, value in body.items()}
    path: dict[str, Any] = {"conversationId": harness.group(ada, bob)} if on_group else {}
    if operation == "blockUser":
        path = {"userId": bob}
    always = harness.functions(Overtaken(harness.aws.dynamodb, 1_000))
    assert harness.call(ada, operation, body, handlers=always, **path).status == 503
    at_first = harness.functions(Overtaken(harness.aws.dynamodb, 3))
    assert harness.call(ada, operation, body, handlers=at_first, **path).status in (200, 201)
