"""Metrics under CloudWatch's names, and the log lines of the same operations."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from appsync_events_local.observability.metrics import METERED_BYTES, metered
from service_harness.running import API, Running

DECIDING = """
import { util } from '@aws-appsync/utils';
export function onPublish(ctx) {
  if (ctx.events[0].payload === 'refuse') { util.error('not like this'); }
  if (ctx.events[0].payload === 'crash') { return ctx.events[0].payload.nothing.here; }
  console.log('deciding', ctx.events.length);
  return ctx.events.filter((e) => e.payload !== 'drop')
    .map((e) => (e.payload === 'fail' ? { id: e.id, error: 'said no' } : e));
}
export function onSubscribe(ctx) {
  if (ctx.info.channel.path === '/deciding/closed') { util.unauthorized(); }
}
"""


async def sums(service: Running, namespace: str | None = None) -> Mapping[str, float]:
    answer = await service.registered("GET", "metrics")
    assert answer["Namespace"] == "AWS/AppSync"
    wanted = [{"Name": "EventAPIId", "Value": API}]
    if namespace is not None:
        wanted.append({"Name": "ChannelNamespaceName", "Value": namespace})
    return {
        datum["MetricName"]: datum["StatisticValues"]["Sum"]
        for datum in answer["MetricData"]
        if datum["Dimensions"] == wanted
    }


def test_message_is_metered_per_started_five_kilobytes() -> None:
    assert [metered(size) for size in (0, 1, METERED_BYTES, METERED_BYTES + 1)] == [1, 1, 1, 2]


async def test_handler_results_are_counted_by_namespace_and_logged(
    service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    await service.namespace("deciding", DECIDING)
    with caplog.at_level(logging.INFO):
        await service.post("deciding/a", '"drop"', '"fail"', '"keep"')
        await service.post("deciding/a", '"refuse"', "1")
        await service.post("deciding/a", '"crash"')
        socket = await service.connect()
        await socket.subscribe("/deciding/closed")
        await socket.subscribe("/deciding/open")
    counted = await sums(service, "deciding")
    assert counted == {
        "DroppedEvents": 1,
        "FailedEvents": 4,
        "SuccessfulEvents": 1,
        "PublishedHandlerInvocations": 3,
        "SubscribeHandlerInvocations": 2,
    }
    assert counted.items() <= (await sums(service)).items(), "and for the API as a whole"
    for line in (
        "onPublish of namespace deciding: deciding 3",
        "HTTP published to /deciding/a as an API key: 1 event(s) to 0 subscription(s), onPublish dropped 1, "
        "1 failed (event 1: said no)",
        "HTTP publish to /deciding/a refused: Custom, util.error() in onPublish: not like this",
        "publish to /deciding/a refused: InternalFailureException, onPublish failed: ",
        "subscribe to /deciding/closed refused: Unauthorized, util.unauthorized() in onSubscribe",
        "subscribed to /deciding/open as an API key; onSubscribe allowed it",
    ):
        assert line in caplog.text


async def test_socket_operations_are_counted_by_result(service: Running) -> None:
    refused = await service.open({"host": service.host, "x-api-key": "wrong"})
    await refused.ask(type="connection_init")
    await refused.closed()
    socket = await service.connect()
    await socket.subscribe("/open/*")
    await socket.subscribe("/nowhere/a", id="s2")
    await socket.ask(type="unsubscribe", id="never")
    await socket.ask(type="nonsense")
    await socket.publish("/open/not legal", "1")
    await socket.send(type="publish", id="p", channel="/open/a", events=["1"], authorization=socket.authorization)
    assert {(await socket.receive())["type"] for _ in range(2)} == {"data", "publish_success"}
    now = await sums(service)
    assert (now["ActiveConnections"], now["ActiveSubscriptions"]) == (1, 1)
    await socket.ask(type="unsubscribe", id="s1")
    await socket.raw.close()
    expected = {
        "ConnectRequests": 2, "ConnectSuccess": 1, "ConnectClientError": 1,
        "SubscribeSuccess": 1, "SubscribeClientError": 1, "UnsubscribeSuccess": 1, "UnsubscribeClientError": 1,
        "PublishSuccess": 1, "PublishClientError": 1, "BroadcastEventSuccess": 1,
        "DisconnectSuccess": 1, "DisconnectClientError": 1, "ActiveConnections": 0, "ActiveSubscriptions": 0,
    }  # fmt: skip
    assert expected.items() <= (await sums(service)).items()


async def test_messages_are_metered_in_units_of_five_kilobytes(service: Running) -> None:
    sockets = [await service.connect() for _ in range(3)]
    for socket in sockets:
        await socket.subscribe("/open/*")
    large = json.dumps("x" * 6000)
    await service.post("open/a", large, "1")
    counted = await sums(service)
    assert counted["InboundMessages"] == 3
    assert counted["OutboundMessages"] == 9
    sizes = next(
        datum for datum in (await service.registered("GET", "metrics"))["MetricData"]
        if datum["MetricName"] == "BroadcastEventSize"
    )  # fmt: skip
    assert sizes["Unit"] == "Bytes"
    assert sizes["StatisticValues"] == {"SampleCount": 2, "Sum": 6003, "Minimum": 1, "Maximum": 6002}


async def test_requests_over_http_are_counted_by_status(service: Running) -> None:
    await service.post("open/a", "1")
    await service.post("open/a", "1", headers={})
    counted: dict[str, Any] = dict(await sums(service))
    assert (counted["Requests"], counted["4XXError"]) == (2, 1)
    assert counted["Latency"] > 0
    assert "5XXError" not in counted
    assert "PublishSuccess" not in counted, "a metric of the socket only"


async def test_metrics_require_the_control_token(service: Running) -> None:
    async with service.session.get(f"{service.url}/_control/metrics") as answer:
        assert answer.status == 403


async def test_log_names_the_api_if_there_are_several(service: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await service.connect()
        await service.register("second")
        await service.post("open/a", "1", headers={}, path=f"/{API}/event")
    reported = [
        record.getMessage() for record in caplog.records if record.name == "appsync_events_local.observability.activity"
    ]
    assert reported[0].startswith("connection ")
    assert reported[-1].startswith("tests: HTTP publish to /open/a refused")
