"""The table of AWS's service limits for every type of resource that the stacks create.

CloudFormation, its schemas, cdk-nag and the emulator do not check most of these; AWS refuses the resource when the
stack is deployed. Where AWS can raise a limit on request, the table has the default. "API" sources are the constraints
of the named operation in the service's API reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stacks.policy.limits import measures as of
from stacks.policy.limits.measures import Measure, Value

TEMPLATE: Final = "template"
"""The kind of limits that concern a whole template."""
ANY: Final = "any resource"
"""The kind of limits that concern resources of every type."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit of one type of resource.

    Args:
        kind: a CloudFormation type, `TEMPLATE` or `ANY`.
        what: what is limited; with `kind` it identifies the limit.
        measure: reads the values from a template.
        source: where AWS documents it.
        least: the smallest allowed number.
        most: the greatest allowed number.
        pattern: what an allowed text matches as a whole.
        remedy: what to do.
    """

    kind: str
    what: str
    measure: Measure
    source: str
    least: float | None = None
    most: float | None = None
    pattern: str | None = None
    remedy: str

    @property
    def id(self) -> str:
        """Return the name of the limit in reports."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.kind.removeprefix('AWS::')} {self.what}".lower()).strip("-")

    @property
    def allowed(self) -> str:
        """Return the allowed values for a message."""
        if self.pattern is not None:
            return f"texts that match {self.pattern}"
        if self.least is None:
            return f"at most {self.most:,}"
        return f"at least {self.least:,}" if self.most is None else f"{self.least:,} to {self.most:,}"

    def accepts(self, value: Value) -> bool:
        """Return whether a value is within the limit."""
        if isinstance(value, str):
            return re.fullmatch(self.pattern or "", value) is not None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _name(kind: str, path: str, pattern: str, source: str, what: str = "name") -> Limit:
    return Limit(
        kind=kind,
        what=what,
        measure=of.text(path),
        pattern=pattern,
        source=source,
        remedy=f"Change the {what}; the name of the environment is a part of physical names and may be too long.",
    )


def _at_most(
    kind: str, what: str, measure: Measure, most: float, source: str, remedy: str, *, least: float | None = None
) -> Limit:
    return Limit(kind=kind, what=what, measure=measure, least=least, most=most, source=source, remedy=remedy)


def _range(kind: str, path: str, least: float, most: float, source: str) -> Limit:
    return Limit(
        kind=kind,
        what=path,
        measure=of.number(path),
        least=least,
        most=most,
        source=source,
        remedy="Change the value.",
    )


_SPLIT_STACK: Final = "Move resources into another stack."
_SHORTEN: Final = "Shorten the text."
_CFN: Final = "AWS CloudFormation: quotas"
_CLOUDWATCH: Final = "Amazon CloudWatch: service quotas"
_IAM: Final = "AWS IAM: IAM and AWS STS quotas"
_LAMBDA: Final = "AWS Lambda: quotas"
_DYNAMODB: Final = "Amazon DynamoDB: quotas"
_SQS: Final = "Amazon SQS: queue quotas"
_SQS_API: Final = "Amazon SQS API: CreateQueue"
_EVENTBRIDGE: Final = "Amazon EventBridge: quotas"
_COGNITO: Final = "Amazon Cognito: quotas"
_API_GATEWAY: Final = "Amazon API Gateway: quotas for HTTP APIs"
_APPSYNC: Final = "AWS AppSync: endpoints and quotas"

_TEMPLATES: Final = (
    _at_most(TEMPLATE, "size in bytes", of.template_bytes, 1_000_000, f"{_CFN}: template body in S3", _SPLIT_STACK),
    _at_most(TEMPLATE, "resources", of.section("Resources"), 500, _CFN, _SPLIT_STACK),
    _at_most(TEMPLATE, "outputs", of.section("Outputs"), 200, _CFN, _SPLIT_STACK),
    _at_most(TEMPLATE, "parameters", of.section("Parameters"), 200, _CFN, "Use settings in place of parameters."),
    Limit(
        kind=TEMPLATE,
        what="logical ids",
        measure=of.logical_ids,
        pattern="[A-Za-z0-9]{1,255}",
        source=f"{_CFN}: resource name",
        remedy="Shorten the ids of the constructs.",
    ),
    Limit(
        kind=TEMPLATE,
        what="output ids",
        measure=of.output_texts("id"),
        pattern="[A-Za-z0-9]{1,255}",
        source=f"{_CFN}: output name",
        remedy="Shorten the id of the output.",
    ),
    Limit(
        kind=TEMPLATE,
        what="output descriptions",
        measure=of.output_texts("Description"),
        pattern="(?s).{0,1024}",
        source=f"{_CFN}: output description",
        remedy=_SHORTEN,
    ),
    Limit(
        kind=TEMPLATE,
        what="export names",
        measure=of.output_texts("Export.Name"),
        pattern="[A-Za-z0-9:-]{1,255}",
        source="AWS CloudFormation: outputs section; characters of export names. Length as of output names.",
        remedy="Shorten the ids of the constructs.",
    ),
    _at_most(ANY, "tags", of.tags, 50, "AWS tagging: tags per resource", "Remove tags."),
)
_ALARM: Final = "AWS::CloudWatch::Alarm"
_ALARM_API: Final = "Amazon CloudWatch API: PutMetricAlarm"
_DASHBOARD: Final = "AWS::CloudWatch::Dashboard"
_MONITORING: Final = (
    _name(_ALARM, "AlarmName", "(?s).{1,255}", _ALARM_API),
    _at_most(_ALARM, "characters of the description", of.characters("AlarmDescription"), 1024, _ALARM_API, _SHORTEN),
    _at_most(
        _ALARM,
        "metrics",
        of.alarm_metrics,
        10,
        f"{_CLOUDWATCH}: metrics per alarm with metric math; cannot be raised",
        "Split the alarm.",
    ),
    _at_most(
        _ALARM,
        "characters of an expression",
        of.characters("Metrics[].Expression"),
        2048,
        "Amazon CloudWatch API: MetricDataQuery",
        "Split the alarm.",
    ),
    _at_most(_ALARM, "dimensions", of.count("Dimensions"), 30, _ALARM_API, "Remove dimensions."),
    _at_most(_ALARM, "alarm actions", of.count("AlarmActions"), 5, _ALARM_API, "Notify one topic."),
    _at_most(_ALARM, "OK actions", of.count("OKActions"), 5, _ALARM_API, "Notify one topic."),
    _at_most(
        _ALARM,
        "seconds of the evaluation window",
        of.alarm_window,
        86_400,
        f"{_ALARM_API}, EvaluationPeriods: one day with periods below one hour",
        "Evaluate fewer periods.",
    ),
    _name(_DASHBOARD, "DashboardName", "[A-Za-z0-9_-]{1,255}", "Amazon CloudWatch API: PutDashboard"),
    _at_most(_DASHBOARD, "widgets", of.dashboard_widgets, 500, f"{_CLOUDWATCH}: dashboards", "Split the dashboard."),
    _at_most(
        _DASHBOARD, "metrics of a widget", of.widget_metrics, 500, f"{_CLOUDWATCH}: dashboards", "Split the graph."
    ),
    _at_most(
        _DASHBOARD,
        "metrics of all widgets",
        of.dashboard_metrics,
        2_500,
        f"{_CLOUDWATCH}: dashboards",
        "Split the dashboard.",
    ),
)
_LOG_GROUP: Final = "AWS::Logs::LogGroup"
_FILTER: Final = "AWS::Logs::MetricFilter"
_FILTER_API: Final = "Amazon CloudWatch Logs API: PutMetricFilter"
_TOPIC: Final = "AWS::SNS::Topic"
_LOGS_AND_TOPICS: Final = (
    _name(_LOG_GROUP, "LogGroupName", r"[.\-_/#A-Za-z0-9]{1,512}", "Amazon CloudWatch Logs API: CreateLogGroup"),
    _at_most(_FILTER, "characters of the pattern", of.characters("FilterPattern"), 1024, _FILTER_API, _SHORTEN),
    _at_most(
        _FILTER,
        "transformations",
        of.count("MetricTransformations"),
        1,
        _FILTER_API,
        "Create one filter per metric.",
        least=1,
    ),
    _name(_FILTER, "MetricTransformations[].MetricName", "[^:*$]{1,255}", _FILTER_API, "metric name"),
    _name(_FILTER, "MetricTransformations[].MetricNamespace", "[^:*$]{1,255}", _FILTER_API, "metric namespace"),
    _at_most(
        _FILTER,
        "characters of the value",
        of.characters("MetricTransformations[].MetricValue"),
        100,
        _FILTER_API,
        _SHORTEN,
    ),
    _at_most(
        TEMPLATE,
        "metric filters of a log group",
        of.same(_FILTER, "LogGroupName"),
        100,
        "Amazon CloudWatch Logs: quotas; cannot be raised",
        "Count several metrics by one dimension.",
    ),
    _name(_TOPIC, "TopicName", r"[A-Za-z0-9_-]{1,256}", "Amazon SNS API: CreateTopic"),
    _at_most(
        _TOPIC,
        "characters of the display name",
        of.characters("DisplayName"),
        100,
        "Amazon SNS API: CreateTopic",
        _SHORTEN,
    ),
    _at_most(
        "AWS::SNS::TopicPolicy",
        "characters of the policy",
        of.json_characters("PolicyDocument"),
        30_720,
        "Amazon SNS: endpoints and quotas, topic policy",
        "Merge statements.",
    ),
)
_ROLE: Final = "AWS::IAM::Role"
_POLICY: Final = "AWS::IAM::Policy"
_ROLES: Final = (
    _name(_ROLE, "RoleName", r"[\w+=,.@-]{1,64}", "AWS IAM API: CreateRole"),
    _name(_ROLE, "Description", r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}", "AWS IAM API: CreateRole", "description"),
    _at_most(
        _ROLE,
        "characters of the trust policy",
        of.json_characters("AssumeRolePolicyDocument"),
        2_048,
        f"{_IAM}: role trust policy, default",
        "Trust fewer principals.",
    ),
    _at_most(
        _ROLE,
        "characters of all inline policies",
        of.role_policies,
        10_240,
        f"{_IAM}: aggregate policy size of a role; cannot be raised",
        "Merge statements with the same actions, or split the function.",
    ),
    _at_most(
        _ROLE,
        "managed policies",
        of.count("ManagedPolicyArns"),
        10,
        f"{_IAM}: managed policies per role, default",
        "Use inline policies.",
    ),
    _name(_ROLE, "Policies[].PolicyName", r"[\w+=,.@-]{1,128}", "AWS IAM API: PutRolePolicy", "policy name"),
    _name(_POLICY, "PolicyName", r"[\w+=,.@-]{1,128}", "AWS IAM API: PutRolePolicy"),
)
_FUNCTION: Final = "AWS::Lambda::Function"
_FUNCTION_API: Final = "AWS Lambda API: CreateFunction"
_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_MAPPING_API: Final = "AWS Lambda API: CreateEventSourceMapping"
_INVOKE: Final = "AWS::Lambda::EventInvokeConfig"
_INVOKE_API: Final = "AWS Lambda API: PutFunctionEventInvokeConfig"
_FUNCTIONS: Final = (
    _name(_FUNCTION, "FunctionName", "[A-Za-z0-9_-]{1,64}", _FUNCTION_API),
    _name(_FUNCTION, "Handler", r"\S{1,128}", _FUNCTION_API, "handler"),
    _at_most(_FUNCTION, "characters of the description", of.characters("Description"), 256, _FUNCTION_API, _SHORTEN),
    _range(_FUNCTION, "Timeout", 1, 900, f"{_LAMBDA}: function timeout"),
    _range(_FUNCTION, "MemorySize", 128, 10_240, f"{_LAMBDA}: function memory"),
    _at_most(
        _FUNCTION,
        "bytes of environment variables",
        of.environment_bytes,
        4_096,
        f"{_LAMBDA}: environment variables, all together; cannot be raised",
        "Derive names from the environment's name in the function.",
    ),
    _at_most(_FUNCTION, "layers", of.count("Layers"), 5, f"{_LAMBDA}: function layers", "Package without layers."),
    _name("AWS::Lambda::Alias", "Name", r"(?!\d+$)[A-Za-z0-9_-]{1,128}", "AWS Lambda API: CreateAlias"),
    _range(_INVOKE, "MaximumRetryAttempts", 0, 2, _INVOKE_API),
    _range(_INVOKE, "MaximumEventAgeInSeconds", 60, 21_600, _INVOKE_API),
    _range(_MAPPING, "BatchSize", 1, 10_000, _MAPPING_API),
    _at_most(
        _MAPPING,
        "batch size of a queue without batching window",
        of.batch_without_window,
        10,
        f"{_MAPPING_API}, BatchSize",
        "Set a batching window of one second or more.",
    ),
    _range(_MAPPING, "ScalingConfig.MaximumConcurrency", 2, 1_000, "AWS Lambda API: ScalingConfig"),
    _range(_MAPPING, "MaximumRetryAttempts", -1, 10_000, _MAPPING_API),
    _range(_MAPPING, "MaximumRecordAgeInSeconds", -1, 604_800, _MAPPING_API),
    _range(_MAPPING, "MaximumBatchingWindowInSeconds", 0, 300, _MAPPING_API),
    _at_most(
        _MAPPING,
        "filters",
        of.count("FilterCriteria.Filters"),
        5,
        "AWS Lambda: event filtering, default",
        "Merge the patterns.",
    ),
    _at_most(
        _MAPPING,
        "characters of a filter",
        of.characters("FilterCriteria.Filters[].Pattern"),
        4_096,
        "AWS Lambda API: Filter",
        _SHORTEN,
    ),
    Limit(
        kind=_MAPPING,
        what="visibility timeout of the queue, in timeouts of the function",
        measure=of.visibility_per_timeout,
        least=6,
        source="AWS Lambda: using Lambda with Amazon SQS; Lambda refuses less than one, and advises six",
        remedy="Raise the visibility timeout of the queue, or lower the timeout of the function.",
    ),
)
_TABLE: Final = "AWS::DynamoDB::Table"
_TABLE_NAME: Final = r"[A-Za-z0-9_.-]{3,255}"
_NAMING: Final = f"{_DYNAMODB} and naming rules"
_TABLES: Final = (
    _name(_TABLE, "TableName", _TABLE_NAME, _NAMING),
    _name(_TABLE, "GlobalSecondaryIndexes[].IndexName", _TABLE_NAME, _NAMING, "index name"),
    _name(_TABLE, "AttributeDefinitions[].AttributeName", "(?s).{1,255}", _NAMING, "attribute name"),
    _at_most(
        _TABLE,
        "global secondary indexes",
        of.count("GlobalSecondaryIndexes"),
        20,
        f"{_DYNAMODB}: secondary indexes, default",
        "Serve two queries by one index.",
    ),
    _at_most(
        _TABLE,
        "local secondary indexes",
        of.count("LocalSecondaryIndexes"),
        5,
        f"{_DYNAMODB}: secondary indexes",
        "Use a global index.",
    ),
    _at_most(
        _TABLE,
        "projected attributes of all indexes",
        of.total("GlobalSecondaryIndexes[].Projection.NonKeyAttributes[]"),
        100,
        f"{_DYNAMODB}: projected attributes per table",
        "Project all attributes.",
    ),
    _at_most(_TABLE, "keys", of.count("KeySchema"), 2, f"{_DYNAMODB}: keys", "Use a partition and a sort key."),
)
_QUEUE: Final = "AWS::SQS::Queue"
_QUEUE_POLICY: Final = "AWS::SQS::QueuePolicy"
_QUEUES: Final = (
    _name(_QUEUE, "QueueName", r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo", _SQS),
    _range(_QUEUE, "DelaySeconds", 0, 900, _SQS_API),
    _range(_QUEUE, "VisibilityTimeout", 0, 43_200, _SQS_API),
    _range(_QUEUE, "MessageRetentionPeriod", 60, 1_209_600, _SQS_API),
    _range(_QUEUE, "ReceiveMessageWaitTimeSeconds", 0, 20, _SQS_API),
    _range(_QUEUE, "RedrivePolicy.maxReceiveCount", 1, 1_000, "Amazon SQS: dead-letter queues"),
    _at_most(
        _QUEUE_POLICY,
        "characters of the policy",
        of.json_characters("PolicyDocument"),
        8_192,
        "Amazon SQS: policy quotas",
        "Merge statements.",
    ),
    _at_most(
        _QUEUE_POLICY,
        "statements of the policy",
        of.count("PolicyDocument.Statement"),
        20,
        "Amazon SQS: policy quotas",
        "Merge statements.",
    ),
)
_RULE: Final = "AWS::Events::Rule"
_RULE_API: Final = "Amazon EventBridge API: PutRule"
_TARGET_API: Final = "Amazon EventBridge API: PutTargets"
_RULES: Final = (
    _name(_RULE, "Name", r"[.\-_A-Za-z0-9]{1,64}", _RULE_API),
    _at_most(_RULE, "characters of the description", of.characters("Description"), 512, _RULE_API, _SHORTEN),
    _at_most(
        _RULE,
        "characters of the pattern",
        of.json_characters("EventPattern"),
        2_048,
        f"{_EVENTBRIDGE}: event pattern size, default",
        "Match fewer values.",
    ),
    _at_most(
        _RULE,
        "characters of the schedule",
        of.characters("ScheduleExpression"),
        256,
        _RULE_API,
        "Simplify the schedule.",
    ),
    _at_most(
        _RULE, "targets", of.count("Targets"), 5, f"{_EVENTBRIDGE}: targets per rule, default", "Add another rule."
    ),
    _name(_RULE, "Targets[].Id", r"[.\-_A-Za-z0-9]{1,64}", _TARGET_API, "target id"),
    _range(_RULE, "Targets[].RetryPolicy.MaximumEventAgeInSeconds", 60, 86_400, _TARGET_API),
    _range(_RULE, "Targets[].RetryPolicy.MaximumRetryAttempts", 0, 185, _TARGET_API),
)
_POOL: Final = "AWS::Cognito::UserPool"
_POOL_API: Final = "Amazon Cognito API: CreateUserPool"
_CLIENT: Final = "AWS::Cognito::UserPoolClient"
_CLIENT_API: Final = "Amazon Cognito API: CreateUserPoolClient"
_TOKENS: Final = "Change the validity."
_POOLS: Final = (
    _name(_POOL, "UserPoolName", r"[\w\s+=,.@-]{1,128}", _POOL_API),
    _at_most(_POOL, "schema attributes", of.count("Schema"), 50, f"{_COGNITO}: attributes", "Store them in Users."),
    _name(_POOL, "Schema[].Name", r"\S{1,20}", "Amazon Cognito API: SchemaAttributeType", "attribute name"),
    _name(_POOL, "VerificationMessageTemplate.EmailSubject", r"(?s).{1,140}", _POOL_API, "e-mail subject"),
    _name(
        _POOL,
        "VerificationMessageTemplate.EmailMessage",
        r"(?s)(?=.{6,20000}$).*\{####\}.*",
        _POOL_API,
        "e-mail text, which contains {####}",
    ),
    _range(_POOL, "Policies.PasswordPolicy.MinimumLength", 6, 99, _POOL_API),
    _range(_POOL, "Policies.PasswordPolicy.TemporaryPasswordValidityDays", 0, 365, _POOL_API),
    _name(_CLIENT, "ClientName", r"[\w\s+=,.@-]{1,128}", _CLIENT_API),
    _at_most(
        _CLIENT,
        "seconds of the access token",
        of.token_seconds("AccessToken", "hours"),
        86_400,
        _CLIENT_API,
        _TOKENS,
        least=300,
    ),
    _at_most(
        _CLIENT,
        "seconds of the id token",
        of.token_seconds("IdToken", "hours"),
        86_400,
        _CLIENT_API,
        _TOKENS,
        least=300,
    ),
    _at_most(
        _CLIENT,
        "seconds of the refresh token",
        of.token_seconds("RefreshToken", "days"),
        315_360_000,
        _CLIENT_API,
        _TOKENS,
        least=3_600,
    ),
)
_HTTP_API: Final = "AWS::ApiGatewayV2::Api"
_ROUTE: Final = "AWS::ApiGatewayV2::Route"
_INTEGRATION: Final = "AWS::ApiGatewayV2::Integration"
_AUTHORIZER: Final = "AWS::ApiGatewayV2::Authorizer"
_STAGE: Final = "AWS::ApiGatewayV2::Stage"
_HTTP_APIS: Final = (
    _name(_HTTP_API, "Name", "(?s).{1,128}", "Amazon API Gateway V2 API: CreateApi"),
    _range(_INTEGRATION, "TimeoutInMillis", 50, 30_000, f"{_API_GATEWAY}: maximum integration timeout"),
    _name(_ROUTE, "OperationName", "(?s).{1,64}", "Amazon API Gateway V2 API: CreateRoute", "operation name"),
    _name(
        _ROUTE, "RouteKey", r"\$default|[A-Z]{3,7} /\S{0,120}", "Amazon API Gateway V2 API: CreateRoute", "route key"
    ),
    _name(_AUTHORIZER, "Name", "(?s).{1,128}", "Amazon API Gateway V2 API: CreateAuthorizer"),
    _at_most(
        _AUTHORIZER,
        "audiences",
        of.count("JwtConfiguration.Audience"),
        50,
        f"{_API_GATEWAY}: audiences per authorizer; cannot be raised",
        "Accept fewer app clients.",
    ),
    _name(_STAGE, "StageName", r"\$default|[A-Za-z0-9_-]{1,128}", "Amazon API Gateway V2 API: CreateStage"),
    _range(_STAGE, "DefaultRouteSettings.ThrottlingRateLimit", 1, 10_000, "Amazon API Gateway: account-level quotas"),
    _range(_STAGE, "DefaultRouteSettings.ThrottlingBurstLimit", 1, 5_000, "Amazon API Gateway: account-level quotas"),
    _at_most(
        _STAGE,
        "characters of the access log format",
        of.characters("AccessLogSettings.Format"),
        3_072,
        f"{_API_GATEWAY}: access log template size",
        "Log fewer fields.",
    ),
    *(
        _at_most(
            TEMPLATE,
            f"{what} of an HTTP API",
            of.same(kind, "ApiId"),
            most,
            f"{_API_GATEWAY}, default",
            "Add another API.",
        )
        for what, kind, most in (
            ("routes", _ROUTE, 300),
            ("integrations", _INTEGRATION, 300),
            ("authorizers", _AUTHORIZER, 10),
            ("stages", _STAGE, 10),
        )
    ),
)
_EVENT_API: Final = "AWS::AppSync::Api"
_NAMESPACE: Final = "AWS::AppSync::ChannelNamespace"
_EVENT_APIS: Final = (
    _name(_EVENT_API, "Name", r"[A-Za-z0-9_\- ]{1,50}", "AWS AppSync API: CreateApi"),
    _name(
        _NAMESPACE,
        "Name",
        "[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
        "AWS AppSync API: CreateChannelNamespace",
    ),
    _at_most(
        _NAMESPACE,
        "characters of the handlers",
        of.characters("CodeHandlers"),
        32_768,
        "AWS AppSync API: CreateChannelNamespace",
        "Move logic into the functions.",
        least=1,
    ),
    _at_most(
        TEMPLATE,
        "namespaces of an Event API",
        of.same(_NAMESPACE, "ApiId"),
        50,
        f"{_APPSYNC}: namespaces per API, default",
        "Merge namespaces.",
    ),
    _name("AWS::AppSync::DataSource", "Name", "[_A-Za-z][_0-9A-Za-z]{0,65535}", "AWS AppSync API: CreateDataSource"),
    _name(
        "AWS::AppSync::DomainName",
        "DomainName",
        r"(?=.{1,253}$)(?:\*[\w-]*\.)?(?:[\w-]+\.)+[\w-]+",
        "AWS AppSync API: CreateDomainName",
    ),
)
LIMITS: Final = (
    *_TEMPLATES,
    *_MONITORING,
    *_LOGS_AND_TOPICS,
    *_ROLES,
    *_FUNCTIONS,
    *_TABLES,
    *_QUEUES,
    *_RULES,
    *_POOLS,
    *_HTTP_APIS,
    *_EVENT_APIS,
)
"""Every limit."""

WITHOUT_LIMITS: Final = frozenset(
    {
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::DomainName",
        "AWS::AppSync::DomainNameApiAssociation",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::BackupVault",
        "AWS::Budgets::Budget",
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::SNS::Subscription",
    }
)
"""Types whose properties only refer to other resources or come from validated settings."""
