"""Reads the state of an environment. A part that cannot be read is reported with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from contract.canary import DELIVERY_METRIC
from ops.change_report.masking import masked
from ops.deployed.metrics import Metric, function_metric, read_metrics
from ops.deployed.outbox import overdue
from ops.deployed.stacks import stacks_of
from ops.deployed.target import Target
from stacks import outputs
from stacks.naming import DEAD_LETTER_QUEUES, DELIVERY_QUEUE, PRODUCT, RING_TIMEOUTS_QUEUE

MINUTES: Final = 60
"""How far back metrics are read."""
_STACKS: Final = ("stack", "state", "revision")


@dataclass(frozen=True)
class Section:
    """One part of the screen.

    Args:
        id: its key in the JSON.
        title: its heading.
        columns: names of the columns.
        rows: the values; None is shown as "no data".
        attention: a row that needs an operator's attention, by its number.
        unread: why the part could not be read.
    """

    id: str
    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    attention: frozenset[int] = field(default_factory=frozenset)
    unread: str = ""


def read_status(target: Target) -> list[Section]:
    """Return every part of the state, in the order of the screen."""
    parts: tuple[tuple[str, str, Callable[[Target], Section]], ...] = (
        ("stacks", "Stacks", _stacks),
        ("alarms", "Alarms in ALARM", _alarms),
        ("delivery", "Delivery: messages and events that wait", _delivery),
        ("deadLetters", "Dead letters", _dead_letters),
        ("functions", "Functions, last hour", _functions),
        ("realtime", "Event API and HTTP API, last hour", _realtime),
    )
    return [_read(target, *part) for part in parts]


def _read(target: Target, id: str, title: str, read: Callable[[Target], Section]) -> Section:
    try:
        return read(target)
    except (ClientError, BotoCoreError) as error:
        return Section(id, title, unread=masked(str(error)))


def _marked(rows: Sequence[tuple[Any, ...]], needs: Callable[[tuple[Any, ...]], bool]) -> frozenset[int]:
    return frozenset(number for number, row in enumerate(rows) if needs(row))


def _stacks(target: Target) -> Section:
    rows = []
    for name in map(target.names.of, stacks_of(target.environment)):
        stack = target.deployed.stacks.get(name)
        rows.append((name, stack.status if stack else "does not exist", stack.revision if stack else None))
    healthy = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
    return Section("stacks", "Stacks", _STACKS, rows, _marked(rows, lambda row: row[1] not in healthy))


def _alarms(target: Target) -> Section:
    found = target.read_all(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{PRODUCT}-", StateValue="ALARM"
    )
    suffix = f"-{target.environment.name}"
    rows = [
        (each["AlarmName"], f"{each['StateUpdatedTimestamp']:%Y-%m-%d %H:%M}", each.get("AlarmDescription", ""))
        for each in found
        if each["AlarmName"].endswith(suffix) and each["StateValue"] == "ALARM"
    ]
    return Section("alarms", "Alarms in ALARM", ("alarm", "since (UTC)", "meaning"), rows, frozenset(range(len(rows))))


def _waiting(target: Target, queue: str) -> int:
    sqs = target.client("sqs")
    url = sqs.get_queue_url(QueueName=target.names.of(queue))["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def _delivery(target: Target) -> Section:
    due, oldest = overdue(target.client("dynamodb"), target.environment.name, 0)
    rows = [
        ("outbox: events that are due", due, oldest or "-"),
        *((queue, _waiting(target, queue), _age(target, queue)) for queue in (DELIVERY_QUEUE, RING_TIMEOUTS_QUEUE)),
    ]
    columns = ("where", "waiting", "oldest")
    title = "Delivery: messages and events that wait"
    return Section("delivery", title, columns, rows, _marked(rows[:1], lambda row: row[1] > 0))


def _age(target: Target, queue: str) -> str | None:
    metric = Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": target.names.of(queue)}, "Maximum")
    (seconds,) = read_metrics(target.client("cloudwatch"), [metric], MINUTES)
    return None if seconds is None else f"{seconds:.0f} s at most"


def _dead_letters(target: Target) -> Section:
    rows = [(queue, _waiting(target, queue)) for queue in DEAD_LETTER_QUEUES]
    return Section("deadLetters", "Dead letters", ("queue", "messages"), rows, _marked(rows, lambda row: row[1] > 0))


def _functions(target: Target) -> Section:
    functions = [each.physical_id for each in target.deployed.resources("AWS::Lambda::Function")]
    names = (("Invocations", "Sum"), ("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "p95"))
    wanted = [function_metric(function, name, statistic) for function in functions for name, statistic in names]
    values = read_metrics(target.client("cloudwatch"), wanted, MINUTES) if wanted else []
    width = len(names)
    rows = [
        (function, *(_rounded(value) for value in values[number * width : (number + 1) * width]))
        for number, function in enumerate(functions)
    ]
    columns = ("function", "invocations", "errors", "throttles", "p95 ms")
    needs = _marked(rows, lambda row: bool(row[2] or row[3]))
    return Section("functions", "Functions, last hour", columns, rows, needs)


def _realtime(target: Target) -> Section:
    events, api = target.output(outputs.EVENTS_API_ID), target.output(outputs.API_ID)
    of_events, of_api = {"EventAPIId": events or ""}, {"ApiId": api or ""}
    wanted = (
        ("connections", Metric("AWS/AppSync", "ActiveConnections", of_events, "Maximum")),
        ("refused connections", Metric("AWS/AppSync", "ConnectClientError", of_events)),
        ("refused subscriptions", Metric("AWS/AppSync", "SubscribeClientError", of_events)),
        ("publish latency p95 ms", Metric("AWS/AppSync", "Latency", of_events, "p95")),
        ("delivery latency p95 ms", Metric(f"{PRODUCT}/{target.environment.name}", DELIVERY_METRIC, {}, "p95")),
        ("HTTP requests", Metric("AWS/ApiGateway", "Count", of_api)),
        ("HTTP 5xx", Metric("AWS/ApiGateway", "5xx", of_api)),
        ("HTTP latency p95 ms", Metric("AWS/ApiGateway", "Latency", of_api, "p95")),
    )
    values = read_metrics(target.client("cloudwatch"), [metric for _, metric in wanted], MINUTES)
    rows = [(name, _rounded(value)) for (name, _), value in zip(wanted, values, strict=True)]
    needs = _marked(rows, lambda row: row[0] == "HTTP 5xx" and bool(row[1]))
    return Section("realtime", "Event API and HTTP API, last hour", ("what", "value"), rows, needs)


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)
