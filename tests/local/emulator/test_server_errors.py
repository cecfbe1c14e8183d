"""Responses of 500 and above are recorded with the faults that were on while the request ran."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.emulator.faults import FaultSwitches
from local.emulator.server_errors import ServerErrors
from local.emulator.strict.rules import DEFAULT, StrictRules
from local.emulator.strict.rules.dynamodb import DynamoDbSwitches
from tests.local.conftest import EmulatorProcess

RULE = {"service": "dynamodb", "operation": "ListTables", "effect": "error"}


class Gateway:
    """Answers requests with the record in front."""

    def __init__(self, file: Path) -> None:
        self.faults = FaultSwitches()
        self.strict = SimpleNamespace(rules=DEFAULT)
        self.errors = ServerErrors(file, self.faults, cast(Any, self.strict))
        self.sent: list[MutableMapping[str, Any]] = []

    def begin(self) -> Any:
        """Begin a request and return what sends its response."""

        async def send(message: MutableMapping[str, Any]) -> None:
            self.sent.append(message)

        scope = {"method": "POST", "path": "/api/messages/send", "headers": [(b"user-agent", b"test")]}
        return self.errors.watching(scope, send)

    async def answer(self, send: Any, status: int) -> None:
        """Send a response."""
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path / "server-errors.jsonl")


async def test_a_response_of_500_without_a_fault_is_recorded_without_one(gateway: Gateway) -> None:
    for status in (200, 404, 429, 499, 500, 503):
        await gateway.answer(gateway.begin(), status)
    listed = gateway.errors.listed()
    assert [record["status"] for record in listed] == [500, 503]
    assert [record["faults"] for record in listed] == [[], []]
    assert listed[0]["path"] == "/api/messages/send"
    assert listed[0]["body"] == "{}"
    assert len(gateway.sent) == 12


async def test_an_exception_of_the_emulator_is_recorded_as_a_response_of_500(gateway: Gateway) -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("dictionary changed size during iteration")

    scope = {"method": "POST", "path": "/", "headers": []}
    with pytest.raises(RuntimeError):
        await gateway.errors.serve(application, scope, cast(Any, None), cast(Any, None))
    (record,) = gateway.errors.listed()
    assert (record["status"], record["faults"]) == (500, [])
    assert "dictionary changed" in record["body"]


async def test_a_fault_explains_the_responses_of_requests_that_ran_while_it_was_on(gateway: Gateway) -> None:
    gateway.faults.replace([RULE])
    during = gateway.begin()
    gateway.faults.replace([])
    await asyncio.sleep(0.01)
    after = gateway.begin()
    await gateway.answer(during, 500)
    await gateway.answer(after, 500)
    assert [len(record["faults"]) for record in gateway.errors.listed()] == [1, 0]


async def test_strict_rules_of_a_test_explain_a_response(gateway: Gateway) -> None:
    gateway.strict.rules = StrictRules(dynamodb=DynamoDbSwitches(throughput_scale=0.01))
    await gateway.answer(gateway.begin(), 503)
    assert len(gateway.errors.listed()[0]["faults"]) == 1


def test_the_emulator_records_the_errors_of_its_services(emulator: EmulatorProcess) -> None:
    client = emulator.aws("dynamodb")
    emulator.faults.set_aws(RULE)
    try:
        with pytest.raises(client.exceptions.ClientError):
            client.list_tables()
    finally:
        emulator.faults.clear()
    record = emulator.faults.server_errors()[-1]
    assert record["x-amz-target"].endswith("ListTables")
    assert record["faults"][0]["effect"] == "error"
