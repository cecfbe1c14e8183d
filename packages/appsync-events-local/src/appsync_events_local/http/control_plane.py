"""The read operations of AWS AppSync's control plane, such as `get_api`.

Registrations have CloudFormation's property names; those of the control plane are the same in camelCase, with a few
exceptions. Source: the service model of AppSync 2017-07-25.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from appsync_events_local.errors import NOT_FOUND, Refusal, bad_request

PAGE: Final = 25
"""Entries per page, and the largest `maxResults`."""
_RENAMED: Final = {"DynamoDBConfig": "dynamodbConfig"}
_TEXT_MAPS: Final = frozenset({"Tags"})

Entries = Mapping[str, Mapping[str, Any]]


class ControlPlane:
    """Answers read operations.

    Args:
        registered: returns the registrations by API id (see `Service.registered`).
    """

    def __init__(self, registered: Callable[[], Entries]) -> None:
        self._registered = registered

    def list_apis(self, account_id: str | None, region: str | None, page: "Page") -> dict[str, Any]:
        """Return the APIs of this account and region; `None` is all."""
        found = [
            _api(entry)
            for entry in self._registered().values()
            if account_id in (None, entry["accountId"]) and region in (None, entry["region"])
        ]
        return page.of(found, "apis")

    def get_api(self, api_id: str) -> dict[str, Any]:
        return {"api": _api(self._entry(api_id))}

    def list_channel_namespaces(self, api_id: str, page: "Page") -> dict[str, Any]:
        entry = self._entry(api_id)
        return page.of([_namespace(entry, name) for name in entry["namespaces"]], "channelNamespaces")

    def get_channel_namespace(self, api_id: str, name: str) -> dict[str, Any]:
        entry = self._entry(api_id)
        _named(entry["namespaces"], name, "Channel namespace")
        return {"channelNamespace": _namespace(entry, name)}

    def list_data_sources(self, api_id: str, page: "Page") -> dict[str, Any]:
        entry = self._entry(api_id)
        return page.of([_data_source(entry, name) for name in entry["dataSources"]], "dataSources")

    def get_data_source(self, api_id: str, name: str) -> dict[str, Any]:
        entry = self._entry(api_id)
        _named(entry["dataSources"], name, "Data source")
        return {"dataSource": _data_source(entry, name)}

    def list_api_keys(self, api_id: str, page: "Page") -> dict[str, Any]:
        keys = [
            {"id": key, "description": saved.get("description"), "expires": int(saved["expires"])}
            for key, saved in self._entry(api_id)["keys"].items()
        ]
        return page.of([_without_none(key) for key in keys], "apiKeys")

    def _entry(self, api_id: str) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = _named(self._registered(), api_id, "API")
        return entry


class Page:
    """A page of a list, selected by `maxResults` and `nextToken`.

    Raises:
        Refusal: they are invalid.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self._size = _number(query.get("maxResults", str(PAGE)), "maxResults")
        self._start = _number(query.get("nextToken", "0"), "nextToken")
        if self._size > PAGE:
            raise bad_request(f"maxResults must not exceed {PAGE}")

    def of(self, entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
        """Return the response with this page of the entries."""
        end = self._start + (self._size or PAGE)
        more = {"nextToken": str(end)} if end < len(entries) else {}
        return {name: entries[self._start : end], **more}


def _api(entry: Mapping[str, Any]) -> dict[str, Any]:
    properties = _camel(entry["properties"])
    hosts = entry["hosts"]
    return {
        **properties,
        "apiId": entry["apiId"],
        "name": entry.get("name") or properties.get("name"),
        "apiArn": _arn(entry),
        "dns": {"HTTP": hosts["http"], "REALTIME": hosts["realtime"]},
        "xrayEnabled": False,
        "created": entry["created"],
    }


def _namespace(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    body = entry["namespaces"][name]
    times = {key: body[key] for key in ("created", "lastModified")}
    return {
        **_camel(body["properties"]),
        **times,
        "apiId": entry["apiId"],
        "name": name,
        "channelNamespaceArn": f"{_arn(entry)}/channelNamespace/{name}",
    }


def _data_source(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    properties = _camel(entry["dataSources"][name]["properties"])
    properties.pop("apiId", None)
    return {**properties, "name": name, "dataSourceArn": f"{_arn(entry)}/datasources/{name}"}


def _arn(entry: Mapping[str, Any]) -> str:
    return f"arn:aws:appsync:{entry['region']}:{entry['accountId']}:apis/{entry['apiId']}"


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _RENAMED.get(key, key[:1].lower() + key[1:]): _tags(inner) if key in _TEXT_MAPS else _camel(inner)
        for key, inner in value.items()
    }


def _tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _named(entries: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in entries:
        raise Refusal(NOT_FOUND, f"{what} {name} not found.", 404)
    return entries[name]


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"{name} is invalid")
    return int(text)


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
