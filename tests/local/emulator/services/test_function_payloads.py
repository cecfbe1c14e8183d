"""Lambda refuses payloads above its quotas."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.strict.functions.payloads import (
    ASYNCHRONOUS_REQUEST_BYTES,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    json_bytes,
)
from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.conftest import Strict, invoked

ECHO = """
def handler(event, context):
    return event["character"] * event["count"]
"""
QUOTES = 2


@pytest.fixture(scope="module")
def echo(emulator: EmulatorProcess) -> str:
    emulator.function("echo-of-any-size", ECHO)
    return "echo-of-any-size"


@pytest.mark.parametrize(("character", "size"), [("a", 1), ("é", 2), ("🦊", 4), ('"', 2)])
def test_a_response_has_at_most_six_megabytes_of_json(
    emulator: EmulatorProcess, strict: Strict, echo: str, character: str, size: int
) -> None:
    largest = (RESPONSE_BYTES - QUOTES) // size
    assert invoked(emulator, echo, {"character": character, "count": largest}) == (None, character * largest)
    kind, answer = invoked(emulator, echo, {"character": character, "count": largest + 1})
    assert kind == "Unhandled"
    assert answer["errorType"] == "Function.ResponseSizeTooLarge"
    assert str(RESPONSE_BYTES) in answer["errorMessage"]


def test_without_the_rule_a_response_has_any_size(emulator: EmulatorProcess, strict: Strict, echo: str) -> None:
    strict(payloadSizes=False)
    kind, _ = invoked(emulator, echo, {"character": "a", "count": RESPONSE_BYTES})
    assert kind is None


@pytest.mark.parametrize(
    ("invocation_type", "limit"), [("RequestResponse", REQUEST_BYTES), ("Event", ASYNCHRONOUS_REQUEST_BYTES)]
)
def test_a_request_above_the_quota_of_its_type_is_refused(
    emulator: EmulatorProcess, strict: Strict, echo: str, invocation_type: str, limit: int
) -> None:
    event: dict[str, Any] = {"character": "a", "count": 1, "rest": ""}
    filling = limit - json_bytes(event)
    client = emulator.aws("lambda")

    def status(more: int) -> int:
        payload = b'{"character": "a", "count": 1, "rest": "' + b"x" * (filling + more) + b'"}'
        assert len(payload) == limit + more
        answer = client.invoke(FunctionName=echo, InvocationType=invocation_type, Payload=payload)
        return int(answer["StatusCode"])

    assert status(0) < 300
    with pytest.raises(ClientError) as caught:
        status(1)
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
