"""The Operations stack: alarms that tell people what to do, and one dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from contract import channels
from contract.tables import TABLES
from handlers import settings
from stacks.config.fields import Environment
from stacks.constructs import call_maintenance
from stacks.constructs.delivery import DEAD_LETTERS, QUEUE
from stacks.constructs.stack import EnvironmentStack
from stacks.monitoring import call_metrics
from stacks.monitoring.alarms import Alarm, Metric, add_alarm
from stacks.monitoring.dashboard import body
from stacks.monitoring.metrics import FUNCTIONS, Metrics
from stacks.naming import title
from stacks.policy import acknowledgements as reasons

_LATE_SECONDS: Final = 300
_SLOW_MILLISECONDS: Final = 500
_BEHIND_MILLISECONDS: Final = 60_000
_LATE_RING_SECONDS: Final = 60
_FAILED_CALLS: Final = 2
"""Single failures happen, and both sides are told; three in five minutes are no chance."""
_PUBLISHED: Final = (channels.CHATS, channels.USERS, channels.CALLS)
_METRICS_PER_ALARM: Final = 10
"""CloudWatch: metrics that one alarm's expression may use."""


class OperationsStack(EnvironmentStack):
    """Everything here refers to other stacks by name or id; nothing refers to it."""

    def __init__(self, scope: Construct, environment: Environment, *, events_api_id: str, http_api_id: str) -> None:
        super().__init__(scope, "Operations", environment, "dashboard and alarms")
        metrics = Metrics(self.names, http_api_id, events_api_id)
        functions = [function.function for function in FUNCTIONS]
        if environment.identity.source == "create":
            functions.append(settings.ProfileSettings.function)
        if environment.operations.alarms:
            topic = self._topic()
            for alarm in _alarms(metrics, functions, environment.calls.ring_timeout_seconds):
                add_alarm(self, alarm, self.names, topic)
        call_metrics.add_filters(self, self.names)
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=self.names.of("Dashboard"),
            dashboard_body=self.to_json_string(body(metrics, functions, self.region)),
        )

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=self.names.of("Alarms"), display_name=f"PantherKolab {self.names.environment}"
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOnly",
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TransportSecurity",
                effect=iam.Effect.DENY,
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.AnyPrincipal()],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            )
        )
        for number, address in enumerate(self.environment_settings.operations.alarm_recipients, start=1):
            recipient = sns.Subscription(
                self, f"Recipient{number}", topic=topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=address
            )
            reasons.mail_may_fail(recipient)
        return topic


def _alarms(metrics: Metrics, functions: list[str], ring_seconds: int) -> Iterator[Alarm]:
    yield from _delivery_alarms(metrics)
    yield from _call_alarms(metrics, ring_seconds)
    yield from _api_alarms(metrics)
    yield from _function_alarms(metrics, functions)
    yield from _table_alarms(metrics)
    yield from _events_alarms(metrics)


def _delivery_alarms(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        id="DeadLetters",
        metrics=[metrics.queue(DEAD_LETTERS, "ApproximateNumberOfMessagesVisible")],
        above=0,
        meaning="Events could not be delivered for good; their recipients see them only after a reload.",
        runbook="Dead letters",
    )
    yield Alarm(
        id="DeliveryLate",
        metrics=[metrics.queue(QUEUE, "ApproximateAgeOfOldestMessage")],
        above=_LATE_SECONDS,
        meaning="An event has waited in the delivery queue for five minutes.",
        runbook="Delivery is late",
    )
    yield Alarm(
        id="RelayBehind",
        metrics=[metrics.function(settings.RelaySettings.function, "IteratorAge", "Maximum")],
        above=_BEHIND_MILLISECONDS,
        meaning="The relay reads the Outbox stream more than a minute late.",
        runbook="Relay is behind",
    )


def _call_alarms(metrics: Metrics, ring_seconds: int) -> Iterator[Alarm]:
    yield Alarm(
        id="CallsDeadLetters",
        metrics=[metrics.queue(call_maintenance.DEAD_LETTERS, "ApproximateNumberOfMessagesVisible")],
        above=0,
        meaning="A ring timer or an event of Chime could not be served; the sweep ends such calls, up to minutes late.",
        runbook="Dead letters of calls",
    )
    yield Alarm(
        id="CallsStuck",
        metrics=[call_metrics.metric(metrics.names, call_metrics.STUCK)],
        above=0,
        breaching=2,
        of=3,
        meaning="A call cannot be ended, or a meeting cannot be deleted: people may be shown a call that is over.",
        runbook="Calls are stuck",
    )
    yield Alarm(
        id="CallsRingLate",
        metrics=[metrics.queue(call_maintenance.QUEUE, "ApproximateAgeOfOldestMessage")],
        above=ring_seconds + _LATE_RING_SECONDS,  # a message's age includes its delay
        meaning="A ring timer waited for a minute although its time was up: phones ring too long.",
        runbook="Ringing does not end in time",
    )
    yield Alarm(
        id="CallsFailed",
        metrics=[call_metrics.metric(metrics.names, call_metrics.FAILED)],
        above=_FAILED_CALLS,
        meaning="Answered calls could not be connected: Chime refused or did not answer.",
        runbook="Calls cannot be connected",
    )


def _api_alarms(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        id="ApiErrors",
        metrics=[metrics.api("5xx")],
        above=0,
        meaning="The HTTP API answered 5xx.",
        runbook="Route errors",
    )
    yield Alarm(
        id="ApiSlow",
        metrics=[metrics.api("Latency", "p95")],
        above=_SLOW_MILLISECONDS,
        breaching=3,
        of=5,
        meaning="One request in twenty takes longer than half a second.",
        runbook="Routes are slow",
    )


def _function_alarms(metrics: Metrics, functions: list[str]) -> Iterator[Alarm]:
    sections = {
        settings.ProfileSettings.function: "Sign-ups without profile",
        settings.DeliverSettings.function: "Delivery is late",
        settings.RelaySettings.function: "Relay is behind",
        settings.RingTimeoutSettings.function: "Ringing does not end in time",
        settings.ChimeEventsSettings.function: "Dead letters of calls",
        settings.CallSweepSettings.function: "Calls are stuck",
    }
    for function in functions:
        yield Alarm(
            id=f"{title(function)}Errors",
            metrics=[metrics.function(function, "Errors")],
            above=0,
            meaning=f"The function {function} failed or ran out of time.",
            runbook=sections.get(function, "Route errors"),
        )
    yield Alarm(
        id="FunctionsThrottled",
        metrics=[metrics.function(function, "Throttles") for function in functions],
        above=0,
        meaning="Lambda refused to start a function: the account's concurrency is used up.",
        runbook="Throttling",
    )


def _table_alarms(metrics: Metrics) -> Iterator[Alarm]:
    throttled = [
        metrics.table(table, metric) for table in TABLES for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]
    for number, part in enumerate(_chunks(throttled), start=1):
        tables = ", ".join(dict.fromkeys(metric.dimensions["TableName"] for metric in part))
        yield Alarm(
            id=f"TablesThrottled{number}",
            metrics=part,
            above=0,
            meaning=f"DynamoDB throttled one of {tables}.",
            runbook="Throttling",
        )


def _chunks(metrics: list[Metric]) -> Iterator[list[Metric]]:
    for start in range(0, len(metrics), _METRICS_PER_ALARM):
        yield metrics[start : start + _METRICS_PER_ALARM]


def _events_alarms(metrics: Metrics) -> Iterator[Alarm]:
    yield Alarm(
        id="EventsErrors",
        metrics=[metrics.events("5XXError")],
        above=0,
        meaning="AppSync Events answered 5XX to a publish.",
        runbook="Events are refused",
    )
    yield Alarm(
        id="EventsRefused",
        metrics=[metrics.events("FailedEvents", namespace=namespace) for namespace in _PUBLISHED],
        above=0,
        meaning="A channel's handler refused an event that a function of ours published.",
        runbook="Events are refused",
    )
