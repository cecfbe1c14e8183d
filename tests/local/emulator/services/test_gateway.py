"""What an HTTP API answers itself: refused tokens, throttling, failed functions, and their CORS headers."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from local.emulator.strict.token_bucket import TokenBucket
from tests.local.conftest import EmulatorProcess
from tests.local.emulator.services.conftest import Strict
from tests.local.emulator.services.tokens import (
    SignedIn,
    nested_header,
    sign_in,
    signed_by_foreign_key,
    unsigned,
    with_claims,
)

ORIGIN = "http://localhost:4568"
SOURCE = """
import time
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "fail" in query:
        raise RuntimeError("the secret is out")
    return {"statusCode": int(query.get("status", "200")), "body": "x" * int(query.get("size", "1"))}
"""


class Answer(NamedTuple):
    """A response: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def readable(self) -> bool:
        """Whether a page of the allowed origin may read it."""
        return self.headers.get("access-control-allow-origin") == ORIGIN


class Api:
    """One HTTP API with a public and a protected route, and its caller."""

    def __init__(self, emulator: EmulatorProcess, name: str, user: SignedIn) -> None:
        self._emulator = emulator
        gateway = emulator.aws("apigatewayv2")
        function = emulator.function(name, SOURCE)
        self.id = gateway.create_api(
            Name=name,
            ProtocolType="HTTP",
            CorsConfiguration={"AllowOrigins": [ORIGIN], "AllowMethods": ["GET"], "AllowHeaders": ["authorization"]},
        )["ApiId"]
        integration = gateway.create_integration(
            ApiId=self.id, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        authorizer = gateway.create_authorizer(
            ApiId=self.id,
            Name="jwt",
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={
                "Issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{user.pool}",
                "Audience": [user.client],
            },
        )["AuthorizerId"]
        target = f"integrations/{integration}"
        gateway.create_route(ApiId=self.id, RouteKey="GET /open", Target=target)
        protection = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
        gateway.create_route(ApiId=self.id, RouteKey="GET /mine", Target=target, **protection)
        gateway.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)

    def throttle(self, rate: float, burst: int) -> None:
        """Set the throttling of the stage."""
        self._emulator.aws("apigatewayv2").update_stage(
            ApiId=self.id,
            StageName="$default",
            DefaultRouteSettings={"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst},
        )

    def get(self, path: str, token: str | None = None, method: str = "GET") -> Answer:
        """Send a request as a page of the allowed origin does."""
        headers = {"origin": ORIGIN, **({"authorization": f"Bearer {token}"} if token else {})}
        if method == "OPTIONS":
            headers["access-control-request-method"] = "GET"
        port = self._emulator.ports.emulator
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request(method, f"/_aws/execute-api/{self.id}/$default{path}", headers=headers)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())


@pytest.fixture(scope="module")
def user(emulator: EmulatorProcess) -> SignedIn:
    return sign_in(emulator, "ada")[0]


@pytest.fixture(scope="module")
def api(emulator: EmulatorProcess, user: SignedIn) -> Api:
    return Api(emulator, "gateway-rules", user)


def without_expiry(token: str) -> str:
    return with_claims(token, exp=None)


FORGERIES: dict[str, Callable[[str], str | None]] = {
    "none": lambda _: None,
    "unsigned": unsigned,
    "foreign key": signed_by_foreign_key,
    "nested header": lambda token: nested_header(token, 5_000),
    "list as header": lambda token: "W10." + token.split(".", 1)[1],
    "no expiry": without_expiry,
    "text as expiry": lambda token: with_claims(token, exp="later"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_authorizer_refuses_and_names_the_challenge(api: Api, strict: Strict, user: SignedIn, forgery: str) -> None:
    answer = api.get("/mine", FORGERIES[forgery](user.access))
    assert (answer.status, json.loads(answer.body)) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_pools_own_token_is_accepted_and_its_response_is_readable(api: Api, strict: Strict, user: SignedIn) -> None:
    answer = api.get("/mine", user.access)
    assert (answer.status, answer.readable) == (200, True)


OWN_ANSWERS = {
    "401 of the authorizer": ("/mine", 401),
    "404 of a path without route": ("/nowhere", 404),
    "500 of a function that failed": ("/open?fail=1", 500),
    "500 of a response above 6 MB": ("/open?size=6300000", 500),
}


@pytest.mark.parametrize("case", OWN_ANSWERS)
@pytest.mark.parametrize("without_cors", [True, False])
def test_the_gateways_own_answers_are_readable_only_without_the_rule(
    api: Api, strict: Strict, case: str, without_cors: bool
) -> None:
    strict(errorsWithoutCors=without_cors)
    path, status = OWN_ANSWERS[case]
    answer = api.get(path)
    assert (answer.status, answer.readable) == (status, not without_cors)
    assert b"secret" not in answer.body


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_the_answers_of_a_function_are_always_readable(api: Api, strict: Strict, status: int) -> None:
    answer = api.get(f"/open?status={status}")
    assert (answer.status, answer.readable) == (status, True)


def test_a_throttled_function_is_answered_with_503(api: Api, strict: Strict) -> None:
    strict(concurrentExecutions=1)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.get("/open?sleep=1"), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 503]
    refused = next(answer for answer in answers if answer.status == 503)
    assert (json.loads(refused.body), refused.readable) == ({"message": "Service Unavailable"}, False)


def test_a_stage_accepts_its_burst_and_refuses_the_next_request_with_429(
    emulator: EmulatorProcess, strict: Strict, name: str, user: SignedIn
) -> None:
    throttled = Api(emulator, name, user)
    throttled.throttle(rate=0.01, burst=3)
    assert [throttled.get("/open").status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert json.loads(throttled.get("/open").body) == {"message": "Too Many Requests"}
    assert throttled.get("/open", method="OPTIONS").status == 204
    strict(stageThrottling=False)
    assert throttled.get("/open").status == 200


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    now = 0.0
    bucket = TokenBucket(10, 2, lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 0.1
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 60.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
