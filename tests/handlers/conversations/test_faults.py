"""After a fault at any step, a repeated request has one complete result and every recipient gets the event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from contract import tables
from tests.harness.emulator import Emulator, create_resources
from tests.harness.fakes import FakeClock
from tests.harness.faults import FaultInjector, ProcessKilledError
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response

Call = Callable[[], Any]


def _no_connection(call: Call) -> Any:
    raise EndpointConnectionError(endpoint_url="http://dynamodb")


def _throttled(call: Call) -> Any:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Operation")


def _response_lost(call: Call) -> Any:
    call()
    raise ReadTimeoutError(endpoint_url="http://dynamodb")


def _process_dies_before_call(call: Call) -> Any:
    raise ProcessKilledError


def _process_dies_after_call(call: Call) -> Any:
    call()
    raise ProcessKilledError


_FAULTS = [_no_connection, _throttled, _response_lost, _process_dies_before_call, _process_dies_after_call]
_STEPS_MAX = 40


Do = Callable[..., Response]


def _with_fault_at_every_step(
    emulator: Emulator,
    fault: Callable[[Call], Any],
    prepare: Callable[[FunctionHarness], Any],
    send_request: Callable[..., Response],
    check: Callable[..., None],
) -> None:
    """Repeat the request with the fault at its first DynamoDB call, its second, and so on, until it makes no more."""
    harness = FunctionHarness(create_resources(emulator), clock=FakeClock(pauses_take_time=False))
    for step in range(1, _STEPS_MAX):
        users = prepare(harness)
        harness.publisher.clear()
        faults = FaultInjector(step, fault)
        handlers = harness.functions(faults=faults)
        response: Response | None = None
        try:
            response = send_request(harness, users, handlers)
        except ProcessKilledError:
            assert fault in (_process_dies_before_call, _process_dies_after_call)
        if response is not None:
            assert response.status in (200, 201, 503), response
        if response is None or response.status == 503:
            again = send_request(harness, users, harness.handlers)
            assert again.status < 300, again
        harness.deliver_outbox()
        check(harness, users)
        assert harness.aws.scan(tables.OUTBOX) == []
        if not faults.triggered:
            assert step > 3
            return
    raise AssertionError(f"the request makes {_STEPS_MAX} DynamoDB calls or more")


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", _FAULTS)
def test_group_is_created_once_after_a_fault_at_any_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def send_request(harness: FunctionHarness, users: list[str], handlers: Any) -> Response:
        body = {"name": "x", "memberIds": users[1:], "tempId": "t-1"}
        return harness.call(users[0], "createGroup", body, handlers=handlers)

    def check(harness: FunctionHarness, users: list[str]) -> None:
        mine = [item for item in harness.aws.scan(tables.CONVERSATIONS) if item["createdBy"] == users[0]]
        assert len(mine) == 1
        harness.assert_consistent(mine[0]["conversationId"])
        for user in users:
            assert len({event["eventId"] for event in harness.publisher.received(user, "CONVERSATION_CREATED")}) == 1

    _with_fault_at_every_step(emulator, fault, lambda harness: harness.users(3), send_request, check)


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", _FAULTS)
def test_direct_conversation_is_created_once_after_a_fault_at_any_step(
    emulator: Emulator, fault: Callable[[Call], Any]
) -> None:
    def send_request(harness: FunctionHarness, users: list[str], handlers: Any) -> Response:
        return harness.call(users[0], "openDirect", {"userId": users[1]}, handlers=handlers)

    def check(harness: FunctionHarness, users: list[str]) -> None:
        mine = [item for item in harness.aws.scan(tables.CONVERSATIONS) if item["createdBy"] == users[0]]
        assert len(mine) == 1
        harness.assert_consistent(mine[0]["conversationId"])
        for user in users:
            assert len({event["eventId"] for event in harness.publisher.received(user)}) == 1

    _with_fault_at_every_step(emulator, fault, lambda harness: harness.users(2), send_request, check)


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", _FAULTS)
def test_members_are_added_once_after_a_fault_at_any_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str, str, str]:
        ada, bob, cat = harness.users(3)
        return harness.group(ada, bob), ada, bob, cat

    def send_request(harness: FunctionHarness, users: tuple[str, str, str, str], handlers: Any) -> Response:
        group, ada, _, cat = users
        return harness.call(ada, "addMembers", {"userIds": [cat]}, conversationId=group, handlers=handlers)

    def check(harness: FunctionHarness, users: tuple[str, str, str, str]) -> None:
        group, ada, bob, cat = users
        stored = harness.assert_consistent(group)
        assert (stored["participants"], stored["version"]) == ([ada, bob, cat], 2)
        assert len({event["eventId"] for event in harness.publisher.received(cat, "CONVERSATION_CREATED")}) == 1
        assert len({event["eventId"] for event in harness.publisher.received(bob, "CONVERSATION_UPDATED")}) == 1

    _with_fault_at_every_step(emulator, fault, prepare, send_request, check)


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", _FAULTS)
def test_block_is_stored_once_after_a_fault_at_any_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str, str]:
        ada, bob = harness.users(2)
        return harness.direct(ada, bob), ada, bob

    def send_request(harness: FunctionHarness, users: tuple[str, str, str], handlers: Any) -> Response:
        _, ada, bob = users
        return harness.call(ada, "blockUser", userId=bob, handlers=handlers)

    def check(harness: FunctionHarness, users: tuple[str, str, str]) -> None:
        direct, ada, bob = users
        stored = harness.aws.item(tables.CONVERSATIONS, conversationId=direct)
        assert stored is not None
        assert (stored["blockedBy"], stored["version"]) == ({ada}, 2)
        assert harness.call_ok(ada, "listBlocks")["userIds"] == [bob]
        assert len({event["eventId"] for event in harness.publisher.received(ada, namespace="users")}) == 1

    _with_fault_at_every_step(emulator, fault, prepare, send_request, check)


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("fault", _FAULTS)
def test_profile_is_changed_once_after_a_fault_at_any_step(emulator: Emulator, fault: Callable[[Call], Any]) -> None:
    def prepare(harness: FunctionHarness) -> tuple[str, str]:
        ada, bob = harness.user("Ada", "Lovelace"), harness.user()
        harness.direct(ada, bob)
        return ada, bob

    def send_request(harness: FunctionHarness, users: tuple[str, str], handlers: Any) -> Response:
        return harness.call(users[0], "updateMe", {"lastName": "Byron"}, handlers=handlers)

    def check(harness: FunctionHarness, users: tuple[str, str]) -> None:
        ada = users[0]
        words = {item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH) if item["userId"] == ada}
        assert words == {"ada", "byron"}
        for user in users:
            events = {event["eventId"]: event for event in harness.publisher.received(user, namespace="users")}
            assert [event["data"]["user"]["fullName"] for event in events.values()] == ["Ada Byron"]

    _with_fault_at_every_step(emulator, fault, prepare, send_request, check)


class ConflictingClient:
    """A DynamoDB client whose first transactions fail with a transaction conflict."""

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


@pytest.mark.server_errors("a fault is injected")
@pytest.mark.parametrize("operation", _WRITES)
def test_transaction_conflicts_are_retried_and_persistent_conflicts_return_503(
    emulator: Emulator, operation: str
) -> None:
    harness = FunctionHarness(create_resources(emulator), clock=FakeClock(pauses_take_time=False))
    ada, bob = harness.users(2)
    body, on_group = _WRITES[operation]
    if body:
        named = {"memberIds": [bob], "userId": bob}
        body = {field: named.get(field, value) for field, value in body.items()}
    path: dict[str, Any] = {"conversationId": harness.group(ada, bob)} if on_group else {}
    if operation == "blockUser":
        path = {"userId": bob}
    always_conflicting = harness.functions(ConflictingClient(harness.aws.dynamodb, 1_000))
    assert harness.call(ada, operation, body, handlers=always_conflicting, **path).status == 503
    conflicting_at_first = harness.functions(ConflictingClient(harness.aws.dynamodb, 3))
    assert harness.call(ada, operation, body, handlers=conflicting_at_first, **path).status in (200, 201)
