"""The functions as Lambda starts them: with settings from environment variables and real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from contract import tables
from handlers.adapters import aws_clients
from handlers.adapters.sqs.delivery_queue import decode
from handlers.entry import deliver, messages, relay, sweep
from handlers.settings import (
    CallsSettings,
    CallSweepSettings,
    ChimeEventsSettings,
    ConversationsSettings,
    DeliverSettings,
    MessagesSettings,
    ProfileSettings,
    RelaySettings,
    RingTimeoutSettings,
    SettingsError,
    SweepSettings,
    UsersSettings,
)
from tests.harness.emulator import AwsResources, free_port, queue_record
from tests.harness.event_api import CREDENTIALS, REGION, FakeEventApi, running_event_api
from tests.harness.http import http_event
from tests.harness.seeds import seed_conversation, user_ids

ROOT = Path(__file__).parents[3]
SETTINGS = (
    MessagesSettings,
    ConversationsSettings,
    UsersSettings,
    CallsSettings,
    DeliverSettings,
    RelaySettings,
    SweepSettings,
    RingTimeoutSettings,
    ChimeEventsSettings,
    CallSweepSettings,
    ProfileSettings,
)
STARTING = ("messages", "calls", "deliver", "relay", "sweep", "ring_timeout", "chime_events", "call_sweep")
NUMBERS = {name.upper() for settings in SETTINGS for name, kind in get_type_hints(settings).items() if kind is int}
WIRED: tuple[Any, ...] = (
    aws_clients.client,
    aws_clients.session,
    messages._use_cases,
    deliver._use_cases,
    deliver._visibility,
    relay._relay,
    sweep._sweep,
)


def clear_process_state() -> None:
    """Drop every client and setting, as in a new process."""
    for each in WIRED:
        each.cache_clear()


@pytest.fixture
def event_api() -> Iterator[FakeEventApi]:
    """A fake Event API for this test."""
    with running_event_api() as running:
        yield running


@pytest.fixture
def variables(aws: AwsResources, event_api: FakeEventApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment variables of a function."""
    environment = {
        **aws.variables,
        "EVENTS_HTTP_ENDPOINT": event_api.url,
        "AWS_ENDPOINT_URL": aws.emulator.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
        "AWS_SESSION_TOKEN": str(CREDENTIALS.token),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clear_process_state()
    yield environment
    clear_process_state()


def test_message_is_published_to_the_event_api_with_settings_from_environment_variables(
    aws: AwsResources, event_api: FakeEventApi, variables: dict[str, str]
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    event = http_event("POST /api/messages/send", ana, {"conversationId": conversation, "content": "hello"})
    answer = messages.handle(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["delivery"] == {"delivered": 2, "pending": 0}
    assert sorted(channel for channel, _ in event_api.received) == sorted([f"/chats/{ana}", f"/chats/{ben}"])
    assert event_api.refused == []
    assert aws.scan(tables.OUTBOX) == []


def test_event_that_the_event_api_refused_is_delivered_by_relay_and_queue(
    aws: AwsResources, event_api: FakeEventApi, variables: dict[str, str]
) -> None:
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    accept = event_api.respond
    event_api.respond = lambda channel, attempt: (403, {})
    event = http_event("POST /api/messages/send", ana, {"conversationId": conversation, "content": "hello"})
    answer = messages.handle(event, None)
    assert json.loads(answer["body"])["delivery"] == {"delivered": 0, "pending": 2}
    event_api.respond = accept
    event_api.received.clear()
    (record,) = aws.scan(tables.OUTBOX)
    keys = {"eventId": {"S": record["eventId"]}}
    removed = {"eventName": "REMOVE", "dynamodb": {"Keys": {"eventId": {"S": "deleted"}}}}
    inserted = {"eventName": "INSERT", "dynamodb": {"Keys": keys}}
    assert relay.handle({"Records": [removed, inserted]}, None) == {"offered": 1}
    assert sweep.handle({}, None) == {"offered": 0, "givenUp": 0, "left": 0}
    body = json.dumps({"eventId": record["eventId"]})
    assert decode(body).event_id == record["eventId"]
    assert deliver.handle({"Records": [queue_record(body)]}, None) == {"batchItemFailures": []}
    assert len(event_api.received) == 2
    assert aws.scan(tables.OUTBOX) == []


def test_send_succeeds_if_the_event_api_is_unreachable(
    aws: AwsResources, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_HTTP_ENDPOINT", f"http://127.0.0.1:{free_port()}/event")
    ana, ben = user_ids(2)
    conversation = seed_conversation(aws, [ana, ben])
    event = http_event("POST /api/messages/send", ana, {"conversationId": conversation, "content": "hello"})
    answer = messages.handle(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["delivery"] == {"delivered": 0, "pending": 2}


@pytest.mark.parametrize(
    "module", ["messages", "calls", "deliver", "relay", "sweep", "ring_timeout", "chime_events", "call_sweep"]
)
def test_function_without_its_environment_variables_does_not_start(module: str) -> None:
    environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_DEFAULT_REGION": REGION}
    run = subprocess.run(
        [sys.executable, "-c", f"import handlers.entry.{module}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "SettingsError" in run.stderr
    assert "OUTBOX_TABLE is missing or empty" in run.stderr


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: each.function)
def test_settings_are_typed_and_the_error_names_every_invalid_variable(settings: Any) -> None:
    good = dict.fromkeys(settings.variables(), "20")
    loaded = settings.load(good)
    for name in settings.variables():
        assert getattr(loaded, name.lower()) == (20 if name in NUMBERS else "20")
    with pytest.raises(SettingsError) as error:
        settings.load({})
    assert all(f"{name} is missing or empty" in str(error.value) for name in settings.variables())
    for name in NUMBERS & set(good):
        for value in ("many", "-1", "1.5"):
            with pytest.raises(SettingsError, match=f"{name} must be a whole number"):
                settings.load({**good, name: value})


def test_each_log_line_is_one_json_object() -> None:
    code = (
        "import sys; from handlers.entry import logs; log = logs.configure(); logs.info(log, 'two\\nlines', a={1});"
        "\ntry: 1/0\nexcept Exception: log.exception('bad')"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = map(json.loads, run.stdout.splitlines())
    assert (first["level"], first["message"], first["a"]) == ("INFO", "two\nlines", [1])
    assert (second["level"], second["message"]) == ("ERROR", "bad")
    assert "ZeroDivisionError" in second["exception"]
