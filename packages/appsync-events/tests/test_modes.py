"""All auth modes at every operation, against a service that verifies each of them."""

from __future__ import annotations

import asyncio

import pytest
from appsync_events import (
    ApiKey,
    Backoff,
    ConnectionRefusedByServerError,
    EventsClient,
    Gap,
    GapReason,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
)
from events_harness.local_api import MODES, LocalApi

QUICK = Backoff(base=0.01, cap=0.02)


@pytest.mark.parametrize("mode", MODES)
async def test_each_mode_connects_subscribes_and_publishes(api: LocalApi, mode: str) -> None:
    async with (
        EventsClient(api.endpoint, api.valid(mode), backoff=QUICK) as client,
        client.stream("/open/modes/*") as events,
    ):
        await client.publish("/open/modes/a", ["over the socket: ü€😀"])
        await client.publish_http("/open/modes/b", [{"over": "HTTP: ü€😀"}])
        received = [await asyncio.wait_for(anext(events), 20) for _ in range(2)]
    assert received == ["over the socket: ü€😀", {"over": "HTTP: ü€😀"}]


@pytest.mark.parametrize("mode", MODES)
async def test_invalid_credentials_are_refused_at_every_operation(api: LocalApi, mode: str) -> None:
    async with EventsClient(api.endpoint, api.invalid(mode), backoff=QUICK) as client:
        with pytest.raises(ConnectionRefusedByServerError, match="UnauthorizedException"):
            await client.connected()
        with pytest.raises(PublishRefusedError, match="UnauthorizedException") as refused:
            await client.publish_http("/open/a", [1])
        assert refused.value.status == 401
    async with EventsClient(api.endpoint, ApiKey(api.api_key), backoff=QUICK) as client:
        with pytest.raises(SubscriptionRefusedError, match="UnauthorizedException"):
            await client.subscribe("/open/a", print, auth=api.invalid(mode))
        with pytest.raises(PublishRefusedError, match="UnauthorizedException"):
            await client.publish("/open/a", [1], auth=api.invalid(mode))
        await client.publish("/open/a", [1])


async def test_operations_on_one_socket_may_use_different_modes(api: LocalApi) -> None:
    async with EventsClient(api.endpoint, api.valid("AWS_LAMBDA"), backoff=QUICK) as client:
        for subscriber in MODES:
            async with client.stream("/open/mixed", auth=api.valid(subscriber)) as events:
                for publisher in MODES:
                    await client.publish("/open/mixed", [publisher], auth=api.valid(publisher))
                received = [await asyncio.wait_for(anext(events), 20) for _ in MODES]
                assert received == list(MODES)


async def test_callback_renews_a_rejected_token_at_every_operation(api: LocalApi) -> None:
    asked: list[bool] = []

    def renewed(refused: str | None) -> str:
        asked.append(refused is not None)
        return api.user_pool_token() if refused else api.user_pool_token(exp=1)

    async with (
        EventsClient(api.endpoint, UserPoolToken(renewed), backoff=QUICK) as client,
        client.stream("/open/renewed") as events,
    ):
        await client.publish("/open/renewed", [1])
        await client.publish_http("/open/renewed", [2])
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(2)] == [1, 2]
    assert asked == [False, True] * 4


async def test_errors_and_filters_of_a_handler_reach_the_caller(api: LocalApi) -> None:
    async with EventsClient(api.endpoint, ApiKey(api.api_key), backoff=QUICK) as client:
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


async def test_long_list_keeps_its_order_within_the_rate_limit(api: LocalApi) -> None:
    async with (
        EventsClient(api.endpoint, api.valid("AWS_IAM"), backoff=QUICK) as client,
        client.stream("/open/long") as events,
    ):
        result = await client.publish("/open/long", list(range(150)))
        assert [event.index for event in result.successful] == list(range(150))
        assert [await asyncio.wait_for(anext(events), 20) for _ in range(150)] == list(range(150))


async def test_subscription_survives_a_closed_connection_and_reports_a_gap(api: LocalApi) -> None:
    gaps: list[Gap] = []
    async with (
        EventsClient(api.endpoint, api.valid("AMAZON_COGNITO_USER_POOLS"), backoff=QUICK) as client,
        client.stream("/open/cut", on_gap=gaps.append) as events,
    ):
        api.set_faults({"match": {"operation": "deliver"}, "effect": "close", "times": 1})
        await client.publish_http("/open/cut", ["lost"])
        received = asyncio.ensure_future(anext(events))
        async with asyncio.timeout(20):
            while not received.done():
                await client.publish_http("/open/cut", ["received"])
                await asyncio.sleep(0.02)
    assert received.result() == "received"
    assert gaps == [Gap(GapReason.RECONNECTED)]
