"""The Routes stack: the HTTP API, a function for each domain of the contract, and delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from constructs import Construct

from handlers.core.contract.route import Domain
from handlers.settings import ConversationsSettings, MessagesSettings, UsersSettings
from stacks import outputs, reasons
from stacks.constructs.function import HandlerFunction, SettingsClass
from stacks.constructs.stack import EnvironmentStack
from stacks.delivery import Delivery
from stacks.environment import Environment
from stacks.events import EventsStack
from stacks.http_api import HttpApi
from stacks.identity import Pool
from stacks.packaging import Asset

ROUTE_FUNCTIONS: Final[Mapping[Domain, type[SettingsClass]]] = {
    "messages": MessagesSettings,
    "conversations": ConversationsSettings,
    "users": UsersSettings,
}
_ROUTE_TIMEOUT: Final = Duration.seconds(20)
_INTEGRATION_TIMEOUT: Final = Duration.seconds(21)  # the function's own timeout comes first, and is logged


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
        made = HandlerFunction(
            self,
            domain.capitalize(),
            environment=environment,
            asset=asset,
            settings=settings,
            values={
                "EVENTS_HTTP_ENDPOINT": events.http_endpoint,
                "DELIVERY_QUEUE_URL": self.delivery.queue.queue_url,
                "FANOUT_LIMIT": environment.delivery.fanout_limit,
            },
            timeout=_ROUTE_TIMEOUT,
            description=f"Serves the {domain} routes",
            statements=[self.delivery.sending],
            events_api_id=events.api_id,
            snap_start=environment.functions.snap_start,
        )
        reasons.caller_waits(made.function, "the HTTP API")
        return made
