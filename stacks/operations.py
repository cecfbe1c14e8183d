"""The Operations stack: alarms with their topic, metric filters, the dashboard and the audit log."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.config.fields import Environment
from stacks.constructs.log_group import create_audit_log
from stacks.constructs.stack import EnvironmentStack
from stacks.monitoring import log_metrics
from stacks.monitoring.alarm_definition import add_alarm, keep_logical_id
from stacks.monitoring.alarms import alarm_definitions
from stacks.monitoring.dashboard import dashboard_rows
from stacks.monitoring.metrics import Metrics
from stacks.naming import AUDIT_LOG
from stacks.policy import nag


class OperationsStack(EnvironmentStack):
    """Refers to the resources of other stacks by name or id; no stack refers to this one."""

    def __init__(self, scope: Construct, environment: Environment, *, events_api_id: str, http_api_id: str) -> None:
        super().__init__(scope, "Operations", environment, "dashboard and alarms")
        metrics = Metrics(
            self.names,
            http_api_id=http_api_id,
            events_api_id=events_api_id,
            has_profile_function=environment.identity.source == "create",
        )
        if environment.operations.alarms:
            topic = self._add_topic()
            for definition in alarm_definitions(metrics, environment.calls.ring_timeout_seconds):
                add_alarm(self, definition, self.names, topic)
        create_audit_log(self, "AuditLog", self.names.of(AUDIT_LOG), self.data_removal_policy)
        log_metrics.add_metric_filters(self, self.names, functions=metrics.functions)
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self.names.of("Dashboard"), widgets=dashboard_rows(metrics)
        )
        keep_logical_id(dashboard, "Dashboard")

    def _add_topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=self.names.of("Alarms"), display_name=f"PantherKolab {self.names.environment}"
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOnly",
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
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
            nag.acknowledge_email_subscription(recipient)
        return topic
