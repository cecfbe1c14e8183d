"""The outputs of the stacks: stack, id and description. The tests and the commands in ops read them here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stacks.naming import Names


@dataclass(frozen=True)
class Output:
    """One output: the stack that has it, its id in that stack, and its description."""

    stack: str
    id: str
    description: str

    def stack_name(self, environment: str) -> str:
        """Return the name of the stack that has the output in an environment."""
        return Names(environment).of(self.stack)


IDENTITY: Final = "Identity"
EVENTS: Final = "Events"
ROUTES: Final = "Routes"
BRIDGE: Final = "Bridge"

USER_POOL_ID: Final = Output(IDENTITY, "UserPoolId", "User pool that users sign in to")
CLIENT_ID: Final = Output(IDENTITY, "UserPoolClientId", "App client of the front end")
CANARY_CLIENT_ID: Final = Output(IDENTITY, "CanaryClientId", "App client of the canary's users")
POOL_REGION: Final = Output(IDENTITY, "Region", "Region of the user pool")
STACK_REGION: Final = Output(IDENTITY, "StackRegion", "Region of the stacks; an imported pool may be in another one")
EVENTS_HTTP_ENDPOINT: Final = Output(EVENTS, "EventsHttpEndpoint", "AppSync Events endpoint for HTTP publishing")
EVENTS_REALTIME_ENDPOINT: Final = Output(EVENTS, "EventsRealtimeEndpoint", "AppSync Events WebSocket endpoint")
EVENTS_API_ID: Final = Output(EVENTS, "EventsApiId", "Id of the Event API")
EVENTS_DOMAIN_TARGET: Final = Output(EVENTS, "EventsDomainTarget", "Target of the DNS record of the Event API's domain")
API_ADDRESS: Final = Output(ROUTES, "ApiAddress", "Address of the HTTP API, without a path")
API_ID: Final = Output(ROUTES, "ApiId", "Id of the HTTP API")
API_DOMAIN_TARGET: Final = Output(ROUTES, "ApiDomainTarget", "Target of the DNS record of the HTTP API's domain")
DELIVERY_QUEUE_URL: Final = Output(ROUTES, "DeliveryQueueUrl", "Delivery queue: events that are not yet published")
DEAD_LETTER_QUEUE_URL: Final = Output(ROUTES, "DeadLetterQueueUrl", "Dead-letter queue of the delivery queue")
RING_QUEUE_URL: Final = Output(ROUTES, "RingQueueUrl", "Queue of the ring timers of calls")
RELAY_DEAD_LETTER_QUEUE_URL: Final = Output(
    ROUTES, "RelayDeadLetterQueueUrl", "Batches of the Outbox stream that the relay could not process"
)
RING_DEAD_LETTER_QUEUE_URL: Final = Output(ROUTES, "RingDeadLetterQueueUrl", "Dead-letter queue of the ring timers")
CHIME_EVENTS_DEAD_LETTER_QUEUE_URL: Final = Output(
    ROUTES, "ChimeEventsDeadLetterQueueUrl", "Chime events that their function failed to process"
)
CHIME_RULE_DEAD_LETTER_QUEUE_URL: Final = Output(
    ROUTES, "ChimeRuleDeadLetterQueueUrl", "Chime events that EventBridge could not hand over"
)

OLD_SERVER_QUEUE_URL: Final = Output(
    BRIDGE, "OldServerQueueUrl", "Queue from which the old Socket.IO server emits the backend's messages"
)
"""Only where `cutover.bridge` is set, so it is not among `OUTPUTS`."""

REVISION: Final = "Revision"
"""Output of every stack that was deployed by `make deploy`: the revision of the checkout, from git."""

OUTPUTS: Final = (
    USER_POOL_ID,
    CLIENT_ID,
    CANARY_CLIENT_ID,
    POOL_REGION,
    STACK_REGION,
    EVENTS_HTTP_ENDPOINT,
    EVENTS_REALTIME_ENDPOINT,
    EVENTS_API_ID,
    EVENTS_DOMAIN_TARGET,
    API_ADDRESS,
    API_ID,
    API_DOMAIN_TARGET,
    DELIVERY_QUEUE_URL,
    DEAD_LETTER_QUEUE_URL,
    RING_QUEUE_URL,
    RELAY_DEAD_LETTER_QUEUE_URL,
    RING_DEAD_LETTER_QUEUE_URL,
    CHIME_EVENTS_DEAD_LETTER_QUEUE_URL,
    CHIME_RULE_DEAD_LETTER_QUEUE_URL,
)
