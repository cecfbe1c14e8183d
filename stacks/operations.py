"""The Operations stack: the canary, alarms with their topic, budget, metric filters, dashboards and audit log."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.config.fields import Environment
from stacks.constructs.canary import Canary
from stacks.constructs.http_api import HttpApi
from stacks.constructs.log_group import create_audit_log
from stacks.constructs.stack import EnvironmentStack
from stacks.constructs.user_pool import UserPoolReference
from stacks.events import EventsStack
from stacks.monitoring import log_metrics
from stacks.monitoring.alarm_definition import add_alarm, keep_logical_id
from stacks.monitoring.alarms import alarm_definitions
from stacks.monitoring.budget import add_budget
from stacks.monitoring.canary_alarms import add_objective_alarm, canary_alarms
from stacks.monitoring.dashboard import dashboards
from stacks.monitoring.metrics import Metrics
from stacks.naming import AUDIT_LOG
from stacks.packaging import Asset
from stacks.policy import nag


class OperationsStack(EnvironmentStack):
    """Refers to the resources of other stacks; no stack refers to this one."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        *,
        asset: Asset,
        pool: UserPoolReference,
        events: EventsStack,
        http_api: HttpApi,
    ) -> None:
        super().__init__(scope, "Operations", environment, "canary, dashboards and alarms")
        if environment.canary.enabled:
            Canary(
                self,
                "Canary",
                environment=environment,
                asset=asset,
                pool=pool,
                api_address=http_api.address,
                endpoints=events.client_endpoints,
            )
        metrics = Metrics(
            self.names,
            http_api_id=http_api.api_id,
            events_api_id=events.api_id,
            has_profile_function=environment.identity.source == "create",
            has_canary=environment.canary.enabled,
        )
        if environment.operations.alarms:
            self._add_alarms(metrics)
        create_audit_log(self, "AuditLog", self.names.of(AUDIT_LOG), self.data_removal_policy)
        log_metrics.add_metric_filters(self, self.names, functions=metrics.functions)
        if environment.operations.dashboards:
            self._add_dashboards(metrics)

    def _add_alarms(self, metrics: Metrics) -> None:
        settings = self.environment_settings
        topic = self._add_topic()
        for definition in alarm_definitions(metrics, settings.calls.ring_timeout_seconds):
            add_alarm(self, definition, self.names, topic)
        minutes = settings.canary.minutes
        if settings.canary.enabled and minutes:
            for definition in canary_alarms(metrics, minutes):
                add_alarm(self, definition, self.names, topic)
            add_objective_alarm(self, metrics, minutes, self.names, topic)
        if (dollars := settings.operations.monthly_budget_dollars) is not None:
            topic.add_to_resource_policy(_may_publish(topic, "BudgetOnly", "budgets.amazonaws.com"))
            add_budget(self, self.names, topic, dollars)

    def _add_dashboards(self, metrics: Metrics) -> None:
        for name, widgets in dashboards(metrics).items():
            dashboard = cloudwatch.Dashboard(
                self, f"{name}Dashboard", dashboard_name=self.names.of(name), widgets=widgets
            )
            keep_logical_id(dashboard, f"{name}Dashboard")

    def _add_topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=self.names.of("Alarms"), display_name=f"PantherKolab {self.names.environment}"
        )
        topic.add_to_resource_policy(_may_publish(topic, "AlarmsOnly", "cloudwatch.amazonaws.com"))
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


def _may_publish(topic: sns.ITopic, sid: str, service: str) -> iam.PolicyStatement:
    """Allow a service of AWS to notify the topic on behalf of this account."""
    return iam.PolicyStatement(
        sid=sid,
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        principals=[iam.ServicePrincipal(service)],
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
    )
