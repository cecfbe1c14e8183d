"""`AWS::AppSync::Api` and what belongs to it, provisioned in our Events service.

Return values of `Ref` and `Fn::GetAtt` follow the CloudFormation template reference: `Ref` of an Api or a
ChannelNamespace is its ARN; `Dns.Http` and `Dns.Realtime` are hosts without scheme and path.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners, stacks

from local.emulator.credentials import CredentialStore
from local.emulator.providers.control_client import ControlClient
from local.emulator.settings import ACCOUNT_ID, EmulatorSettings

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]

_ID_LENGTH = 26
_DEFAULT_KEY_LIFETIME_SECONDS = 7 * 24 * 3600
_OUR_TYPES = frozenset({"AWS::AppSync::Api", "AWS::AppSync::ChannelNamespace"})
_SHARED_TYPES = frozenset({"AWS::AppSync::DataSource", "AWS::AppSync::ApiKey"})


class EventApiProviders:
    """Create, update and delete handlers, in the form that ministack's CloudFormation calls."""

    def __init__(self, control: ControlClient, settings: EmulatorSettings, store: CredentialStore) -> None:
        self._control = control
        self._store = store
        self._settings = settings
        self._original_data_source = dict(provisioners._RESOURCE_HANDLERS["AWS::AppSync::DataSource"])
        self._original_key = dict(provisioners._RESOURCE_HANDLERS["AWS::AppSync::ApiKey"])

    def install(self) -> None:
        """Register the types; DataSource and ApiKey stay ministack's own for GraphQL APIs."""
        handlers = provisioners._RESOURCE_HANDLERS
        handlers["AWS::AppSync::Api"] = {
            "create": self.create_api,
            "update": self.update_api,
            "delete": self.delete_api,
        }
        handlers["AWS::AppSync::ChannelNamespace"] = {
            "create": self.create_namespace,
            "update": self.update_namespace,
            "delete": self.delete_namespace,
        }
        handlers["AWS::AppSync::DataSource"] = {
            "create": self.create_data_source,
            "update": self.update_data_source,
            "delete": self.delete_data_source,
        }
        handlers["AWS::AppSync::ApiKey"] = {
            "create": self.create_key,
            "update": self.update_key,
            "delete": self.delete_key,
        }
        on_worker_thread = stacks._runs_on_worker_thread

        def runs_on_worker_thread(resource_type: str) -> bool:
            """Our providers wait for another process, which must not stop the emulator's event loop."""
            return resource_type in _OUR_TYPES | _SHARED_TYPES or bool(on_worker_thread(resource_type))

        stacks._runs_on_worker_thread = runs_on_worker_thread

    # AWS::AppSync::Api

    def create_api(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        return self._put_api(_new_id(), properties, host=None)

    def update_api(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
        api_id = _last_segment(physical_id)
        hosts = self._apis().get(api_id, {}).get("hosts", {})
        return self._put_api(api_id, new, host=hosts.get("http"))

    def delete_api(self, physical_id: str, properties: Properties) -> None:
        self._control.delete("apis", _last_segment(physical_id))

    def _put_api(self, api_id: str, properties: Properties, host: str | None) -> Provisioned:
        chosen = host or self._free_host(api_id)
        body = {
            "name": properties.get("Name"),
            "properties": properties,
            "hosts": {"http": chosen, "realtime": chosen},
            "region": self._settings.region,
            "accountId": ACCOUNT_ID,
        }
        self._control.put("apis", api_id, body=body)
        arn = self._api_arn(api_id)
        return arn, {"ApiArn": arn, "ApiId": api_id, "Dns.Http": chosen, "Dns.Realtime": chosen}

    def _free_host(self, api_id: str) -> str:
        """`localhost:PORT` for the first API; further ones get a name of their own below localhost."""
        plain = self._settings.events_host
        taken = {api.get("hosts", {}).get("http") for api in self._apis().values()}
        return plain if plain not in taken else f"{api_id}.appsync-api.{plain}"

    def _apis(self) -> dict[str, dict[str, Any]]:
        return registered_apis(self._control.get("apis"))

    # AWS::AppSync::ChannelNamespace

    def create_namespace(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        api_id, name = properties["ApiId"], properties["Name"]
        self._control.put("apis", api_id, "namespaces", name, body={"properties": _with_code(properties)})
        arn = f"{self._api_arn(api_id)}/channelNamespace/{name}"
        return arn, {"ChannelNamespaceArn": arn}

    def update_namespace(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
        created = self.create_namespace("", new, stack_name)
        if created[0] != physical_id:
            self.delete_namespace(physical_id, old)
        return created

    def delete_namespace(self, physical_id: str, properties: Properties) -> None:
        self._control.delete("apis", properties["ApiId"], "namespaces", _last_segment(physical_id))

    # AWS::AppSync::DataSource

    def create_data_source(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        api_id = properties.get("ApiId", "")
        if not self._is_event_api(api_id):
            return self._call_original(self._original_data_source["create"], logical_id, properties, stack_name)
        name = properties.get("Name") or logical_id
        if role := properties.get("ServiceRoleArn"):
            self._store.for_service(role, "APPSYNC_ASSUME_ROLE")
        self._control.put("apis", api_id, "data-sources", name, body={"properties": properties})
        arn = f"{self._api_arn(api_id)}/datasources/{name}"
        return arn, {"DataSourceArn": arn, "Name": name}

    def update_data_source(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
        created = self.create_data_source(_last_segment(physical_id), new, stack_name)
        if created[0] != physical_id:
            self.delete_data_source(physical_id, old)
        return created

    def delete_data_source(self, physical_id: str, properties: Properties) -> None:
        api_id = properties.get("ApiId", "")
        if not self._is_event_api(api_id):
            self._original_data_source["delete"](physical_id, properties)
            return
        self._control.delete("apis", api_id, "data-sources", _last_segment(physical_id))

    # AWS::AppSync::ApiKey

    def create_key(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        api_id = properties.get("ApiId", "")
        if not self._is_event_api(api_id):
            return self._call_original(self._original_key["create"], logical_id, properties, stack_name)
        return self._put_key(api_id, f"da2-{_new_id()}", properties)

    def update_key(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
        if not self._is_event_api(new.get("ApiId", "")):
            return self._call_original(self._original_key["update"], physical_id, old, new, stack_name, None)
        if old.get("ApiId") != new.get("ApiId"):
            created = self.create_key("", new, stack_name)
            self.delete_key(physical_id, old)
            return created
        return self._put_key(new["ApiId"], _last_segment(physical_id), new)

    def delete_key(self, physical_id: str, properties: Properties) -> None:
        api_id = properties.get("ApiId", "")
        if not self._is_event_api(api_id):
            self._original_key["delete"](physical_id, properties)
            return
        self._control.delete("apis", api_id, "keys", _last_segment(physical_id))

    def _put_key(self, api_id: str, key_id: str, properties: Properties) -> Provisioned:
        given = properties.get("Expires")
        expires = int(time.time() + _DEFAULT_KEY_LIFETIME_SECONDS if given is None else float(given))
        body = {"properties": {**properties, "Expires": expires}}
        self._control.put("apis", api_id, "keys", key_id, body=body)
        arn = f"{self._api_arn(api_id)}/apikeys/{key_id}"
        return arn, {"ApiKey": key_id, "ApiKeyId": key_id, "Arn": arn}

    # shared

    def _is_event_api(self, api_id: str) -> bool:
        return api_id in self._apis()

    def _api_arn(self, api_id: str) -> str:
        return f"arn:aws:appsync:{self._settings.region}:{ACCOUNT_ID}:apis/{api_id}"

    @staticmethod
    def _call_original(handler: Callable[..., Provisioned], *arguments: Any) -> Provisioned:
        return handler(*arguments)


def registered_apis(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The APIs of a `GET /_control/apis` answer by their id."""
    listed = answer.get("apis", answer)
    if isinstance(listed, dict):
        return listed
    return {api["apiId"]: api for api in listed}


def _with_code(properties: Properties) -> Properties:
    """The properties with `CodeS3Location` replaced by the text that lies there.

    Raises:
        ValueError: the object does not exist, as AWS refuses the namespace then.
    """
    location = properties.get("CodeS3Location")
    if not location:
        return properties
    bucket, _, key = str(location).removeprefix("s3://").partition("/")
    code = lambda_svc._fetch_code_from_s3(bucket, key)
    if code is None:
        raise ValueError(f"CodeS3Location {location} does not exist")
    resolved = {name: value for name, value in properties.items() if name != "CodeS3Location"}
    return {**resolved, "CodeHandlers": code.decode("utf-8")}


def _new_id() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_ID_LENGTH))


def _last_segment(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
