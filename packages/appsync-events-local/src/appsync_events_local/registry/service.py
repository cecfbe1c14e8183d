"""The service itself: every registered API, how registrations change it, and how calls are authorised."""

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
from appsync_events_local.publish.served_api import ServedApi, ServedNamespace
from appsync_events_local.registry.store import InUseError, Registry, UnknownError, stamped

GOING_AWAY: Final = 1001

_log = logging.getLogger(__name__)


class Service:
    """All registered APIs.

    Args:
        registry: where registrations are kept.
        authorizer: decides calls.
        loader: loads the handlers of namespaces.
        clock: seconds since the epoch.
        keep_payloads: whether the status page may show what was published.
    """

    def __init__(
        self,
        registry: Registry,
        authorizer: Authorizer,
        loader: HandlerLoader,
        clock: Callable[[], float] = time.time,
        *,
        keep_payloads: bool = False,
    ) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._loader = loader
        self._clock = clock
        self._keep_payloads = keep_payloads
        self._change = asyncio.Lock()
        self.apis: dict[str, ServedApi] = {}
        self.faults = FaultRules()
        self.flusher = Flusher()

    async def restore(self) -> None:
        """Serve what an earlier process had registered. What is no longer valid is left out, and logged."""
        self._registry.load()
        for api_id, entry in self._registry.apis.items():
            await self._restored(f"API {api_id}", self._restore_api(api_id, entry))
            if api_id not in self.apis:
                continue
            live = self.apis[api_id]
            for name, body in entry["dataSources"].items():
                await self._restored(f"data source {name}", self._restore_data_source(live, name, body))
            for name, body in entry["namespaces"].items():
                await self._restored(f"namespace {name}", self._restore_namespace(live, name, body))
            _log.info("restored API %s with namespaces %s", api_id, ", ".join(live.namespaces) or "(none)")

    def end_connections(self) -> None:
        """Tell every client that the service stops."""
        for live in self.apis.values():
            live.end_connections(GOING_AWAY, "service stops")

    async def close_handlers(self) -> None:
        """End every handler's engine."""
        for live in self.apis.values():
            for namespace in live.namespaces.values():
                await namespace.retire()

    async def put_api(self, api_id: str, body: dict[str, Any]) -> None:
        """Register an API or change it; its namespaces, data sources, keys and connections stay.

        Raises:
            PropertyError: it cannot be served.
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
        """Forget an API with all that is in it; nothing happens if it is not registered."""
        async with self._change:
            await self._registry.replace({k: v for k, v in self._registry.apis.items() if k != api_id})
            live = self.apis.pop(api_id, None)
            if live is None:
                return
            live.end_connections(GOING_AWAY, "API deleted")
            for namespace in live.namespaces.values():
                await namespace.retire()
            _log.info("deleted API %s", api_id)

    async def put_data_source(self, api_id: str, name: str, body: dict[str, Any]) -> None:
        """Register a data source or change it; handlers that use it are loaded anew.

        Raises:
            PropertyError: it cannot be served.
            UnknownError: no such API.
        """
        async with self._change:
            live = self.live(api_id)
            model = data_source_from(name, body, live.api)
            await self._save(api_id, lambda entry: entry["dataSources"].update({name: body}))
            live.data_sources[name] = model
            for namespace in list(live.namespaces.values()):
                if namespace.model.uses(name):
                    await self._install(live, namespace.model)

    async def delete_data_source(self, api_id: str, name: str) -> None:
        """Forget a data source; nothing happens if there is none.

        Raises:
            InUseError: a namespace uses it.
        """
        async with self._change:
            live = self.apis.get(api_id)
            if live is None or name not in live.data_sources:
                return
            users = [n.model.name for n in live.namespaces.values() if n.model.uses(name)]
            if users:
                raise InUseError(f"data source {name} is used by namespace {', '.join(users)}; delete that first")
            await self._save(api_id, lambda entry: entry["dataSources"].pop(name))
            del live.data_sources[name]

    async def put_namespace(self, api_id: str, name: str, body: dict[str, Any]) -> None:
        """Register a namespace or change it: its handlers are loaded anew, its subscriptions stay.

        Raises:
            PropertyError: it cannot be served.
            CodeRefused: APPSYNC_JS would not take its code.
            UnknownError: no such API.
        """
        async with self._change:
            live = self.live(api_id)
            model = namespace_from(name, body, live.api)
            if name not in live.namespaces and len(live.namespaces) >= limits.NAMESPACES_PER_API:
                raise PropertyError("Name", f"an API has {limits.NAMESPACES_PER_API} namespaces at most")
            handlers = await self._loader.load(model, live.data_sources)
            now = self._clock()
            await self._save(
                api_id,
                lambda entry: entry["namespaces"].update({name: stamped(entry["namespaces"].get(name), body, now)}),
            )
            await self._swap(live, model, handlers)
            _log.info("registered namespace %s of API %s", name, api_id)

    async def delete_namespace(self, api_id: str, name: str) -> None:
        """Forget a namespace and end its subscriptions; nothing happens if there is none."""
        async with self._change:
            live = self.apis.get(api_id)
            if live is None or name not in live.namespaces:
                return
            await self._save(api_id, lambda entry: entry["namespaces"].pop(name))
            namespace = live.namespaces.pop(name)
            live.drop_namespace_subscriptions(name)
            await namespace.retire()
            _log.info("deleted namespace %s of API %s", name, api_id)

    async def put_key(self, api_id: str, key: str, body: dict[str, Any]) -> ApiKey:
        """Register an API key or change its end. A key's id is the key itself, as in AppSync.

        Raises:
            PropertyError: it cannot be served.
            UnknownError: no such API.
        """
        async with self._change:
            live = self.live(api_id)
            if key not in live.keys and len(live.keys) >= limits.API_KEYS_PER_API:
                raise PropertyError("ApiKeyId", f"an API has {limits.API_KEYS_PER_API} keys at most")
            made = api_key_from(key, body, self._clock())
            await self._save(
                api_id,
                lambda entry: entry["keys"].update({key: {"expires": made.expires, "description": made.description}}),
            )
            live.keys[key] = made
            return made

    async def delete_key(self, api_id: str, key: str) -> None:
        """Forget an API key; nothing happens if there is none."""
        async with self._change:
            live = self.apis.get(api_id)
            if live is None or key not in live.keys:
                return
            await self._save(api_id, lambda entry: entry["keys"].pop(key))
            del live.keys[key]

    def live(self, api_id: str) -> ServedApi:
        """The served API of this id.

        Raises:
            UnknownError: there is none.
        """
        live = self.apis.get(api_id)
        if live is None:
            raise UnknownError(f"no API {api_id} is registered")
        return live

    async def authorize(
        self, live: ServedApi, allowed: frozenset[AuthMode], credentials: Credentials, call: RequestedOperation
    ) -> Mapping[str, Any] | None:
        """`ctx.identity` of a caller; see `Authorizer.authorize`."""
        return await self._authorizer.authorize(live.api, live.keys.values(), allowed, credentials, call)

    def signer_of(self, credentials: Credentials) -> tuple[str, str]:
        """Account and region of who signed; see `Authorizer.signer_of`."""
        return self._authorizer.signer_of(credentials)

    def registered(self) -> dict[str, Any]:
        """What is registered and who is there, for the control API."""
        return {api_id: self._described(api_id, entry) for api_id, entry in self._registry.apis.items()}

    def _described(self, api_id: str, entry: dict[str, Any]) -> dict[str, Any]:
        live = self.apis.get(api_id)
        members = {name: entry[name] for name in ("dataSources", "namespaces", "keys")}
        activity = {
            "served": live is not None,
            "connections": len(live.connections) if live else 0,
            "subscriptions": live.broker.channels() if live else {},
        }
        return {"apiId": api_id, **entry["definition"], **members, **activity}

    def _new(self, api: Api) -> ServedApi:
        return ServedApi(api, Activity(api.id, api.name, self.apis, keep_payloads=self._keep_payloads))

    async def _save(self, api_id: str, change: Callable[[dict[str, Any]], object]) -> None:
        apis = copy.deepcopy(self._registry.apis)
        change(apis.setdefault(api_id, {"definition": {}, "dataSources": {}, "namespaces": {}, "keys": {}}))
        await self._registry.replace(apis)

    async def _install(self, live: ServedApi, model: Namespace) -> None:
        await self._swap(live, model, await self._loader.load(model, live.data_sources))

    async def _swap(self, live: ServedApi, model: Namespace, handlers: NamespaceHandlers) -> None:
        previous = live.namespaces.get(model.name)
        live.namespaces[model.name] = ServedNamespace(model, handlers)
        if previous is not None:
            await previous.retire()

    async def _restored(self, what: str, restoring: Awaitable[None]) -> None:
        try:
            await restoring
        except (PropertyError, CodeRefused, KeyError, TypeError) as error:
            _log.error("%s is registered but cannot be served, deploy it again: %s", what, error)

    async def _restore_api(self, api_id: str, entry: dict[str, Any]) -> None:
        live = self._new(api_from(api_id, entry["definition"]))
        live.keys = {key: ApiKey(key, saved["expires"]) for key, saved in entry["keys"].items()}
        self.apis[api_id] = live

    async def _restore_data_source(self, live: ServedApi, name: str, body: dict[str, Any]) -> None:
        live.data_sources[name] = data_source_from(name, body, live.api)

    async def _restore_namespace(self, live: ServedApi, name: str, body: dict[str, Any]) -> None:
        await self._install(live, namespace_from(name, body, live.api))
