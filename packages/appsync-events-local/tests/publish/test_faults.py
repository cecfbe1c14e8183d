"""Fault injection: the effect, number and target of every rule, and the command's fault flags."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from appsync_events_local.cli.fault_flags import parse_fault
from appsync_events_local.model.properties import PropertyError
from appsync_events_local.publish.faults import FaultOperation, FaultRules, FaultTiming, fault_rule_from
from hypothesis import given, settings
from hypothesis import strategies as st
from service_harness.running import Running, UserPool, running


async def watch(service: Running, channel: str = "/open/*") -> Any:
    socket = await service.connect()
    assert (await socket.subscribe(channel))["type"] == "subscribe_success"
    return socket


async def test_error_fault_answers_with_its_status_the_given_number_of_times(service: Running) -> None:
    await service.faults({"match": {"operation": "publish"}, "effect": "error", "status": 503, "times": 2})
    answers = [await service.post("open/a", "1") for _ in range(3)]
    assert [status for status, _ in answers] == [503, 503, 200]
    assert answers[0][1]["errors"][0]["errorType"] == "InternalFailureException"
    (rule,) = (await service.registered("GET", "faults"))["rules"]
    assert (rule["times"], rule["hits"]) == (0, 2)


async def test_throttle_fault_is_429_over_http_and_throttling_exception_over_the_socket(service: Running) -> None:
    await service.faults({"match": {"operation": "publish"}, "effect": "throttle"})
    status, answer = await service.post("open/a", "1")
    assert (status, answer["errors"][0]["errorType"]) == (429, "ThrottlingException")
    refused = await (await service.connect()).publish("/open/a", "1")
    assert refused["errors"][0]["errorType"] == "ThrottlingException"


async def test_fault_applies_only_to_matching_operations(service: Running) -> None:
    match = {"operation": "publish", "channel": "/open/bad/*", "transport": "http", "api": "testapi"}
    await service.faults({"match": match, "effect": "error"})
    assert (await service.post("open/bad/deep/er", "1"))[0] == 500
    assert (await service.post("open/bad", "1"))[0] == 200
    assert (await (await service.connect()).publish("/open/bad/x", "1"))["type"] == "publish_success"


async def test_publish_dropped_before_its_effect_is_not_broadcast(service: Running) -> None:
    socket = await watch(service)
    await service.faults({"match": {"operation": "publish"}, "effect": "drop", "times": 1})
    with pytest.raises(aiohttp.ClientError):
        await service.post("open/a", "1")
    await service.post("open/a", "2")
    assert (await socket.receive())["event"] == "2"


async def test_publish_whose_answer_is_dropped_is_broadcast(service: Running) -> None:
    socket = await watch(service)
    await service.faults({"match": {"operation": "publish"}, "effect": "drop", "when": "after", "times": 1})
    with pytest.raises(aiohttp.ClientError):
        await service.post("open/a", "1")
    assert (await socket.receive())["event"] == "1"


async def test_socket_operation_can_stay_unanswered_or_close_the_connection(service: Running) -> None:
    socket = await service.connect()
    await service.faults({"match": {"operation": "subscribe"}, "effect": "drop", "times": 1})
    await socket.send(type="subscribe", id="1", channel="/open/a", authorization=socket.authorization)
    assert (await socket.subscribe("/open/a", id="2"))["id"] == "2"
    assert (await socket.subscribe("/open/a", id="1"))["type"] == "subscribe_success", "the lost id is free"
    await service.faults({"match": {"operation": "publish"}, "effect": "close"})
    await socket.send(type="publish", id="p", channel="/open/a", events=["1"], authorization=socket.authorization)
    assert await socket.closed() == 1006


async def test_delivery_can_be_dropped_delayed_or_close_the_connection(service: Running) -> None:
    socket = await watch(service)
    await service.faults({"match": {"operation": "deliver"}, "effect": "drop", "times": 1})
    await service.post("open/a", '"lost"', '"kept"')
    assert (await socket.receive())["event"] == '"kept"'
    await service.faults({"match": {"operation": "deliver"}, "effect": "delay", "delayMs": 50, "times": 1})
    await service.post("open/a", '"late"', '"early"')
    assert [(await socket.receive())["event"] for _ in range(2)] == ['"early"', '"late"']
    await service.faults({"match": {"operation": "deliver"}, "effect": "close"})
    await service.post("open/a", "1")
    assert await socket.closed() == 1006


async def test_connect_can_be_refused(service: Running) -> None:
    await service.faults({"match": {"operation": "connect"}, "effect": "error", "status": 500})
    refused = await (await service.open()).ask(type="connection_init")
    assert refused["type"] == "connection_error"
    assert refused["errors"][0]["errorCode"] == 500


async def test_deleting_the_rules_ends_every_fault(service: Running) -> None:
    await service.faults({"effect": "error"})
    assert (await service.post("open/a", "1"))[0] == 500
    await service.registered("DELETE", "faults")
    assert (await service.post("open/a", "1"))[0] == 200


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "effect: is missing"),
        ([], "body: must be an object"),
        ({"effect": "explode"}, "effect: must be one of"),
        ({"effect": "drop", "match": {"operation": "eat"}}, "match.operation: must be one of"),
        ({"effect": "drop", "match": {"chanel": "x"}}, "match.chanel: is unknown"),
        ({"effect": "drop", "delay": 5}, "delay: is unknown"),
        ({"effect": "drop", "times": 1.5}, "times: must be a whole number"),
        ({"effect": "drop", "times": -1}, "times: must be a whole number"),
        ({"effect": "drop", "times": True}, "times: must be a whole number"),
        ({"effect": "drop", "skip": "2"}, "skip: must be a whole number"),
        ({"effect": "drop", "probability": 1.5}, "probability: must be a number from 0 to 1"),
        ({"effect": "error", "status": 200}, "status: must be an error's HTTP status"),
        ({"effect": "delay"}, "delayMs: a delay needs"),
        ({"effect": "error", "match": {"operation": "deliver"}}, "it has no answer"),
    ],
)
async def test_invalid_rule_is_refused_and_changes_nothing(service: Running, rule: Any, message: str) -> None:
    status, answer = await service.control("PUT", "faults", [rule])
    assert status == 400
    assert message in answer["errors"][0]["message"]
    assert (await service.registered("GET", "faults"))["rules"] == []


def test_probability_applies_to_each_match() -> None:
    chances = iter([0.2, 0.9, 0.2])
    faults = FaultRules(chance=lambda: next(chances))
    faults.rules = [fault_rule_from({"effect": "drop", "probability": 0.5})]
    hit = [faults.take(FaultOperation.PUBLISH, "a", "/b", "http") is not None for _ in range(3)]
    assert hit == [True, False, True]


@settings(deadline=None)
@given(times=st.integers(0, 4), skip=st.integers(0, 4), calls=st.integers(0, 12))
def test_rule_applies_after_its_skips_and_at_most_its_times(times: int, skip: int, calls: int) -> None:
    faults = FaultRules()
    faults.rules = [fault_rule_from({"effect": "drop", "times": times, "skip": skip})]
    struck = [faults.take(FaultOperation.PUBLISH, "a", "/b", "http") is not None for _ in range(calls)]
    assert struck == [skip <= place < skip + times for place in range(calls)]


def test_rule_applies_before_the_effect_by_default() -> None:
    rule = fault_rule_from({"effect": "drop"})
    assert rule.matches(FaultOperation.PUBLISH, FaultTiming.BEFORE, "a", "/b", "http")
    assert not rule.matches(FaultOperation.PUBLISH, FaultTiming.AFTER, "a", "/b", "http")


def test_a_rule_reads_back_as_it_was_written() -> None:
    body = {"match": {"operation": "publish", "channel": "/a/*"}, "effect": "delay", "delayMs": 5.0, "times": 3}
    shown = fault_rule_from(body).as_json()
    assert {key: shown[key] for key in body} == body
    shown.pop("hits")
    assert fault_rule_from(shown) == fault_rule_from(body)


def test_error_fault_without_a_receiver_is_refused() -> None:
    with pytest.raises(PropertyError, match="it has no answer"):
        fault_rule_from({"effect": "throttle", "match": {"operation": "keep-alive"}})


async def test_deliveries_can_be_reordered(service: Running) -> None:
    socket = await watch(service)
    await service.faults({"match": {"operation": "deliver"}, "effect": "reorder"})
    await service.post("open/a", "1", "2", "3", "4")
    assert [(await socket.receive())["event"] for _ in range(4)] == ["2", "1", "4", "3"]
    await service.post("open/a", "5")
    assert (await socket.receive())["event"] == "5", "the last delivery is sent late, not lost"


def test_reorder_fault_of_an_operation_without_order_is_refused() -> None:
    with pytest.raises(PropertyError, match="only deliveries have an order"):
        fault_rule_from({"effect": "reorder", "match": {"operation": "publish"}})


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("drop", {"effect": "drop", "match": {"operation": "deliver"}}),
        ("drop:30%", {"effect": "drop", "match": {"operation": "deliver"}, "probability": 0.3}),
        ("drop:/chat/*:5x", {"effect": "drop", "match": {"operation": "deliver", "channel": "/chat/*"}, "times": 5}),
        ("delay", {"effect": "delay", "match": {"operation": "deliver"}, "delayMs": 500.0}),
        ("delay:/a:250ms", {"effect": "delay", "match": {"operation": "deliver", "channel": "/a"}, "delayMs": 250.0}),
        ("delay:10%", {"effect": "delay", "match": {"operation": "deliver"}, "delayMs": 500.0, "probability": 0.1}),
        ("throttle:/a/*", {"effect": "throttle", "match": {"operation": "publish", "channel": "/a/*"}}),
        ("reorder", {"effect": "reorder", "match": {"operation": "deliver"}}),
        ("skip-keep-alive:2x", {"effect": "drop", "match": {"operation": "keep-alive"}, "times": 2}),
    ],
)
def test_fault_flag_gives_the_equivalent_rule(flag: str, expected: dict[str, Any]) -> None:
    assert parse_fault(flag) == fault_rule_from(expected)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("explode", "'explode' is not a fault; allowed are drop, delay, throttle, reorder, skip-keep-alive"),
        ("drop:half", "'half' is not an amount"),
        ("drop:/a:1.5x", "whole number"),
        ("drop:250ms", "a duration does not apply to drop"),
        ("drop:200%", "from 0 to 1"),
        ("delay:0ms", "a duration in milliseconds"),
        ("skip-keep-alive:/a", "has no channel"),
        ("drop:5x:/a", "CHANNEL must start with a slash"),
        ("drop:/a:1x:1x", "CHANNEL must start with a slash"),
    ],
)
def test_invalid_fault_flag_is_refused_with_the_valid_form(flag: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_fault(flag)


async def test_keep_alive_frames_can_be_skipped(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool, keep_alive_seconds=0.05) as service:
        socket = await service.connect()
        assert await socket.receive() == {"type": "ka"}
        await service.faults({"effect": "drop", "match": {"operation": "keep-alive"}, "times": 3})
        async with asyncio.timeout(20):
            while (await service.registered("GET", "faults"))["rules"][0]["hits"] < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await socket.receive() == {"type": "ka"}, "keep-alive frames resume"
