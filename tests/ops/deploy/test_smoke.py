"""The smoke test after a deployment: the canary function, else requests that create nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from botocore.response import StreamingBody

from contract.canary import credentials_parameter
from ops.cdk import ROOT
from ops.deploy import smoke
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.verify.catalogue import QUESTIONS
from ops.verify.deployment import HttpResponse
from ops.verify.question import Answer, State
from stacks.config.load import load
from stacks.naming import Names
from tests.ops.deployed_stacks import STACK_OUTPUTS
from tests.ops.recorded_cloudformation import recorded, tools

CANARY = {"FunctionName": "PantherKolab-canary-dev"}

EXISTS = ("get_function_configuration", CANARY, CANARY)
USERS = (
    "get_parameter",
    {"Parameter": {"Name": credentials_parameter("dev"), "Type": "SecureString"}},
    {"Name": credentials_parameter("dev")},
)


def both(functions: Any, parameters: Any) -> Tools:
    """Return tools with the clients of Lambda and of SSM."""
    return replace(tools(functions), make_client=lambda service: parameters if service == "ssm" else functions)


def invoked(payload: str, **more: str) -> tuple[Any, ...]:
    body = StreamingBody(io.BytesIO(payload.encode()), len(payload.encode()))
    return "invoke", {"StatusCode": 200, "Payload": body, **more}, {**CANARY, "Payload": b"{}"}


@pytest.mark.parametrize(
    ("response", "failed"),
    [
        (invoked('{"ok": true, "milliseconds": 900}'), False),
        (invoked("null"), False),
        (invoked('{"ok": false, "step": "send"}'), True),
        (invoked('{"errorMessage": "no event"}', FunctionError="Unhandled"), True),
        (invoked("not JSON"), True),
    ],
)
def test_canary_function_decides_where_the_environment_has_one(response: tuple[Any, ...], failed: bool) -> None:
    with recorded(EXISTS, response, service="lambda") as functions, recorded(USERS, service="ssm") as parameters:
        result = smoke.smoke_test(load("dev"), both(functions, parameters))
    assert bool(result.failures) is failed


def test_function_of_the_canary_has_the_name_that_is_invoked() -> None:
    deployed = (ROOT / "tests/snapshots/prod/Operations.yaml").read_text(encoding="utf-8")
    assert f"FunctionName: {Names('prod').of(smoke.CANARY)}\n" in deployed


def test_canary_without_users_is_a_note_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the first deployment nothing has created them yet."""
    monkeypatch.setattr(smoke, "read_stacks", lambda name, client: STACK_OUTPUTS)
    monkeypatch.setattr(smoke, "request", lambda method, url, headers, body: HttpResponse(401, {}))
    missing = ("get_parameter", ("ParameterNotFound", ""), USERS[2])
    with recorded(EXISTS, service="lambda") as functions, recorded(missing, service="ssm") as parameters:
        result = smoke.smoke_test(load("dev"), both(functions, parameters), lambda environment: [])
    assert result.failures == ()
    assert "make canary ENV=dev" in result.notes[0]


def without_canary(
    monkeypatch: pytest.MonkeyPatch, statuses: dict[str, int], answers: list[Answer] | None = None
) -> smoke.Result:
    def request(method: str, url: str, headers: Any, body: bytes | None = None) -> HttpResponse:
        assert "authorization" not in {name.lower() for name in headers}
        if url not in statuses:
            raise CommandError(f"{url} did not respond")
        return HttpResponse(statuses[url], {})

    monkeypatch.setattr(smoke, "request", request)
    monkeypatch.setattr(smoke, "read_stacks", lambda name, client: STACK_OUTPUTS)
    missing = ("get_function_configuration", ("ResourceNotFoundException", "Function not found"), CANARY)
    with recorded(missing, service="lambda") as client:
        return smoke.smoke_test(load("dev"), tools(client), lambda environment: answers or [])


API, EVENTS = f"https://api.example.edu{smoke._ROUTE.path}", "https://e.example.edu/event"


def test_endpoints_that_refuse_a_request_without_a_token_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert without_canary(monkeypatch, {API: 401, EVENTS: 401}).failures == ()


def test_endpoints_that_serve_fail_or_do_not_respond_fail_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    open_api, silent = without_canary(monkeypatch, {API: 200}).failures
    assert open_api == f"GET {API} without a token was answered with 200 instead of 401"
    assert silent == f"{EVENTS} did not respond"
    assert len(without_canary(monkeypatch, {API: 500, EVENTS: 401}).failures) == 1


def test_answer_that_differs_is_a_note_with_its_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    question = QUESTIONS[0]
    other = question.answers[1]
    answers = [Answer(question, State.DIFFERS, "seen", other), Answer(QUESTIONS[1], State.NOT_ASKED, "no permission")]
    result = without_canary(monkeypatch, {API: 401, EVENTS: 401}, answers)
    assert result.failures == ()
    assert result.notes[0] == "no canary function; 1 questions that only read were answered"
    assert result.notes[1] == f"{question.id} differs: seen. {other.consequence}"


def test_questions_of_the_smoke_test_create_nothing_and_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(smoke, "connect", lambda environment, ids, waiting: (object(), None))
    monkeypatch.setattr(smoke, "ask_all", lambda questions, *rest: asked.extend(questions) or [])
    assert smoke.reading_questions(load("dev")) == []
    assert asked
    assert [each.id for each in asked if each.creates or each.cost] == []
