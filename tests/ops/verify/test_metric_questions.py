"""Each possible answer of CloudWatch metrics and logs, from recorded responses."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from handlers import settings
from ops.verify import log_questions, metric_questions
from ops.verify.asking import ask
from ops.verify.catalogue import selected
from ops.verify.question import Answer, State
from stacks.monitoring import log_metrics
from tests.ops.verify.recorded import RecordedAws

NOW = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.UTC)
PATTERN = log_metrics.INITIATED.pattern


def answered(recorded: RecordedAws, id: str) -> Answer:
    (question,) = selected([id])
    return ask(question, recorded.deployment())


def minutes(number: float) -> datetime.datetime:
    return NOW + datetime.timedelta(minutes=number)


def result(id: str, values: dict[float, float]) -> dict[str, Any]:
    return {"Id": id, "Timestamps": [minutes(at) for at in values], "Values": list(values.values())}


@pytest.mark.parametrize(
    ("present", "total", "key"),
    [
        ({0: 5, 5: 5}, {0: 5, 5: 5, 10: 0}, "counts"),
        ({0: 5, 5: 5}, {}, "blind"),
        ({0: 5, 5: 5}, {0: 5}, "other"),
        ({}, {}, None),
    ],
)
def test_sum_with_a_metric_without_data(
    recorded: RecordedAws, present: dict[float, float], total: dict[float, float], key: str | None
) -> None:
    results = [result("present", present), result("absent", {}), result("total", total)]
    recorded.answers("cloudwatch", "get_metric_data", {"MetricDataResults": results})
    answer = answered(recorded, "sum-without-data")
    assert answer.given == (answer.question.answer(key) if key else None)


@pytest.mark.parametrize(
    ("ages", "key"),
    [
        ({}, None),
        ({1: 0.0}, None),
        ({2: 120.0}, "included"),  # while the message is delayed
        ({8: 480.0}, "included"),
        ({8: 180.0}, "excluded"),
        ({6: 60.0}, None),  # too early to distinguish the two
    ],
)
def test_age_of_a_delayed_message(ages: dict[float, float], key: str | None) -> None:
    observed = metric_questions.concluded_age({minutes(at): age for at, age in ages.items()}, NOW)
    assert (observed and observed.key) == key


@pytest.mark.parametrize(("age", "state"), [(480.0, State.AS_ASSUMED), (180.0, State.DIFFERS)])
def test_age_is_read_from_a_temporary_queue(
    recorded: RecordedAws, monkeypatch: pytest.MonkeyPatch, age: float, state: State
) -> None:
    monkeypatch.setattr(metric_questions, "now", lambda: NOW)
    url = "https://sqs.us-east-1.amazonaws.com/1/q"
    recorded.answers("sqs", "create_queue", {"QueueUrl": url})
    recorded.answers("sqs", "send_message", {})
    recorded.answers("cloudwatch", "get_metric_statistics", {"Datapoints": []})
    datapoint = {"Timestamp": minutes(8), "Maximum": age}
    recorded.answers("cloudwatch", "get_metric_statistics", {"Datapoints": [datapoint]})
    recorded.answers("sqs", "delete_queue", QueueUrl=url)
    assert answered(recorded, "age-of-a-delayed-message").state is state


def test_queue_is_deleted_if_the_metric_cannot_be_read(recorded: RecordedAws) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/1/q"
    recorded.answers("sqs", "create_queue", {"QueueUrl": url})
    recorded.answers("sqs", "send_message", {})
    recorded.refuses("cloudwatch", "get_metric_statistics", "AccessDenied")
    recorded.answers("sqs", "delete_queue", QueueUrl=url)
    assert answered(recorded, "age-of-a-delayed-message").state is State.NOT_ASKED


def metric(name: str, *dimensions: str) -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": [{"Name": each, "Value": "x"} for each in dimensions]}


API, NAMESPACE = "EventAPIId", "ChannelNamespaceName"


@pytest.mark.parametrize(
    ("metrics", "key"),
    [
        ([metric("SuccessfulEvents", API, NAMESPACE), metric("5XXError", API)], "as-read"),
        ([metric("SuccessfulEvents", API), metric("5XXError", API)], "elsewhere"),
        ([metric("5XXError", API, NAMESPACE)], "elsewhere"),
        ([metric("ConnectSuccess", API)], None),
        ([], None),
    ],
)
def test_dimensions_of_event_metrics(recorded: RecordedAws, metrics: list[dict[str, Any]], key: str | None) -> None:
    recorded.answers("cloudwatch", "list_metrics", {"Metrics": metrics})
    answer = answered(recorded, "dimensions-of-event-metrics")
    assert answer.given == (answer.question.answer(key) if key else None)


@pytest.mark.parametrize(("looks", "key"), [(2, "written"), (13, "silent")])
def test_log_of_the_event_api(recorded: RecordedAws, looks: int, key: str) -> None:
    for look in range(looks):
        found = [{"logStreamName": "s"}] if key == "written" and look == looks - 1 else []
        recorded.answers("logs", "describe_log_streams", {"logStreams": found})
    answer = answered(recorded, "log-of-the-event-api")
    assert answer.given == answer.question.answer(key)
    assert [method for method, *_ in recorded.requests] == ["POST"] * 3


def test_missing_log_group_of_the_event_api_gives_no_answer(recorded: RecordedAws) -> None:
    recorded.refuses("logs", "describe_log_streams", "ResourceNotFoundException")
    assert answered(recorded, "log-of-the-event-api").state is State.NOT_ASKED


LINE = json.dumps({"level": "INFO", "message": "call", "outcome": "initiated"})
NESTED = json.dumps({"timestamp": "2026-11-01T00:00:00Z", "level": "INFO", "message": LINE})


@pytest.mark.parametrize(
    ("line", "matches", "key"),
    [(LINE, 1, "match"), (NESTED, 0, "nested"), (f"2026-11-01 {LINE}", 0, "other")],
)
def test_metric_filter_on_a_line(recorded: RecordedAws, line: str, matches: int, key: str) -> None:
    filters = [
        {"filterPattern": "{ $.other }", "metricTransformations": [_transformation("Other")]},
        {"filterPattern": PATTERN, "metricTransformations": [_transformation(log_questions.METRIC)]},
    ]
    recorded.answers("logs", "describe_metric_filters", {"metricFilters": filters})
    recorded.answers("logs", "filter_log_events", {"events": [{"message": line}, {"message": "initiated otherwise"}]})
    matched = [{"eventNumber": 1, "eventMessage": line}] * matches
    recorded.answers("logs", "test_metric_filter", {"matches": matched}, filterPattern=PATTERN, logEventMessages=[line])
    answer = answered(recorded, "metric-filters-on-log-lines")
    assert answer.given == answer.question.answer(key)


def _transformation(name: str) -> dict[str, str]:
    return {"metricName": name, "metricNamespace": "PantherKolab/dev", "metricValue": "1"}


def test_without_a_call_the_filters_give_no_answer(recorded: RecordedAws) -> None:
    filters = [{"filterPattern": PATTERN, "metricTransformations": [_transformation(log_questions.METRIC)]}]
    recorded.answers("logs", "describe_metric_filters", {"metricFilters": filters})
    recorded.answers("logs", "filter_log_events", {"events": []})
    assert "place a call" in answered(recorded, "metric-filters-on-log-lines").seen


def test_names_are_those_of_the_stacks() -> None:
    assert log_metrics.INITIATED.name == log_questions.METRIC
    assert [each.function for each in log_metrics.INITIATED.functions] == [log_questions.FUNCTION]
    assert settings.SweepSettings.function == metric_questions.SWEEP
