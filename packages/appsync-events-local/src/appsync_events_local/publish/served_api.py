"""The runtime state of a registered API: its handlers, keys, subscriptions and connections."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from appsync_events_local.handlers.namespace_handlers import NamespaceHandlers
from appsync_events_local.model.api import Api, ApiKey, AuthMode, Namespace
from appsync_events_local.model.data_sources import DataSourceModel
from appsync_events_local.observability.activity import Activity
from appsync_events_local.observability.metrics import Metric
from appsync_events_local.protocol.channels import Channel
from appsync_events_local.protocol.connection import unknown_namespace
from appsync_events_local.publish.broker import Broker
from appsync_events_local.publish.quotas import ApiRates


class ServedConnection(Protocol):
    """The interface of a connection that its API and the status page use."""

    name: str
    opened_at: float
    identity: Mapping[str, Any] | None
    accepted: bool

    @property
    def channels(self) -> list[str]: ...
    def end(self, code: int, reason: str) -> None: ...
    def drop_subscriptions(self, ids: Iterable[str]) -> None: ...


class ServedNamespace:
    """A namespace with its loaded handlers, which are closed after their last call has ended."""

    def __init__(self, model: Namespace, handlers: NamespaceHandlers) -> None:
        self.model = model
        self._handlers = handlers
        self._calls = 0
        self._retired = False

    def runs(self, handler: str) -> bool:
        """Return whether the namespace has this handler, `onPublish` or `onSubscribe`."""
        return self._handlers.runs(handler)

    @asynccontextmanager
    async def handlers(self) -> AsyncIterator[NamespaceHandlers]:
        """Keep the handlers open for the duration of one call."""
        self._calls += 1
        try:
            yield self._handlers
        finally:
            self._calls -= 1
            await self._close_if_unused()

    async def retire(self) -> None:
        """Close the handlers when the last call has ended; there are no new calls."""
        self._retired = True
        await self._close_if_unused()

    async def _close_if_unused(self) -> None:
        if self._retired and self._calls == 0:
            await self._handlers.close()


class ServedApi:
    """One served API with its runtime state."""

    def __init__(self, api: Api, activity: Activity, rates: ApiRates) -> None:
        self.api = api
        self.activity = activity
        self.rates = rates
        self.namespaces: dict[str, ServedNamespace] = {}
        self.data_sources: dict[str, DataSourceModel] = {}
        self.keys: dict[str, ApiKey] = {}
        self.broker = Broker()
        self.connections: set[ServedConnection] = set()

    def metrics(self) -> list[dict[str, Any]]:
        """Return the API's metrics, see `Metrics.as_json`."""
        gauges = {Metric.ACTIVE_CONNECTIONS: len(self.connections), Metric.ACTIVE_SUBSCRIPTIONS: len(self.broker)}
        return self.activity.metrics.as_json(self.api.id, gauges)

    def has_namespace(self, name: str) -> bool:
        return name in self.namespaces

    def namespace_of(self, channel: Channel) -> ServedNamespace:
        """Return the namespace of a channel.

        Raises:
            Refusal: the namespace does not exist.
        """
        namespace = self.namespaces.get(channel.namespace)
        if namespace is None:
            raise unknown_namespace(channel)
        return namespace

    def publish_modes(self, channel: Channel) -> frozenset[AuthMode]:
        """Return the modes that may publish to the channel.

        Raises:
            Refusal: unknown namespace.
        """
        own = self.namespace_of(channel).model.publish_modes
        return (self.api.publish_modes if own is None else own) & self.api.providers.modes

    def subscribe_modes(self, channel: Channel) -> frozenset[AuthMode]:
        """Return the modes that may subscribe to the channel.

        Raises:
            Refusal: unknown namespace.
        """
        own = self.namespace_of(channel).model.subscribe_modes
        return (self.api.subscribe_modes if own is None else own) & self.api.providers.modes

    def drop_namespace_subscriptions(self, name: str) -> None:
        """End every subscription in the namespace; connections stay open."""
        for subscription in self.broker.of_namespace(name):
            self.broker.remove(subscription.owner, subscription.id)
            for connection in self.connections:
                if connection is subscription.owner:
                    connection.drop_subscriptions([subscription.id])

    def end_connections(self, code: int, reason: str) -> None:
        for connection in list(self.connections):
            connection.end(code, reason)
