"""A Lambda function with its own role, its own log group, and exactly the environment its settings class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Protocol

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.tables import TABLES
from stacks.config.fields import Environment
from stacks.constructs.log_group import log_group_of
from stacks.naming import Names
from stacks.packaging import Asset
from stacks.policy import acknowledgements as reasons
from stacks.policy import arns
from stacks.policy.permissions import FUNCTIONS, TablePermissions, Tables

_RUNTIME: Final = lambda_.Runtime.PYTHON_3_13


class SettingsClass(Protocol):
    """A class of handlers.settings: the function's name and the variables it reads."""

    function: ClassVar[str]

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return the names of the environment variables."""


class HandlerFunction(Construct):
    """The function that serves `handlers.entry.{name}.handle`.

    Args:
        environment: the environment it belongs to.
        asset: the package.
        settings: its settings class; its `function` names module, function and rights.
        values: a value for each of its variables except the environment's name and the table names, which follow.
        timeout: how long it may take.
        statements: what it may do beyond its rights to tables.
        events_api_id: the Event API it publishes to, where its rights name namespaces.
        snap_start: start it from a snapshot, through an alias.
        dead_letters: where an asynchronous invocation goes that failed for good; `statements` allow sending there.

    Raises:
        ValueError: a variable has no value, or a value has no variable.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        asset: Asset,
        settings: type[SettingsClass],
        values: Mapping[str, str | int],
        timeout: Duration,
        description: str,
        statements: Sequence[iam.PolicyStatement] = (),
        events_api_id: str | None = None,
        snap_start: bool = False,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        names = Names(environment.name)
        self.name = names.of(settings.function)
        rights = FUNCTIONS[settings.function]
        self.log_group = log_group_of(self, "Log", names.function_log_group(settings.function), environment)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What the function {self.name} may do",
            inline_policies={
                "Function": iam.PolicyDocument(
                    statements=[
                        log_writing(names.function_log_group(settings.function)),
                        *table_statements(names, rights.tables),
                        *_index_statements(names, rights),
                        *_publish_statements(rights, events_api_id),
                        *_meeting_statements(rights),
                        *statements,
                    ]
                )
            },
        )
        reasons.log_streams(self.role, names.function_log_group(settings.function))
        if rights.meetings:
            reasons.meetings(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            description=description,
            runtime=_RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"handlers.entry.{settings.function}.handle",
            code=lambda_.Code.from_asset(str(asset.path), asset_hash=asset.digest),
            role=self.role.without_policy_updates(),
            environment=_variables(settings, rights, names, values),
            memory_size=environment.functions.memory_mb,
            timeout=timeout,
            log_group=self.log_group,
            dead_letter_queue=dead_letters,
            logging_format=lambda_.LoggingFormat.JSON,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        reasons.function(self.function)
        self.target: lambda_.IFunction = self.function
        if snap_start:
            reasons.version_follows(self.function)
            self.target = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)


def log_writing(log_group: str) -> iam.PolicyStatement:
    """Allow writing to the streams of one log group."""
    return iam.PolicyStatement(
        sid="Log", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[arns.log_streams(log_group)]
    )


def table_statements(names: Names, tables: Tables) -> list[iam.PolicyStatement]:
    """Allow the listed actions, a statement for each table."""
    return [
        iam.PolicyStatement(
            sid=table.entity,
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[arns.table(table, names.environment)],
        )
        for table, actions in tables.items()
    ]


def _index_statements(names: Names, rights: TablePermissions) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid=f"{table.entity}{index.name}",
            actions=["dynamodb:Query"],
            resources=[arns.index(table, index, names.environment)],
        )
        for table, index in rights.indexes
    ]


def _publish_statements(rights: TablePermissions, api_id: str | None) -> list[iam.PolicyStatement]:
    if not rights.publish:
        return []
    if api_id is None:
        raise ValueError("a function that publishes needs the Event API's id")
    return [
        iam.PolicyStatement(
            sid="Publish",
            actions=["appsync:EventPublish"],
            resources=[arns.namespace(api_id, namespace) for namespace in rights.publish],
        )
    ]


def _meeting_statements(rights: TablePermissions) -> list[iam.PolicyStatement]:
    if not rights.meetings:
        return []
    return [
        iam.PolicyStatement(
            sid="Meetings",
            actions=[f"chime:{action}" for action in rights.meetings],
            resources=[arns.meetings()],
        )
    ]


def _variables(
    settings: type[SettingsClass], rights: TablePermissions, names: Names, values: Mapping[str, str | int]
) -> dict[str, str]:
    given: dict[str, str | int] = {"ENVIRONMENT": names.environment, **values}
    wanted = settings.variables()
    given |= {table.setting: table.name(names.environment) for table in TABLES if table.setting in wanted}
    if unequal := sorted(set(given) ^ set(wanted)):
        raise ValueError(
            f"function {settings.function}: variables without value, or values without variable: {unequal}"
        )
    unused = {table.setting for table in TABLES if table.setting in wanted} ^ {table.setting for table in rights.tables}
    if unused:
        raise ValueError(f"function {settings.function}: settings and rights name different tables: {sorted(unused)}")
    return {name: str(given[name]) for name in wanted}
