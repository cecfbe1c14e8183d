"""Publishing to the Event API over real HTTP: signed, concurrent, patient to a point, and honest about failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Lock
from typing import Any

import botocore.session
import pytest

from contract.limits import PUBLISH_CONCURRENCY
from handlers.adapters.appsync.publisher import ATTEMPTS, EventsPublisher, publish_url
from tests.harness.emulator import free_port
from tests.harness.event_api import ACCEPTED, CREDENTIALS, REGION, FakeEventApi, running_event_api, when_concurrent

EVENT = json.dumps({"eventId": "1", "type": "USER_TYPING", "data": {"text": 'ñ "quoted" \u2028 😀'}})


@pytest.fixture
def api() -> Iterator[FakeEventApi]:
    """An Event API of this test's own."""
    with running_event_api() as running:
        yield running


def publisher_for(url: str, concurrency: int = PUBLISH_CONCURRENCY) -> EventsPublisher:
    """Return a publisher with made-up credentials."""
    session = botocore.session.Session()
    session.set_credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key, CREDENTIALS.token)
    session.set_config_variable("region", REGION)
    return EventsPublisher(url, session, concurrency)


def channels(count: int) -> list[str]:
    """Return channel names."""
    return [f"/chats/user-{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("abc.appsync-api.eu-west-1.amazonaws.com", "https://abc.appsync-api.eu-west-1.amazonaws.com/event"),
        ("https://events.example", "https://events.example/event"),
        ("https://events.example/", "https://events.example/event"),
        ("https://events.example/event", "https://events.example/event"),
        ("http://127.0.0.1:4567/api-id/event", "http://127.0.0.1:4567/api-id/event"),
    ],
)
def test_an_endpoint_is_a_host_name_or_a_whole_address(endpoint: str, url: str) -> None:
    assert publish_url(endpoint) == url


def test_every_channel_gets_the_event_in_a_request_of_its_own_rightly_signed(api: FakeEventApi) -> None:
    publisher = publisher_for(api.url)
    assert publisher.publish(channels(5), EVENT) == []
    assert sorted(api.received) == [(channel, [EVENT]) for channel in channels(5)]
    assert api.refused == []


def test_a_wrong_secret_is_refused_by_the_test_server_so_that_it_proves_something(api: FakeEventApi) -> None:
    session = botocore.session.Session()
    session.set_credentials(CREDENTIALS.access_key, "another-secret", CREDENTIALS.token)
    session.set_config_variable("region", REGION)
    assert EventsPublisher(api.url, session).publish(["/chats/a"], EVENT) == ["/chats/a"]
    assert api.refused == ["signature"]
    assert api.received == []


def test_publishes_run_at_the_same_time_up_to_the_limit_and_not_beyond(api: FakeEventApi) -> None:
    wait_for_all = when_concurrent(PUBLISH_CONCURRENCY)
    under_way, most, lock = 0, 0, Lock()

    def act(channel: str, attempt: int) -> tuple[int, Any] | None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        answer = wait_for_all(channel, attempt)
        with lock:
            under_way -= 1
        return answer

    api.respond = act
    assert publisher_for(api.url).publish(channels(3 * PUBLISH_CONCURRENCY), EVENT) == []
    assert most == PUBLISH_CONCURRENCY


def test_connections_are_kept_and_shared(api: FakeEventApi) -> None:
    publisher = publisher_for(api.url)
    for _ in range(5):
        assert publisher.publish(channels(50), EVENT) == []
    assert len(api.received) == 250
    assert len(api.connections) <= PUBLISH_CONCURRENCY


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_once(api: FakeEventApi, status: int) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if attempt == ATTEMPTS else (status, {"errors": []})
    assert publisher_for(api.url).publish(channels(3), EVENT) == []
    assert len(api.received) == 3 * ATTEMPTS


def test_a_dropped_connection_is_tried_again_once(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if attempt == ATTEMPTS else None
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == []
    assert len(api.received) == ATTEMPTS


def test_a_lasting_failure_is_reported_and_does_not_touch_the_other_channels(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: (503, {}) if channel == "/chats/user-1" else ACCEPTED
    assert publisher_for(api.url).publish(channels(3), EVENT) == ["/chats/user-1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_is_not_repeated(api: FakeEventApi, status: int) -> None:
    api.respond = lambda channel, attempt: (status, {"errors": [{"errorType": "X", "message": "no"}]})
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == ["/chats/a"]
    assert len(api.received) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"successful": [], "failed": [{"identifier": "1", "index": 0, "code": "EventTooLargeException"}]},
        b"<html>",
        [],
    ],
)
def test_a_good_status_is_not_enough(api: FakeEventApi, body: Any) -> None:
    api.respond = lambda channel, attempt: (200, body)
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == ["/chats/a"]


def test_nobody_listening_is_a_failure_and_not_an_error() -> None:
    publisher = publisher_for(f"http://127.0.0.1:{free_port()}/event")
    assert publisher.publish(channels(3), EVENT) == channels(3)


def test_when_nothing_comes_of_a_whole_round_the_rest_is_not_even_tried(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: (503, {})
    assert publisher_for(api.url, concurrency=1).publish(channels(50), EVENT) == channels(50)
    assert len(api.received) == ATTEMPTS


def test_one_success_keeps_it_going(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if channel == "/chats/user-0" else (400, {})
    assert publisher_for(api.url, concurrency=1).publish(channels(50), EVENT) == channels(50)[1:]
    assert len(api.received) == 50
