"""API keys: compared in constant time, refused after their end."""

import hmac
from collections.abc import Iterable

from appsync_events_local.errors import unauthorized
from appsync_events_local.model.api import ApiKey


def check_api_key(presented: str, keys: Iterable[ApiKey], now: float) -> None:
    """The presented key is one of the API's and still lives at `now` (seconds since the epoch).

    Raises:
        Refusal: it is not.
    """
    found: ApiKey | None = None
    for key in keys:
        if hmac.compare_digest(key.key.encode(), presented.encode("utf-8", "replace")):
            found = key
    if found is None:
        raise unauthorized("unknown API key")
    if now >= found.expires:
        raise unauthorized("the API key has expired")
