"""The functions of the front-end guide: chat channels, and events with `type`, `data` and `timestamp`.

An event is a JSON object with `type` and `data`. Publishing adds `timestamp` (ISO 8601, UTC, milliseconds) if it is
missing, goes over HTTP, and raises if the API rejects an event.

| function | does |
| --- | --- |
| `subscribe_to_channel(client, channel, on_event, on_error)` | subscribes to one channel; `await ….close()` ends it |
| `subscribe_to_channels(client, channels, on_event, on_error)` | all channels or none; `on_event(event, channel)` |
| `subscribe_to_user_messages(client, user_id, on_message)` | `/chats/{user_id}` |
| `subscribe_to_user_notifications(client, user_id, on_notification)` | `/users/{user_id}` |
| `subscribe_to_call_session(client, session_id, on_event)` | `/calls/{session_id}` |
| `publish_event(client, channel, event)` | publishes one event |
| `batch_publish(client, channel, events)` | publishes a list, in order |
| `publish_event_from_server(endpoint, channel, event, auth)` | publishes one event with a temporary client |
| `publish_to_users(client, user_ids, channel_prefix, event)` | publishes one event to each user's channel |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from appsync_events import Auth, Endpoint, EventsClient, EventsError, Gap, PublishResult, Subscription

from contract.channels import CALLS, CHATS, USERS, Namespace

Event = Mapping[str, Any]
OnEvent = Callable[[Any], None]
OnError = Callable[[EventsError], None]
OnGap = Callable[[Gap], None]

CONCURRENT_PUBLISHES: Final = 10


class UsersMissedError(EventsError):
    """A publish to several users failed for some of them.

    Args:
        results: the result by user id, for the users whose channel was published to.
        failures: the error by user id, for the other users.
    """

    results: dict[str, PublishResult]
    failures: dict[str, EventsError]

    def __init__(self, results: dict[str, PublishResult], failures: dict[str, EventsError]) -> None:
        super().__init__(f"the publish failed for {len(failures)} of {len(results) + len(failures)} users")
        self.results = results
        self.failures = failures


class SubscriptionGroup:
    """One or several subscriptions that are closed together. Also an `async with`."""

    def __init__(self, client: EventsClient, subscriptions: Sequence[Subscription]) -> None:
        self._client = client
        self.subscriptions = tuple(subscriptions)

    async def __aenter__(self) -> SubscriptionGroup:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Unsubscribe; events stop immediately."""
        await asyncio.gather(*(self._client.unsubscribe(subscription) for subscription in self.subscriptions))


async def subscribe_to_channel(
    client: EventsClient,
    channel: str,
    on_event: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> SubscriptionGroup:
    """Subscribe to one channel.

    Args:
        client: of the Event API.
        channel: `/namespace/…`.
        on_event: called with each event, decoded.
        on_error: called if the API ends the subscription later.
        on_gap: called when events are missing, or may be, for example after a reconnection.

    Raises:
        SubscriptionRefusedError, ConnectionRefusedByServerError, CredentialsError: see `EventsClient.subscribe`.
    """
    subscription = await client.subscribe(channel, on_event, on_gap=on_gap, on_refused=on_error)
    return SubscriptionGroup(client, [subscription])


async def subscribe_to_channels(
    client: EventsClient,
    channels: Iterable[str],
    on_event: Callable[[Any, str], None],
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> SubscriptionGroup:
    """Subscribe to several channels: to all of them, or to none.

    Args:
        client: of the Event API.
        channels: `/namespace/…` each.
        on_event: called with each event and its channel, as passed in `channels`.
        on_error, on_gap: as for `subscribe_to_channel`.

    Raises:
        SubscriptionRefusedError, ConnectionRefusedByServerError, CredentialsError: one subscription failed.
    """

    def subscribe(channel: str) -> asyncio.Future[Subscription]:
        def with_channel(event: Any) -> None:
            on_event(event, channel)

        return asyncio.ensure_future(client.subscribe(channel, with_channel, on_gap=on_gap, on_refused=on_error))

    requests = [subscribe(channel) for channel in dict.fromkeys(channels)]
    try:
        return SubscriptionGroup(client, await asyncio.gather(*requests))
    except BaseException:
        for request in requests:
            request.cancel()
        settled = await asyncio.gather(*requests, return_exceptions=True)
        await SubscriptionGroup(client, [each for each in settled if isinstance(each, Subscription)]).close()
        raise


async def subscribe_to_user_messages(
    client: EventsClient,
    user_id: str,
    on_message: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> SubscriptionGroup:
    """Subscribe to all events of a user's conversations, typing included: `/chats/{user_id}`."""
    channel = _channel(CHATS, user_id)
    return await subscribe_to_channel(client, channel, on_message, on_error, on_gap=on_gap)


async def subscribe_to_user_notifications(
    client: EventsClient,
    user_id: str,
    on_notification: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> SubscriptionGroup:
    """Subscribe to a user's own notifications, for example incoming calls: `/users/{user_id}`."""
    channel = _channel(USERS, user_id)
    return await subscribe_to_channel(client, channel, on_notification, on_error, on_gap=on_gap)


async def subscribe_to_call_session(
    client: EventsClient,
    session_id: str,
    on_event: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> SubscriptionGroup:
    """Subscribe to the events of one call: `/calls/{session_id}`."""
    channel = _channel(CALLS, session_id)
    return await subscribe_to_channel(client, channel, on_event, on_error, on_gap=on_gap)


async def publish_event(client: EventsClient, channel: str, event: Event, *, auth: Auth | None = None) -> PublishResult:
    """Publish one event.

    Raises:
        EventsFailedError: the API's handler or size limit rejected the event.
        PublishRefusedError, UnreachableError, ConnectionLostError, CredentialsError: see `EventsClient.publish_http`.
    """
    return await batch_publish(client, channel, [event], auth=auth)


async def batch_publish(
    client: EventsClient, channel: str, events: Sequence[Event], *, auth: Auth | None = None
) -> PublishResult:
    """Publish events in their order, five a request.

    Raises:
        EventsFailedError: the API rejected some events; `result` names them. The others are published.
        PublishRefusedError, UnreachableError, ConnectionLostError, CredentialsError: see `EventsClient.publish_http`.
    """
    result = await client.publish_http(channel, [with_timestamp(event) for event in events], auth=auth)
    result.raise_for_failed()
    return result


async def publish_event_from_server(endpoint: Endpoint | str, channel: str, event: Event, auth: Auth) -> PublishResult:
    """Publish one event with a temporary client, for a server that publishes rarely.

    Raises:
        EndpointError: the address is invalid.
        EventsFailedError, PublishRefusedError, UnreachableError, ConnectionLostError, CredentialsError: see
            `publish_event`.
    """
    async with EventsClient(endpoint, auth) as client:
        return await publish_event(client, channel, event)


async def publish_to_users(
    client: EventsClient,
    user_ids: Iterable[str],
    channel_prefix: str,
    event: Event,
    *,
    auth: Auth | None = None,
    concurrency: int = CONCURRENT_PUBLISHES,
) -> dict[str, PublishResult]:
    """Publish one event to each user's own channel. A failure for one user does not affect the others.

    Args:
        client: of the Event API.
        user_ids: the recipients; duplicates are published to once.
        channel_prefix: the channel without the user's id, for example `/chats`.
        event: the event; its `timestamp` is the same for all users.
        auth: credentials; by default those of the client.
        concurrency: how many requests run at the same time.

    Returns:
        The result by user id.

    Raises:
        UsersMissedError: the publish failed for some users; `failures` has their errors.
    """
    stamped = with_timestamp(event)
    slots = asyncio.Semaphore(concurrency)
    results: dict[str, PublishResult] = {}
    failures: dict[str, EventsError] = {}

    async def publish(user_id: str) -> None:
        async with slots:
            try:
                results[user_id] = await publish_event(
                    client, f"{channel_prefix.rstrip('/')}/{user_id}", stamped, auth=auth
                )
            except EventsError as error:
                failures[user_id] = error

    async with asyncio.TaskGroup() as group:
        for user_id in dict.fromkeys(user_ids):
            group.create_task(publish(user_id))
    if failures:
        raise UsersMissedError(results, failures)
    return results


def with_timestamp(event: Event) -> dict[str, Any]:
    """Return the event with the current time as its `timestamp`, if it has none."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**event, "timestamp": event.get("timestamp") or now}


def _channel(namespace: Namespace, id: str) -> str:
    return f"/{namespace.name}/{id}"
