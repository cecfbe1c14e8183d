"""The public keys of user pools, fetched from the local Cognito and kept."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from local.events.errors import internal_failure

FETCH_SECONDS: Final = 3.0
FETCH_ATTEMPTS: Final = 2
REFETCH_SECONDS: Final = 5.0
"""An unknown key id leads to one fetch in this time at most, so that forged tokens cannot flood the issuer."""

_log = logging.getLogger(__name__)


class KeySets:
    """Key sets by user pool.

    Args:
        endpoint: base URL of the user pools, e.g. `http://127.0.0.1:4566`.
        session: gives the HTTP session to fetch with.
        clock: seconds, monotonic.
    """

    def __init__(self, endpoint: str, session: Callable[[], aiohttp.ClientSession], clock: Callable[[], float]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._session = session
        self._clock = clock
        self._sets: dict[str, Mapping[str, PyJWK]] = {}
        self._fetched_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def find(self, pool_id: str, key_id: str) -> PyJWK | None:
        """The key, fetched if it is not known yet; `None` if the pool has no such key.

        Raises:
            Refusal: the key set cannot be fetched.
        """
        known = self._sets.get(pool_id, {}).get(key_id)
        if known is not None:
            return known
        async with self._locks.setdefault(pool_id, asyncio.Lock()):
            if key_id not in self._sets.get(pool_id, {}) and self._may_fetch(pool_id):
                self._sets[pool_id] = await self._fetch(pool_id)
                self._fetched_at[pool_id] = self._clock()
        return self._sets.get(pool_id, {}).get(key_id)

    def _may_fetch(self, pool_id: str) -> bool:
        fetched_at = self._fetched_at.get(pool_id)
        return fetched_at is None or self._clock() - fetched_at >= REFETCH_SECONDS

    async def _fetch(self, pool_id: str) -> Mapping[str, PyJWK]:
        url = f"{self._endpoint}/{pool_id}/.well-known/jwks.json"
        problem: Exception | None = None
        for _ in range(FETCH_ATTEMPTS):
            try:
                timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
                async with self._session().get(url, timeout=timeout) as response:
                    response.raise_for_status()
                    return _keys(await response.json(content_type=None))
            except (aiohttp.ClientError, TimeoutError, ValueError, PyJWTError) as error:
                problem = error
        raise internal_failure(f"the keys of user pool {pool_id} cannot be fetched from {url}: {problem!r}")


def _keys(document: Any) -> Mapping[str, PyJWK]:
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("no JSON Web Key Set")
    keys: dict[str, PyJWK] = {}
    for entry in document["keys"]:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and entry.get("kty") == "RSA":
            keys[entry["kid"]] = PyJWK(entry, algorithm="RS256")
    _log.info("fetched %d key(s) of a user pool", len(keys))
    return keys
