"""What a chat does most, one function each: subscribe to a channel or a user's channels, publish events with a time.

An event is a JSON object with a `type` and `data`; publishing adds `timestamp` (ISO 8601, UTC, when it was published)
where it has none. Publishing here is over HTTP, and an event that the API fails is an exception, never a silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from appsync_events._auth import Auth
from appsync_events._client import EventsClient
from appsync_events._endpoint import Endpoint
from appsync_events._errors import EventsError, UsersMissedError
from appsync_events._results import Gap, PublishResult
from appsync_events._subscription import Subscription

Event = Mapping[str, Any]
OnEvent = Callable[[Any], None]
OnError = Callable[[EventsError], None]
OnGap = Callable[[Gap], None]

# The namespaces of channels that belong to one user or call: `/{namespace}/{id}`.
USER_MESSAGES: Final = "chats"
USER_NOTIFICATIONS: Final = "users"
CALL_SESSIONS: Final = "calls"
CONCURRENT_PUBLISHES: Final = 10


class Listening:
    """One or several subscriptions, closed together. Also an `async with`."""

    def __init__(self, client: EventsClient, subscriptions: Sequence[Subscription]) -> None:
        self._client = client
        self.subscriptions = tuple(subscriptions)

    async def __aenter__(self) -> Listening:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Unsubscribe; events stop at once."""
        await asyncio.gather(*(self._client.unsubscribe(subscription) for subscription in self.subscriptions))


async def subscribe_to_channel(
    client: EventsClient,
    channel: str,
    on_event: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> Listening:
    """Subscribe to one channel.

    Args:
        client: of the Event API.
        channel: `/namespace/…`.
        on_event: called with each event, decoded.
        on_error: called if the API ends the subscription later.
        on_gap: called where events are missing, or may be: after a reconnection, for example.

    Raises:
        SubscriptionRefusedError, ConnectionRefusedByServerError, CredentialsError: see `EventsClient.subscribe`.
    """
    subscription = await client.subscribe(channel, on_event, on_gap=on_gap, on_refused=on_error)
    return Listening(client, [subscription])


async def subscribe_to_channels(
    client: EventsClient,
    channels: Iterable[str],
    on_event: Callable[[Any, str], None],
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> Listening:
    """Subscribe to several channels: to all of them, or to none.

    Args:
        client: of the Event API.
        channels: `/namespace/…` each.
        on_event: called with each event and the channel, as it was given, that it came on.
        on_error, on_gap: as for `subscribe_to_channel`.

    Raises:
        SubscriptionRefusedError, ConnectionRefusedByServerError, CredentialsError: one of them was not possible.
    """

    def one(channel: str) -> asyncio.Future[Subscription]:
        def handed_on(event: Any) -> None:
            on_event(event, channel)

        return asyncio.ensure_future(client.subscribe(channel, handed_on, on_gap=on_gap, on_refused=on_error))

    asked = [one(channel) for channel in dict.fromkeys(channels)]
    try:
        return Listening(client, await asyncio.gather(*asked))
    except BaseException:
        for subscribing in asked:
            subscribing.cancel()
        settled = await asyncio.gather(*asked, return_exceptions=True)
        await Listening(client, [made for made in settled if isinstance(made, Subscription)]).close()
        raise


async def subscribe_to_user_messages(
    client: EventsClient,
    user_id: str,
    on_message: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> Listening:
    """Subscribe to everything that happens in a user's conversations, typing included: `/chats/{user_id}`."""
    return await subscribe_to_channel(client, f"/{USER_MESSAGES}/{user_id}", on_message, on_error, on_gap=on_gap)


async def subscribe_to_user_notifications(
    client: EventsClient,
    user_id: str,
    on_notification: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> Listening:
    """Subscribe to what concerns a user directly, incoming calls for example: `/users/{user_id}`."""
    channel = f"/{USER_NOTIFICATIONS}/{user_id}"
    return await subscribe_to_channel(client, channel, on_notification, on_error, on_gap=on_gap)


async def subscribe_to_call_session(
    client: EventsClient,
    session_id: str,
    on_event: OnEvent,
    on_error: OnError | None = None,
    *,
    on_gap: OnGap | None = None,
) -> Listening:
    """Subscribe to a call while it lasts: `/calls/{session_id}`."""
    return await subscribe_to_channel(client, f"/{CALL_SESSIONS}/{session_id}", on_event, on_error, on_gap=on_gap)


async def publish_event(client: EventsClient, channel: str, event: Event, *, auth: Auth | None = None) -> PublishResult:
    """Publish one event.

    Raises:
        EventsFailedError: the API's handler or size limit turned it away.
        PublishRefusedError, UnreachableError, ConnectionLostError, CredentialsError: see `EventsClient.publish_http`.
    """
    return await batch_publish(client, channel, [event], auth=auth)


async def batch_publish(
    client: EventsClient, channel: str, events: Sequence[Event], *, auth: Auth | None = None
) -> PublishResult:
    """Publish events in their order, five a request.

    Raises:
        EventsFailedError: some were turned away; `result` says which. The others are published.
        PublishRefusedError, UnreachableError, ConnectionLostError, CredentialsError: see `EventsClient.publish_http`.
    """
    result = await client.publish_http(channel, [timed(event) for event in events], auth=auth)
    result.raise_for_failed()
    return result


async def publish_event_from_server(endpoint: Endpoint | str, channel: str, event: Event, auth: Auth) -> PublishResult:
    """Publish one event without keeping a client: for a server that publishes now and then.

    Raises:
        EndpointError: the address is none.
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
    """Publish one event to each user's own channel; somebody who is not reached does not keep it from the others.

    Args:
        client: of the Event API.
        user_ids: whom to reach, each once.
        channel_prefix: what stands before the user's id, `/chats` for example.
        event: the event; its time is the same for everybody.
        auth: credentials; those of the client if absent.
        concurrency: how many requests are under way at once.

    Returns:
        What became of it, by user.

    Raises:
        UsersMissedError: somebody was not reached; `failures` says who and why.
    """
    stamped = timed(event)
    free = asyncio.Semaphore(concurrency)
    results: dict[str, PublishResult] = {}
    failures: dict[str, EventsError] = {}

    async def reach(user_id: str) -> None:
        async with free:
            try:
                results[user_id] = await publish_event(
                    client, f"{channel_prefix.rstrip('/')}/{user_id}", stamped, auth=auth
                )
            except EventsError as error:
                failures[user_id] = error

    async with asyncio.TaskGroup() as group:
        for user_id in dict.fromkeys(user_ids):
            group.create_task(reach(user_id))
    if failures:
        raise UsersMissedError(results, failures)
    return results


def timed(event: Event) -> dict[str, Any]:
    """Return the event with the present as its `timestamp`, where it has none."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**event, "timestamp": event.get("timestamp") or now}
