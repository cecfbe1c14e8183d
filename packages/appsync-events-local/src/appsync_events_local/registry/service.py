"""The service: the registered APIs, the changes of registrations, and the authorisation of operations."""

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from appsync_events_local import limits
from appsync_events_local.auth.authorizer import Authorizer
from appsync_events_local.auth.credentials import Credentials
from appsync_events_local.auth.operation import RequestedOperation
from appsync_events_local.handlers.loader import HandlerLoader
from appsync_events_local.handlers.namespace_handlers import CodeRefused, NamespaceHandlers
from appsync_events_local.model.api import (
    Api,
    ApiKey,
    AuthMode,
    Namespace,
    PropertyError,
    api_from,
    api_key_from,
    namespace_from,
)
from appsync_events_local.model.data_sources import data_source_from
from appsync_events_local.observability.activity import Activity
from appsync_events_local.publish.broker import Flusher
from appsync_events_local.publish.faults import FaultRules
from appsync_events_local.publish.quotas import ApiRates, Quotas
from appsync_events_local.publish.served_api import ServedApi, ServedNamespace
from appsync_events_local.registry.store import InUseError, Registry, UnknownError, stamped

GOING_AWAY: Final = 1001

_log = logging.getLogger(__name__)


class Service:
    """All registered APIs.

    Args:
        registry: stores the registrations.
        authorizer: authorises operations.
        loader: loads the handlers of namespaces.
        clock: seconds since the epoch.
        keep_payloads: whether the status page may show published payloads.
        quotas: rates of every API.
    """

    def __init__(
        self,
        registry: Registry,
        authorizer: Authorizer,
        loader: HandlerLoader,
        clock: Callable[[], float] = time.time,
        *,
        keep_payloads: bool = False,
        quotas: Quotas = Quotas(),  # noqa: B008 - frozen
    ) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._loader = loader
        self._clock = clock
        self._keep_payloads = keep_payloads
        self._quotas = quotas
        self._change = asyncio.Lock()
        self.apis: dict[str, ServedApi] = {}
        self.faults = FaultRules()
        self.flusher = Flusher()

    async def restore(self) -> None:
        """Serve the registrations of an earlier process. Those that are no longer valid are skipped and logged."""
        self._registry.load()
        for api_id, entry in self._registry.apis.items():
            await self._restored(f"API {api_id}", self._restore_api(api_id, entry))
            if api_id not in self.apis:
                continue
            served = self.apis[api_id]
            for name, body in entry["dataSources"].items():
                await self._restored(f"data source {name}", self._restore_data_source(served, name, body))
            for name, body in entry["namespaces"].items():
                await self._restored(f"namespace {name}", self._restore_namespace(served, name, body))
            _log.info("restored API %s with namespaces %s", api_id, ", ".join(served.namespaces) or "(none)")

    def end_connections(self) -> None:
        """Close every connection, because the service stops."""
        for served in self.apis.values():
            served.end_connections(GOING_AWAY, "service stops")

    async def close_handlers(self) -> None:
        """Close the engines of all handlers."""
        for served in self.apis.values():
            for namespace in served.namespaces.values():
                await namespace.retire()

    async def put_api(self, api_id: str, body: dict[str, Any]) -> None:
        """Register or change an API; its namespaces, data sources, keys and connections stay.

        Raises:
            PropertyError: a property is invalid or not supported.
        """
        async with self._change:
            api = api_from(api_id, body)
            await self._save(
                api_id, lambda entry: entry.update(definition=stamped(entry["definition"], body, self._clock()))
            )
            if api_id in self.apis:
                self.apis[api_id].api, self.apis[api_id].activity.name = api, api.name
            else:
                self.apis[api_id] = self._new(api)
            _log.info("registered API %s (%s) at %s", api_id, api.name, api.hosts.http)

    async def delete_api(self, api_id: str) -> None:
        """Delete an API with its namespaces, data sources and keys; does nothing if it is not registered."""
        async with self._change:
            await self._registry.replace({k: v for k, v in self._registry.apis.items() if k != api_id})
            served = self.apis.pop(api_id, None)
            if served is None:
                return
            served.end_connections(GOING_AWAY, "API deleted")
            for namespace in served.namespaces.values():
                await namespace.retire()
            _log.info("deleted API %s", api_id)

    async def put_data_source(self, api_id: str, name: str, body: dict[str, Any]) -> None:
        """Register or change a data source; handlers that use it are loaded again.

        Raises:
            PropertyError: a property is invalid or not supported.
            UnknownError: the API is not registered.
        """
        async with self._change:
            served = self.served(api_id)
            model = data_source_from(name, body, served.api)
            await self._save(api_id, lambda entry: entry["dataSources"].update({name: body}))
            served.data_sources[name] = model
            for namespace in list(served.namespaces.values()):
                if namespace.model.uses(name):
                    await self._install(served, namespace.model)

    async def delete_data_source(self, api_id: str, name: str) -> None:
        """Delete a data source; does nothing if it does not exist.

        Raises:
            InUseError: a namespace uses it.
        """
        async with self._change:
            served = self.apis.get(api_id)
            if served is None or name not in served.data_sources:
                return
            users = [n.model.name for n in served.namespaces.values() if n.model.uses(name)]
            if users:
                raise InUseError(
                    f"data source {name} is used by namespace {', '.join(users)}; delete the namespace first"
                )
            await self._save(api_id, lambda entry: entry["dataSources"].pop(name))
            del served.data_sources[name]

    async def put_namespace(self, api_id: str, name: str, body: dict[str, Any]) -> None:
        """Register or change a namespace: its handlers are loaded again, its subscriptions stay.

        Raises:
            PropertyError: a property is invalid or not supported.
            CodeRefused: the code is not valid APPSYNC_JS.
            UnknownError: the API is not registered.
        """
        async with self._change:
            served = self.served(api_id)
            model = namespace_from(name, body, served.api)
            if name not in served.namespaces and len(served.namespaces) >= limits.NAMESPACES_PER_API:
                raise PropertyError("Name", f"at most {limits.NAMESPACES_PER_API} namespaces per API are allowed")
            handlers = await self._loader.load(model, served.data_sources)
            now = self._clock()
            await self._save(
                api_id,
                lambda entry: entry["namespaces"].update({name: stamped(entry["namespaces"].get(name), body, now)}),
            )
            await self._swap(served, model, handlers)
            _log.info("registered namespace %s of API %s", name, api_id)

    async def delete_namespace(self, api_id: str, name: str) -> None:
        """Delete a namespace and end its subscriptions; does nothing if it does not exist."""
        async with self._change:
            served = self.apis.get(api_id)
            if served is None or name not in served.namespaces:
                return
            await self._save(api_id, lambda entry: entry["namespaces"].pop(name))
            namespace = served.namespaces.pop(name)
            served.drop_namespace_subscriptions(name)
            await namespace.retire()
            _log.info("deleted namespace %s of API %s", name, api_id)

    async def put_key(self, api_id: str, key: str, body: dict[str, Any]) -> ApiKey:
        """Register an API key or change its expiry. The id of a key is the key itself, as in AppSync.

        Raises:
            PropertyError: the key or a property is invalid.
            UnknownError: the API is not registered.
        """
        async with self._change:
            served = self.served(api_id)
            if key not in served.keys and len(served.keys) >= limits.API_KEYS_PER_API:
                raise PropertyError("ApiKeyId", f"at most {limits.API_KEYS_PER_API} keys per API are allowed")
            api_key = api_key_from(key, body, self._clock())
            await self._save(
                api_id,
                lambda entry: entry["keys"].update(
                    {key: {"expires": api_key.expires, "description": api_key.description}}
                ),
            )
            served.keys[key] = api_key
            return api_key

    async def delete_key(self, api_id: str, key: str) -> None:
        """Delete an API key; does nothing if it does not exist."""
        async with self._change:
            served = self.apis.get(api_id)
            if served is None or key not in served.keys:
                return
            await self._save(api_id, lambda entry: entry["keys"].pop(key))
            del served.keys[key]

    def served(self, api_id: str) -> ServedApi:
        """Return the served API of this id.

        Raises:
            UnknownError: the API is not registered.
        """
        served = self.apis.get(api_id)
        if served is None:
            raise UnknownError(f"API {api_id} is not registered")
        return served

    async def authorize(
        self, served: ServedApi, allowed: frozenset[AuthMode], credentials: Credentials, call: RequestedOperation
    ) -> Mapping[str, Any] | None:
        """Return `ctx.identity` of a caller; see `Authorizer.authorize`."""
        return await self._authorizer.authorize(served.api, served.keys.values(), allowed, credentials, call)

    def signer_of(self, credentials: Credentials) -> tuple[str, str]:
        """Return account and region of a signer; see `Authorizer.signer_of`."""
        return self._authorizer.signer_of(credentials)

    def registered(self) -> dict[str, Any]:
        """Return the registrations with their current connections and subscriptions, for the control API."""
        return {api_id: self._described(api_id, entry) for api_id, entry in self._registry.apis.items()}

    def _described(self, api_id: str, entry: dict[str, Any]) -> dict[str, Any]:
        served = self.apis.get(api_id)
        members = {name: entry[name] for name in ("dataSources", "namespaces", "keys")}
        activity = {
            "served": served is not None,
            "connections": len(served.connections) if served else 0,
            "subscriptions": served.broker.channels() if served else {},
        }
        return {"apiId": api_id, **entry["definition"], **members, **activity}

    def _new(self, api: Api) -> ServedApi:
        activity = Activity(api.id, api.name, self.apis, keep_payloads=self._keep_payloads)
        return ServedApi(api, activity, ApiRates(self._quotas, time.monotonic))

    async def _save(self, api_id: str, change: Callable[[dict[str, Any]], object]) -> None:
        apis = copy.deepcopy(self._registry.apis)
        change(apis.setdefault(api_id, {"definition": {}, "dataSources": {}, "namespaces": {}, "keys": {}}))
        await self._registry.replace(apis)

    async def _install(self, served: ServedApi, model: Namespace) -> None:
        await self._swap(served, model, await self._loader.load(model, served.data_sources))

    async def _swap(self, served: ServedApi, model: Namespace, handlers: NamespaceHandlers) -> None:
        previous = served.namespaces.get(model.name)
        served.namespaces[model.name] = ServedNamespace(model, handlers)
        if previous is not None:
            await previous.retire()

    async def _restored(self, what: str, restoring: Awaitable[None]) -> None:
        try:
            await restoring
        except (PropertyError, CodeRefused, KeyError, TypeError) as error:
            _log.error("%s not restored, deploy it again: %s", what, error)

    async def _restore_api(self, api_id: str, entry: dict[str, Any]) -> None:
        served = self._new(api_from(api_id, entry["definition"]))
        served.keys = {key: ApiKey(key, saved["expires"]) for key, saved in entry["keys"].items()}
        self.apis[api_id] = served

    async def _restore_data_source(self, served: ServedApi, name: str, body: dict[str, Any]) -> None:
        served.data_sources[name] = data_source_from(name, body, served.api)

    async def _restore_namespace(self, served: ServedApi, name: str, body: dict[str, Any]) -> None:
        await self._install(served, namespace_from(name, body, served.api))
