"""API keys: compared in constant time, refused after their expiry."""

import hmac
from collections.abc import Iterable

from appsync_events_local.errors import unauthorized
from appsync_events_local.model.api import ApiKey


def check_api_key(presented: str, keys: Iterable[ApiKey], now: float) -> None:
    """Check that the presented key is one of the API's and has not expired.

    Args:
        presented: the key that the caller sent.
        keys: the API's keys.
        now: seconds since the epoch.

    Raises:
        Refusal: the key is unknown or has expired.
    """
    found: ApiKey | None = None
    for key in keys:
        if hmac.compare_digest(key.key.encode(), presented.encode("utf-8", "replace")):
            found = key
    if found is None:
        raise unauthorized("unknown API key")
    if now >= found.expires:
        raise unauthorized("the API key has expired")
