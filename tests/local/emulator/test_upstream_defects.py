"""Each defect of ministack that `local/emulator` corrects, shown on ministack as it comes.

A test that fails here means good news: upstream has corrected the defect. Delete the correction that the test names.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import PROJECT_FOLDER
from local.processes.ports import Ports

_PRELUDE = """
import asyncio, json, sys
from pathlib import Path
from local.emulator.settings import EmulatorSettings, configure_ministack
from local.state import StateDirectory
state = StateDirectory(Path(sys.argv[1]))
state.prepare()
configure_ministack(EmulatorSettings(4566, 4567, 4568, state, "us-east-1"))
from ministack.core import lambda_runtime
from ministack.services import apigateway, cognito, dynamodb, eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners
handlers = provisioners._RESOURCE_HANDLERS
def show(value):
    print("\\nRESULT " + json.dumps(value))
"""


_FORKS = (
    _PRELUDE
    + """
import os, traceback
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            exec(compile(json.loads(line), "code", "exec"), globals())
        except BaseException:
            print("\\nFAILED " + json.dumps(traceback.format_exc()))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    print("END", flush=True)
"""
)
"""Imports ministack once, and runs each piece of code from standard input in a fork of its own."""

Ask = Callable[[str], Any]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Runs code against unmodified ministack in a process of its own, and returns the value that it shows."""
    command = [sys.executable, "-c", _FORKS, str(tmp_path_factory.mktemp("upstream") / "state")]
    with subprocess.Popen(
        command, cwd=PROJECT_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, output = process.stdin, process.stdout

        def run(code: str) -> Any:
            print(json.dumps(code), file=requests, flush=True)
            lines = list(iter(output.readline, "END\n"))
            shown = [line.split(" ", 1) for line in lines if line.startswith(("RESULT ", "FAILED "))]
            assert shown, "".join(lines)
            kind, value = shown[-1]
            assert kind == "RESULT", json.loads(value)
            return json.loads(value)

        yield run
        requests.close()


def test_cloudformation_drops_time_to_live_and_recovery_so_table_settings_is_needed(ask: Ask) -> None:
    code = """
name, _ = handlers["AWS::DynamoDB::Table"]["create"]("T", {
    "TableName": "things", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}, "stack")
show([dynamodb._ttl_settings.get(name), dynamodb._pitr_settings.get(name)])
"""
    assert ask(code) == [None, None]


def test_attributes_set_from_one_value_stay_one_value_so_copied_values_is_needed(ask: Ask) -> None:
    code = """
values = {":none": {"M": {}}, ":one": {"N": "1"}}
item = {}
item, *_ = dynamodb._apply_update_expression(item, "SET a = :none, b = :none", values, {})
item, *_ = dynamodb._apply_update_expression(item, "SET a.x = :one", values, {})
show([item["a"], item["b"]])
"""
    assert ask(code) == [{"M": {"x": {"N": "1"}}}] * 2


def test_preflights_of_an_api_from_a_template_are_refused_so_cors_from_template_is_needed(ask: Ask) -> None:
    code = """
api_id, _ = handlers["AWS::ApiGatewayV2::Api"]["create"]("A", {
    "Name": "a", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["http://localhost:4568"]}}, "stack")
configuration = apigateway._apis[api_id]["corsConfiguration"]
show(apigateway._cors_preflight_response(configuration, "http://localhost:4568")[0])
"""
    assert ask(code) == 403


def test_alarms_on_metric_math_fail_a_deployment_so_metric_math_alarms_is_needed(ask: Ask) -> None:
    code = """
try:
    handlers["AWS::CloudWatch::Alarm"]["create"]("A", {
        "Metrics": [{"Id": "e", "Expression": "a/b"}], "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1, "Threshold": 1}, "stack")
    show("accepted")
except ValueError as error:
    show(str(error))
"""
    assert "not supported" in ask(code)


def test_a_call_that_logs_nothing_waits_fifty_milliseconds_so_log_wait_is_needed(ask: Ask) -> None:
    code = "show(lambda_runtime.Worker._drain_stderr_bounded.__defaults__[0])"
    assert ask(code) >= 0.05


def test_schedules_are_looked_at_every_ten_seconds_so_schedule_tick_is_needed(ask: Ask) -> None:
    code = "show([scheduler._SCHEDULE_TICK_INTERVAL, eventbridge._SCHEDULER_TICK_INTERVAL])"
    assert min(ask(code)) >= 10


def test_confirming_a_sign_up_calls_no_trigger_so_post_confirmation_is_needed(ask: Ask) -> None:
    code = """
called = []
lambda_svc._execute_function_with_config_scope = lambda record, event: called.append(event)
lambda_svc._get_func_record_for_ref = lambda arn: ({"config": {}}, {}, "f")
def idp(action, **data):
    status, _, body = asyncio.run(cognito._dispatch_idp(action, data))
    assert status == 200, body
    return json.loads(body)
pool = idp("CreateUserPool", PoolName="p", AutoVerifiedAttributes=["email"],
           LambdaConfig={"PostConfirmation": "arn:aws:lambda:us-east-1:000000000000:function:f"})["UserPool"]["Id"]
client = idp("CreateUserPoolClient", UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
for name in ("ada", "grace"):
    idp("SignUp", ClientId=client, Username=name, Password="Secret-123", UserAttributes=[
        {"Name": "email", "Value": f"{name}@example.edu"}])
idp("AdminConfirmSignUp", UserPoolId=pool, Username="ada")
idp("ConfirmSignUp", ClientId=client, Username="grace", ConfirmationCode="123456")
attributes = idp("AdminGetUser", UserPoolId=pool, Username="grace")["UserAttributes"]
show([called, {"Name": "email_verified", "Value": "true"} in attributes])
"""
    assert ask(code) == [[], False]


def test_refresh_token_of_a_disabled_account_works_so_disabled_accounts_is_needed(ask: Ask) -> None:
    code = """
def idp(action, **data):
    status, _, body = asyncio.run(cognito._dispatch_idp(action, data))
    return status, json.loads(body)
pool = idp("CreateUserPool", PoolName="p")[1]["UserPool"]["Id"]
flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
client = idp("CreateUserPoolClient", UserPoolId=pool, ClientName="c",
             ExplicitAuthFlows=flows)[1]["UserPoolClient"]["ClientId"]
idp("AdminCreateUser", UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
idp("AdminSetUserPassword", UserPoolId=pool, Username="ada", Password="Secret-123", Permanent=True)
tokens = idp("InitiateAuth", ClientId=client, AuthFlow="USER_PASSWORD_AUTH",
             AuthParameters={"USERNAME": "ada", "PASSWORD": "Secret-123"})[1]["AuthenticationResult"]
idp("AdminDisableUser", UserPoolId=pool, Username="ada")
status, _ = idp("InitiateAuth", ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})
show(status)
"""
    assert ask(code) == 200


def test_a_failing_function_shows_its_error_to_clients_so_function_failures_is_needed(ask: Ask) -> None:
    code = """
failure = {"error": True, "body": {"errorMessage": "the secret is out", "errorType": "RuntimeError"}}
show(lambda_svc.lambda_execute_result_to_api_proxy_response(failure)[0])
"""
    answer = ask(code)
    assert answer["statusCode"] == 502
    assert "the secret is out" in answer["body"]


@pytest.mark.parametrize(
    "resource_type", ["AWS::AppSync::Api", "AWS::AppSync::ChannelNamespace", "AWS::WAFv2::WebACLAssociation"]
)
def test_cloudformation_lacks_types_that_our_providers_add(ask: Ask, resource_type: str) -> None:
    assert ask(f'show("{resource_type}" in handlers)') is False


def test_a_snapshot_leaves_out_stream_records_so_they_are_saved_beside_it(ask: Ask) -> None:
    code = """
dynamodb._create_table({"TableName": "things", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}})
dynamodb._put_item({"TableName": "things", "Item": {"pk": {"S": "sought"}}})
assert dynamodb._live_stream_records("things")
show([name for name, value in dynamodb.get_state().items() if name != "tables" and "sought" in repr(value)])
"""
    assert ask(code) == []


def test_a_killed_ministack_forgets_its_writes_so_the_journal_is_needed(tmp_path: Path) -> None:
    serve = (
        _PRELUDE.replace("4566", "int(sys.argv[2])")
        + """
import uvicorn
from ministack.app import app
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
"""
    )
    port = Ports.free().emulator

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", serve, str(tmp_path / "state"), str(port)],
            cwd=PROJECT_FOLDER,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return process
        raise AssertionError("ministack did not start")

    process = start()
    try:
        _call(
            port,
            "CreateTable",
            {
                "TableName": "things",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        )
        assert _call(port, "ListTables", {})["TableNames"] == ["things"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start()
        assert _call(port, "ListTables", {})["TableNames"] == []
    finally:
        process.kill()
        process.wait()


def _call(port: int, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        data=json.dumps(body).encode(),
        method="POST",
        headers={"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - the address is loopback
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def test_concurrent_calls_start_processes_without_bound_so_turns_are_needed(ask: Ask) -> None:
    code = """
arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
config = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "index.handler", "FunctionArn": arn}
leased = [lambda_svc.acquire_worker("f", config, b"")[1] for _ in range(200)]
show([leased.count("spawn"), lambda_runtime._LOCAL_MAX_WORKERS])
"""
    assert ask(code) == [200, 0]


_TURNS = """
import threading, time
from local.emulator.workers.turns import Turns
arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
config = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "index.handler", "FunctionArn": arn}
class Alive:
    def poll(self): return None
class Dead:
    def poll(self): return -9
def lease(turns): return turns.acquire("f", config, b"")
def started(turns, worker):
    worker._proc = Alive()
    turns.started(worker)
def later(turns, answers, number):
    thread = threading.Thread(target=lambda: answers.append([number, lease(turns)[1]]))
    thread.start()
    time.sleep(0.1)
    return thread
"""


def test_calls_wait_for_a_start_in_their_order_and_take_what_becomes_idle(ask: Ask) -> None:
    code = """
turns, answers = Turns(ceiling=2, starts=1), []
first = lease(turns)
waiting = [later(turns, answers, number) for number in range(3)]
before = list(answers)
started(turns, first[0])
waiting[0].join(5)
turns.release(first[0])
waiting[1].join(5)
turns.release(first[0])
waiting[2].join(5)
show([first[1], before, answers])
"""
    assert ask(_TURNS + code) == ["spawn", [], [[0, "spawn"], [1, "reused"], [2, "reused"]]]


def test_a_living_process_is_taken_before_a_dead_one_is_started_again(ask: Ask) -> None:
    code = """
turns = Turns(starts=2)
dead, alive = lease(turns)[0], lease(turns)[0]
started(turns, dead)
started(turns, alive)
dead._proc = Dead()
turns.release(dead)
turns.release(alive)
leases = [lease(turns), lease(turns)]
show([leases[0][0] is alive, leases[0][1], leases[1][0] is dead, leases[1][1]])
"""
    assert ask(_TURNS + code) == [True, "reused", True, "spawn"]


def test_while_the_event_loop_is_late_there_are_fewer_processes_of_a_function(ask: Ask) -> None:
    code = """
from local.emulator.workers.loop_delay import LoopDelay
from local.emulator.workers.turns import CEILING_WHILE_LATE, LATE_SECONDS
delay = LoopDelay()
turns = Turns(starts=100, wait_seconds=0.05, delay=delay)
delay.seconds = LATE_SECONDS
late = [lease(turns)[1] for _ in range(CEILING_WHILE_LATE + 1)]
delay.seconds = 0.0
show([late.count("spawn") == CEILING_WHILE_LATE, late[-1], lease(turns)[1]])
"""
    assert ask(_TURNS + code) == [True, "func_cap", "spawn"]


def test_the_delay_of_a_blocked_event_loop_is_noticed_and_forgotten(ask: Ask) -> None:
    code = """
from local.emulator.workers.loop_delay import LoopDelay
async def measure():
    delay = LoopDelay()
    delay.watch(asyncio.get_running_loop())
    await asyncio.sleep(0.3)
    time.sleep(1)
    await asyncio.sleep(0.1)
    blocked = delay.seconds
    await asyncio.sleep(3)
    return [blocked > 0.5, delay.seconds < blocked]
show(asyncio.run(measure()))
"""
    assert ask(_TURNS + code) == [True, True]


def test_a_call_is_throttled_after_the_longest_wait(ask: Ask) -> None:
    code = """
turns = Turns(ceiling=1, wait_seconds=0.1)
started(turns, lease(turns)[0])
show(lease(turns))
"""
    assert ask(_TURNS + code) == [None, "func_cap"]


def test_a_rule_calls_a_failing_function_once_so_rule_targets_is_needed(ask: Ask) -> None:
    code = """
import time
called = []
lambda_svc._execute_function = lambda function, event: called.append(event) or {"error": True, "body": {}}
lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS = 0.01
arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
record = {"config": {"FunctionName": "f", "FunctionArn": arn, "Version": "$LATEST"}}
lambda_svc._functions.set_scoped("000000000000", "us-east-1", "f", record)
def calls():
    called.clear()
    eventbridge._dispatch_to_lambda(arn, '{"n": 1}')
    time.sleep(1)
    return called
upstream = len(calls())
from local.emulator.patches import rule_targets
rule_targets.apply()
show([upstream, calls()])
"""
    assert ask(code) == [1, [{"n": 1}] * 3]


def test_cloudformation_drops_a_functions_dead_letter_queue_so_dead_letters_is_needed(ask: Ask) -> None:
    code = """
queue = {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:letters"}
properties = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "i.h", "Code": {"ZipFile": "h = 1"},
              "Role": "arn:aws:iam::000000000000:role/r", "DeadLetterConfig": queue}
def kept():
    handlers["AWS::Lambda::Function"]["create"]("F", properties, "stack")
    return lambda_svc._functions.get("f")["config"].get("DeadLetterConfig")
upstream = kept()
from local.emulator.patches import dead_letters
dead_letters.apply()
show([upstream, kept() == queue])
"""
    assert ask(code) == [None, True]


_SIGNED_IN = """
def idp(action, **data):
    status, _, body = asyncio.run(cognito._dispatch_idp(action, data))
    return status, json.loads(body)
pool = idp("CreateUserPool", PoolName="p")[1]["UserPool"]["Id"]
client = idp("CreateUserPoolClient", UserPoolId=pool, ClientName="c")[1]["UserPoolClient"]["ClientId"]
idp("AdminCreateUser", UserPoolId=pool, Username="ada")
user = cognito._user_pools[pool]["_users"]["ada"]
attributes = cognito._attr_list_to_dict(user["Attributes"])
issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"
claims = {"sub": attributes["sub"], "username": "ada", "token_use": "access", "iss": issuer, "client_id": client}
"""


def test_get_user_answers_a_token_that_no_key_has_signed_so_cognito_callers_is_needed(ask: Ask) -> None:
    code = (
        _SIGNED_IN
        + """
import time
forged = cognito._signed_jwt({**claims, "exp": time.time() + 60}, pool, "access").rsplit(".", 1)[0] + ".c2ln"
upstream = idp("GetUser", AccessToken=forged)[0]
from local.emulator.patches import cognito_callers
cognito_callers.apply()
show([upstream, idp("GetUser", AccessToken=forged)])
"""
    )
    upstream, corrected = ask(code)
    assert upstream == 200
    assert (corrected[0], corrected[1]["__type"]) == (400, "NotAuthorizedException")


@pytest.mark.parametrize(
    ("more", "upstream"),
    [("{}", "accepted"), ('{"exp": time.time() + 60}', "accepted"), ('{"exp": "soon"}', "ValueError")],
)
def test_the_authorizer_accepts_a_token_without_expiry_so_jwt_authorizer_is_needed(
    ask: Ask, more: str, upstream: str
) -> None:
    code = (
        _SIGNED_IN
        + f"""
import time
token = cognito._signed_jwt({{**claims, **{more}}}, pool, "access")
async def keys(url):
    return json.loads(cognito.well_known_jwks(pool)[2])
apigateway._fetch_jwks = keys
authorizer = {{"identitySource": ["$request.header.Authorization"],
               "jwtConfiguration": {{"issuer": issuer, "audience": [client]}}}}
def asked():
    try:
        answer = asyncio.run(apigateway._validate_jwt_authorizer({{}}, authorizer, {{"authorization": token}}, {{}}))
    except ValueError:
        return "ValueError"
    return "accepted" if answer[2] is None else answer[2][0]
upstream = asked()
from local.emulator.patches import jwt_authorizer
jwt_authorizer.apply()
show([upstream, asked()])
"""
    )
    assert ask(code) == [upstream, "accepted" if "time.time" in more else 401]


def test_a_look_up_of_a_user_fails_while_another_signs_up_so_user_lookups_is_needed(ask: Ask) -> None:
    code = """
class SigningUp(dict):
    # The users of a pool, of whom one more signs up in the middle of each iteration.
    def values(self):
        for number, user in enumerate(super().values()):
            yield user
            self[f"new-{len(self)}"] = {"Attributes": []}
def found():
    users = {name: {"Attributes": [{"Name": "sub", "Value": name}]} for name in ("first", "second", "third")}
    pool = {"_users": SigningUp(users), "UsernameAttributes": ["email"]}
    try:
        return cognito._resolve_user(pool, "missing@example.edu")[1][0]
    except RuntimeError as error:
        return str(error)
upstream = found()
from local.emulator.patches import user_lookups
user_lookups.apply()
show([upstream, found()])
"""
    assert ask(code) == ["dictionary changed size during iteration", 400]
