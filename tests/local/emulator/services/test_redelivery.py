"""Batches of queues and streams come twice and in another order, as AWS documents."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest

from local.emulator.strict.chance import Chance
from local.emulator.strict.functions.redelivery import Redelivery, names_unknown_message
from local.emulator.strict.rules.functions import FunctionSwitches
from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.conftest import Strict

FUNCTION = {"config": {"FunctionName": "f"}}


def queue_batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": body,
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for body in bodies
        ]
    }


def stream_batch(*versions: str) -> dict[str, Any]:
    """Each version is an item's name and its number: `a1` is the first version of `a`."""
    return {
        "Records": [
            {"eventSource": "aws:dynamodb", "version": each, "dynamodb": {"Keys": {"pk": {"S": each[0]}}}}
            for each in versions
        ]
    }


def delivered(event: Any, rules: FunctionSwitches, result: dict[str, Any] | None = None) -> list[Any]:
    """Deliver a batch, and return what the function got each time."""
    seen: list[Any] = []

    def execute(_: Any, given: Any) -> dict[str, Any]:
        seen.append(given)
        return result or {"body": None}

    Redelivery(lambda: rules, Chance(lambda: rules.delivery_seed), lambda _: None).deliver(execute, FUNCTION, event)
    deadline = time.monotonic() + 5
    while rules.duplicate_deliveries and not result and len(seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    return seen


QUIET = FunctionSwitches(duplicate_deliveries=False, reordered_records=False)


@pytest.mark.parametrize("event", [queue_batch("a", "b"), stream_batch("a1", "b1")])
def test_a_batch_is_delivered_twice_at_the_rate_of_duplicates(event: Any) -> None:
    assert len(delivered(event, QUIET)) == 1
    assert len(delivered(event, FunctionSwitches(duplicate_share=1, reordered_records=False))) == 2


def test_the_second_delivery_counts_as_another_receipt() -> None:
    first, second = delivered(queue_batch("a"), FunctionSwitches(duplicate_share=1, reordered_records=False))
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in (first, second)]
    assert counts == ["1", "2"]


@pytest.mark.parametrize("event", [{"n": 1}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}, [], None])
def test_other_events_are_delivered_once(event: Any) -> None:
    assert delivered(event, FunctionSwitches(duplicate_deliveries=False)) == [event]


def test_a_failed_batch_is_not_repeated_here_because_its_source_does_that() -> None:
    assert len(delivered(queue_batch("a"), FunctionSwitches(duplicate_share=1), {"error": True, "body": {}})) == 1


def test_messages_of_a_queue_come_in_any_order() -> None:
    bodies = [f"{number:02}" for number in range(20)]
    [event] = delivered(queue_batch(*bodies), FunctionSwitches(duplicate_deliveries=False))
    came = [record["body"] for record in event["Records"]]
    assert came != bodies
    assert sorted(came) == bodies


def test_versions_of_one_item_keep_their_order_in_a_stream() -> None:
    versions = [f"{item}{number}" for number in range(9) for item in "abc"]
    [event] = delivered(stream_batch(*versions), FunctionSwitches(duplicate_deliveries=False))
    came = [record["version"] for record in event["Records"]]
    assert came != versions
    for item in "abc":
        assert [each for each in came if each[0] == item] == [each for each in versions if each[0] == item]


def test_a_seed_repeats_its_order() -> None:
    rules = FunctionSwitches(duplicate_deliveries=False, delivery_seed=7)
    assert delivered(queue_batch(*"abcdefgh"), rules) == delivered(queue_batch(*"abcdefgh"), rules)


@pytest.mark.parametrize(
    ("failures", "unknown"),
    [
        ([], False),
        ([{"itemIdentifier": "a"}], False),
        ([{"itemIdentifier": "c"}], True),
        ([{"itemIdentifier": ""}], True),
        ([{"itemIdentifier": None}], True),
        ([{"itemidentifier": "a"}], True),
        (["a"], True),
    ],
)
def test_a_batch_response_that_names_no_message_fails_the_batch(failures: Any, unknown: bool) -> None:
    event = queue_batch("a", "b")
    assert names_unknown_message({"body": {"batchItemFailures": failures}}, event["Records"]) is unknown


COUNTING = """
import boto3
table = boto3.resource("dynamodb").Table("{table}")
def handler(event, context):
    for record in event["Records"]:
        key = record.get("body") or record["dynamodb"]["Keys"]["sk"]["S"]
        table.update_item(Key={{"pk": "seen", "sk": key}}, UpdateExpression="ADD times :one",
                          ExpressionAttributeValues={{":one": 1}})
"""


def seen_by(emulator: EmulatorProcess, table: str, expected: int) -> Counter[str]:
    """Return how often each record was seen, as soon as all were seen so often."""
    client, deadline = emulator.aws("dynamodb"), time.monotonic() + 30
    seen: Counter[str] = Counter()
    while time.monotonic() < deadline:
        items = client.scan(TableName=table, ConsistentRead=True)["Items"]
        seen = Counter({item["sk"]["S"]: int(item["times"]["N"]) for item in items})
        if seen.total() >= expected:
            break
        time.sleep(0.1)
    return seen


def test_a_queue_and_a_stream_deliver_to_a_function_twice(emulator: EmulatorProcess, strict: Strict, name: str) -> None:
    strict(duplicateDeliveries=True, duplicateShare=1)
    sqs, functions = emulator.aws("sqs"), emulator.aws("lambda")
    emulator.table(f"{name}-seen")
    stream = emulator.table(name, stream=True)["LatestStreamArn"]
    emulator.function(name, COUNTING.format(table=f"{name}-seen"))
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for source, options in ((arn, {}), (stream, {"StartingPosition": "TRIM_HORIZON"})):
        functions.create_event_source_mapping(FunctionName=name, EventSourceArn=source, **options)
    sqs.send_message(QueueUrl=url, MessageBody="message")
    item = {"pk": {"S": "p"}, "sk": {"S": "record"}}
    emulator.aws("dynamodb").put_item(TableName=name, Item=item)
    assert seen_by(emulator, f"{name}-seen", 4) == Counter({"message": 2, "record": 2})


def test_a_rules_event_comes_twice(emulator: EmulatorProcess, strict: Strict, name: str) -> None:
    strict(duplicateDeliveries=True, duplicateShare=1)
    events = emulator.aws("events")
    emulator.table(f"{name}-seen")
    source = COUNTING.format(table=f"{name}-seen").replace('event["Records"]', '[{"body": event["detail"]["n"]}]')
    function = emulator.function(name, source)
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "f", "Arn": function}])
    events.put_events(Entries=[{"Source": name, "DetailType": "d", "Detail": '{"n": "one"}'}])
    assert seen_by(emulator, f"{name}-seen", 2) == Counter({"one": 2})
