"""The Routes stack: the HTTP API, a function for each domain of the contract, and delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from constructs import Construct

from contract.route import Domain
from handlers.settings import CallsSettings, ConversationsSettings, MessagesSettings, UsersSettings
from stacks import outputs
from stacks.config.fields import Environment
from stacks.constructs.call_maintenance import CallMaintenance, media_region
from stacks.constructs.delivery import Delivery
from stacks.constructs.function import HandlerFunction, SettingsClass
from stacks.constructs.http_api import HttpApi
from stacks.constructs.stack import EnvironmentStack
from stacks.events import EventsStack
from stacks.identity import Pool
from stacks.packaging import Asset
from stacks.policy import acknowledgements as reasons

ROUTE_FUNCTIONS: Final[Mapping[Domain, type[SettingsClass]]] = {
    "messages": MessagesSettings,
    "conversations": ConversationsSettings,
    "users": UsersSettings,
    "calls": CallsSettings,
}
_ROUTE_TIMEOUT: Final = Duration.seconds(20)
_CALLS_TIMEOUT: Final = Duration.seconds(28)
"""Making a meeting and its attendees may take two calls to Chime, each tried three times; then both sides are told."""
_INTEGRATION_TIMEOUT: Final = Duration.seconds(29)  # the function's own timeout comes first, and is logged


class RoutesStack(EnvironmentStack):
    """What clients call, and what delivers the events that calls cause."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        asset: Asset,
        pool: Pool,
        events: EventsStack,
        outbox_stream_arn: str,
    ) -> None:
        super().__init__(scope, "Routes", environment, "HTTP API and delivery")
        self.delivery = Delivery(
            self,
            "Delivery",
            environment=environment,
            asset=asset,
            events_api_id=events.api_id,
            events_http_endpoint=events.http_endpoint,
            outbox_stream_arn=outbox_stream_arn,
        )
        self.call_keeping = CallMaintenance(
            self,
            "CallKeeping",
            environment=environment,
            asset=asset,
            events_api_id=events.api_id,
            events_http_endpoint=events.http_endpoint,
            delivery_queue=self.delivery.queue,
        )
        functions = {
            domain: self._function(domain, settings, environment, asset, events)
            for domain, settings in ROUTE_FUNCTIONS.items()
        }
        self.api = HttpApi(
            self,
            "Http",
            environment=environment,
            functions={domain: function.target for domain, function in functions.items()},
            pool=pool,
            integration_timeout=_INTEGRATION_TIMEOUT,
        )
        self.tell(outputs.API_ADDRESS, self.api.address)
        self.tell(outputs.API_ID, self.api.api_id)
        self.tell(outputs.DELIVERY_QUEUE_URL, self.delivery.queue.queue_url)
        self.tell(outputs.DEAD_LETTER_QUEUE_URL, self.delivery.dead_letters.queue_url)
        self.tell(outputs.RING_QUEUE_URL, self.call_keeping.queue.queue_url)
        self.tell(outputs.CALLS_DEAD_LETTER_QUEUE_URL, self.call_keeping.dead_letters.queue_url)
        if (target := self.api.map_domain()) is not None:
            self.tell(outputs.API_DOMAIN_TARGET, target)

    def _function(
        self,
        domain: Domain,
        settings: type[SettingsClass],
        environment: Environment,
        asset: Asset,
        events: EventsStack,
    ) -> HandlerFunction:
        calls = domain == "calls"
        own: dict[str, str | int] = {"FANOUT_LIMIT": environment.delivery.fanout_limit}
        if calls:
            own = {
                "RING_QUEUE_URL": self.call_keeping.queue.queue_url,
                "RING_TIMEOUT_SECONDS": environment.calls.ring_timeout_seconds,
                "MEDIA_REGION": media_region(environment),
            }
        made = HandlerFunction(
            self,
            domain.capitalize(),
            environment=environment,
            asset=asset,
            settings=settings,
            values={
                "EVENTS_HTTP_ENDPOINT": events.http_endpoint,
                "DELIVERY_QUEUE_URL": self.delivery.queue.queue_url,
                **own,
            },
            timeout=_CALLS_TIMEOUT if calls else _ROUTE_TIMEOUT,
            description=f"Serves the {domain} routes",
            statements=[self.delivery.sending, *([self.call_keeping.sending] if calls else [])],
            events_api_id=events.api_id,
            snap_start=environment.functions.snap_start,
        )
        reasons.caller_waits(made.function, "the HTTP API")
        return made
