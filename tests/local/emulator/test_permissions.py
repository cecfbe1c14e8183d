"""A role may do what its policies say: seen by functions of an emulator, and in the record that they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.control.control_calls import control_call
from tests.local.conftest import REGION, EmulatorProcess
from tests.local.emulator.test_durability import eventually
from tests.local.emulator.test_emulator import invoke

CALLER = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
clients = {}
def handler(event, context):
    outcomes = []
    for service, method, arguments in event:
        if service not in clients:
            clients[service] = boto3.client(service, config=Config(retries={"total_max_attempts": 1}))
        try:
            getattr(clients[service], method)(**arguments)
            outcomes.append("done")
        except ClientError as error:
            refusal = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            outcomes.append(f"{status} {refusal['Code']}: {refusal.get('Message')}")
    return outcomes
"""
ACCOUNT = "000000000000"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def calls(emulator: EmulatorProcess, request: pytest.FixtureRequest) -> Callable[..., Callable[..., list[str]]]:
    """Makes a function with the given statements; what it returns makes the function call services."""

    def with_statements(*statements: dict[str, Any]) -> Callable[..., list[str]]:
        name = f"caller-{abs(hash(request.node.name)) % 10**8}"
        role = emulator.role(name, *statements)
        emulator.function(name, CALLER, role=role)

        def call(*wanted: tuple[str, str, dict[str, Any]]) -> list[str]:
            return list(invoke(emulator, name, wanted))

        return call

    return with_statements


@pytest.fixture(scope="module")
def tables(emulator: EmulatorProcess) -> None:
    for name in ("left", "right"):
        emulator.table(name)


def get(table: str) -> tuple[str, str, dict[str, Any]]:
    return "dynamodb", "get_item", {"TableName": table, "Key": KEY}


@pytest.mark.usefixtures("tables")
def test_an_action_that_is_not_granted_is_refused_in_the_services_own_words(calls: Any) -> None:
    call = calls(allow("dynamodb:GetItem", TABLE + "left"))
    granted, other_table, other_action = call(
        get("left"), get("right"), ("dynamodb", "put_item", {"TableName": "left", "Item": KEY})
    )
    assert granted == "done"
    assert other_table.startswith("400 AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/caller-")
    assert "is not authorized to perform: dynamodb:GetItem on resource: " + TABLE + "right" in other_table
    assert "because no identity-based policy allows the dynamodb:PutItem action" in other_action


@pytest.mark.usefixtures("tables")
def test_an_explicit_deny_wins_and_wildcards_match(calls: Any) -> None:
    deny = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": TABLE + "right"}
    call = calls(allow("dynamodb:Get*", TABLE + "*"), deny)
    left, right = call(get("left"), get("right"))
    assert left == "done"
    assert "with an explicit deny in an identity-based policy" in right


@pytest.mark.usefixtures("tables")
def test_every_part_of_a_transaction_and_every_table_of_a_batch_needs_its_right(calls: Any) -> None:
    call = calls(
        allow(["dynamodb:PutItem", "dynamodb:BatchGetItem"], TABLE + "left"),
        allow("dynamodb:ConditionCheckItem", TABLE + "right"),
    )

    def transaction(*parts: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        return "dynamodb", "transact_write_items", {"TransactItems": list(parts)}

    put = {"Put": {"TableName": "left", "Item": KEY}}
    check = {"ConditionCheck": {"TableName": "right", "Key": KEY, "ConditionExpression": "attribute_not_exists(pk)"}}
    update = {"Update": {"TableName": "left", "Key": {**KEY, "sk": {"S": "t"}}, "UpdateExpression": "SET a = pk"}}
    assert call(transaction(put, check)) == ["done"]
    assert "dynamodb:UpdateItem on resource: " + TABLE + "left" in call(transaction(check, update))[0]
    batch = {name: {"Keys": [KEY]} for name in ("left", "right")}
    answers = call(
        ("dynamodb", "batch_get_item", {"RequestItems": {"left": batch["left"]}}),
        ("dynamodb", "batch_get_item", {"RequestItems": batch}),
    )
    assert answers[0] == "done"
    assert TABLE + "right" in answers[1]


@pytest.mark.usefixtures("tables")
def test_a_condition_is_evaluated(calls: Any) -> None:
    only = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk"]}, "Null": {"dynamodb:Attributes": "false"}}
    call = calls(allow("dynamodb:GetItem", TABLE + "left", Condition=only))
    few, every = call(
        ("dynamodb", "get_item", {"TableName": "left", "Key": KEY, "ProjectionExpression": "pk"}), get("left")
    )
    assert few == "done"
    assert "AccessDenied" in every


def test_queues_and_meetings_have_their_own_refusals(emulator: EmulatorProcess, calls: Any) -> None:
    url = emulator.aws("sqs").create_queue(QueueName="mine")["QueueUrl"]
    meetings = f"arn:aws:chime:{REGION}:{ACCOUNT}:meeting/*"
    call = calls(
        allow("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:mine"), allow("chime:CreateMeeting", meetings)
    )
    request = {"ClientRequestToken": "token", "ExternalMeetingId": "meeting", "MediaRegion": REGION}
    answers = call(
        ("sqs", "send_message", {"QueueUrl": url, "MessageBody": "b"}),
        ("sqs", "send_message_batch", {"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "b"}]}),
        ("sqs", "purge_queue", {"QueueUrl": url}),
        ("chime-sdk-meetings", "create_meeting", request),
        ("chime-sdk-meetings", "get_meeting", {"MeetingId": ACCOUNT[:8] + "-0000-0000-0000-000000000000"}),
    )
    assert answers[:2] == ["done", "done"]
    assert answers[2].startswith("403 AccessDenied: ")
    assert answers[3] == "done"
    assert answers[4].startswith("403 AccessDeniedException: ")
    assert "chime:GetMeeting on resource: arn:aws:chime:" in answers[4]


def test_a_role_that_does_not_exist_may_nothing_and_the_operator_everything(emulator: EmulatorProcess) -> None:
    emulator.function("orphan", CALLER, role=f"arn:aws:iam::{ACCOUNT}:role/unknown")
    (answer,) = invoke(emulator, "orphan", [("dynamodb", "list_tables", {})])
    assert "AccessDenied" in answer
    assert emulator.aws("dynamodb").list_tables()["TableNames"] is not None


READER = """
def handler(event, context):
    print("seen", len(event["Records"]))
"""


def test_a_queue_is_read_only_if_the_role_allows_it(emulator: EmulatorProcess) -> None:
    sqs, lambda_ = emulator.aws("sqs"), emulator.aws("lambda")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
    some = ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"]
    emulator.function("reader", READER, role=emulator.role("reader", allow(some, queue)))
    mapping = lambda_.create_event_source_mapping(FunctionName="reader", EventSourceArn=queue)["UUID"]
    sqs.send_message(QueueUrl=url, MessageBody="one")

    def result() -> str:
        return str(lambda_.get_event_source_mapping(UUID=mapping)["LastProcessingResult"])

    eventually(lambda: result().startswith("PROBLEM: the function's role"))
    assert waiting(sqs, url) == "1"
    emulator.role("reader", allow([*some, "sqs:DeleteMessage"], queue))
    eventually(lambda: waiting(sqs, url) == "0")
    assert ["sqs:DeleteMessage", queue] in recorded(emulator, "reader")["refused"]
    lambda_.delete_event_source_mapping(UUID=mapping)


def waiting(sqs: Any, url: str) -> str:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return str(sum(int(attributes[name]) for name in names))


def test_a_function_writes_its_log_only_if_the_role_allows_it(emulator: EmulatorProcess) -> None:
    logs = emulator.aws("logs")
    streams = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/%s:log-stream:*"
    for name, actions in (("silent", ["logs:PutLogEvents"]), ("loud", ["logs:CreateLogStream", "logs:PutLogEvents"])):
        emulator.function(
            name,
            "def handler(event, context): print('hello')",
            role=emulator.role(name, allow(actions, streams % name)),
        )
        invoke(emulator, name)
    eventually(lambda: bool(logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/loud")["logGroups"]))
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/silent")["logGroups"] == []
    assert recorded(emulator, "loud")["refused"] == []
    assert [action for action, _ in recorded(emulator, "silent")["refused"]] == ["logs:CreateLogStream"]


def recorded(emulator: EmulatorProcess, role: str) -> dict[str, Any]:
    report = control_call("GET", f"{emulator.ports.emulator_url}/_local/permissions", emulator.token)
    return dict(report["roles"][role])


@pytest.mark.usefixtures("tables")
def test_grants_uses_and_refusals_are_recorded_and_survive_a_crash(emulator: EmulatorProcess, calls: Any) -> None:
    call = calls(allow(["dynamodb:Get*", "dynamodb:PutItem"], [TABLE + "left", TABLE + "right"], Sid="Both"))
    call(get("left"), get("left"), ("dynamodb", "delete_item", {"TableName": "left", "Key": KEY}))
    role = next(
        each["roleName"]
        for each in named_roles(emulator)
        if each["owner"].startswith("caller-") and any(grant[0] == "Both" for grant in each["grants"])
    )
    before = recorded(emulator, role)
    assert before["grants"] == [
        ["Both", action, TABLE + table]
        for action in ("dynamodb:Get*", "dynamodb:PutItem")
        for table in ("left", "right")
    ]
    assert ["dynamodb:GetItem", "dynamodb:Get*", TABLE + "left"] in before["used"]
    assert before["refused"] == [
        *[["dynamodb:DeleteItem", TABLE + "left"]],
        *[need for need in before["refused"] if need[0].startswith("logs:")],
    ]
    saved = emulator.state.emulator

    def on_disk() -> Any:
        folder = saved / (saved / "current").read_text().strip()
        return json.loads((folder / "permissions.json").read_text())["payload"]["roles"].get(role)

    eventually(lambda: on_disk() == before)
    emulator.restart_after_crash()
    assert recorded(emulator, role) == before


def named_roles(emulator: EmulatorProcess) -> list[dict[str, Any]]:
    report = control_call("GET", f"{emulator.ports.emulator_url}/_local/permissions", emulator.token)
    return [{"roleName": name, **role} for name, role in report["roles"].items()]


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        ("assumed-role/publisher/function", {"chats": "allowed", "users": "not allowed"}),
        ("assumed-role/unknown/function", {"chats": "not allowed"}),
        ("user/operator", {"users": "allowed"}),
    ],
)
def test_a_service_outside_asks_and_gets_the_same_decision(
    emulator: EmulatorProcess, principal: str, decision: dict[str, str]
) -> None:
    api = f"arn:aws:appsync:{REGION}:{ACCOUNT}:apis/abc"
    emulator.role("publisher", allow("appsync:EventPublish", f"{api}/channelNamespace/chats"))
    url = f"{emulator.ports.emulator_url}/_local/permissions/decision"
    for namespace, expected in decision.items():
        question = {
            "principalArn": f"arn:aws:sts::{ACCOUNT}:{principal}",
            "action": "appsync:EventPublish",
            "resource": f"{api}/channelNamespace/{namespace}",
        }
        assert control_call("POST", url, emulator.token, question) == {"decision": expected}
