"""Checks of the delivery of events: event sources, queues, dead letters, rules, outbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ops.deployed.outbox import overdue
from ops.deployed.values import differences
from ops.doctor.check import Check
from ops.doctor.examination import Examination, different, missing
from ops.doctor.finding import Finding
from stacks.naming import DEAD_LETTER_QUEUES, DELIVERY_QUEUE, RING_TIMEOUTS_QUEUE

_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_SETTINGS: Final = (
    *("BatchSize", "FunctionResponseTypes", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"),
    *("BisectBatchOnFunctionError", "ScalingConfig", "FilterCriteria", "DestinationConfig"),
)
_QUEUE_SETTINGS: Final = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")
_BACKLOG: Final = 100
"""Waiting messages from which a queue counts as behind: several batches of every concurrent invocation."""
_OVERDUE_SECONDS: Final = 180
"""Three runs of the sweep."""


def _mapping(examination: Examination, source: str, function: str) -> Any:
    found = examination.target.read_all(
        "lambda", "list_event_source_mappings", "EventSourceMappings", FunctionName=function
    )
    return next((each for each in found if each["EventSourceArn"] == source), None)


def _mappings(examination: Examination) -> Iterator[tuple[Any, str, Any]]:
    for resource in examination.resources(_MAPPING):
        function = str(resource.properties["FunctionName"]).rsplit(":", 1)[-1]
        yield resource, function, _mapping(examination, resource.properties["EventSourceArn"], function)


def _sources(examination: Examination) -> Iterator[Finding]:
    for resource, function, found in _mappings(examination):
        source = str(resource.properties["EventSourceArn"]).split(":", 5)[-1].split("/stream/")[0]
        if found is None:
            yield Finding(f"{function} has no event source mapping for {source}; nothing invokes it")
        elif found.get("State") not in (None, "Enabled", "Enabling", "Updating", "Creating"):
            yield Finding(f"the event source mapping of {function} for {source} is {found['State']}")
        elif (last := found.get("LastProcessingResult", "")).startswith("PROBLEM"):
            yield Finding(f"the event source mapping of {function}: {last}")


def _source_settings(examination: Examination) -> Iterator[Finding]:
    for resource, function, found in _mappings(examination):
        if found is not None:
            expected = {key: resource.properties[key] for key in _SETTINGS if key in resource.properties}
            yield from different(f"event source mapping of {function}", differences(expected, found))


def attributes(examination: Examination, name: str) -> dict[str, str] | None:
    """Return the attributes of a queue; None if it does not exist."""
    url = examination.find("sqs", "get_queue_url", QueueName=name)
    if url is None:
        return None
    answer = examination.find("sqs", "get_queue_attributes", QueueUrl=url["QueueUrl"], AttributeNames=["All"])
    found: dict[str, str] | None = answer["Attributes"] if answer else None
    return found


def _queues(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::SQS::Queue"):
        name = resource.properties["QueueName"]
        found = attributes(examination, name)
        if found is None:
            yield missing(resource, name)
            continue
        expected = {key: resource.properties[key] for key in _QUEUE_SETTINGS if key in resource.properties}
        yield from different(name, differences(expected, found))


def _redrive(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::SQS::Queue"):
        expected = resource.properties.get("RedrivePolicy")
        name = resource.properties["QueueName"]
        found = attributes(examination, name)
        if found is None or expected is None:
            continue
        actual = json.loads(found.get("RedrivePolicy", "{}"))
        yield from different(f"redrive policy of {name}", differences(expected, actual))


def _dead_letters(examination: Examination) -> Iterator[Finding]:
    for name in map(examination.target.names.of, DEAD_LETTER_QUEUES):
        found = attributes(examination, name)
        if found and (count := int(found.get("ApproximateNumberOfMessages", 0))):
            yield Finding(f"{name} holds {count} messages")


def _backlog(examination: Examination) -> Iterator[Finding]:
    for name in map(examination.target.names.of, (DELIVERY_QUEUE, RING_TIMEOUTS_QUEUE)):
        found = attributes(examination, name)
        if found and (count := int(found.get("ApproximateNumberOfMessages", 0))) >= _BACKLOG:
            yield Finding(f"{count} messages wait in {name}")


def _outbox(examination: Examination) -> Iterator[Finding]:
    target = examination.target
    count, oldest = overdue(target.client("dynamodb"), target.environment.name, _OVERDUE_SECONDS)
    if count:
        yield Finding(f"{count} events in the outbox are overdue by more than {_OVERDUE_SECONDS} s, since {oldest}")


def _rules(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Events::Rule"):
        name = resource.properties["Name"]
        found = examination.find("events", "describe_rule", Name=name)
        if found is None:
            yield missing(resource, name)
            continue
        if found.get("State") != resource.properties["State"]:
            yield Finding(f"the rule {name} is {found.get('State')}")
        if found.get("ScheduleExpression") != resource.properties.get("ScheduleExpression"):
            yield Finding(f"the rule {name} runs at {found.get('ScheduleExpression')}, not as in the template")
        pattern = resource.properties.get("EventPattern")
        if pattern is not None and json.loads(found.get("EventPattern") or "{}") != pattern:
            yield Finding(f"the rule {name} has another event pattern than the template")


def _targets(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::Events::Rule"):
        name = resource.properties["Name"]
        answer = examination.find("events", "list_targets_by_rule", Rule=name)
        if answer is None:
            continue
        actual = {target["Id"]: target for target in answer["Targets"]}
        for target in resource.properties["Targets"]:
            expected = {key: target[key] for key in ("Arn", "DeadLetterConfig") if key in target}
            if target["Id"] not in actual:
                yield Finding(f"the rule {name} has no target; nothing is invoked")
            else:
                yield from different(f"target of {name}", differences(expected, actual[target["Id"]]))


_REVERT: Final = "Deploy with `npx cdk deploy -c env={env} --all --revert-drift`."
_RUNBOOK: Final = "docs/how-to/answer-an-alarm.md"

CHECKS: Final = (
    Check(
        id="D501",
        title="Every event source mapping exists and is enabled",
        looks_at="Lambda ListEventSourceMappings: State and LastProcessingResult",
        cause="It was deleted or disabled by hand, or Lambda cannot read the source; queued messages wait.",
        remedy="Enable it: `aws lambda update-event-source-mapping --uuid UUID --enabled`. A deleted one: change its "
        "batch size in the template and deploy, or create it with `aws lambda create-event-source-mapping`.",
        run=_sources,
        needs=("D201",),
    ),
    Check(
        id="D502",
        title="The settings of each event source mapping are those of the template",
        looks_at="Lambda ListEventSourceMappings: batch size, retries, filters, concurrency, partial responses",
        cause="They were changed by hand; batches are repeated whole, or failed ones are dropped.",
        remedy=_REVERT,
        run=_source_settings,
        needs=("D201",),
    ),
    Check(
        id="D503",
        title="Every queue exists with the settings of its template",
        looks_at="SQS GetQueueAttributes: visibility timeout, retention, delay",
        cause="It was changed by hand; a short visibility timeout delivers messages twice, a delay delivers late.",
        remedy=_REVERT,
        run=_queues,
        needs=("D201",),
    ),
    Check(
        id="D504",
        title="Failed messages reach their dead-letter queue",
        looks_at="SQS GetQueueAttributes: RedrivePolicy",
        cause="The redrive policy was removed; a message that fails is repeated until it expires, and then lost.",
        remedy=_REVERT,
        run=_redrive,
        needs=("D201",),
    ),
    Check(
        id="D505",
        title="No dead-letter queue holds messages",
        looks_at="SQS GetQueueAttributes: ApproximateNumberOfMessages of the dead-letter queues",
        cause="Every attempt to process a message failed: events that were not delivered, calls that end late.",
        remedy=f"See the section of the queue in {_RUNBOOK}; read the function's log with "
        "`aws logs tail /aws/lambda/FUNCTION --since 1h`.",
        run=_dead_letters,
        needs=("D101",),
    ),
    Check(
        id="D506",
        title="The delivery and ring timer queues are not behind",
        looks_at=f"SQS GetQueueAttributes: fewer than {_BACKLOG} waiting messages",
        cause="The function that reads the queue fails, is throttled or is too slow; events arrive late.",
        remedy=f"See Delivery is late and Ringing does not end in time in {_RUNBOOK}; `make status ENV={{env}}` shows "
        "errors and throttles.",
        run=_backlog,
        needs=("D101",),
    ),
    Check(
        id="D507",
        title="No event of the outbox is overdue",
        looks_at=f"DynamoDB Query of the index ByDue of the Outbox table: due more than {_OVERDUE_SECONDS} s ago",
        cause="Neither the request nor relay, queue and sweep published an event: one of them does not run.",
        remedy=f"Look at D501, D508 and D312 first; then see Delivery is late in {_RUNBOOK}.",
        run=_outbox,
        needs=("D101",),
    ),
    Check(
        id="D508",
        title="Every rule and schedule is enabled",
        looks_at="EventBridge DescribeRule: state, schedule and pattern",
        cause="It was disabled or changed by hand; sweeps do not run, or Chime's events are ignored.",
        remedy="Enable it: `aws events enable-rule --name RULE`. " + _REVERT,
        run=_rules,
        needs=("D201",),
    ),
    Check(
        id="D509",
        title="Every rule invokes its function",
        looks_at="EventBridge ListTargetsByRule",
        cause="The target was removed or replaced by hand.",
        remedy=_REVERT,
        run=_targets,
        needs=("D201",),
    ),
)
