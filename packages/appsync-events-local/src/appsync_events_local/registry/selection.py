"""Which API a request is for."""

from collections.abc import Mapping

from appsync_events_local.errors import NOT_FOUND, Refusal
from appsync_events_local.publish.served_api import ServedApi


def select(apis: Mapping[str, ServedApi], host: str, api_id: str | None) -> ServedApi:
    """The API that a request is for: by id in its path, by its Host, or the only one there is.

    Args:
        apis: what is served, by id.
        host: the request's Host.
        api_id: from its path, if that names one.

    Raises:
        Refusal: that is none, or not one alone.
    """
    if api_id is not None:
        candidates = [apis[api_id]] if api_id in apis else []
    else:
        named = [live for live in apis.values() if host.lower() in (live.api.hosts.http, live.api.hosts.realtime)]
        candidates = named or list(apis.values())
    if len(candidates) == 1:
        return candidates[0]
    known = ", ".join(f"/{id}/event" for id in apis) or "none is registered"
    raise Refusal(NOT_FOUND, f"No single Event API is meant; name one by its path: {known}", 404)
