"""Asynchronous invocations end as AWS documents: retries, age, dead letters, destinations."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ministack.services import lambda_svc

from local.emulator.strict.chance import Chance
from local.emulator.strict.functions import asynchronous
from local.emulator.strict.functions.asynchronous import AsynchronousInvocations
from local.emulator.strict.rules.functions import FunctionSwitches
from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.conftest import Strict

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LETTERS = "arn:aws:sqs:us-east-1:000000000000:letters"
FAILED = "arn:aws:sqs:us-east-1:000000000000:failed"
FAILURE = {"error": True, "body": {"errorMessage": "no", "errorType": "ValueError"}}
THROTTLE = {"error": True, "throttle": True, "body": {}}
SUCCESS = {"body": "done"}
EVENT = {"n": 1}


class VirtualTime:
    """A clock that moves only by pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, dict[str, Any]]]:
    messages: list[tuple[str, Any, dict[str, Any]]] = []
    monkeypatch.setattr(asynchronous, "send", lambda to, body, names: messages.append((to, json.loads(body), names)))
    return messages


def run(
    monkeypatch: pytest.MonkeyPatch,
    results: list[dict[str, Any]],
    *,
    invoke_config: dict[str, Any] | None = None,
    qualifier: str = "",
    may_send: bool = True,
    aws_time: bool = True,
) -> tuple[int, VirtualTime]:
    """Run one event; the last result repeats for ever. Returns the number of invocations, and the time."""
    clock, invocations = VirtualTime(), 0

    def execute(_: Any, event: Any) -> dict[str, Any]:
        nonlocal invocations
        assert event == EVENT
        invocations += 1
        return results[min(invocations, len(results)) - 1]

    monkeypatch.setattr(lambda_svc, "_execute_function", execute)
    rules = FunctionSwitches(asynchronous_retry_seconds=60.0 if aws_time else 1.0)
    arn = f"{ARN}:{qualifier}" if qualifier else ARN
    function = {
        "config": {"FunctionName": "f", "FunctionArn": arn, "DeadLetterConfig": {"TargetArn": LETTERS}},
        "event_invoke_configs": {qualifier or "$LATEST": invoke_config} if invoke_config else {},
    }
    invocation = AsynchronousInvocations(
        lambda: rules, Chance(lambda: 0), lambda *_: may_send, lambda: clock.now, clock.pause
    )
    invocation.run(function, EVENT)
    return invocations, clock


def test_a_failing_event_is_repeated_after_one_and_two_minutes(monkeypatch: Any, sent: Any) -> None:
    invocations, clock = run(monkeypatch, [FAILURE])
    assert (invocations, clock.waits) == (3, [60.0, 120.0])


def test_the_local_cloud_waits_seconds_for_minutes(monkeypatch: Any, sent: Any) -> None:
    assert run(monkeypatch, [FAILURE], aws_time=False)[1].waits == [1.0, 2.0]


def test_a_success_ends_the_retries_and_sends_nothing(monkeypatch: Any, sent: list[Any]) -> None:
    assert run(monkeypatch, [FAILURE, SUCCESS])[0] == 2
    assert sent == []


def test_the_dead_letter_is_the_event_itself_with_the_error_as_attributes(monkeypatch: Any, sent: list[Any]) -> None:
    run(monkeypatch, [FAILURE])
    [(queue, body, attributes)] = sent
    assert (queue, body) == (LETTERS, EVENT)
    assert attributes["ErrorMessage"] == ("String", "no")
    assert attributes["ErrorCode"] == ("Number", "200")
    assert set(attributes) == {"RequestID", "ErrorCode", "ErrorMessage"}


def test_a_failure_destination_gets_a_record_beside_the_dead_letter(monkeypatch: Any, sent: list[Any]) -> None:
    invoke_config = {"MaximumRetryAttempts": 1, "DestinationConfig": {"OnFailure": {"Destination": FAILED}}}
    assert run(monkeypatch, [FAILURE], invoke_config=invoke_config)[0] == 2
    records = {queue: body for queue, body, _ in sent}
    assert records[LETTERS] == EVENT
    assert records[FAILED]["requestContext"]["condition"] == "RetriesExhausted"
    assert records[FAILED]["requestContext"]["approximateInvokeCount"] == 2
    assert records[FAILED]["requestPayload"] == EVENT
    assert records[FAILED]["responsePayload"]["errorMessage"] == "no"


def test_a_success_destination_gets_a_record(monkeypatch: Any, sent: list[Any]) -> None:
    run(monkeypatch, [SUCCESS], invoke_config={"DestinationConfig": {"OnSuccess": {"Destination": FAILED}}})
    [(queue, record, _)] = sent
    assert (queue, record["requestContext"]["condition"]) == (FAILED, "Success")
    assert "functionError" not in record["responseContext"]


@pytest.mark.parametrize("qualifier", ["live", "3"])
def test_the_configuration_of_the_alias_or_version_that_is_invoked_counts(
    monkeypatch: Any, sent: Any, qualifier: str
) -> None:
    assert run(monkeypatch, [FAILURE], invoke_config={"MaximumRetryAttempts": 0}, qualifier=qualifier)[0] == 1


def test_a_throttled_event_is_repeated_until_its_age_of_six_hours(monkeypatch: Any, sent: list[Any]) -> None:
    invocations, clock = run(monkeypatch, [THROTTLE])
    assert clock.waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(clock.waits) == 300.0
    assert 6 * 3600 - 300 <= clock.now <= 6 * 3600
    assert invocations == len(clock.waits) + 1
    assert sent[0][2]["ErrorCode"] == ("Number", "429")


def test_throttling_takes_none_of_the_two_retries(monkeypatch: Any, sent: list[Any]) -> None:
    assert run(monkeypatch, [THROTTLE, THROTTLE, THROTTLE, FAILURE, FAILURE, SUCCESS])[0] == 6
    assert sent == []


def test_an_event_is_given_up_at_its_own_maximum_age(monkeypatch: Any, sent: list[Any]) -> None:
    invoke_config = {
        "MaximumEventAgeInSeconds": 100,
        "DestinationConfig": {"OnFailure": {"Destination": FAILED}},
    }
    assert run(monkeypatch, [FAILURE], invoke_config=invoke_config)[0] == 2  # the second retry would be at 180 s
    assert {body.get("requestContext", {}).get("condition") for _, body, _ in sent} == {None, "EventAgeExceeded"}


def test_nothing_is_sent_where_the_role_does_not_allow_it(monkeypatch: Any, sent: list[Any]) -> None:
    run(monkeypatch, [FAILURE], may_send=False)
    assert sent == []


FAILING = """
def handler(event, context):
    raise ValueError("never again")
"""


def test_a_rules_event_reaches_the_dead_letter_queue_as_it_was(
    emulator: EmulatorProcess, strict: Strict, name: str
) -> None:
    strict(asynchronousRetrySeconds=0.05)
    sqs, functions, events = emulator.aws("sqs"), emulator.aws("lambda"), emulator.aws("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = emulator.function(name, FAILING)
    functions.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": arn})
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": function}])
    events.put_events(Entries=[{"Source": name, "DetailType": "d", "Detail": '{"n": 1}'}])
    [message] = _received(sqs, url)
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "never again"


def _received(sqs: Any, url: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
        if answer.get("Messages"):
            return list(answer["Messages"])
    return []
