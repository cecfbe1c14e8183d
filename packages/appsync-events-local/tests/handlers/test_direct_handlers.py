"""Functions configured as DIRECT handlers decide publishes and subscribes, by the documented rules."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.functions.runner import FunctionRunner
from service_harness.functions import ARN, PLAIN, POWERTOOLS
from service_harness.running import API, KEY, Running, UserPool, running

NAMES = {"plain": PLAIN.arn, "powertools": POWERTOOLS.arn, "lost": ARN + "lost"}


def direct(source: str, invoke_type: str | None = None) -> dict[str, Any]:
    own = {"LambdaConfig": {"InvokeType": invoke_type}} if invoke_type else {}
    handler = {"Behavior": "DIRECT", "Integration": {"DataSourceName": source} | own}
    return {"OnPublish": handler, "OnSubscribe": handler}


@pytest.fixture
async def direct_service(tmp_path: Path, pool: UserPool) -> AsyncIterator[Running]:
    """A service with the functions' data sources.

    `team` waits for its function, `later` does not; the function of `lost` and `lostlater` does not exist.
    """
    runner = FunctionRunner([PLAIN, POWERTOOLS])
    async with running(tmp_path, pool, functions=runner) as service:
        for name, arn in NAMES.items():
            body = {"Type": "AWS_LAMBDA", "LambdaConfig": {"LambdaFunctionArn": arn}}
            await service.registered("PUT", f"apis/{API}/data-sources/{name}", {"properties": body})
        await service.namespace("team", HandlerConfigs=direct("plain", "REQUEST_RESPONSE"))
        await service.namespace("later", HandlerConfigs=direct("plain", "EVENT"))
        await service.namespace("lost", HandlerConfigs=direct("lost"))
        await service.namespace("lostlater", HandlerConfigs=direct("lost", "EVENT"))
        yield service
    await runner.close()


async def received(service: Running, channel: str, *events: str) -> tuple[Any, list[str]]:
    """Publish to a channel below a wildcard subscription; returns the answer and the delivered events."""
    socket = await service.connect()
    assert (await socket.subscribe(f"{channel.rsplit('/', 1)[0]}/*"))["type"] == "subscribe_success"
    status, answer = await service.post(channel, *events)
    delivered = []
    while status == 200 and len(delivered) < len(answer["successful"]):
        delivered.append((await socket.receive())["event"])
    await socket.raw.close()
    return (status, answer), delivered


async def test_direct_function_receives_the_documented_object(direct_service: Running) -> None:
    _, (seen,) = await received(direct_service, "/team/a", '"seen"')
    assert '"operation":"PUBLISH"' in seen
    for part in (
        '"identity":null,',
        '"result":null,',
        '"error":null,',
        '"prev":null,',
        '"stash":{},',
        '"outErrors":[]',
        '"info":{"channel":{"path":"/team/a","segments":["team","a"]},"channelNamespace":{"name":"team"},',
        '"domainName":null',
    ):
        assert part in seen


async def test_only_events_that_the_function_returns_are_broadcast(direct_service: Running) -> None:
    (status, answer), delivered = await received(direct_service, "/team/a", '"drop"', '"fail"', '{"n": 1}')
    assert status == 200
    assert delivered == ['{"changed":{"n":1}}']
    assert [item["index"] for item in answer["successful"]] == [2]
    assert [(item["index"], item["message"]) for item in answer["failed"]] == [(1, "this one fails")]


async def test_event_above_240_kb_from_the_function_is_dropped_without_an_error(
    direct_service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    (status, answer), delivered = await received(direct_service, "/team/a", '"large"', "2")
    assert (status, delivered) == (200, ['{"changed":2}'])
    assert [[item["index"] for item in answer[which]] for which in ("successful", "failed")] == [[1], []]
    assert any("was dropped: 250002 bytes" in message for message in caplog.messages)


@pytest.mark.parametrize("channel", ["refused", "raises", "text", "slow"])
async def test_error_of_the_function_is_logged_and_nothing_is_broadcast(
    direct_service: Running, caplog: pytest.LogCaptureFixture, channel: str
) -> None:
    with caplog.at_level(logging.INFO):
        status, answer = await direct_service.post(f"/team/{channel}", "1")
    assert (status, answer["errors"][0]["errorType"]) == (500, "InternalFailureException")
    words = {"refused": "not today", "raises": "no such luck", "text": "neither null nor", "slow": "timed out after 2"}
    assert words[channel] not in str(answer)
    assert any(words[channel] in message for message in caplog.messages), caplog.messages


async def test_null_answer_broadcasts_nothing_and_unknown_event_id_fails(
    direct_service: Running,
) -> None:
    assert await direct_service.post("/team/empty", "1") == (200, {"failed": [], "successful": []})
    assert (await direct_service.post("/team/a", '"unknown id"'))[0] == 500


async def test_null_allows_a_subscription_and_an_error_refuses_it(direct_service: Running) -> None:
    socket = await direct_service.connect()
    assert (await socket.subscribe("/team/a"))["type"] == "subscribe_success"
    refused = await socket.subscribe("/team/refused", id="2")
    assert (refused["type"], refused["errors"]) == (
        "subscribe_error",
        [{"errorType": "Custom", "message": "not today"}],
    )
    for channel in ("raises", "text"):
        failed = await socket.subscribe(f"/team/{channel}", id="3")
        assert failed["errors"][0]["errorType"] == "SubscriptionProcessingError"
        assert "luck" not in str(failed)


async def test_asynchronous_function_does_not_affect_the_operation(direct_service: Running) -> None:
    socket = await direct_service.connect()
    for channel in ("refused", "raises", "slow"):
        assert (await socket.subscribe(f"/later/{channel}", id=channel))["type"] == "subscribe_success"
    assert (await direct_service.post("/later/refused", '{"a":  1.50}'))[0] == 200
    assert (await socket.receive())["event"] == '{"a":  1.50}'


async def test_missing_function_fails_the_operation_unless_it_is_asynchronous(
    direct_service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await direct_service.post("/lost/a", "1"))[0] == 500
    assert (await direct_service.post("/lostlater/a", "1"))[0] == 200
    assert any("asynchronous direct handler not invoked" in message for message in caplog.messages)


async def test_powertools_handlers_behave_as_documented(direct_service: Running) -> None:
    await direct_service.namespace("team", HandlerConfigs=direct("powertools"))
    socket = await direct_service.connect()
    assert (await socket.subscribe("/team/greet"))["type"] == "subscribe_success"
    status, answer = await direct_service.post("/team/greet", '"Ada"', '"bad"')
    assert status == 200
    assert (await socket.receive())["event"] == '{"hello":"Ada","by":"team"}'
    assert [(item["index"], item["message"]) for item in answer["failed"]] == [(1, "ValueError - bad payload")]
    closed = await socket.subscribe("/team/closed", id="2")
    assert closed["errors"] == [{"errorType": "Custom", "message": "ValueError - closed today"}]
    assert (await socket.subscribe("/team/locked", id="3"))["type"] == "subscribe_error"
    assert (await socket.subscribe("/team/all/x", id="4"))["type"] == "subscribe_success"
    await direct_service.post("/team/all/x", "1", "2", "3")
    assert [(await socket.receive())["event"] for _ in range(3)] == ["3", "3", "3"]


async def test_direct_needs_a_lambda_data_source_and_logs_a_warning_about_unused_code(
    direct_service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"Type": "HTTP", "HttpConfig": {"Endpoint": "http://127.0.0.1:9"}}
    await direct_service.registered("PUT", f"apis/{API}/data-sources/web", {"properties": body})
    path = f"apis/{API}/namespaces/web"
    status, answer = await direct_service.control("PUT", path, {"properties": {"HandlerConfigs": direct("web")}})
    assert status == 400
    assert "DIRECT needs a data source of type AWS_LAMBDA; web is not one" in answer["errors"][0]["message"]
    code = "export function onPublish(ctx) { return [] }"
    await direct_service.namespace("both", code, HandlerConfigs=direct("plain"))
    assert any("exports onPublish, but its configuration is DIRECT" in message for message in caplog.messages)
    assert len((await direct_service.post("/both/a", "1"))[1]["successful"]) == 1


async def test_other_publishes_succeed_while_a_function_runs(direct_service: Running) -> None:
    slow = asyncio.create_task(direct_service.post("/team/slow", "1"))
    await asyncio.sleep(0.1)
    assert (await direct_service.post("/open/a", "1", headers={"x-api-key": KEY}))[0] == 200
    assert (await direct_service.post("/team/a", "1"))[0] == 200
    assert not slow.done()
    assert (await slow)[0] == 500
