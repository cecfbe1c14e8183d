"""The Routes stack: the HTTP API, one function per domain of the contract, event delivery and call maintenance."""

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
from stacks.constructs.user_pool import UserPoolReference
from stacks.events import EventsStack
from stacks.packaging import Asset
from stacks.policy import nag

ROUTE_FUNCTIONS: Final[Mapping[Domain, type[SettingsClass]]] = {
    "messages": MessagesSettings,
    "conversations": ConversationsSettings,
    "users": UsersSettings,
    "calls": CallsSettings,
}
_ROUTE_TIMEOUT: Final = Duration.seconds(20)
_CALLS_TIMEOUT: Final = Duration.seconds(28)
"""Creating a meeting with attendees takes up to two calls to Chime, each tried three times, and then CALL_ERROR."""
_INTEGRATION_TIMEOUT: Final = Duration.seconds(
    29
)  # longer than the functions' timeouts, so that a timeout is in the function's log


class RoutesStack(EnvironmentStack):
    """The HTTP API with its functions, and the functions that deliver events and maintain calls."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        asset: Asset,
        pool: UserPoolReference,
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
        self.call_maintenance = CallMaintenance(
            self,
            "CallKeeping",  # logical ids contain this id; a new one would replace the queues
            environment=environment,
            asset=asset,
            events_api_id=events.api_id,
            events_http_endpoint=events.http_endpoint,
            delivery_queue=self.delivery.queue,
        )
        functions = {
            domain: self._function(domain, settings, environment, asset, pool, events)
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
        self.add_output(outputs.API_ADDRESS, self.api.address)
        self.add_output(outputs.API_ID, self.api.api_id)
        self.add_output(outputs.DELIVERY_QUEUE_URL, self.delivery.queue.queue_url)
        self.add_output(outputs.DEAD_LETTER_QUEUE_URL, self.delivery.dead_letters.queue_url)
        self.add_output(outputs.RING_QUEUE_URL, self.call_maintenance.queue.queue_url)
        self.add_output(outputs.RELAY_DEAD_LETTER_QUEUE_URL, self.delivery.relay_dead_letters.queue_url)
        calls = self.call_maintenance
        self.add_output(outputs.RING_DEAD_LETTER_QUEUE_URL, calls.dead_letters.queue_url)
        self.add_output(outputs.CHIME_EVENTS_DEAD_LETTER_QUEUE_URL, calls.chime_events_dead_letters.queue_url)
        self.add_output(outputs.CHIME_RULE_DEAD_LETTER_QUEUE_URL, calls.chime_rule_dead_letters.queue_url)
        if (target := self.api.map_domain()) is not None:
            self.add_output(outputs.API_DOMAIN_TARGET, target)

    def _function(
        self,
        domain: Domain,
        settings: type[SettingsClass],
        environment: Environment,
        asset: Asset,
        pool: UserPoolReference,
        events: EventsStack,
    ) -> HandlerFunction:
        is_calls = domain == "calls"
        values: dict[str, str | int] = {"FANOUT_LIMIT": environment.delivery.fanout_limit}
        if domain == "users":
            values["POOL_REGION"] = pool.region
        if is_calls:
            values = {
                "RING_QUEUE_URL": self.call_maintenance.queue.queue_url,
                "RING_TIMEOUT_SECONDS": environment.calls.ring_timeout_seconds,
                "MEDIA_REGION": media_region(environment),
            }
        created = HandlerFunction(
            self,
            domain.capitalize(),
            environment=environment,
            asset=asset,
            settings=settings,
            values={
                "EVENTS_HTTP_ENDPOINT": events.http_endpoint,
                "DELIVERY_QUEUE_URL": self.delivery.queue.queue_url,
                **values,
            },
            timeout=_CALLS_TIMEOUT if is_calls else _ROUTE_TIMEOUT,
            description=f"Serves the {domain} routes",
            allow=[self.delivery.allow_enqueue, *([self.call_maintenance.allow_ring_timers] if is_calls else [])],
            events_api_id=events.api_id,
            snap_start=environment.functions.snap_start,
        )
        nag.acknowledge_synchronous_caller(created.function, "the HTTP API")
        return created
