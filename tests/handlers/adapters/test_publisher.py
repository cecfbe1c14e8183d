"""Publishing to the Event API over HTTP: signatures, concurrency, retries and failures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from threading import Lock
from typing import Any

import botocore.session
import pytest

from contract.limits import DELIVERY_PATIENCE_SECONDS, PUBLISH_CONCURRENCY, PUBLISH_PATIENCE_SECONDS
from handlers.adapters.appsync.publisher import ATTEMPTS, RESERVED_SECONDS, EventsPublisher, publish_url
from handlers.core.shared import deadline
from tests.harness.emulator import free_port
from tests.harness.event_api import ACCEPTED, CREDENTIALS, REGION, FakeEventApi, running_event_api, when_concurrent

EVENT = json.dumps({"eventId": "1", "type": "USER_TYPING", "data": {"text": 'ñ "quoted" \u2028 😀'}})


@pytest.fixture
def api() -> Iterator[FakeEventApi]:
    """A fake Event API for this test."""
    with running_event_api() as running:
        yield running


def publisher_for(
    url: str, concurrency: int = PUBLISH_CONCURRENCY, patience_seconds: float = PUBLISH_PATIENCE_SECONDS
) -> EventsPublisher:
    """Return a publisher with made-up credentials."""
    session = botocore.session.Session()
    session.set_credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key, CREDENTIALS.token)
    session.set_config_variable("region", REGION)
    return EventsPublisher(url, session, concurrency, patience_seconds)


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
def test_endpoint_is_a_host_name_or_a_url(endpoint: str, url: str) -> None:
    assert publish_url(endpoint) == url


def test_event_is_published_to_each_channel_in_one_signed_request(api: FakeEventApi) -> None:
    publisher = publisher_for(api.url)
    assert publisher.publish(channels(5), EVENT) == []
    assert sorted(api.received) == [(channel, [EVENT]) for channel in channels(5)]
    assert api.refused == []


def test_fake_event_api_refuses_a_wrong_signature(api: FakeEventApi) -> None:
    session = botocore.session.Session()
    session.set_credentials(CREDENTIALS.access_key, "another-secret", CREDENTIALS.token)
    session.set_config_variable("region", REGION)
    assert EventsPublisher(api.url, session).publish(["/chats/a"], EVENT) == ["/chats/a"]
    assert api.refused == ["signature"]
    assert api.received == []


def test_publishes_are_concurrent_up_to_the_limit(api: FakeEventApi) -> None:
    wait_for_all = when_concurrent(PUBLISH_CONCURRENCY)
    running, most, lock = 0, 0, Lock()

    def respond(channel: str, attempt: int) -> tuple[int, Any] | None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        answer = wait_for_all(channel, attempt)
        with lock:
            running -= 1
        return answer

    api.respond = respond
    assert publisher_for(api.url).publish(channels(3 * PUBLISH_CONCURRENCY), EVENT) == []
    assert most == PUBLISH_CONCURRENCY


def test_connections_are_persistent_and_shared(api: FakeEventApi) -> None:
    publisher = publisher_for(api.url)
    for _ in range(5):
        assert publisher.publish(channels(50), EVENT) == []
    assert len(api.received) == 250
    assert len(api.connections) <= PUBLISH_CONCURRENCY


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_failure_is_retried_once(api: FakeEventApi, status: int) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if attempt == ATTEMPTS else (status, {"errors": []})
    assert publisher_for(api.url).publish(channels(3), EVENT) == []
    assert len(api.received) == 3 * ATTEMPTS


def publishes_a_second(count: int) -> Any:
    """Return a `respond` with a quota of publishes, and the statuses of its responses."""
    taken: list[float] = []
    statuses: list[int] = []
    lock = Lock()

    def respond(channel: str, attempt: int) -> tuple[int, Any]:
        with lock:
            now = time.monotonic()
            taken[:] = [each for each in taken if each > now - 1]
            if len(taken) >= count:
                statuses.append(429)
                return 429, {"errors": [{"errorType": "TooManyRequestsException"}]}
            taken.append(now)
            statuses.append(200)
            return ACCEPTED

    return respond, statuses


def test_throttled_publishes_pause_until_the_quota_allows_them(api: FakeEventApi) -> None:
    api.respond, statuses = publishes_a_second(40)
    assert publisher_for(api.url, patience_seconds=DELIVERY_PATIENCE_SECONDS).publish(channels(100), EVENT) == []
    assert statuses.count(429) < 3 * PUBLISH_CONCURRENCY


def test_retry_after_is_honoured(api: FakeEventApi) -> None:
    refused: list[float] = []

    def respond(channel: str, attempt: int) -> Any:
        if attempt == 1:
            refused.append(time.monotonic())
            return 429, {}, {"retry-after": "1"}
        assert time.monotonic() - refused[0] >= 1
        return ACCEPTED

    api.respond = respond
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == []
    assert len(api.received) == 2


@pytest.mark.parametrize("headers", [{}, {"retry-after": "60"}])
def test_publish_is_given_up_when_its_patience_ends(api: FakeEventApi, headers: dict[str, str]) -> None:
    api.respond = lambda channel, attempt: (429, {}, headers)
    start = time.monotonic()
    assert publisher_for(api.url, patience_seconds=0.5).publish(channels(3), EVENT) == channels(3)
    assert time.monotonic() - start < 2


class Context:
    """A Lambda context with some time left."""

    def __init__(self, seconds: float) -> None:
        self._milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return self._milliseconds


def test_publish_is_given_up_before_the_invocation_ends(api: FakeEventApi) -> None:
    """Without the invocation's end, the patience of the deliver function would be used up."""
    api.respond = lambda channel, attempt: (429, {})
    publisher = publisher_for(api.url, patience_seconds=DELIVERY_PATIENCE_SECONDS)
    start = time.monotonic()
    with deadline.invocation(Context(RESERVED_SECONDS + 0.5)):
        assert publisher.publish(channels(3), EVENT) == channels(3)
    assert time.monotonic() - start < 2
    api.received.clear()
    api.respond = lambda channel, attempt: ACCEPTED
    with deadline.invocation(Context(RESERVED_SECONDS - 0.1)):
        assert publisher.publish(channels(3), EVENT) == channels(3)
    assert api.received == []


def test_dropped_connection_is_retried_once(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if attempt == ATTEMPTS else None
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == []
    assert len(api.received) == ATTEMPTS


def test_permanent_failure_is_reported_for_its_channel_only(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: (503, {}) if channel == "/chats/user-1" else ACCEPTED
    assert publisher_for(api.url).publish(channels(3), EVENT) == ["/chats/user-1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_refused_publish_is_not_retried(api: FakeEventApi, status: int) -> None:
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
def test_publish_with_status_200_and_failed_event_is_a_failure(api: FakeEventApi, body: Any) -> None:
    api.respond = lambda channel, attempt: (200, body)
    assert publisher_for(api.url).publish(["/chats/a"], EVENT) == ["/chats/a"]


def test_unreachable_event_api_is_a_failure_without_an_error() -> None:
    publisher = publisher_for(f"http://127.0.0.1:{free_port()}/event")
    assert publisher.publish(channels(3), EVENT) == channels(3)


def test_remaining_channels_are_skipped_after_only_failures(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: (503, {})
    assert publisher_for(api.url, concurrency=1).publish(channels(50), EVENT) == channels(50)
    assert len(api.received) == ATTEMPTS


def test_all_channels_are_tried_after_one_success(api: FakeEventApi) -> None:
    api.respond = lambda channel, attempt: ACCEPTED if channel == "/chats/user-0" else (400, {})
    assert publisher_for(api.url, concurrency=1).publish(channels(50), EVENT) == channels(50)[1:]
    assert len(api.received) == 50
