"""Lambda authorizers: their request, the validation of their answer, and its cache. The function really runs."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.auth.lambda_authorizer import LambdaAuthorizer
from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.errors import Refusal
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.model.auth_providers import LambdaProvider
from appsync_events_local.protocol.channels import parse_channel, parse_subscription
from service_harness.authorizers import ARN, GOOD_TOKEN, Authorizer, authorizer

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADERS: dict[str, str | list[str]] = {"user-agent": "tests", "x-several": ["a", "b"]}
CONNECT = RequestedOperation(EventOperation.CONNECT, None, HEADERS)
PUBLISH = RequestedOperation(EventOperation.PUBLISH, parse_channel("news/a"), HEADERS)
WILDCARD = RequestedOperation(EventOperation.SUBSCRIBE, parse_subscription("/news/*"), HEADERS)


class CachingAuthorizer:
    """The authorizer in front of this module's function, with an adjustable clock."""

    def __init__(self, running: Authorizer) -> None:
        self.running = running
        self.now = 100.0
        self.authorizer = LambdaAuthorizer(running.runner, lambda: self.now)

    async def ask(
        self,
        token: str,
        call: RequestedOperation = CONNECT,
        api_id: str = "api1",
        provider: LambdaProvider | None = None,
    ) -> dict[str, Any]:
        own = provider or self.running.provider()
        return await self.authorizer.authorize(own, api_id, "000000000000", token, call)

    async def calls(self, token: str, *calls: RequestedOperation, provider: LambdaProvider) -> int:
        """How often these calls invoke the function."""
        before = len(self.running.requests)
        for call in calls:
            await self.ask(token, call, provider=provider)
        return len(self.running.requests) - before


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Authorizer]:
    async with authorizer(tmp_path_factory.mktemp("authorizer")) as running:
        yield running


@pytest.fixture
def caching(running: Authorizer) -> CachingAuthorizer:
    return CachingAuthorizer(running)


@pytest.mark.parametrize(
    ("call", "operation", "namespace", "channel"),
    [
        (CONNECT, "EVENT_CONNECT", None, None),
        (PUBLISH, "EVENT_PUBLISH", "news", "/news/a"),
        (WILDCARD, "EVENT_SUBSCRIBE", "news", "/news/*"),
    ],
)
async def test_authorizer_receives_the_documented_request(
    caching: CachingAuthorizer, call: RequestedOperation, operation: str, namespace: str | None, channel: str | None
) -> None:
    assert await caching.ask(GOOD_TOKEN, call) == {"handlerContext": {"role": "guest", "op": operation}}
    request = caching.running.requests[-1]
    assert request["requestContext"].pop("requestId")
    assert request == {
        "authorizationToken": GOOD_TOKEN,
        "requestContext": {
            "apiId": "api1",
            "accountId": "000000000000",
            "operation": operation,
            "channelNamespaceName": namespace,
            "channel": channel,
        },
        "requestHeaders": HEADERS,
    }


DENIED: dict[str, tuple[str, str]] = {
    "no": ("anything", "denied the token"),
    "exception": ("raise", r"failed \(Unhandled\).*no such luck"),
    "too large": ("large", "returned 52.* bytes; at most 5 MB"),
    "nothing": ("{}", "isAuthorized is None, neither true nor false"),
    "a list": ("[]", "it is not an object"),
    "text for a boolean": ('{"isAuthorized": "true"}', "isAuthorized is 'true'"),
    "a number for a boolean": ('{"isAuthorized": 1}', "isAuthorized is 1"),
    "nested context": ('{"isAuthorized": true, "handlerContext": {"a": {}}}', "not a flat object of strings"),
    "a list for a context": ('{"isAuthorized": true, "handlerContext": []}', "not a flat object"),
    "a number in the context": ('{"isAuthorized": true, "handlerContext": {"a": 1}}', "not a flat object of strings"),
    "text for a time": ('{"isAuthorized": true, "ttlOverride": "5"}', "ttlOverride is '5', not a number"),
    "a negative time": ('{"isAuthorized": true, "ttlOverride": -1}', "ttlOverride is -1"),
    "too long a time": ('{"isAuthorized": true, "ttlOverride": 3601}', "ttlOverride is 3601"),
}


@pytest.mark.parametrize(("token", "reason"), DENIED.values(), ids=DENIED.keys())
async def test_every_answer_but_a_valid_allow_is_refused_with_its_reason(
    caching: CachingAuthorizer, token: str, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason) as caught:
        await caching.ask(token)
    assert (caught.value.error_type, caught.value.status) == ("UnauthorizedException", 401)
    assert caught.value.message == "You are not authorized to make this call."


async def test_authorizer_timeout_is_a_refusal(running: Authorizer) -> None:
    impatient = LambdaAuthorizer(running.runner, lambda: 0.0, timeout_seconds=0.2)
    with pytest.raises(Refusal, match=r"took longer than 0\.2 s"):
        await impatient.authorize(running.provider(), "api1", "000000000000", "sleep", CONNECT)


async def test_missing_authorizer_function_is_a_refusal() -> None:
    authorizer = LambdaAuthorizer(InvokerChain(()), lambda: 0.0)
    with pytest.raises(Refusal, match=r"cannot be invoked: .*authorizer"):
        await authorizer.authorize(LambdaProvider(ARN), "api1", "000000000000", GOOD_TOKEN, CONNECT)


async def test_token_that_does_not_match_the_expression_is_refused_without_invoking_the_authorizer(
    caching: CachingAuthorizer,
) -> None:
    before = len(caching.running.requests)
    with pytest.raises(Refusal, match="was not invoked"):
        await caching.ask(f"{GOOD_TOKEN}x", provider=caching.running.provider(token_pattern=GOOD_TOKEN))
    assert len(caching.running.requests) == before
    assert await caching.ask(GOOD_TOKEN, provider=caching.running.provider(token_pattern="let-.*"))


async def test_answer_is_cached_by_operation_channel_token_and_api(caching: CachingAuthorizer) -> None:
    provider = caching.running.provider(ttl_seconds=60)
    exact = RequestedOperation(EventOperation.SUBSCRIBE, parse_channel("/news/a"), {})
    assert await caching.calls(GOOD_TOKEN, CONNECT, CONNECT, provider=provider) == 1
    assert await caching.calls(GOOD_TOKEN, WILDCARD, WILDCARD, exact, PUBLISH, PUBLISH, provider=provider) == 3
    assert await caching.calls('{"isAuthorized": true}', CONNECT, provider=provider) == 1
    with pytest.raises(Refusal):
        await caching.ask(GOOD_TOKEN, CONNECT, api_id="closed", provider=provider)
    caching.now += 59.9
    assert await caching.calls(GOOD_TOKEN, CONNECT, PUBLISH, provider=provider) == 0
    caching.now += 0.2
    assert await caching.calls(GOOD_TOKEN, CONNECT, CONNECT, provider=provider) == 1


async def test_ttl_override_in_the_answer_sets_the_cache_time(caching: CachingAuthorizer) -> None:
    forever, never = caching.running.provider(ttl_seconds=3600), caching.running.provider()
    assert await caching.calls('{"isAuthorized": true, "ttlOverride": 0}', CONNECT, CONNECT, provider=forever) == 2
    assert await caching.calls(GOOD_TOKEN, CONNECT, CONNECT, provider=never) == 2
    brief = '{"isAuthorized": true, "ttlOverride": 5}'
    assert await caching.calls(brief, CONNECT, CONNECT, provider=never) == 1
    caching.now += 5.1
    assert await caching.calls(brief, CONNECT, provider=never) == 1


async def test_denial_is_cached_and_failure_is_not(caching: CachingAuthorizer) -> None:
    provider = caching.running.provider(ttl_seconds=60)

    async def refused(token: str) -> int:
        before = len(caching.running.requests)
        for _ in range(2):
            with pytest.raises(Refusal):
                await caching.ask(token, provider=provider)
        return len(caching.running.requests) - before

    assert await refused("no") == 1
    assert await refused("raise") == 2
    assert await refused("{}") == 2


async def test_cache_of_answers_is_bounded(
    caching: CachingAuthorizer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("appsync_events_local.auth.lambda_authorizer.CACHED_RESPONSES", 3)
    provider = caching.running.provider(ttl_seconds=60)

    def token(number: int) -> str:
        return json.dumps({"isAuthorized": True, "handlerContext": {"n": str(number)}})

    with caplog.at_level(logging.DEBUG):
        assert sum([await caching.calls(token(n), CONNECT, provider=provider) for n in range(4)]) == 4
    assert await caching.calls(token(3), CONNECT, provider=provider) == 0
    assert await caching.calls(token(0), CONNECT, provider=provider) == 1
    assert ": authorized" in caplog.text
    assert token(0) not in caplog.text, "tokens are not logged"
