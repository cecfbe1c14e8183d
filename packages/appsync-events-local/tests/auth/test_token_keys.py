"""The key sets of user pools: fetching, refetching for an unknown key, and cached tokens."""

import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from appsync_events_local.auth.tokens.documents import DocumentReader
from appsync_events_local.auth.tokens.key_locations import KeyLocator
from appsync_events_local.auth.tokens.key_sets import REFETCH_SECONDS, KeySetCache
from appsync_events_local.auth.tokens.verifier import TokenVerifier
from appsync_events_local.errors import Refusal
from appsync_events_local.limits import JWT_LEEWAY_SECONDS
from appsync_events_local.model.api import CognitoProvider
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import POOL, REGION, UserPool


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


PROVIDER = CognitoProvider(POOL, REGION)


def key_sets(pool: UserPool, session: aiohttp.ClientSession, clock: Callable[[], float]) -> KeySetCache:
    documents = DocumentReader(lambda: session)
    return KeySetCache(documents, KeyLocator(documents, pool.url), clock)


async def has(sets: KeySetCache, key_id: str) -> bool:
    return key_id in (await sets.find(PROVIDER, key_id)).keys


async def test_key_set_is_fetched_again_for_an_unknown_key_after_a_delay(
    pool: UserPool, other_key: rsa.RSAPrivateKey
) -> None:
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        sets = key_sets(pool, session, clock)
        assert await has(sets, "key-1")
        pool.key, pool.key_id = other_key, "key-2"
        assert not await has(sets, "key-2")
        clock.now += REFETCH_SECONDS
        assert await has(sets, "key-2")
        assert not await has(sets, "key-1")
    assert pool.fetches == 2


@pytest.mark.parametrize("document", [[], {}, {"keys": 1}, {"keys": [{"kid": "key-1", "kty": "RSA"}]}])
async def test_malformed_key_set_is_a_server_error(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    monkeypatch.setattr(pool, "key_set", lambda: document)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Refusal, match="cannot be fetched") as caught:
            await key_sets(pool, session, Clock()).find(PROVIDER, "key-1")
    assert caught.value.status == 500


async def test_cached_token_is_refused_once_it_has_expired(pool: UserPool) -> None:
    clock = Clock()
    clock.now = time.time()
    async with aiohttp.ClientSession() as session:
        verifier = TokenVerifier(key_sets(pool, session, clock), clock)
        token = pool.token()
        assert (await verifier.verify(token, [PROVIDER]))["sub"] == "user-1"
        clock.now += 3600 + JWT_LEEWAY_SECONDS - 1
        assert (await verifier.verify(token, [PROVIDER]))["sub"] == "user-1"
        clock.now += 3
        with pytest.raises(Refusal, match="expired"):
            await verifier.verify(token, [PROVIDER])


async def test_token_cached_for_one_api_is_verified_again_for_another(pool: UserPool) -> None:
    async with aiohttp.ClientSession() as session:
        verifier = TokenVerifier(key_sets(pool, session, Clock()), time.time)
        token = pool.token()
        await verifier.verify(token, [PROVIDER])
        with pytest.raises(Refusal, match="does not match"):
            await verifier.verify(token, [CognitoProvider(POOL, REGION, "another-client")])


async def test_keys_of_unsupported_kinds_are_ignored(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [{"kid": "ec", "kty": "EC"}, 7, *pool.key_set()["keys"]]
    monkeypatch.setattr(pool, "key_set", lambda: {"keys": keys})
    async with aiohttp.ClientSession() as session:
        sets = key_sets(pool, session, Clock())
        assert not await has(sets, "ec")
        assert await has(sets, "key-1")
