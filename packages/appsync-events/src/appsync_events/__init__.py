"""Client for AWS AppSync Events: any Event API, all five auth modes, automatic reconnection.

    async with EventsClient("https://….appsync-api.eu-central-1.amazonaws.com/event", ApiKey("da2-…")) as client:
        async with client.stream("/news/*") as events:
            async for event in events:
                print(event)

Everything public is exported here; all modules are private. README.md is the manual.
"""

from appsync_events._auth import ApiKey, Auth, LambdaToken, OidcToken, Operation, TokenCallback, UserPoolToken
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
)
from appsync_events._gaps import Gap, GapReason
from appsync_events._iam import Iam
from appsync_events._results import Accepted, Failed, PublishResult
from appsync_events._socket.stream import EventStream
from appsync_events._socket.subscription import ConnectionState, Subscription
from appsync_events._timeout import Timeout

__version__ = "1.1.0"

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
    "NoCredentialsError",
    "OidcToken",
    "Operation",
    "ProtocolError",
    "PublishRefusedError",
    "PublishResult",
    "Reason",
    "Subscription",
    "SubscriptionRefusedError",
    "Timeout",
    "TokenCallback",
    "UnreachableError",
    "UserPoolToken",
]
