"""A Lambda function with its own role, its own log group, and exactly the variables that its settings class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.tables import TABLES
from stacks.config.fields import Environment
from stacks.constructs.log_group import create_log_group
from stacks.naming import Names
from stacks.packaging import Asset
from stacks.policy import nag, statements
from stacks.policy.permissions import FUNCTIONS, FunctionPermissions

_RUNTIME: Final = lambda_.Runtime.PYTHON_3_13


@dataclass(frozen=True)
class AsynchronousInvocation:
    """How Lambda treats an event that it has queued for a function (AWS Lambda: asynchronous invocation).

    Without it, Lambda retries a failed event twice, and keeps a throttled one for six hours before it gives up.

    Args:
        retries: how often Lambda retries an event after the function failed; 0 to 2.
        event_age: how long Lambda keeps an event that it could not process; one minute to six hours.
        dead_letters: receives the events that Lambda gives up; `allow` of the function must permit sending to it.
    """

    retries: int
    event_age: Duration
    dead_letters: sqs.IQueue | None = None


NO_RETRIES: Final = AsynchronousInvocation(retries=0, event_age=Duration.minutes(1))
"""For a function that a schedule invokes every minute: the next run does the work, a late event must not run again."""


class SettingsClass(Protocol):
    """A class of handlers.settings: the function's name and the variables it reads."""

    function: ClassVar[str]

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return the names of the environment variables."""


class HandlerFunction(Construct):
    """The Lambda function that runs `handlers.entry.{function}.handle`.

    Args:
        environment: the environment it belongs to.
        asset: the Lambda package.
        settings: its settings class; `settings.function` names the module, the function and its permissions.
        values: a value for each of its variables except ENVIRONMENT and the table names, which are derived.
        timeout: the timeout of an invocation.
        description: shown in the Lambda console.
        allow: IAM statements beyond those of `stacks.policy.permissions`.
        events_api_id: the Event API it publishes to; required when its permissions name namespaces.
        snap_start: start it from a snapshot, through an alias.
        asynchronous: retries, age and dead letters of its events; required when an event rule invokes it.

    Attributes:
        function: the function.
        target: what callers invoke: the alias with SnapStart, otherwise the function.
        role: the function's role.

    Raises:
        ValueError: a variable has no value, a value has no variable, or variables and permissions name different
            tables.
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
        allow: Sequence[iam.PolicyStatement] = (),
        events_api_id: str | None = None,
        snap_start: bool = False,
        asynchronous: AsynchronousInvocation | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        names = Names(environment.name)
        name = names.of(settings.function)
        log_group_name = names.function_log_group(settings.function)
        permissions = FUNCTIONS[settings.function]
        log_group = create_log_group(self, "Log", log_group_name, environment)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Permissions of the function {name}",
            inline_policies={
                "Function": iam.PolicyDocument(
                    statements=[
                        statements.allow_log_writes(log_group_name),
                        *statements.allow_table_access(names, permissions.tables),
                        *statements.allow_index_queries(names, permissions),
                        *statements.allow_publish(permissions, events_api_id),
                        *statements.allow_meetings(permissions),
                        *statements.allow_credentials(names, permissions),
                        *allow,
                    ]
                )
            },
        )
        nag.acknowledge_log_stream_wildcard(self.role, log_group_name)
        if permissions.meetings:
            nag.acknowledge_meeting_wildcard(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=_RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"handlers.entry.{settings.function}.handle",
            code=lambda_.Code.from_asset(str(asset.path), asset_hash=asset.digest),
            role=self.role.without_policy_updates(),
            environment=_variables(settings, permissions, names, values),
            memory_size=environment.functions.memory_mb,
            timeout=timeout,
            log_group=log_group,
            dead_letter_queue=asynchronous.dead_letters if asynchronous else None,
            retry_attempts=asynchronous.retries if asynchronous else None,
            max_event_age=asynchronous.event_age if asynchronous else None,
            logging_format=lambda_.LoggingFormat.JSON,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        nag.acknowledge_function_defaults(self.function)
        if asynchronous is not None:
            acknowledge = (
                nag.acknowledge_dead_letters_of_events if asynchronous.dead_letters else nag.acknowledge_dropped_events
            )
            acknowledge(self.function.node.find_child("EventInvokeConfig"))
        self.target: lambda_.IFunction = self.function
        if snap_start:
            nag.acknowledge_snap_start_alias(self.function)
            self.target = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)


def _variables(
    settings: type[SettingsClass], permissions: FunctionPermissions, names: Names, values: Mapping[str, str | int]
) -> dict[str, str]:
    required = settings.variables()
    tables = {table.setting: table.name(names.environment) for table in TABLES if table.setting in required}
    given: dict[str, str | int] = {"ENVIRONMENT": names.environment, **values, **tables}
    if unequal := sorted(set(given) ^ set(required)):
        raise ValueError(
            f"function {settings.function}: variables without value, or values without variable: {unequal}"
        )
    if unequal := sorted(set(tables) ^ {table.setting for table in permissions.tables}):
        raise ValueError(f"function {settings.function}: settings and permissions name different tables: {unequal}")
    return {name: str(given[name]) for name in required}
