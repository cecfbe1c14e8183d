"""An access token is renewed before it expires, and once for all requests that were refused."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from appsync_events import Backoff

from client.api.cognito import Cognito, Tokens
from client.api.session import RENEW_BEFORE_SECONDS, Session, token_claims
from client.errors import (
    AccountExistsError,
    NotConfirmedError,
    SignedOutError,
    SignInError,
    UnreachableError,
    WrongCredentialsError,
)
from tests.harness.client.cognito import token, tokens_reply
from tests.harness.client.servers import ApiServer, Reply, target


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


async def test_a_valid_token_is_used_and_an_expiring_one_renewed(
    api: ApiServer, session: Session, clock: Clock
) -> None:
    assert token_claims(await session.access_token())["n"] == 0
    assert api.requests == []
    api.script = [Reply(200, tokens_reply(number=1))]
    clock.now = 4600.0 - RENEW_BEFORE_SECONDS + 1
    assert token_claims(await session.access_token())["n"] == 1
    assert token_claims(await session.access_token())["n"] == 1
    [request] = api.requests
    assert request.headers["x-amz-target"].endswith(".InitiateAuth")
    assert json.loads(request.body)["AuthParameters"] == {"REFRESH_TOKEN": "refresh-secret"}


async def test_concurrent_refused_requests_share_one_renewal(api: ApiServer, session: Session) -> None:
    old = await session.access_token()
    api.script = [Reply(200, tokens_reply(number=1))]
    renewed = await asyncio.gather(*(session.access_token(refused=old) for _ in range(5)))
    assert {token_claims(text)["n"] for text in renewed} == {1}
    assert len(api.requests) == 1


async def test_a_session_that_cannot_be_renewed_is_signed_out(api: ApiServer, session: Session) -> None:
    api.script = [refusal("NotAuthorizedException")]
    with pytest.raises(SignedOutError):
        await session.access_token(refused=await session.access_token())


async def test_repr_shows_no_secret(session: Session) -> None:
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
async def test_each_refusal_of_cognito_has_its_own_error(
    api: ApiServer, cognito: Cognito, code: str, error: type[SignInError]
) -> None:
    api.script = [refusal(code)]
    with pytest.raises(error, match="because") as caught:
        await cognito.sign_in("ada@example.edu", "password")
    assert type(caught.value) is error
    assert caught.value.code == code.rpartition("#")[2]


async def test_throttling_and_faults_are_retried(api: ApiServer, cognito: Cognito) -> None:
    api.script = [refusal("TooManyRequestsException"), Reply(500, "<html>"), Reply(200, tokens_reply(number=7))]
    assert token_claims((await cognito.renew("r")).access)["n"] == 7
    api.script = [Reply(503, "{}")]
    with pytest.raises(UnreachableError, match="Cognito"):
        await cognito.renew("r")


async def test_a_sign_up_is_not_repeated(api: ApiServer, cognito: Cognito) -> None:
    api.script = [Reply(503, "{}"), Reply(200, {"UserSub": "u"})]
    with pytest.raises(UnreachableError):
        await cognito.sign_up("a@example.edu", "password", first_name="A", last_name="B")
    assert len(api.requests) == 1
    api.script = [refusal("UsernameExistsException")]
    with pytest.raises(AccountExistsError):
        await cognito.sign_up("a@example.edu", "password", first_name="A", last_name="B")


async def test_an_unsupported_challenge_is_named(api: ApiServer, cognito: Cognito) -> None:
    api.script = [Reply(200, {"ChallengeName": "SOFTWARE_TOKEN_MFA"})]
    with pytest.raises(SignInError, match="SOFTWARE_TOKEN_MFA"):
        await cognito.sign_in("ada@example.edu", "password")


async def test_a_renewal_keeps_the_refresh_token_unless_the_response_has_a_new_one(
    api: ApiServer, cognito: Cognito
) -> None:
    api.script = [Reply(200, tokens_reply(number=1)), Reply(200, tokens_reply(number=2, refresh="next"))]
    assert (await cognito.renew("first")).refresh == "first"
    assert (await cognito.renew("first")).refresh == "next"


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.!!.c"])
def test_a_text_that_is_not_a_jwt_is_a_sign_in_error(text: str) -> None:
    with pytest.raises(SignInError):
        token_claims(text)
