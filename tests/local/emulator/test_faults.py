"""Fault switches do what their rules say, to exactly the calls that they match."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.faults import Call, FaultRuleError, FaultSwitches, parse_rule, table_names
from local.steps import StepError
from tests.local.conftest import EmulatorProcess

WRITER = """
import os
import boto3
from botocore.config import Config
table = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
def handler(event, context):
    for name in event["names"]:
        table.put_item(TableName=os.environ["TARGET"], Item={"pk": {"S": "p"}, "sk": {"S": name}})
    return {"pid": os.getpid(), "key": os.environ["AWS_ACCESS_KEY_ID"]}
"""


@pytest.fixture
def writer(emulator: EmulatorProcess, request: pytest.FixtureRequest) -> Any:
    """A table, and a function that writes the named items to it one by one: returns (invoke, names in the table)."""
    table = f"table-{abs(hash(request.node.name))}"
    emulator.table(table)
    emulator.function(table, WRITER, {"TARGET": table})
    emulator.faults.clear()

    def invoke(*names: str) -> tuple[str | None, Any]:
        payload = json.dumps({"names": names}).encode()
        answer = emulator.aws("lambda").invoke(FunctionName=table, Payload=payload)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def written() -> list[str]:
        items = emulator.aws("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
        return sorted(item["sk"]["S"] for item in items)

    yield table, invoke, written
    emulator.faults.clear()


@pytest.mark.parametrize(("when", "expected"), [("before", ["first"]), ("after", ["first", "second"])])
def test_a_function_is_killed_half_way_before_or_after_its_call_took_effect(
    emulator: EmulatorProcess, writer: Any, when: str, expected: list[str]
) -> None:
    table, invoke, written = writer
    _, first = invoke()
    emulator.faults.set_aws(
        {
            "service": "dynamodb",
            "operation": "PutItem",
            "function": table,
            "effect": "kill",
            "when": when,
            "skip": 1,
            "times": 1,
        }
    )
    failure, _ = invoke("first", "second", "third")
    assert failure is not None
    assert written() == expected
    failure, second = invoke("fourth")
    assert failure is None
    assert second["pid"] != first["pid"]
    assert written() == sorted([*expected, "fourth"])


def test_only_calls_of_the_named_function_and_table_fail(emulator: EmulatorProcess, writer: Any) -> None:
    table, invoke, written = writer
    rule = {"service": "dynamodb", "function": table, "table": table, "effect": "throttle"}
    emulator.faults.set_aws(rule)
    failure, answer = invoke("one")
    assert failure is not None
    assert "ProvisionedThroughputExceededException" in answer["errorMessage"]
    emulator.aws("dynamodb").put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": "direct"}})
    emulator.faults.set_aws({**rule, "table": "another"})
    assert invoke("two")[0] is None
    assert written() == ["direct", "two"]


@pytest.mark.parametrize(("when", "expected"), [("before", []), ("after", ["one"])])
def test_an_invocation_that_fails_has_run_or_not_as_the_rule_says(
    emulator: EmulatorProcess, writer: Any, when: str, expected: list[str]
) -> None:
    table, invoke, written = writer
    for effect in ("error", "kill"):
        emulator.faults.set_aws(
            {"service": "lambda", "operation": "Invoke", "function": table, "effect": effect, "when": when, "times": 1}
        )
        assert invoke("one")[0] is not None
        assert written() == expected
    assert invoke()[0] is None


def test_a_failing_call_took_effect_or_not_as_the_rule_says(emulator: EmulatorProcess, writer: Any) -> None:
    table, _, written = writer
    dynamodb = emulator.aws("dynamodb")
    for when, name in (("before", "lost"), ("after", "kept")):
        emulator.faults.set_aws({"service": "dynamodb", "table": table, "effect": "error", "when": when, "times": 1})
        with pytest.raises(ClientError, match="InternalServerError"):
            dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": name}})
    assert written() == ["kept"]


def test_hits_are_counted_and_times_and_skip_are_kept(emulator: EmulatorProcess) -> None:
    emulator.faults.set_aws({"service": "sqs", "effect": "error", "skip": 1, "times": 2, "status": 503, "code": "Busy"})
    outcomes = []
    for _ in range(5):
        try:
            emulator.aws("sqs").list_queues()
            outcomes.append("fine")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == ["fine", "Busy", "Busy", "fine", "fine"]
    assert emulator.faults.aws()[0]["hits"] == 2


def test_a_delayed_call_is_answered_like_any_other(emulator: EmulatorProcess, writer: Any) -> None:
    _, invoke, written = writer
    emulator.faults.set_aws({"service": "dynamodb", "effect": "delay", "delayMs": 50, "times": 1})
    assert invoke("late")[0] is None
    assert written() == ["late"]
    assert emulator.faults.aws()[0]["hits"] == 1


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("text", "must be an object"),
        ({}, "effect must be one of error, throttle, delay, kill"),
        ({"effect": "explode"}, "effect must be one of"),
        ({"effect": "error", "operatoin": "x"}, "unknown field 'operatoin'"),
        ({"effect": "error", "when": "during"}, "when must be one of before, after"),
        ({"effect": "error", "table": 3}, "table must be a text"),
        ({"effect": "error", "times": -1}, "times must be a whole number"),
        ({"effect": "error", "times": True}, "times must be a whole number"),
        ({"effect": "error", "probability": 1.5}, "probability must be a number from 0 to 1"),
        ({"effect": "delay"}, "a delay needs delayMs"),
    ],
)
def test_a_wrong_rule_is_refused_and_named(rule: Any, message: str) -> None:
    with pytest.raises(FaultRuleError, match=message):
        parse_rule(rule)


def test_a_wrong_rule_leaves_the_present_ones_on(emulator: EmulatorProcess) -> None:
    emulator.faults.set_aws({"service": "nothing", "effect": "error"})
    with pytest.raises(StepError, match="effect must be one of"):
        emulator.faults.set_aws({"effect": "explode"})
    assert [rule["service"] for rule in emulator.faults.aws()] == ["nothing"]
    emulator.faults.clear()
    assert emulator.faults.aws() == []


@given(times=st.integers(0, 5), skip=st.integers(0, 5), calls=st.integers(0, 15))
def test_a_rule_strikes_after_its_skips_and_at_most_its_times(times: int, skip: int, calls: int) -> None:
    switches = FaultSwitches()
    switches.replace([{"effect": "error", "times": times, "skip": skip}])
    struck = [switches.strike(Call("dynamodb", "PutItem")) is not None for _ in range(calls)]
    assert struck == [skip <= place < skip + times for place in range(calls)]


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 0), (1.0, 100)])
def test_probability_zero_and_one_are_never_and_always(probability: float, expected: int) -> None:
    switches = FaultSwitches()
    switches.replace([{"effect": "error", "probability": probability}])
    assert sum(switches.strike(Call("a", "b")) is not None for _ in range(100)) == expected


@pytest.mark.parametrize(
    ("body", "tables"),
    [
        (b'{"TableName": "a"}', "a"),
        (b'{"TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/a"}', "a"),
        (b'{"RequestItems": {"b": [], "a": []}}', "a,b"),
        (b'{"TransactItems": [{"Put": {"TableName": "b"}}, {"ConditionCheck": {"TableName": "a"}}]}', "a,b"),
        (b"{}", None),
        (b"not json", None),
        (b"[]", None),
    ],
)
def test_tables_of_a_request_are_found(body: bytes, tables: str | None) -> None:
    assert table_names(body) == tables


@pytest.mark.parametrize("call", [lambda faults: faults.aws(), lambda faults: faults.checkpoint()])
def test_control_endpoints_ask_for_the_token(
    emulator: EmulatorProcess, call: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "token", "wrong")
    with pytest.raises(StepError, match="401"):
        call(emulator.faults)
