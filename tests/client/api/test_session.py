"""An access token that is good for the next call, renewed in time and once for everybody."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest
from appsync_events import Backoff

from client.api.cognito import Cognito, Tokens
from client.api.session import RENEW_BEFORE_SECONDS, Session, claims
from client.errors import (
    AccountExistsError,
    NotConfirmedError,
    SignedOutError,
    SignInError,
    UnreachableError,
    WrongCredentialsError,
)
from tests.harness.client.servers import ApiServer, Reply, target


def token(**values: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def result(number: int, refresh: str | None = None) -> dict[str, Any]:
    tokens = {"AccessToken": token(sub="me", n=number), "IdToken": token(sub="me"), "ExpiresIn": 3600}
    return {"AuthenticationResult": tokens | ({"RefreshToken": refresh} if refresh else {})}


def refusal(code: str, status: int = 400) -> Reply:
    return Reply(status, {"__type": code, "message": "because"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cognito(api: ApiServer, http: aiohttp.ClientSession, clock: Clock) -> Cognito:
    return Cognito(target(cognito=api.url), http, clock=clock, backoff=Backoff(base=0.001, cap=0.002))


@pytest.fixture
def session(cognito: Cognito, clock: Clock) -> Session:
    tokens = Tokens(access=token(sub="me", n=0), id=token(sub="me"), refresh="refresh-secret", expires_at=4600.0)
    return Session(cognito, tokens, clock=clock)


async def test_a_good_token_is_used_and_an_expiring_one_renewed(api: ApiServer, session: Session, clock: Clock) -> None:
    assert claims(await session.access_token())["n"] == 0
    assert api.asked == []
    api.script = [Reply(200, result(1))]
    clock.now = 4600.0 - RENEW_BEFORE_SECONDS + 1
    assert claims(await session.access_token())["n"] == 1
    assert claims(await session.access_token())["n"] == 1
    [asked] = api.asked
    assert asked.headers["x-amz-target"].endswith(".InitiateAuth")
    assert json.loads(asked.body)["AuthParameters"] == {"REFRESH_TOKEN": "refresh-secret"}


async def test_everybody_who_was_refused_at_once_shares_one_renewal(api: ApiServer, session: Session) -> None:
    old = await session.access_token()
    api.script = [Reply(200, result(1))]
    renewed = await asyncio.gather(*(session.access_token(refused=old) for _ in range(5)))
    assert {claims(text)["n"] for text in renewed} == {1}
    assert len(api.asked) == 1


async def test_a_session_that_cannot_be_renewed_has_ended(api: ApiServer, session: Session) -> None:
    api.script = [refusal("NotAuthorizedException")]
    with pytest.raises(SignedOutError):
        await session.access_token(refused=await session.access_token())


async def test_no_secret_shows_in_text_forms(session: Session) -> None:
    shown = repr(session) + repr(session._tokens)
    assert "me" in shown
    assert not any(secret in shown for secret in ("refresh-secret", "signature", await session.access_token()))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("NotAuthorizedException", WrongCredentialsError),
        ("UserNotFoundException", WrongCredentialsError),
        ("UserNotConfirmedException", NotConfirmedError),
        ("com.amazonaws#InvalidParameterException", SignInError),
    ],
)
async def test_a_refusal_is_an_error_of_its_kind(
    api: ApiServer, cognito: Cognito, code: str, error: type[SignInError]
) -> None:
    api.script = [refusal(code)]
    with pytest.raises(error, match="because") as caught:
        await cognito.sign_in("ada@example.edu", "password")
    assert type(caught.value) is error
    assert caught.value.code == code.rpartition("#")[2]


async def test_throttling_and_faults_are_waited_out(api: ApiServer, cognito: Cognito) -> None:
    api.script = [refusal("TooManyRequestsException"), Reply(500, "<html>"), Reply(200, result(7))]
    assert claims((await cognito.renew("r")).access)["n"] == 7
    api.script = [Reply(503, "{}")]
    with pytest.raises(UnreachableError, match="Cognito"):
        await cognito.renew("r")


async def test_a_sign_up_is_not_repeated(api: ApiServer, cognito: Cognito) -> None:
    api.script = [Reply(503, "{}"), Reply(200, {"UserSub": "u"})]
    with pytest.raises(UnreachableError):
        await cognito.sign_up("a@example.edu", "password", first_name="A", last_name="B")
    assert len(api.asked) == 1
    api.script = [refusal("UsernameExistsException")]
    with pytest.raises(AccountExistsError):
        await cognito.sign_up("a@example.edu", "password", first_name="A", last_name="B")


async def test_a_challenge_that_this_client_cannot_meet_is_named(api: ApiServer, cognito: Cognito) -> None:
    api.script = [Reply(200, {"ChallengeName": "SOFTWARE_TOKEN_MFA"})]
    with pytest.raises(SignInError, match="SOFTWARE_TOKEN_MFA"):
        await cognito.sign_in("ada@example.edu", "password")


async def test_a_renewal_keeps_the_refresh_token_unless_a_new_one_comes(api: ApiServer, cognito: Cognito) -> None:
    api.script = [Reply(200, result(1)), Reply(200, result(2, "next"))]
    assert (await cognito.renew("first")).refresh == "first"
    assert (await cognito.renew("first")).refresh == "next"


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.!!.c"])
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SignInError):
        claims(text)
