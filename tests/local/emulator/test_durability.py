"""What the emulator acknowledged is there after `kill -9`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator.strict.rules.dynamodb import LAG_MOST_MILLISECONDS
from tests.local.conftest import EmulatorProcess

COPY_TO_TABLE = """
import os
import boto3
table = boto3.client("dynamodb")
def handler(event, context):
    for record in event["Records"]:
        if "dynamodb" in record:
            name = record["dynamodb"]["Keys"]["sk"]["S"]
        else:
            name = record["body"]
        table.put_item(TableName=os.environ["TARGET"], Item={"pk": {"S": "seen"}, "sk": {"S": name}})
"""


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """One emulator for the tests of this module, which crash it and start it again."""
    process = EmulatorProcess(tmp_path_factory.mktemp("crashing") / "state", events=False)
    try:
        process.start()
        yield process
    finally:
        process.stop()


@pytest.fixture
def emulator(crashing: EmulatorProcess) -> EmulatorProcess:
    """That emulator, running and without the tables, functions and queues of earlier tests."""
    crashing.start()
    functions, database, queues = (crashing.aws(name) for name in ("lambda", "dynamodb", "sqs"))
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    for function in functions.list_functions()["Functions"]:
        functions.delete_function(FunctionName=function["FunctionName"])
    for table in database.list_tables()["TableNames"]:
        database.delete_table(TableName=table)
    for queue in queues.list_queues().get("QueueUrls", []):
        queues.delete_queue(QueueUrl=queue)
    return crashing


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll until `check` holds; a bounded wait for what another process does on its own."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def keys(emulator: EmulatorProcess, table: str, partition: str) -> set[str]:
    pages = (
        emulator.aws("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": partition}},
            ConsistentRead=True,
        )
    )
    return {item["sk"]["S"] for page in pages for item in page["Items"]}


def item(partition: str, sort: str, **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sort}, **attributes}


def test_every_acknowledged_write_survives_a_kill_in_the_middle_of_writing(emulator: EmulatorProcess) -> None:
    emulator.table("things")
    acknowledged: list[set[str]] = [set(), set(), set()]
    enough = threading.Event()

    def write(number: int) -> None:
        dynamodb = emulator.aws("dynamodb")
        count = 0
        while True:
            name = f"{number}-{count}"
            try:
                dynamodb.put_item(TableName="things", Item=item("written", name))
            except (BotoCoreError, ClientError):
                return
            acknowledged[number].add(name)
            count += 1
            if count == 60:
                enough.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(len(acknowledged))]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    emulator.kill9()
    for writer in writers:
        writer.join(30)
    emulator.restart_after_crash()
    missing = set().union(*acknowledged) - keys(emulator, "things", "written")
    assert not missing


def test_a_transaction_survives_whole_or_not_at_all(emulator: EmulatorProcess) -> None:
    emulator.table("things")
    acknowledged = 0
    enough = threading.Event()

    def transact() -> None:
        nonlocal acknowledged
        dynamodb = emulator.aws("dynamodb")
        while True:
            name = str(acknowledged)
            puts = [{"Put": {"TableName": "things", "Item": item(partition, name)}} for partition in ("left", "right")]
            try:
                dynamodb.transact_write_items(TransactItems=puts)
            except (BotoCoreError, ClientError):
                return
            acknowledged += 1
            if acknowledged == 30:
                enough.set()

    writer = threading.Thread(target=transact)
    writer.start()
    assert enough.wait(60)
    emulator.kill9()
    writer.join(30)
    emulator.restart_after_crash()
    left, right = keys(emulator, "things", "left"), keys(emulator, "things", "right")
    assert left == right
    assert {str(number) for number in range(acknowledged)} <= left


def test_updates_deletes_and_indexes_are_as_before_the_kill(emulator: EmulatorProcess) -> None:
    dynamodb = emulator.aws("dynamodb")
    emulator.table("things")
    dynamodb.update_table(
        TableName="things",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "colour")],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "byColour",
                    "KeySchema": [{"AttributeName": "colour", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    for name in ("a", "b", "c"):
        dynamodb.put_item(TableName="things", Item=item("p", name, colour={"S": "red"}, data={"B": b"\x00\xff"}))
    dynamodb.delete_item(TableName="things", Key=item("p", "a"))
    dynamodb.update_item(
        TableName="things",
        Key=item("p", "b"),
        UpdateExpression="SET colour = :c, n = :n",
        ExpressionAttributeValues={":c": {"S": "blue"}, ":n": {"N": "7"}},
    )

    def by_colour(colour: str) -> list[dict[str, Any]]:
        time.sleep(2 * LAG_MOST_MILLISECONDS / 1000)  # the index shows every write by then, also after a start
        found: list[dict[str, Any]] = dynamodb.query(
            TableName="things",
            IndexName="byColour",
            KeyConditionExpression="colour = :c",
            ExpressionAttributeValues={":c": {"S": colour}},
        )["Items"]
        return found

    before = by_colour("red"), by_colour("blue")
    assert [len(each) for each in before] == [1, 1]
    emulator.restart_after_crash()
    assert (by_colour("red"), by_colour("blue")) == before
    assert [each["sk"]["S"] for each in before[1]] == ["b"]
    emulator.restart_after_crash()
    assert (by_colour("red"), by_colour("blue")) == before


def test_a_repeated_transaction_token_is_still_known_after_the_kill(emulator: EmulatorProcess) -> None:
    emulator.table("things")
    request = {
        "ClientRequestToken": "once-only",
        "TransactItems": [
            {
                "Update": {
                    "TableName": "things",
                    "Key": item("p", "counter"),
                    "UpdateExpression": "ADD n :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ],
    }
    emulator.aws("dynamodb").transact_write_items(**request)
    emulator.restart_after_crash()
    emulator.aws("dynamodb").transact_write_items(**request)
    found = emulator.aws("dynamodb").get_item(TableName="things", Key=item("p", "counter"))["Item"]
    assert found["n"] == {"N": "1"}


def test_a_stream_goes_on_where_it_was_so_no_change_is_lost(emulator: EmulatorProcess) -> None:
    dynamodb = emulator.aws("dynamodb")
    described = emulator.table("source", stream=True)
    emulator.table("target")
    function = emulator.function("copy", COPY_TO_TABLE, {"TARGET": "target"})
    emulator.aws("lambda").create_event_source_mapping(
        EventSourceArn=described["LatestStreamArn"],
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
    )
    dynamodb.put_item(TableName="source", Item=item("p", "before"))
    eventually(lambda: keys(emulator, "target", "seen") == {"before"})
    # While the function fails, its position stays; the kill comes before it could ever succeed.
    emulator.faults.set_aws({"service": "lambda", "operation": "Invoke", "effect": "error"})
    for number in range(5):
        dynamodb.put_item(TableName="source", Item=item("p", f"during-{number}"))
    emulator.restart_after_crash()
    expected = {"before", *(f"during-{number}" for number in range(5))}
    eventually(lambda: keys(emulator, "target", "seen") == expected)
    dynamodb.put_item(TableName="source", Item=item("p", "after"))
    eventually(lambda: keys(emulator, "target", "seen") == expected | {"after"})


def test_an_accepted_queue_message_is_delivered_after_the_kill(emulator: EmulatorProcess) -> None:
    sqs = emulator.aws("sqs")
    emulator.table("target")
    queue = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function = emulator.function("copy", COPY_TO_TABLE, {"TARGET": "target"})
    emulator.aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    emulator.faults.set_aws({"service": "lambda", "operation": "Invoke", "effect": "error"})
    names = {f"message-{number}" for number in range(8)}
    for name in names:
        sqs.send_message(QueueUrl=queue, MessageBody=name)
    emulator.restart_after_crash()
    eventually(lambda: keys(emulator, "target", "seen") == names)


def test_a_user_who_signed_up_a_moment_before_the_kill_signs_in_after_it(emulator: EmulatorProcess) -> None:
    cognito = emulator.aws("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="web",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.sign_up(ClientId=client, Username="ada", Password="Secret-123")
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username="ada")
    sign_in = {
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ada", "PASSWORD": "Secret-123"},
    }
    refresh = cognito.initiate_auth(**sign_in)["AuthenticationResult"]["RefreshToken"]
    emulator.restart_after_crash()
    assert cognito.initiate_auth(**sign_in)["AuthenticationResult"]["AccessToken"]
    renewed = cognito.initiate_auth(
        ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": refresh}
    )
    assert renewed["AuthenticationResult"]["AccessToken"]


def test_a_clean_stop_and_start_keeps_everything(emulator: EmulatorProcess) -> None:
    emulator.table("things")
    emulator.aws("dynamodb").put_item(TableName="things", Item=item("p", "kept"))
    emulator.stop()
    emulator.start()
    assert keys(emulator, "things", "p") == {"kept"}


def test_functions_run_again_after_the_kill_and_leave_no_unpacked_copies(emulator: EmulatorProcess) -> None:
    emulator.function("hello", "def handler(event, context):\n    return {'hello': event['name']}\n")
    invoke = {"FunctionName": "hello", "Payload": b'{"name": "Ada"}'}
    assert emulator.aws("lambda").invoke(**invoke)["Payload"].read() == b'{"hello": "Ada"}'
    emulator.restart_after_crash()
    assert list(emulator.state.temporary.iterdir()) == []
    assert emulator.aws("lambda").invoke(**invoke)["Payload"].read() == b'{"hello": "Ada"}'


@pytest.mark.parametrize("generations", [1, 3])
def test_only_the_last_generation_is_kept(emulator: EmulatorProcess, generations: int) -> None:
    for _ in range(generations):
        emulator.faults.checkpoint()
    folders = [entry for entry in emulator.state.emulator.iterdir() if entry.name.isdigit()]
    assert [folder.name for folder in folders] == [(emulator.state.emulator / "current").read_text()]
