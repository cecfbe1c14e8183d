"""Checks of what operators rely on: alarms, notifications, log groups, metric filters, errors and throttles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ops.deployed.metrics import Metric, function_metric, read_metrics
from ops.deployed.values import UNKNOWN, same
from ops.doctor.check import Check
from ops.doctor.examination import Examination, missing
from ops.doctor.finding import Finding, NotTriedError
from stacks import outputs
from stacks.naming import PRODUCT

_HOUR: Final = 60
_FUNCTIONS: Final = f"/aws/lambda/{PRODUCT}-"
_SECTION: Final = re.compile(r"docs/how-to/answer-an-alarm\.md#\S+")
_LATENCY_MILLISECONDS: Final = 500


def alarms(examination: Examination) -> dict[str, Any]:
    """Return the alarms of the environment in CloudWatch, by name."""
    found = examination.target.read_all("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{PRODUCT}-")
    suffix = f"-{examination.target.environment.name}"
    return {each["AlarmName"]: each for each in found if each["AlarmName"].endswith(suffix)}


def _alarms_exist(examination: Examination) -> Iterator[Finding]:
    found = alarms(examination)
    for resource in examination.resources("AWS::CloudWatch::Alarm"):
        name = resource.properties["AlarmName"]
        if name not in found:
            yield missing(resource, name)
            continue
        for key in ("Threshold", "EvaluationPeriods", "ComparisonOperator"):
            expected, actual = resource.properties.get(key), found[name].get(key)
            if expected is not None and actual is not None and not _equal(expected, actual):
                yield Finding(f"{name}: {key} is {actual}, in the template {expected}")


def _equal(expected: Any, actual: Any) -> bool:
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return float(expected) == float(actual)
    return same(expected, actual)


def _actions(examination: Examination) -> Iterator[Finding]:
    found = alarms(examination)
    for resource in examination.resources("AWS::CloudWatch::Alarm"):
        name = resource.properties["AlarmName"]
        if name not in found:
            continue
        if not found[name].get("ActionsEnabled", True):
            yield Finding(f"the actions of {name} are disabled")
        wanted = [each for each in resource.properties.get("AlarmActions", []) if each is not UNKNOWN]
        if wanted and not set(wanted) <= set(found[name].get("AlarmActions", [])):
            yield Finding(f"{name} does not notify the topic of the template")


def _recipients(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::SNS::Topic"):
        topic = resource.physical_id
        found = examination.target.read_all("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        pending = [each for each in found if each["SubscriptionArn"] == "PendingConfirmation"]
        if not found:
            yield Finding("no recipient is subscribed to the topic of the alarms (operations.alarm_recipients)", True)
        if pending:
            yield Finding(f"{len(pending)} of {len(found)} recipients have not confirmed their subscription", True)


def _in_alarm(examination: Examination) -> Iterator[Finding]:
    for name, alarm in alarms(examination).items():
        if alarm["StateValue"] == "ALARM":
            section = _SECTION.search(alarm.get("AlarmDescription", ""))
            where = f"; see {section[0]}" if section else ""
            yield Finding(f"{name} is in ALARM: {alarm.get('StateReason', '')}{where}", warning=True)


def _without_data(examination: Examination) -> Iterator[Finding]:
    for name, alarm in alarms(examination).items():
        if alarm["StateValue"] == "INSUFFICIENT_DATA":
            yield Finding(f"{name} has no data", warning=True)


def _log_groups(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Logs::LogGroup"):
        name = resource.properties["LogGroupName"]
        name = resource.physical_id if name is UNKNOWN else name
        prefix = _FUNCTIONS if name.startswith(_FUNCTIONS) else name  # one request for all functions
        groups = examination.target.read_all("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        found = next((each for each in groups if each["logGroupName"] == name), None)
        if found is None:
            yield missing(resource, name)
        elif (days := found.get("retentionInDays")) != resource.properties.get("RetentionInDays"):
            kept = "for ever" if days is None else f"for {days} days"
            yield Finding(f"the log group {name} keeps lines {kept}, not {resource.properties['RetentionInDays']} days")


def _metric_filters(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Logs::MetricFilter"):
        group = resource.properties["LogGroupName"]
        found = examination.find("logs", "describe_metric_filters", logGroupName=group) or {}
        patterns = {each["filterPattern"] for each in found.get("metricFilters", [])}
        if resource.properties["FilterPattern"] not in patterns:
            yield missing(resource, resource.logical_id)


def _errors(examination: Examination) -> Iterator[Finding]:
    functions = [each.physical_id for each in examination.resources("AWS::Lambda::Function")]
    names = ("Errors", "Throttles")
    wanted = [function_metric(function, name) for function in functions for name in names]
    values = read_metrics(examination.target.client("cloudwatch"), wanted, _HOUR)
    for metric, value in zip(wanted, values, strict=True):
        if value:
            yield Finding(f"{metric.dimensions['FunctionName']}: {value:.0f} {metric.name} in the last hour", True)


def _http_metrics(examination: Examination) -> Iterator[Finding]:
    api = examination.target.output(outputs.API_ID)
    if api is None:
        raise NotTriedError("the stack Routes has no output ApiId")
    dimensions = {"ApiId": api}
    wanted = [Metric("AWS/ApiGateway", "5xx", dimensions), Metric("AWS/ApiGateway", "Latency", dimensions, "p95")]
    failures, latency = read_metrics(examination.target.client("cloudwatch"), wanted, _HOUR)
    if failures:
        yield Finding(f"the HTTP API responded {failures:.0f} times with 5xx in the last hour", warning=True)
    if latency is not None and latency > _LATENCY_MILLISECONDS:
        yield Finding(f"p95 of the HTTP API's latency was {latency:.0f} ms in the last hour", warning=True)


_REVERT: Final = "Deploy with `npx cdk deploy -c env={env} Operations --revert-drift`."
_RUNBOOK: Final = "docs/how-to/answer-an-alarm.md"

CHECKS: Final = (
    Check(
        id="D901",
        title="Every alarm exists with the threshold of its template",
        looks_at="CloudWatch DescribeAlarms",
        cause="It was deleted or changed by hand; a fault stays unnoticed.",
        remedy=_REVERT,
        run=_alarms_exist,
        needs=("D201",),
    ),
    Check(
        id="D902",
        title="Every alarm notifies the topic",
        looks_at="CloudWatch DescribeAlarms: ActionsEnabled and AlarmActions",
        cause="The actions were disabled during maintenance and not enabled again.",
        remedy="Run `aws cloudwatch enable-alarm-actions --alarm-names ALARM`. " + _REVERT,
        run=_actions,
        needs=("D201",),
    ),
    Check(
        id="D903",
        title="Recipients receive the alarms",
        looks_at="SNS ListSubscriptionsByTopic",
        cause="operations.alarm_recipients is empty, or a recipient has not confirmed the subscription.",
        remedy="Add recipients to environments/{env}.toml and `make deploy ENV={env}`; each confirms the e-mail. "
        "To see them: `aws sns list-subscriptions-by-topic --topic-arn TOPIC`.",
        run=_recipients,
        needs=("D201",),
    ),
    Check(
        id="D904",
        title="No alarm is in ALARM",
        looks_at="CloudWatch DescribeAlarms: StateValue",
        cause="The description of the alarm names impact and cause.",
        remedy=f"See the section that the alarm's description names in {_RUNBOOK}.",
        run=_in_alarm,
        needs=("D101",),
    ),
    Check(
        id="D905",
        title="Every alarm has data",
        looks_at="CloudWatch DescribeAlarms: StateValue",
        cause="The alarm is new, or its metric has another name or dimension than the template says.",
        remedy="Wait for three periods after a deployment. Then compare with `aws cloudwatch list-metrics`, and run "
        "`make verify ENV={env} ONLY=dimensions-of-event-metrics`.",
        run=_without_data,
        needs=("D101",),
        aws_only="metrics of AWS services have no datapoints there",
    ),
    Check(
        id="D906",
        title="Every log group exists with its retention",
        looks_at="CloudWatch Logs DescribeLogGroups",
        cause="It was deleted, and Lambda created it again without retention: its costs grow without bound.",
        remedy="Run `aws logs put-retention-policy --log-group-name GROUP --retention-in-days DAYS`. " + _REVERT,
        run=_log_groups,
        needs=("D201",),
    ),
    Check(
        id="D907",
        title="Every metric filter exists",
        looks_at="CloudWatch Logs DescribeMetricFilters",
        cause="It was deleted with its log group; the alarms and graphs of calls have no data.",
        remedy=_REVERT,
        run=_metric_filters,
        needs=("D201",),
    ),
    Check(
        id="D908",
        title="No function failed or was throttled in the last hour",
        looks_at="CloudWatch GetMetricData: Errors and Throttles of each function",
        cause="A defect, a missing permission, a timeout, or the account's concurrency is used up.",
        remedy=f"See Route errors and Throttling in {_RUNBOOK}; read `aws logs tail /aws/lambda/FUNCTION --since 1h`.",
        run=_errors,
        needs=("D201",),
        aws_only="metrics of AWS services have no datapoints there",
    ),
    Check(
        id="D909",
        title="The HTTP API had no 5xx and a p95 latency of at most 500 ms in the last hour",
        looks_at="CloudWatch GetMetricData: 5xx and Latency of the HTTP API",
        cause="Errors cause retries; contention, cold starts or a distant region slow down requests.",
        remedy=f"See Route errors and Routes are slow in {_RUNBOOK}.",
        run=_http_metrics,
        needs=("D201",),
        aws_only="metrics of AWS services have no datapoints there",
    ),
)
