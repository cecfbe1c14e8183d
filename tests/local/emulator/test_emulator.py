"""What the emulator process adds to ministack, seen from outside."""

from __future__ import annotations

import http.client
import json
import stat
import sys
from typing import Any

import pytest

from local.emulator.providers.page_origin import with_page_port
from local.processes.loopback import exposed_listeners, listeners
from tests.local.conftest import EmulatorProcess

SHOW_ENVIRONMENT = """
import os, sys
def handler(event, context):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")
    return {**{name: os.environ.get(name) for name in names}, "python": sys.executable}
"""


def invoke(emulator: EmulatorProcess, name: str, event: Any = None) -> Any:
    answer = emulator.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def test_every_function_has_keys_of_its_own_that_the_events_service_can_verify(emulator: EmulatorProcess) -> None:
    for name in ("first", "second"):
        emulator.function(name, SHOW_ENVIRONMENT)
    first, second = invoke(emulator, "first"), invoke(emulator, "second")
    assert first["AWS_ACCESS_KEY_ID"] != second["AWS_ACCESS_KEY_ID"]
    assert first["AWS_ENDPOINT_URL"] == emulator.ports.emulator_url
    assert first["AWS_REGION"] == "us-east-1"
    known = json.loads(emulator.state.credentials_file.read_text())
    entry = known[first["AWS_ACCESS_KEY_ID"]]
    assert entry["secretAccessKey"] == first["AWS_SECRET_ACCESS_KEY"]
    assert entry["sessionToken"] == first["AWS_SESSION_TOKEN"]
    assert entry["arn"] == "arn:aws:sts::000000000000:assumed-role/test/first"
    assert entry["accountId"] == "000000000000"


def test_keys_and_token_are_readable_by_their_owner_only(emulator: EmulatorProcess) -> None:
    for path in (emulator.state.credentials_file, emulator.state.token_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_functions_run_in_the_interpreter_that_holds_the_locked_dependencies(emulator: EmulatorProcess) -> None:
    emulator.function("interpreter", SHOW_ENVIRONMENT)
    assert invoke(emulator, "interpreter")["python"] == sys.executable


def test_nothing_of_the_emulator_and_the_events_service_listens_off_loopback(emulator: EmulatorProcess) -> None:
    emulator.function("busy", SHOW_ENVIRONMENT)
    invoke(emulator, "busy")
    assert emulator.events is not None
    pids = [emulator.emulator.pid, emulator.events.pid]
    assert {listener.port for listener in listeners(pids)} >= {emulator.ports.emulator, emulator.ports.events}
    assert exposed_listeners(pids) == []


def test_a_response_carries_one_date(emulator: EmulatorProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.ports.emulator, timeout=10)
    connection.request("GET", "/_ministack/health")
    response = connection.getresponse()
    assert len([name for name, _ in response.getheaders() if name.lower() == "date"]) == 1
    connection.close()


def test_unknown_control_paths_are_not_taken_for_aws_requests(emulator: EmulatorProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.ports.emulator, timeout=10)
    connection.request("GET", "/_local/nothing", headers={"x-local-control": emulator.token})
    response = connection.getresponse()
    assert response.status == 404
    assert "is not known here" in json.loads(response.read())["errors"][0]["message"]
    connection.close()


@pytest.mark.parametrize("trigger_fails", [False, True])
def test_confirming_a_sign_up_runs_the_trigger_and_reports_its_failure(
    emulator: EmulatorProcess, trigger_fails: bool
) -> None:
    cognito, suffix = emulator.aws("cognito-idp"), "fails" if trigger_fails else "works"
    table = f"confirmed-{suffix}"
    emulator.table(table)
    source = f"""
import boto3
def handler(event, context):
    boto3.client("dynamodb").put_item(TableName="{table}", Item={{
        "pk": {{"S": event["request"]["userAttributes"]["email"]}}, "sk": {{"S": event["triggerSource"]}}}})
    if {trigger_fails}:
        raise RuntimeError("no profile today")
    return event
"""
    function = emulator.function(f"trigger-{suffix}", source)
    pool = cognito.create_user_pool(
        PoolName=suffix, AutoVerifiedAttributes=["email"], LambdaConfig={"PostConfirmation": function}
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web")["UserPoolClient"]["ClientId"]
    address = {"Name": "email", "Value": "ada@example.edu"}
    cognito.sign_up(ClientId=client, Username="ada", Password="Secret-123", UserAttributes=[address])

    def confirm() -> None:
        cognito.confirm_sign_up(ClientId=client, Username="ada", ConfirmationCode="123456")

    if trigger_fails:
        with pytest.raises(cognito.exceptions.UserLambdaValidationException, match="no profile today"):
            confirm()
    else:
        confirm()
    user = cognito.admin_get_user(UserPoolId=pool, Username="ada")
    assert user["UserStatus"] == "CONFIRMED"
    assert {"Name": "email_verified", "Value": "true"} in user["UserAttributes"]
    items = emulator.aws("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    assert [(item["pk"]["S"], item["sk"]["S"]) for item in items] == [
        ("ada@example.edu", "PostConfirmation_ConfirmSignUp")
    ]


def test_the_pages_usual_origin_stands_for_the_port_that_it_got() -> None:
    template = {"CorsConfiguration": {"AllowOrigins": ["http://localhost:4568", "https://chat.example.edu"]}}
    changed = with_page_port(template, 5000)
    assert changed["CorsConfiguration"]["AllowOrigins"] == ["http://localhost:5000", "https://chat.example.edu"]
    assert template["CorsConfiguration"]["AllowOrigins"][0] == "http://localhost:4568"
    assert with_page_port({"Name": "a"}, 5000) == {"Name": "a"}
