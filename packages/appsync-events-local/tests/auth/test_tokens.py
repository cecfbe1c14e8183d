"""User pool tokens against a key set that is fetched over HTTP: good tokens, wrong claims and forgeries."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import ISSUER, Running, UserPool

REFUSED = {"errors": [{"errorType": "UnauthorizedException", "message": "You are not authorized to make this call."}]}


async def publish(service: Running, authorization: str) -> tuple[int, dict[str, Any]]:
    return await service.post("open/a", "1", headers={"authorization": authorization})


@pytest.mark.parametrize("use", ["access", "id"])
@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
async def test_access_and_id_tokens_are_accepted_with_and_without_bearer(
    service: Running, use: str, prefix: str
) -> None:
    status, _ = await publish(service, prefix + service.pool.token(use))
    assert status == 200


NOW = int(time.time())
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW - 60},
    "issued in the future": {"iat": NOW + 600},
    "not valid yet": {"nbf": NOW + 600},
    "no expiry": {"exp": ...},
    "no issue time": {"iat": ...},
    "no subject": {"sub": ...},
    "no issuer": {"iss": ...},
    "other pool": {"iss": ISSUER + "x"},
    "other region": {"iss": ISSUER.replace("us-east-1.", "eu-west-1.")},
    "issuer over http": {"iss": ISSUER.replace("https", "http")},
    "other client": {"client_id": "someone"},
    "client with a suffix": {"client_id": "appclient1x"},
    "client with a line end": {"client_id": "appclient1\n"},
    "no client": {"client_id": ...},
    "audience instead of client": {"client_id": ..., "aud": "appclient1"},
    "refresh token": {"token_use": "refresh"},
    "no use": {"token_use": ...},
}


@pytest.mark.parametrize("changes", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
async def test_a_token_with_wrong_claims_is_refused(service: Running, changes: dict[str, Any]) -> None:
    assert await publish(service, service.pool.token(**changes)) == (401, REFUSED)


def tampered(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    head, body, signature = pool.token().split(".")
    return f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}"


def foreign(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), other, algorithm="RS256", headers={"kid": pool.key_id})


def unsigned(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), "", algorithm="none", headers={"kid": pool.key_id})


def symmetric(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), "x" * 64, algorithm="HS256", headers={"kid": pool.key_id})


def longer_hash(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), pool.key, algorithm="RS512", headers={"kid": pool.key_id})


def unnamed_key(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), pool.key, algorithm="RS256")


def unknown_key(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return jwt.encode(pool.claims(), other, algorithm="RS256", headers={"kid": "key-9"})


def truncated(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return pool.token().rsplit(".", 1)[0]


def garbage(pool: UserPool, other: rsa.RSAPrivateKey) -> str:
    return "garbage"


FORGERIES = [tampered, foreign, unsigned, symmetric, longer_hash, unnamed_key, unknown_key, truncated, garbage]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forged_token_is_refused(
    service: Running, other_key: rsa.RSAPrivateKey, forge: Callable[[UserPool, rsa.RSAPrivateKey], str]
) -> None:
    assert await publish(service, forge(service.pool, other_key)) == (401, REFUSED)


async def test_missing_or_empty_token_is_refused(service: Running) -> None:
    assert (await service.post("open/a", "1", headers={}))[0] == 401
    assert (await publish(service, "Bearer "))[0] == 401


async def test_the_key_set_is_fetched_once_for_many_tokens(service: Running) -> None:
    for number in range(3):
        assert (await publish(service, service.pool.token(jti=str(number))))[0] == 200
    assert service.pool.fetches == 1


async def test_unknown_key_ids_do_not_flood_the_issuer(service: Running, other_key: rsa.RSAPrivateKey) -> None:
    for number in range(5):
        forged = jwt.encode(service.pool.claims(), other_key, algorithm="RS256", headers={"kid": f"k{number}"})
        assert (await publish(service, forged))[0] == 401
    assert service.pool.fetches == 1


async def test_unreachable_issuer_is_a_server_error_until_it_answers_again(service: Running) -> None:
    service.pool.broken = True
    status, answer = await publish(service, service.pool.token())
    assert (status, answer["errors"][0]["errorType"]) == (500, "InternalFailureException")
    service.pool.broken = False
    assert (await publish(service, service.pool.token()))[0] == 200
