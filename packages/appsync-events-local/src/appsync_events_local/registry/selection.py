"""Selects the API of a request."""

from collections.abc import Mapping

from appsync_events_local.errors import NOT_FOUND, Refusal
from appsync_events_local.publish.served_api import ServedApi


def select(apis: Mapping[str, ServedApi], host: str, api_id: str | None) -> ServedApi:
    """Return the API of a request: by the id in its path, by its Host, or the only one that is served.

    Args:
        apis: the served APIs, by id.
        host: the request's Host.
        api_id: the id in the request's path, if there is one.

    Raises:
        Refusal: no API matches, or more than one.
    """
    if api_id is not None:
        candidates = [apis[api_id]] if api_id in apis else []
    else:
        named = [
            served for served in apis.values() if host.lower() in (served.api.hosts.http, served.api.hosts.realtime)
        ]
        candidates = named or list(apis.values())
    if len(candidates) == 1:
        return candidates[0]
    known = ", ".join(f"/{id}/event" for id in apis) or "none is registered"
    raise Refusal(NOT_FOUND, f"No single Event API matches; select one by its path: {known}", 404)
