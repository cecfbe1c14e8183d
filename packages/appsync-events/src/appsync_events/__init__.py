"""A client for AWS AppSync Events: any Event API, every auth mode, connections that come back.

    async with EventsClient("https://….appsync-api.eu-central-1.amazonaws.com/event", ApiKey("da2-…")) as client:
        async with client.stream("/news/*") as events:
            async for event in events:
                print(event)

What can go wrong is drawn as a tree in `appsync_events._errors`; README.md beside this file is the manual.
"""

from appsync_events._auth import ApiKey, Auth, LambdaToken, OidcToken, Operation, UserPoolToken
from appsync_events._backoff import Backoff
from appsync_events._client import EventsClient
from appsync_events._endpoint import Endpoint
from appsync_events._errors import (
    ConnectionLostError,
    ConnectionRefusedByServerError,
    CredentialsError,
    EndpointError,
    EventsError,
    EventsFailedError,
    NoCredentialsError,
    ProtocolError,
    PublishRefusedError,
    Reason,
    SubscriptionRefusedError,
    UnreachableError,
    UsersMissedError,
)
from appsync_events._iam import Iam
from appsync_events._results import Accepted, Failed, Gap, GapReason, PublishResult
from appsync_events._stream import EventStream
from appsync_events._subscription import ConnectionState, Subscription
from appsync_events.shortcuts import (
    Listening,
    batch_publish,
    publish_event,
    publish_event_from_server,
    publish_to_users,
    subscribe_to_call_session,
    subscribe_to_channel,
    subscribe_to_channels,
    subscribe_to_user_messages,
    subscribe_to_user_notifications,
)

__version__ = "1.0.0"

__all__ = [
    "Accepted",
    "ApiKey",
    "Auth",
    "Backoff",
    "ConnectionLostError",
    "ConnectionRefusedByServerError",
    "ConnectionState",
    "CredentialsError",
    "Endpoint",
    "EndpointError",
    "EventStream",
    "EventsClient",
    "EventsError",
    "EventsFailedError",
    "Failed",
    "Gap",
    "GapReason",
    "Iam",
    "LambdaToken",
    "Listening",
    "NoCredentialsError",
    "OidcToken",
    "Operation",
    "ProtocolError",
    "PublishRefusedError",
    "PublishResult",
    "Reason",
    "Subscription",
    "SubscriptionRefusedError",
    "UnreachableError",
    "UserPoolToken",
    "UsersMissedError",
    "batch_publish",
    "publish_event",
    "publish_event_from_server",
    "publish_to_users",
    "subscribe_to_call_session",
    "subscribe_to_channel",
    "subscribe_to_channels",
    "subscribe_to_user_messages",
    "subscribe_to_user_notifications",
]
