"""Every auth mode, at every operation, against a service that verifies each for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from appsync_events import (
    ApiKey,
    Auth,
    Backoff,
    ConnectionRefusedByServerError,
    EventsClient,
    Gap,
    GapReason,
    Iam,
    LambdaToken,
    OidcToken,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
)
from appsync_events_local.model.auth_providers import AuthMode
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.every_mode import EveryMode, every_mode
from service_harness.running import FOREIGN_SIGNER, REGION, SIGNER

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUICK = Backoff(base=0.01, cap=0.02)
MODES = list(AuthMode)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EveryMode]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    async with every_mode(tmp_path_factory.mktemp("modes"), key) as api:
        yield api


def good(api: EveryMode, mode: AuthMode) -> Auth:
    given = api.credentials()[mode]
    makers: dict[AuthMode, Any] = {
        AuthMode.API_KEY: ApiKey,
        AuthMode.COGNITO: UserPoolToken,
        AuthMode.OIDC: OidcToken,
        AuthMode.LAMBDA: LambdaToken,
        AuthMode.IAM: lambda signer: Iam(signer, region=REGION),
    }
    made: Auth = makers[mode](given)
    return made


def bad(api: EveryMode, mode: AuthMode) -> Auth:
    stale = {AuthMode.COGNITO: api.service.pool.token(exp=1), AuthMode.OIDC: api.issuer.token(exp=1)}
    made: dict[AuthMode, Auth] = {
        AuthMode.API_KEY: ApiKey("da2-ofsomebodyelseofsomebodye"),
        AuthMode.COGNITO: UserPoolToken(stale[AuthMode.COGNITO]),
        AuthMode.OIDC: OidcToken(stale[AuthMode.OIDC]),
        AuthMode.LAMBDA: LambdaToken("let-me-not-in"),
        AuthMode.IAM: Iam.from_keys("AKIDFOREIGN", FOREIGN_SIGNER.secret_key, region=REGION),
    }
    return made[mode]


@pytest.mark.parametrize("mode", MODES)
async def test_a_mode_connects_subscribes_and_publishes_both_ways(api: EveryMode, mode: AuthMode) -> None:
    async with (
        EventsClient(api.endpoint, good(api, mode), backoff=QUICK) as client,
        client.stream("/open/modes/*") as events,
    ):
        await client.publish("/open/modes/a", ["over the socket: ü€😀"])
        await client.publish_http("/open/modes/b", [{"over": "HTTP: ü€😀"}])
        received = [await asyncio.wait_for(anext(events), 20) for _ in range(2)]
    assert received == ["over the socket: ü€😀", {"over": "HTTP: ü€😀"}]


@pytest.mark.parametrize("mode", MODES)
async def test_wrong_credentials_are_refused_at_every_operation(api: EveryMode, mode: AuthMode) -> None:
    async with EventsClient(api.endpoint, bad(api, mode), backoff=QUICK) as client:
        with pytest.raises(ConnectionRefusedByServerError, match="UnauthorizedException"):
            await client.connected()
        with pytest.raises(PublishRefusedError, match="UnauthorizedException") as refused:
            await client.publish_http("/open/a", [1])
        assert refused.value.status == 401
    async with EventsClient(api.endpoint, ApiKey(api.service.key), backoff=QUICK) as client:
        with pytest.raises(SubscriptionRefusedError, match="UnauthorizedException"):
            await client.subscribe("/open/a", print, auth=bad(api, mode))
        with pytest.raises(PublishRefusedError, match="UnauthorizedException"):
            await client.publish("/open/a", [1], auth=bad(api, mode))
        await client.publish("/open/a", [1])


async def test_modes_may_differ_by_operation_on_one_socket(api: EveryMode) -> None:
    async with EventsClient(api.endpoint, good(api, AuthMode.LAMBDA), backoff=QUICK) as client:
        for subscriber in MODES:
            async with client.stream("/open/mixed", auth=good(api, subscriber)) as events:
                for publisher in MODES:
                    await client.publish("/open/mixed", [publisher.value], auth=good(api, publisher))
                received = [await asyncio.wait_for(anext(events), 20) for _ in MODES]
                assert received == [mode.value for mode in MODES]


async def test_a_token_that_is_refused_is_renewed_by_the_callback_everywhere(api: EveryMode) -> None:
    asked: list[bool] = []

    def renewed(refused: str | None) -> str:
        asked.append(refused is not None)
        return api.service.pool.token() if refused else api.service.pool.token(exp=1)

    async with (
        EventsClient(api.endpoint, UserPoolToken(renewed), backoff=QUICK) as client,
        client.stream("/open/renewed") as events,
    ):
        await client.publish("/open/renewed", [1])
        await client.publish_http("/open/renewed", [2])
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(2)] == [1, 2]
    assert asked == [False, True] * 4


async def test_what_a_handler_says_reaches_the_caller(api: EveryMode) -> None:
    async with EventsClient(api.endpoint, ApiKey(api.service.key), backoff=QUICK) as client:
        with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
            await client.subscribe("/moderated/closed", print)
        async with client.stream("/moderated/open") as events:
            for publish in (client.publish, client.publish_http):
                result = await publish("/moderated/open", ["a", "drop", "fail", "b", "c", "d", "drop"])
                assert [event.index for event in result.successful] == [0, 3, 4, 5]
                assert result.dropped == (1, 6)
                [failed] = result.failed
                assert (failed.index, failed.message) == (2, "not this one")
            received = [await asyncio.wait_for(anext(events), 20) for _ in range(8)]
        assert received == ["a", "b", "c", "d"] * 2
        for publish in (client.publish, client.publish_http):
            with pytest.raises(PublishRefusedError):
                await publish("/nowhere/a", [1])


async def test_a_long_list_keeps_its_order_and_the_service_s_pace(api: EveryMode) -> None:
    async with (
        EventsClient(api.endpoint, Iam(SIGNER, region=REGION), backoff=QUICK) as client,
        client.stream("/open/long") as events,
    ):
        result = await client.publish("/open/long", list(range(150)))
        assert [event.index for event in result.successful] == list(range(150))
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(150)] == list(range(150))


async def test_a_service_that_cuts_connections_costs_events_but_not_the_subscription(api: EveryMode) -> None:
    gaps: list[Gap] = []
    async with (
        EventsClient(api.endpoint, good(api, AuthMode.COGNITO), backoff=QUICK) as client,
        client.stream("/open/cut", on_gap=gaps.append) as events,
    ):
        await api.service.faults({"match": {"operation": "deliver"}, "effect": "close", "times": 1})
        await client.publish_http("/open/cut", ["lost"])
        heard = asyncio.ensure_future(anext(events))
        async with asyncio.timeout(20):
            while not heard.done():
                await client.publish_http("/open/cut", ["heard"])
                await asyncio.sleep(0.02)
    assert heard.result() == "heard"
    assert gaps == [Gap(GapReason.RECONNECTED)]
