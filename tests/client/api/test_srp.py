"""Client and server derive the same key exactly when the password is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from pycognito.aws_srp import AWSSRP

from client.api import srp
from client.api.srp import SrpExchange

POOL = "us-east-1_Example"
passwords = st.text(min_size=1, max_size=30)


def verifier(user: str, password: str, salt: int) -> int:
    """Return what Cognito stores of a password."""
    inner = hashlib.sha256(f"Example{user}:{password}".encode()).digest()
    return pow(srp._G, srp._hash(srp._octets(salt), inner), srp._N)


def server_key(exchange: SrpExchange, user: str, password: str, salt: int, b: int) -> tuple[int, bytes]:
    """Return the value that the server sends and the key that it derives from the verifier alone."""
    v = verifier(user, password, salt)
    public = (srp._K * v + pow(srp._G, b, srp._N)) % srp._N
    u = srp._hash(srp._octets(exchange.public), srp._octets(public))
    shared = pow(exchange.public * pow(v, u, srp._N), b, srp._N)
    extracted = hmac.digest(srp._octets(u), srp._octets(shared), "sha256")
    return public, hmac.digest(extracted, srp._INFO, "sha256")[:16]


@settings(max_examples=15, deadline=None)
@given(password=passwords, wrong=passwords, salt=st.integers(1, 2**128), b=st.integers(2, 2**256))
def test_the_key_is_shared_exactly_with_the_right_password(password: str, wrong: str, salt: int, b: int) -> None:
    exchange = SrpExchange.start()
    public, expected = server_key(exchange, "user", password, salt, b)
    assert exchange.key(POOL, "user", password, f"{public:x}", f"{salt:x}") == expected
    assert (exchange.key(POOL, "user", wrong, f"{public:x}", f"{salt:x}") == expected) == (wrong == password)


@settings(max_examples=10, deadline=None)
@given(password=passwords, salt=st.integers(2**120, 2**128), b=st.integers(2, 2**256))
def test_the_key_equals_that_of_another_implementation(password: str, salt: int, b: int) -> None:
    exchange = SrpExchange.start()
    other = AWSSRP("user", password, POOL, "client", client=object())
    other.small_a_value, other.large_a_value = exchange.a, exchange.public
    public, _ = server_key(exchange, "user", password, salt, b)
    expected = other.get_password_authentication_key("user", password, public, f"{salt:x}")
    assert exchange.key(POOL, "user", password, f"{public:x}", f"{salt:x}") == expected


def test_the_response_signs_pool_user_secret_and_time_and_contains_no_password() -> None:
    exchange = SrpExchange.start()
    public, key = server_key(exchange, "user", "secret password", 77, 99)
    block = base64.b64encode(b"block").decode()
    challenge = {"USER_ID_FOR_SRP": "user", "SECRET_BLOCK": block, "SRP_B": f"{public:x}", "SALT": f"{77:x}"}
    response = exchange.challenge_response(
        POOL, "secret password", challenge, now=datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    )
    assert response["TIMESTAMP"] == "Mon Nov 2 09:05:00 UTC 2026"
    signed = hmac.digest(key, b"Exampleuserblock" + response["TIMESTAMP"].encode(), "sha256")
    assert response["PASSWORD_CLAIM_SIGNATURE"] == base64.b64encode(signed).decode()
    assert "secret password" not in str(response) + repr(exchange)


def test_a_server_value_that_makes_the_key_independent_of_the_password_is_refused() -> None:
    exchange = SrpExchange.start()
    for value in ("0", f"{srp._N:x}", f"{2 * srp._N:x}"):
        try:
            exchange.key(POOL, "user", "password", value, "1")
        except ValueError:
            continue
        raise AssertionError(f"{value[:10]} was accepted")
