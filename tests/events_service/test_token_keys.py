"""A user pool that changes its key: new tokens are accepted after one more fetch."""

import time
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.events.api import CognitoProvider
from local.events.auth.cognito import TokenVerifier
from local.events.auth.jwks import REFETCH_SECONDS, KeySets
from local.events.errors import Refusal
from local.events.limits import JWT_LEEWAY_SECONDS
from tests.events_service.harness import POOL, REGION, UserPool


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_an_unknown_key_is_looked_for_again_but_not_at_once(pool: UserPool, other_key: rsa.RSAPrivateKey) -> None:
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        sets = KeySets(pool.url, lambda: session, clock)
        assert await sets.find(POOL, "key-1") is not None
        pool.key, pool.key_id = other_key, "key-2"
        assert await sets.find(POOL, "key-2") is None
        clock.now += REFETCH_SECONDS
        assert await sets.find(POOL, "key-2") is not None
        assert await sets.find(POOL, "key-1") is None
    assert pool.fetches == 2


@pytest.mark.parametrize("document", [[], {}, {"keys": 1}, {"keys": [{"kid": "key-1", "kty": "RSA"}]}])
async def test_a_key_set_that_is_none_is_reported_as_a_server_fault(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    monkeypatch.setattr(pool, "key_set", lambda: document)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Refusal, match="cannot be fetched") as caught:
            await KeySets(pool.url, lambda: session, Clock()).find(POOL, "key-1")
    assert caught.value.status == 500


async def test_a_remembered_token_is_refused_once_it_has_expired(pool: UserPool) -> None:
    clock = Clock()
    clock.now = time.time()
    provider = CognitoProvider(POOL, REGION)
    async with aiohttp.ClientSession() as session:
        verifier = TokenVerifier(KeySets(pool.url, lambda: session, clock), clock)
        token = pool.token()
        assert (await verifier.verify(token, [provider]))["sub"] == "user-1"
        clock.now += 3600 + JWT_LEEWAY_SECONDS - 1
        assert (await verifier.verify(token, [provider]))["sub"] == "user-1"
        clock.now += 3
        with pytest.raises(Refusal, match="expired"):
            await verifier.verify(token, [provider])


async def test_what_one_api_accepts_is_not_remembered_for_another(pool: UserPool) -> None:
    async with aiohttp.ClientSession() as session:
        verifier = TokenVerifier(KeySets(pool.url, lambda: session, Clock()), time.time)
        token = pool.token()
        await verifier.verify(token, [CognitoProvider(POOL, REGION)])
        with pytest.raises(Refusal, match="does not match"):
            await verifier.verify(token, [CognitoProvider(POOL, REGION, "another-client")])


async def test_keys_of_other_kinds_are_left_out(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [{"kid": "ec", "kty": "EC"}, 7, *pool.key_set()["keys"]]
    monkeypatch.setattr(pool, "key_set", lambda: {"keys": keys})
    async with aiohttp.ClientSession() as session:
        sets = KeySets(pool.url, lambda: session, Clock())
        assert await sets.find(POOL, "ec") is None
        assert await sets.find(POOL, "key-1") is not None
