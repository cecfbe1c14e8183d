"""The canary's run: a healthy run, and each failing step, which the log line and the error name."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract import canary as names
from contract import channels, tables
from contract.limits import CALL_RATE, CALL_TARGET_RATE, SEND_RATE
from handlers.core.canary.ports import CanaryError, CanaryUser, CanaryUsers, Event, Session
from handlers.core.canary.run import STEPS, Canary
from handlers.entry import canary as entry
from tests.harness.call_functions import CallFunctions
from tests.harness.chime import ChimeServer, running_chime
from tests.harness.emulator import AwsResources
from tests.harness.fakes import FakeClock, RecordingPublisher
from tests.harness.functions import FunctionHarness

USERS = CanaryUsers(
    sender=CanaryUser(email="sender@canary.invalid", password="one"),
    recipient=CanaryUser(email="recipient@canary.invalid", password="two"),
)


@pytest.fixture(scope="module")
def chime() -> Iterator[ChimeServer]:
    """One Chime server for all tests of this module."""
    with running_chime() as running:
        yield running


@dataclass
class Product:
    """The real route functions behind the canary's ports; one step can be made to fail.

    Args:
        failing: the step that fails.
        late_ms: how much later than its publish an event is received.
    """

    functions: FunctionHarness
    calls: CallFunctions
    publisher: RecordingPublisher
    clock: FakeClock
    ids: list[str]
    failing: str = ""
    late_ms: int = 40
    closed: int = 0
    channels: list[str] = field(default_factory=list)
    pages: int = 0

    def _step(self, step: str) -> None:
        if self.failing and step == self.failing:
            raise CanaryError(f"{step} is made to fail")

    def read(self) -> CanaryUsers:
        self._step("credentials")
        return USERS

    def sign_in(self, user: CanaryUser) -> Session:
        self._step("sign_in")
        number = [USERS.sender, USERS.recipient].index(user)
        return Session(user_id=self.ids[number], access_token="token")

    def connect(self, session: Session) -> Product:
        self._step("connect")
        assert session.user_id == self.ids[1]
        return self

    def subscribe(self, channel: str) -> None:
        self._step("subscribe")
        self.channels.append(channel)

    def newest_messages(self, session: Session, conversation_id: str) -> list[str]:
        self.pages += 1
        self._step("open" if self.pages == 1 else "history")
        page = self.functions.history(session.user_id, conversation_id).body
        return [message["messageId"] for message in page["messages"]]

    def send(self, session: Session, conversation_id: str, temp_id: str, content: str) -> str:
        self._step("send")
        sent = self.functions.send(session.user_id, conversation_id, content, tempId=temp_id)
        assert sent.status == 200, sent
        return str(sent.body["messageId"])

    def initiate_call(self, session: Session, group_id: str, temp_id: str) -> str:
        self._step("call")
        called = self.calls.initiate(session.user_id, conversationId=group_id, tempId=temp_id, mediaType="AUDIO")
        assert called.status == 200, called
        return str(called.body["sessionId"])

    def cancel_call(self, session: Session, session_id: str) -> None:
        self._step("cancel")
        assert self.calls.act("cancel", session.user_id, session_id).status == 200

    def wait_for(self, matches: Callable[[Event], bool]) -> int:
        for channel, event in self.publisher.published:
            if channel in self.channels and matches(event):
                step = {"MESSAGE_SENT": "receive", "INCOMING_CALL": "ring"}.get(str(event["type"]), "")
                self._step(step)
                return self.clock.now() + self.late_ms
        raise CanaryError("the event was not received within 10 seconds")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def product(aws: AwsResources, chime: ChimeServer) -> Product:
    publisher, clock = RecordingPublisher(), FakeClock()
    functions = FunctionHarness(aws, publisher=publisher, clock=clock)
    calls = CallFunctions(aws, chime, publisher=publisher, clock=clock)
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for table, item in operator_items(ids):
        aws.put(table, item)
    return Product(functions, calls, publisher, clock, ids)


def operator_items(ids: list[str]) -> list[tuple[tables.Table, dict[str, Any]]]:
    """Return what `ops.canary` stores."""
    from ops.canary import _items

    return list(_items(ids, "2026-01-01T00:00:00.000Z"))


def canary(product: Product) -> Canary:
    ports: Any = product

    class Ids:
        def new(self) -> str:
            return str(uuid.uuid4())

    return Canary(credentials=ports, identity=ports, routes=ports, subscriber=ports, clock=product.clock, ids=Ids())


def run(product: Product, caplog: pytest.LogCaptureFixture) -> tuple[dict[str, Any] | None, str, dict[str, Any]]:
    """Run the function; return its result, the text of its error, and the fields of its log line."""
    handle = entry.runner(lambda: canary(product), lambda: "PantherKolab/test", product.clock)
    caplog.set_level(logging.INFO, "handlers")
    result, error = None, ""
    try:
        result = handle({}, None)
    except entry.CanaryFailedError as failed:
        error = str(failed)
    (line,) = (record.__dict__["fields"] for record in caplog.records if record.getMessage() == "canary")
    return result, error, line


def test_healthy_run_reports_every_step_and_the_delivery_time(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    result, error, line = run(product, caplog)
    assert error == ""
    assert result == {"steps": line["steps"], "deliveryMilliseconds": 40}
    assert tuple(line["steps"]) == STEPS
    assert (line["outcome"], line["failedStep"]) == ("healthy", None)
    assert (line[names.DELIVERY_METRIC], line[names.BAD_RUN_METRIC]) == (40, 0)
    assert product.closed == 1
    assert product.channels == [
        channels.channel(channels.CHATS, product.ids[1]),
        channels.channel(channels.USERS, product.ids[1]),
    ]


def test_log_line_is_in_the_embedded_metric_format(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    """CloudWatch reads a metric whose name is a field of the line; an unknown name or a text would be dropped."""
    line = run(product, caplog)[2]
    assert line["_aws"]["Timestamp"] == product.clock.now()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "PantherKolab/test"
    assert directive["Dimensions"] == [[]]
    for metric in directive["Metrics"]:
        assert isinstance(line[metric["Name"]], int)


@pytest.mark.parametrize("step", STEPS)
def test_failing_step_is_named_and_makes_the_function_fail(
    product: Product, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    product.failing = step
    result, error, line = run(product, caplog)
    assert result is None
    assert error.startswith(f"step {step}: ")
    assert (line["outcome"], line["failedStep"]) == ("failed", step)
    assert line[names.BAD_RUN_METRIC] == 1
    assert tuple(line["steps"]) == STEPS[: STEPS.index(step) + 1]
    assert product.closed == (1 if STEPS.index(step) > STEPS.index("connect") else 0)


def test_message_that_arrives_after_the_objective_is_a_bad_run_but_no_failure(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    product.late_ms = names.DELIVERY_OBJECTIVE_MS + 1
    _, error, line = run(product, caplog)
    assert error == ""
    assert (line["outcome"], line[names.BAD_RUN_METRIC]) == ("healthy", 1)


def test_call_that_does_not_ring_is_cancelled_so_that_the_next_run_can_call(
    product: Product, caplog: pytest.LogCaptureFixture
) -> None:
    product.failing = "ring"
    run(product, caplog)
    (call,) = product.functions.aws.scan(tables.CALLS)
    assert call["status"] == "CANCELLED"


def test_what_a_run_stores_expires_within_the_retention(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    run(product, caplog)
    aws = product.functions.aws
    latest = product.clock.now() // 1000 + names.RETENTION_DAYS * 86_400
    for table in (tables.MESSAGES, tables.CALLS, tables.USER_CALLS):
        assert table.ttl == "expiresAt"
        items = aws.scan(table)
        assert items
        assert all(0 < item["expiresAt"] <= latest for item in items), table.entity


def test_messages_and_calls_of_users_do_not_expire(product: Product) -> None:
    users = product.ids
    conversation = product.functions.direct(*users)
    product.functions.send_ok(users[0], conversation)
    assert product.calls.initiate(users[0], recipientId=users[1]).status == 200
    aws = product.functions.aws
    for table in (tables.MESSAGES, tables.CALLS, tables.USER_CALLS):
        items = aws.scan(table)
        assert items
        assert all("expiresAt" not in item for item in items), table.entity


def test_calls_of_the_canary_are_marked_in_the_log(product: Product, caplog: pytest.LogCaptureFixture) -> None:
    run(product, caplog)
    lines = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "call"]
    assert {line["outcome"] for line in lines} == {"initiated", "delivered", "cancelled"}
    assert all(line["canary"] for line in lines)


def test_canary_users_are_not_found_by_a_search(product: Product) -> None:
    searcher = product.functions.user("Canary", "Watcher")
    found = product.functions.call_ok(searcher, "searchUsers", q="Canary")
    assert found["users"] == []


def test_the_most_frequent_schedule_stays_below_every_rate_limit() -> None:
    """A run sends one message and places one call; the shortest schedule is one minute."""
    for rate in (SEND_RATE, CALL_RATE, CALL_TARGET_RATE):
        assert rate.count * 60 / rate.seconds >= 5
