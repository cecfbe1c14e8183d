"""Questions about CloudWatch: sums over metrics without data, the age of delayed messages, dimensions of AppSync."""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import Any, Final

from ops.verify.deployment import Deployment
from ops.verify.question import CannotAskError, Observation, PossibleAnswer, Question
from ops.verify.temporary import deleted_after, temporary_name
from stacks import outputs

SWEEP: Final = "sweep"
"""The function that a schedule invokes every minute, so that it always has data."""
_PERIOD: Final = 300
_HISTORY: Final = datetime.timedelta(hours=3)
_DELAY_SECONDS: Final = 300
_AGE_MINUTES: Final = 30
_AGE_LOOK_SECONDS: Final = 30
_TOLERANCE_SECONDS: Final = 120
_WATCHED: Final = {
    "FailedEvents": ("ChannelNamespaceName", "EventAPIId"),
    "SuccessfulEvents": ("ChannelNamespaceName", "EventAPIId"),
    "4XXError": ("EventAPIId",),
    "5XXError": ("EventAPIId",),
}
"""The metrics that alarms and dashboard read, with the dimensions that they read them under."""


def now() -> datetime.datetime:
    """Return the present time; tests replace it."""
    return datetime.datetime.now(datetime.UTC)


def _ask_sum(deployment: Deployment) -> Observation:
    """Compare the invocations of a function that runs every minute with their sum with a metric without data."""
    swept = deployment.names.of(SWEEP)
    queries = [
        _metric_query("present", swept),
        _metric_query("absent", temporary_name("no-function")),
        {"Id": "total", "Expression": "SUM([FILL(present, 0), FILL(absent, 0)])", "Period": _PERIOD},
    ]
    end = now()
    client = deployment.make_client("cloudwatch")
    response = client.get_metric_data(MetricDataQueries=queries, StartTime=end - _HISTORY, EndTime=end)
    values = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True)) for each in response["MetricDataResults"]
    }
    present, total = values.get("present", {}), values.get("total", {})
    if not present:
        raise CannotAskError(
            f"CloudWatch has no invocations of {swept} yet; ask again some minutes after the deployment"
        )
    if values.get("absent"):
        raise CannotAskError("CloudWatch has data of a function that does not exist")
    equal = [time for time, value in present.items() if total.get(time) == value]
    seen = f"{len(equal)} of {len(present)} values are equal, the sum has {len(total)} values"
    if len(equal) == len(present):
        return Observation("counts", seen)
    return Observation("blind" if not total else "other", seen)


def _metric_query(id: str, function: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": "Sum"}}


def _ask_age(deployment: Deployment) -> Observation:
    sqs, queue = deployment.make_client("sqs"), temporary_name("delay")
    url = sqs.create_queue(QueueName=queue, Attributes={"DelaySeconds": str(_DELAY_SECONDS)})["QueueUrl"]
    with deleted_after(f"The queue {queue}", lambda: sqs.delete_queue(QueueUrl=url)):
        sent = now()
        sqs.send_message(QueueUrl=url, MessageBody="verify")
        client = deployment.make_client("cloudwatch")

        def look() -> Observation | None:
            return concluded_age(_ages(client, queue, sent), sent)

        found = deployment.wait_until(look, minutes=_AGE_MINUTES, every=_AGE_LOOK_SECONDS)
        if found is None:
            raise CannotAskError(f"CloudWatch had no age of the message within {_AGE_MINUTES} minutes")
        observation: Observation = found
        return observation


def _ages(client: Any, queue: str, sent: datetime.datetime) -> dict[datetime.datetime, float]:
    response = client.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=sent,
        EndTime=now() + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    return {each["Timestamp"]: each["Maximum"] for each in response["Datapoints"]}


def concluded_age(ages: dict[datetime.datetime, float], sent: datetime.datetime) -> Observation | None:
    """Conclude from the ages that CloudWatch has; None while they do not show it.

    Args:
        ages: age in seconds by the start of the minute.
        sent: when the message was sent; it becomes visible after the delay.
    """
    for time, age in sorted(ages.items()):
        since_sent = (time - sent).total_seconds()
        if age <= 0:
            continue
        seen = f"{age:.0f} s, {max(since_sent, 0):.0f} s after sending a message with a delay of {_DELAY_SECONDS} s"
        if since_sent < _DELAY_SECONDS - _TOLERANCE_SECONDS or age > since_sent - _DELAY_SECONDS + _TOLERANCE_SECONDS:
            return Observation("included", seen)
        if since_sent > _DELAY_SECONDS + _TOLERANCE_SECONDS:
            return Observation("excluded", seen)
    return None


def _ask_dimensions(deployment: Deployment) -> Observation:
    api = deployment.output(outputs.EVENTS_API_ID)
    pages = (
        deployment.make_client("cloudwatch")
        .get_paginator("list_metrics")
        .paginate(Namespace="AWS/AppSync", Dimensions=[{"Name": "EventAPIId", "Value": api}])
    )
    listed: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for page in pages:
        for metric in page["Metrics"]:
            listed[metric["MetricName"]].add(tuple(sorted(each["Name"] for each in metric["Dimensions"])))
    watched = {name: listed[name] for name in _WATCHED if name in listed}
    if not watched:
        raise CannotAskError(
            "CloudWatch lists no metric of the Event API that alarms read; ask again 15 minutes after events"
        )
    seen = "; ".join(
        f"{name}: {' and '.join(sorted('+'.join(each) for each in sets))}" for name, sets in sorted(listed.items())
    )
    missing = [name for name, sets in watched.items() if _WATCHED[name] not in sets]
    return Observation("elsewhere" if missing else "as-read", seen)


QUESTIONS: Final = (
    Question(
        id="sum-without-data",
        text="Does `SUM([FILL(a, 0), FILL(b, 0)])` have the values of a if b has never had data?",
        how="GetMetricData of a function that runs every minute and of a function that does not exist",
        source="FILL is described for missing values of a metric, not for a metric without any",
        answers=(
            PossibleAnswer(
                "counts", "yes", "alarms over several metrics fire (`stacks/monitoring/alarm_definition.py`)"
            ),
            PossibleAnswer(
                "blind",
                "no, the sum has no value",
                "alarms over several metrics never fire: one alarm for each metric, or a composite alarm "
                "(`stacks/monitoring/alarm_definition.py`)",
            ),
            PossibleAnswer(
                "other", "it has other values", "replace the expression (`stacks/monitoring/alarm_definition.py`)"
            ),
        ),
        ask=_ask_sum,
        cost=0.01,
        not_local="the local cloud does not evaluate metric math",
    ),
    Question(
        id="age-of-a-delayed-message",
        text="Does ApproximateAgeOfOldestMessage include the delay of a message?",
        how=f"sends one message with a delay of {_DELAY_SECONDS} s to a temporary queue, and reads the metric",
        source="the description of the metric does not mention delays",
        answers=(
            PossibleAnswer(
                "included", "yes", "the threshold of the alarm CallsRingLate (`stacks/monitoring/alarms.py`)"
            ),
            PossibleAnswer(
                "excluded",
                "no",
                "the alarm CallsRingLate fires late: its threshold is `_RING_DELAY_SECONDS` alone "
                "(`stacks/monitoring/alarms.py`)",
            ),
        ),
        ask=_ask_age,
        creates="a queue",
        minutes=15,
        not_local="the local cloud publishes no metrics of queues",
    ),
    Question(
        id="dimensions-of-event-metrics",
        text="Are the metrics of an Event API listed under the dimensions that alarms and dashboard read?",
        how="ListMetrics of the Event API",
        source="the documentation lists all real-time metrics under API and namespace, also those of connections",
        answers=(
            PossibleAnswer("as-read", "yes", "alarms and dashboard find them (`stacks/monitoring/metrics.py`)"),
            PossibleAnswer(
                "elsewhere",
                "no",
                "read them under the dimensions that were seen: `event_api` and `namespace` in "
                "`stacks/monitoring/metrics.py`; alarms on them are blind until then",
            ),
        ),
        ask=_ask_dimensions,
        not_local="the local cloud publishes no metrics of Event APIs to CloudWatch",
    ),
)
