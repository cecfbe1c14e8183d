"""One correlation id from the request to the outbox, the queue, the publish and every log line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contract import limits, tables
from contract.correlation import CHARACTERS_MAX, CHARACTERS_MIN, HEADER
from handlers.core.shared import concurrency, correlation
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import running_chime
from tests.harness.emulator import AwsResources, lambda_record
from tests.harness.functions import FunctionHarness
from tests.harness.http import http_event
from tests.harness.log_lines import LogLines

WITHOUT_REQUEST = ("delivered", "relayed", "swept", "ring timers handled")
"""Messages of the lines that count a whole batch, which several requests may have caused."""


@pytest.fixture
def lines() -> Iterator[LogLines]:
    """The log lines of the functions, as CloudWatch gets them."""
    with LogLines.recorded() as recorded:
        yield recorded


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws)


class RecordingSqs:
    """An SQS client that records the single messages, which are ring timers: their delay takes real time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.bodies: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the client."""
        return getattr(self._client, name)

    def send_message(self, **request: Any) -> Any:
        """Record a message, and send it."""
        self.bodies.append(request["MessageBody"])
        return self._client.send_message(**request)


def _headers(correlation_id: str) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": "Bearer token", HEADER: correlation_id}


def _request(
    harness: FunctionHarness, route: str, user_id: str, body: Any, correlation_id: str, **event: Any
) -> dict[str, Any]:
    domain = "messages" if "/messages/" in route else "conversations"
    document = http_event(route, user_id, body, headers=_headers(correlation_id), **event)
    answer = harness.handlers[domain](document, None)
    assert answer["statusCode"] < 300, answer
    return answer


def _ids(lines: LogLines) -> set[str | None]:
    return {line.get("correlationId") for line in lines.all() if line["message"] not in WITHOUT_REQUEST}


def test_id_of_the_request_is_used_and_returned_where_the_client_sends_none(
    harness: FunctionHarness, lines: LogLines
) -> None:
    ada = harness.user()
    event = http_event("GET /api/conversations", ada, requestContext={"requestId": "JKJaXmPLvHcESHA="})
    claims = {"sub": ada, "token_use": "access"}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    answer = harness.handlers["conversations"](event, None)
    assert answer["headers"][HEADER] == "JKJaXmPLvHcESHA="
    assert _ids(lines) == {"JKJaXmPLvHcESHA="}


@pytest.mark.parametrize(
    "given",
    [
        "a" * (CHARACTERS_MIN - 1),
        "a" * (CHARACTERS_MAX + 1),
        "with space in it",
        'quote"quote"',
        "line\nbreak-line",
        "ünïcödé-ünïcödé",
    ],
)
def test_id_of_a_client_that_is_not_valid_is_ignored(harness: FunctionHarness, lines: LogLines, given: str) -> None:
    ada = harness.user()
    event = http_event("GET /api/conversations", ada, headers=_headers(given))
    assert harness.handlers["conversations"](event, None)["headers"][HEADER] == "request-1"
    assert _ids(lines) == {"request-1"}


@pytest.mark.parametrize("given", ["a" * CHARACTERS_MIN, "a" * CHARACTERS_MAX, "3550b0dc-e1c4-4afb-aa2c-5ad9b77ab5d2"])
def test_id_of_a_client_is_used_beside_the_id_of_the_request(
    harness: FunctionHarness, lines: LogLines, given: str
) -> None:
    ada = harness.user()
    event = http_event("GET /api/conversations", ada, headers=_headers(given))
    assert harness.handlers["conversations"](event, None)["headers"][HEADER] == given
    (line,) = lines.all("request")
    assert (line["correlationId"], line["requestId"]) == (given, "request-1")


def test_a_refused_request_has_its_id_in_the_response_and_in_the_log(harness: FunctionHarness, lines: LogLines) -> None:
    event = http_event("GET /api/conversations", None, headers=_headers("refused-1"))
    answer = harness.handlers["conversations"](event, None)
    assert (answer["statusCode"], answer["headers"][HEADER]) == (401, "refused-1")
    assert _ids(lines) == {"refused-1"}


def test_a_direct_send_and_an_edit_have_one_id_each_in_every_line_and_record(
    harness: FunctionHarness, lines: LogLines
) -> None:
    ada, grace = harness.users(2)
    conversation = harness.direct(ada, grace)
    lines.clear()
    body = {"conversationId": conversation, "content": "hello", "tempId": "t1"}
    sent = json.loads(_request(harness, "POST /api/messages/send", ada, body, "send-0001")["body"])
    (record,) = [each for each in harness.aws.scan(tables.OUTBOX) if each["eventId"].startswith("send#")]
    assert record["correlationId"] == "send-0001", "it stays in the emptied record"
    assert _ids(lines) == {"send-0001"}
    (published,) = lines.all("event published")
    assert published["messageId"] == sent["messageId"]
    (request,) = lines.all("request")
    assert (request["messageId"], request["conversationId"]) == (sent["messageId"], conversation)
    lines.clear()
    body = {"conversationId": conversation, "content": "better"}
    path = {"messageId": sent["messageId"]}
    _request(harness, "PATCH /api/messages/{messageId}", ada, body, "edit-0001", path=path)
    assert _ids(lines) == {"edit-0001"}
    assert [line["eventType"] for line in lines.all("event published")] == ["MESSAGE_UPDATED"]


def test_a_redelivery_after_failures_has_the_id_of_the_send_at_every_step(
    harness: FunctionHarness, lines: LogLines
) -> None:
    ada, grace = harness.users(2)
    group = harness.group(ada, grace)
    harness.deliver()
    lines.clear()
    harness.publisher.failing = {f"/chats/{grace}"}
    body = {"conversationId": group, "content": "hello"}
    _request(harness, "POST /api/messages/send", ada, body, "resend-01")
    (record,) = harness.aws.scan(tables.OUTBOX)
    assert record["correlationId"] == "resend-01"
    harness.aws.sqs.purge_queue(QueueUrl=harness.aws.queue_url)
    harness.relay(record["eventId"])
    harness.advance(limits.SWEEP_AFTER_SECONDS + 1)
    harness.sweep()
    assert [line["by"] for line in lines.all("event queued")] == ["relay", "sweep"]
    batch = harness.aws.receive_batch()
    assert batch
    for message in batch:
        assert json.loads(message["Body"])["correlationId"] == "resend-01"
    answer = harness._deliver({"Records": [lambda_record(each) for each in batch[:1]]}, None)
    assert answer["batchItemFailures"]
    harness.publisher.failing.clear()
    answer = harness._deliver({"Records": [lambda_record(each) for each in batch[:1]]}, None)
    assert not answer["batchItemFailures"]
    assert harness.aws.scan(tables.OUTBOX) == []
    assert _ids(lines) == {"resend-01"}
    failed = [line["failed"] for line in lines.all("event published")]
    assert failed == [[grace], [grace], []]
    assert [line["done"] for line in lines.all("delivery task")] == [False, True]


def test_slices_of_a_large_group_carry_the_id(aws: AwsResources, lines: LogLines) -> None:
    harness = FunctionHarness(aws, fanout_limit=2)
    ada, *others = harness.users(4)
    group = harness.group(ada, *others)
    harness.deliver()
    lines.clear()
    _request(harness, "POST /api/messages/send", ada, {"conversationId": group, "content": "hi"}, "slices-01")
    assert harness.deliver() == 0
    assert _ids(lines) == {"slices-01"}
    assert sum(line["recipients"] for line in lines.all("event published")) == 4


def test_publish_lines_of_other_threads_have_the_id(lines: LogLines) -> None:
    log = logging.getLogger("handlers.test")
    with correlation.scope("threads-1"):
        concurrency.each(lambda number: log.info("line %d", number), range(4))
        concurrency.start(lambda: log.info("started")).result()
    assert [line.get("correlationId") for line in lines.all()] == ["threads-1"] * 5


def test_a_call_has_the_id_of_its_request_also_after_the_ring_timeout(aws: AwsResources, lines: LogLines) -> None:
    with running_chime() as chime:
        sqs = RecordingSqs(aws.sqs)
        functions = CallFunctions(replace(aws, sqs=sqs), chime)
        ada, grace = functions.add_users("Ada", "Grace")
        headers = _headers("calling-1")
        answer = functions.request("POST /api/calls/initiate", ada, {"recipientId": grace}, headers=headers)
        assert answer.status == 200, answer
        (timer,) = sqs.bodies
        assert json.loads(timer)["correlationId"] == "calling-1"
        functions.clock.pause(46)
        record = {"messageId": "1", "receiptHandle": "r", "body": timer}
        record["attributes"] = {"ApproximateReceiveCount": "1"}
        functions.ring_timeout({"Records": [record]}, None)
        assert [line["outcome"] for line in lines.all("call")] == ["initiated", "delivered", "missed"]
        assert _ids(lines) == {"calling-1"}
        assert {line["sessionId"] for line in lines.all("event published")} == {answer.body["sessionId"]}
