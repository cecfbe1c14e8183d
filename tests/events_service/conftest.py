"""Fixtures of the Events service's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.events_service.harness import Running, UserPool, running
from tests.js.conftest import dynamodb, dynamodb_endpoint

__all__ = ["dynamodb", "dynamodb_endpoint"]  # fixtures that are made elsewhere


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def pool(signing_key: rsa.RSAPrivateKey) -> AsyncIterator[UserPool]:
    pool = UserPool(signing_key)
    async with pool.served():
        yield pool


@pytest.fixture
async def service(tmp_path: Path, pool: UserPool) -> AsyncIterator[Running]:
    async with running(tmp_path, pool) as service:
        yield service
