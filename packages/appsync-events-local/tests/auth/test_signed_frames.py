"""SigV4 on the socket: what the signature of each operation must cover, through a running service."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import FOREIGN_SIGNER, SESSION_SIGNER, SIGNER, Running, UserPool, running, signed_headers

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIGNED: dict[str, dict[str, Any]] = {
    "connect": {},
    "subscribe": {"channel": "/open/*"},
    "publish": {"channel": "/open/a", "events": ['{"text":"grüß dich"}', "1"]},
}
WRONG_TOKEN = Credentials(SESSION_SIGNER.access_key, SESSION_SIGNER.secret_key, "another-token")
NO_TOKEN = Credentials(SESSION_SIGNER.access_key, SESSION_SIGNER.secret_key)
WRONG_SECRET = Credentials(SIGNER.access_key, "another-secret")
Sign = Callable[[str, str], dict[str, str]]


def by(credentials: Credentials = SIGNER, path: str = "", **fields: Any) -> Sign:
    return lambda url, body: signed_headers(url + path, body, credentials, **fields)


def changed(**headers: str) -> Sign:
    return lambda url, body: {**signed_headers(url, body), **headers}


def lower_case(url: str, body: str) -> dict[str, str]:
    return {name.lower(): value for name, value in signed_headers(url, body).items()}


def spaced(url: str, body: str) -> dict[str, str]:
    return signed_headers(url, json.dumps(json.loads(body)) if body != "{}" else "{ }")


ACCEPTED: dict[str, Sign] = {"long-term keys": by(), "a session": by(SESSION_SIGNER), "lower-case names": lower_case}
REFUSED: dict[str, Sign] = {
    "another account": by(FOREIGN_SIGNER),
    "unknown key": by(Credentials("AKIDUNKNOWN", "x")),
    "wrong secret": by(WRONG_SECRET),
    "no session token": by(NO_TOKEN),
    "wrong session token": by(WRONG_TOKEN),
    "another region": by(region="eu-west-1"),
    "another service": by(service="execute-api"),
    "too old": by(age_seconds=301),
    "too early": by(age_seconds=-310),
    "another path": by(path="/realtime"),
    "a query": by(path="?a=1"),
    "another host": changed(host="other.test"),
    "another date": changed(**{"X-Amz-Date": "20200101T000000Z"}),
    "another body": lambda url, body: signed_headers(url, body + " "),
    "a body of other spacing": spaced,
    "no body": lambda url, body: signed_headers(url, b""),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey) -> AsyncIterator[Running]:
    pool = UserPool(signing_key)
    async with pool.served(), running(tmp_path_factory.mktemp("signed"), pool) as service:
        yield service


async def answer(service: Running, operation: str, sign: Sign) -> dict[str, Any]:
    """The answer to an operation with this signature."""
    fields = SIGNED[operation]
    own = sign(service.event_url, json.dumps(fields, separators=(",", ":"), ensure_ascii=False))
    if operation == "connect":
        socket = await service.open(own)
        reported = await socket.ask(type="connection_init")
    else:
        socket = await service.connect()
        reported = await socket.ask(type=operation, id="1", **fields, authorization=own)
    await socket.raw.close()
    return reported


@pytest.mark.parametrize("operation", SIGNED)
@pytest.mark.parametrize("sign", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_frame_with_a_correct_signature_is_accepted(service: Running, operation: str, sign: Sign) -> None:
    reported = await answer(service, operation, sign)
    assert reported["type"] == ("connection_ack" if operation == "connect" else f"{operation}_success")


@pytest.mark.parametrize("operation", SIGNED)
@pytest.mark.parametrize("sign", REFUSED.values(), ids=REFUSED.keys())
async def test_frame_with_a_wrong_signature_is_refused(service: Running, operation: str, sign: Sign) -> None:
    reported = await answer(service, operation, sign)
    assert reported["type"] == ("connection_error" if operation == "connect" else f"{operation}_error")
    assert reported["errors"][0]["errorType"] == "UnauthorizedException"


async def test_signature_of_one_frame_is_refused_for_another_frame(service: Running) -> None:
    socket = await service.connect()
    own = signed_headers(service.event_url, '{"channel":"/open/a"}')
    asked: list[dict[str, Any]] = [
        {"type": "subscribe", "channel": "/open/a"},
        {"type": "subscribe", "channel": "open/a"},
        {"type": "subscribe", "channel": "/open/b"},
        {"type": "publish", "channel": "/open/a", "events": ["1"]},
    ]
    reported = [
        (await socket.ask(id=f"{number}", authorization=own, **frame))["type"] for number, frame in enumerate(asked)
    ]
    assert reported == ["subscribe_success", "subscribe_error", "subscribe_error", "publish_error"]
    await socket.raw.close()
