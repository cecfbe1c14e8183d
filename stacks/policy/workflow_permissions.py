"""What GitHub's workflows may do in the account of an environment: three roles, for three kinds of jobs.

Each statement names the command that needs it. Whatever changes an environment goes through the roles of the CDK
bootstrap; what those may do is decided by `cdk bootstrap`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import Aws, DefaultStackSynthesizer

from contract import tables
from contract.canary import credentials_parameter
from handlers.settings import CallsSettings, CanarySettings
from stacks.naming import CHANGE_SET, PRODUCT, SERVICE_LINKED_ROLES, Names
from stacks.policy import arns

STACKS: Final = ("Data", "Identity", "Events", "Routes", "Bridge", "Operations")
"""The stacks of an environment; the Bridge exists only during a cutover."""
BOOTSTRAP_VERSION: Final = f"/cdk-bootstrap/{DefaultStackSynthesizer.DEFAULT_QUALIFIER}/version"
"""Parameter with the version of the CDK bootstrap."""
BOOTSTRAP_ROLES: Final = ("deploy", "file-publishing", "lookup")
"""Roles of the CDK bootstrap that the CDK CLI assumes; there are no container images to publish."""
TEST_TABLES: Final = (tables.CALLS, tables.CONVERSATION_MEMBERS, tables.CONVERSATION_COUNTERS)
"""Tables to which the end-to-end suite writes records that no route writes."""
ANY: Final = ("*",)


@dataclass(frozen=True)
class WorkflowStatement:
    """Actions that a role allows.

    Args:
        sid: name of the statement.
        actions: the actions.
        resources: ARNs; `*` only for actions that support no resource.
        conditions: what the request and its resource must be equal to, by condition key.
        denied: whether the actions are denied instead, whatever else allows them.
        wildcard_reason: why a resource has a wildcard; empty if none has one.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, str] = field(default_factory=dict)
    denied: bool = False
    wildcard_reason: str = ""


def deploy_statements(names: Names) -> list[WorkflowStatement]:
    """Return what `make deploy` and `make outputs` need, as long as no stack has to be recovered.

    Left out on purpose: deleting stacks and tables, turning protections off, continuing a failed rollback and reading
    items of tables. What an earlier operation left half-way is decided by an operator at a terminal.
    """
    return [
        WorkflowStatement(
            "Bootstrap",
            ["sts:AssumeRole"],
            [_bootstrap_role(role) for role in BOOTSTRAP_ROLES],
        ),
        _read_stacks(
            names,
            *("DescribeStacks", "GetTemplate", "DescribeStackEvents", "ListChangeSets", "DescribeChangeSet"),
        ),
        # A change set without changes, or with more of them than the report said, is deleted.
        WorkflowStatement(
            "DiscardChangeSet",
            ["cloudformation:DeleteChangeSet"],
            _stacks(names),
            conditions={"cloudformation:ChangeSetName": CHANGE_SET},
            wildcard_reason=_STACK_IDS,
        ),
        WorkflowStatement(
            "LeftOverTables",
            ["dynamodb:DescribeTable"],
            [arns.any_table_arn(names)],
            wildcard_reason="A new table is looked for before this stack knows its name; a description has no items.",
        ),
        WorkflowStatement(
            "Alarms",
            ["cloudwatch:DescribeAlarms"],
            [arns.any_alarm_arn()],
            wildcard_reason="CloudWatch checks this action against all alarms of the account, also for named ones.",
        ),
        *_smoke_test(names),
        *_account(),
    ]


def _smoke_test(names: Names) -> list[WorkflowStatement]:
    """Return what the smoke test needs to invoke the canary if it has users."""
    return [
        WorkflowStatement(
            "Canary",
            ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
            [arns.function_arn(names.of(CanarySettings.function))],
        ),
        WorkflowStatement(
            "Parameters",
            ["ssm:GetParameter"],
            [arns.parameter_arn(BOOTSTRAP_VERSION), arns.parameter_arn(credentials_parameter(names.environment))],
        ),
        # The smoke test asks only whether the canary's credentials exist. A role that may get a parameter, encrypted
        # with the key of SSM, may decrypt it too, unless that is denied (AWS KMS: aws/ssm, its key policy).
        WorkflowStatement("NoCredentials", ["kms:Decrypt"], ANY, denied=True),
    ]


def _account() -> list[WorkflowStatement]:
    """Return what the checks of the account's quotas and names read."""
    return [
        WorkflowStatement(
            "Account",
            [
                *("lambda:GetAccountSettings", "ses:GetAccount"),
                *("servicequotas:ListServiceQuotas", "cognito-idp:ListUserPools"),
            ],
            ANY,
            wildcard_reason="These actions read settings and names of the account and support no resource.",
        ),
        WorkflowStatement(
            "ServiceLinkedRoles",
            ["iam:GetRole"],
            [
                arn
                for name, service in SERVICE_LINKED_ROLES.items()
                for arn in arns.service_linked_role_arns(name, service)
            ],
        ),
    ]


def report_statements(names: Names) -> list[WorkflowStatement]:
    """Return what `make diff` needs to read what is deployed."""
    return [_read_stacks(names, "DescribeStacks", "GetTemplate")]


def verify_statements(names: Names, imported_pool: str | None) -> list[WorkflowStatement]:
    """Return what `make verify CREATE=no` needs: test users, test records, and what its questions read.

    Args:
        names: the physical names of the environment.
        imported_pool: id of the user pool if it was imported; None if the environment creates one.
    """
    return [
        _read_stacks(names, "DescribeStacks", "DescribeStackEvents"),
        _test_users(names, imported_pool),
        WorkflowStatement(
            "TestRecords",
            ["dynamodb:PutItem"],
            [arns.table_arn(table, names.environment) for table in TEST_TABLES],
        ),
        WorkflowStatement(
            "Lists",
            ["dynamodb:ListTables", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "logs:TestMetricFilter"],
            ANY,
            wildcard_reason="These actions only read, and support no resource.",
        ),
        WorkflowStatement(
            "Logs",
            ["logs:DescribeLogStreams", "logs:DescribeMetricFilters", "logs:FilterLogEvents"],
            [
                f"{arns.log_group_arn(names.function_log_group(CallsSettings.function))}:*",
                arns.event_api_log_groups_arn(),
            ],
            wildcard_reason="The ARN of a log group ends with a wildcard, and AppSync names its group after the API.",
        ),
        WorkflowStatement(
            "SignedEvents",
            ["appsync:EventConnect", "appsync:EventPublish"],
            [arns.event_apis_arn(), f"{arns.event_apis_arn()}/channelNamespace/*"],
            wildcard_reason="AppSync chooses the id of the API; a tested account has one environment.",
        ),
    ]


def _test_users(names: Names, imported_pool: str | None) -> WorkflowStatement:
    actions = ("AdminCreateUser", "AdminSetUserPassword", "AdminConfirmSignUp", "AdminDeleteUser")
    allowed = [f"cognito-idp:{action}" for action in actions]
    if imported_pool is not None:
        return WorkflowStatement("TestUsers", allowed, [arns.user_pool_arn(imported_pool)])
    return WorkflowStatement(
        "TestUsers",
        allowed,
        [arns.any_user_pool_arn()],
        conditions={"aws:ResourceTag/application": PRODUCT, "aws:ResourceTag/environment": names.environment},
        wildcard_reason="Cognito chooses the id of the pool; the condition allows the pool of this environment.",
    )


_STACK_IDS: Final = "The ARN of a stack ends with an id that CloudFormation chooses; the stack is named exactly."


def _read_stacks(names: Names, *actions: str) -> WorkflowStatement:
    return WorkflowStatement(
        "ReadStacks",
        [f"cloudformation:{action}" for action in actions],
        _stacks(names),
        wildcard_reason=_STACK_IDS,
    )


def _stacks(names: Names) -> list[str]:
    return [arns.stack_arn(names.of(stack)) for stack in STACKS]


def _bootstrap_role(role: str) -> str:
    """Return the ARN of a role of the CDK bootstrap (AWS CDK: bootstrapping, resources)."""
    qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
    name = f"cdk-{qualifier}-{role}-role-{Aws.ACCOUNT_ID}-{Aws.REGION}"
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{name}"
