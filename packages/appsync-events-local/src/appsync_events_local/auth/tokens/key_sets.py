"""Fetches and caches the public keys of token issuers."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.auth.tokens.key_locations import KeyLocator
from appsync_events_local.errors import internal_failure
from appsync_events_local.model.auth_providers import CognitoProvider, OidcProvider

REFETCH_SECONDS: Final = 5.0
"""Unknown key ids cause at most one fetch in this time, so that forged tokens cannot flood the issuer."""
ALGORITHMS: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("oct", None): ("HS256", "HS384", "HS512"),
}
"""Algorithms by key type and curve. A public key never verifies an HMAC, because its text is not a secret."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedKey:
    """One entry of a key set, with the algorithms that it may be used with."""

    entry: Mapping[str, Any]
    algorithms: tuple[str, ...]

    def verifying(self, algorithm: str) -> PyJWK | None:
        """Return the key for this algorithm; `None` if the key may not be used with it."""
        return PyJWK(dict(self.entry), algorithm=algorithm) if algorithm in self.algorithms else None


@dataclass(frozen=True)
class KeySet:
    """The keys of one issuer by key id, and the `iss` of its tokens."""

    issuer: str
    keys: Mapping[str, PublishedKey]


class KeySetCache:
    """Key sets by issuer.

    Args:
        documents: reads key sets.
        locator: finds their locations.
        clock: seconds, monotonic.
    """

    def __init__(self, documents: DocumentReader, locator: KeyLocator, clock: Callable[[], float]) -> None:
        self._documents = documents
        self._locator = locator
        self._clock = clock
        self._sets: dict[object, KeySet] = {}
        self._fetched_at: dict[object, float] = {}
        self._locks: dict[object, asyncio.Lock] = {}

    async def find(self, provider: CognitoProvider | OidcProvider, key_id: str) -> KeySet:
        """Return the provider's key set. It is fetched again if the key is unknown, and may still lack the key.

        Raises:
            Refusal: the key set cannot be fetched.
        """
        source = (type(provider), provider.issuer)
        known = self._sets.get(source)
        if known is not None and key_id in known.keys:
            return known
        async with self._locks.setdefault(source, asyncio.Lock()):
            known = self._sets.get(source)
            if known is None or (key_id not in known.keys and self._may_fetch(source)):
                known = self._sets[source] = await self._fetch(provider)
                self._fetched_at[source] = self._clock()
        return known

    def _may_fetch(self, source: object) -> bool:
        return self._clock() - self._fetched_at[source] >= REFETCH_SECONDS

    async def _fetch(self, provider: CognitoProvider | OidcProvider) -> KeySet:
        where = await self._locator.find(provider)
        document = await self._documents.read(where.location, f"the key set of {where.issuer}")
        try:
            keys = _keys(document)
        except (ValueError, TypeError, PyJWTError) as error:
            raise internal_failure(
                f"the key set of {where.issuer} cannot be fetched: {where.location}: {error}"
            ) from error
        _log.info("fetched %d key(s) of %s", len(keys), where.issuer)
        if any(key.entry.get("kty") == "oct" for key in keys.values()):
            _log.warning("%s publishes a symmetric key: every reader of the key set can forge tokens", where.issuer)
        return KeySet(where.issuer, keys)


def _keys(document: Mapping[str, Any]) -> Mapping[str, PublishedKey]:
    if not isinstance(document.get("keys"), list):
        raise ValueError("not a JSON Web Key Set")
    keys: dict[str, PublishedKey] = {}
    for entry in document["keys"]:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and entry.get("use", "sig") == "sig":
            key = PublishedKey(entry, _algorithms(entry))
            if key.algorithms:
                key.verifying(key.algorithms[0])
                keys[entry["kid"]] = key
    return keys


def _algorithms(entry: Mapping[str, Any]) -> tuple[str, ...]:
    kind = entry.get("kty")
    possible = ALGORITHMS.get((str(kind), entry.get("crv") if kind == "EC" else None), ())
    named = entry.get("alg")
    return possible if named is None else tuple(name for name in possible if name == named)
