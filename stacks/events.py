"""The Events stack: the AppSync Event API, its namespaces with inline handlers, and their data sources.

Level-1 constructs (Cfn…) are used on purpose. They show all three lists of authorization modes. They also let this
stack create the log group; the level-2 construct would add a Lambda function that sets the retention.
"""

from __future__ import annotations

import re
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_iam as iam
from constructs import Construct

from appsync_js.render import placeholders, render
from contract import channels, tables
from contract.channels import Namespace
from stacks import outputs
from stacks.config.fields import Environment
from stacks.constructs.log_group import create_log_group
from stacks.constructs.stack import EnvironmentStack
from stacks.constructs.user_pool import UserPoolReference
from stacks.policy import nag
from stacks.policy.permissions import CALLS_HANDLER, CONVERSATIONS_HANDLER, TablePermissions
from stacks.policy.statements import allow_log_writes, allow_table_access

_COGNITO: Final = "AMAZON_COGNITO_USER_POOLS"
_IAM: Final = "AWS_IAM"


class EventsStack(EnvironmentStack):
    """Signed-in users connect and subscribe; functions publish with IAM.

    Users publish only in namespace `conversations`, which exists with `events.direct_messaging`.
    """

    def __init__(self, scope: Construct, environment: Environment, pool: UserPoolReference) -> None:
        super().__init__(scope, "Events", environment, "realtime channels")
        self._pool = pool
        self._log_role = iam.Role(
            self,
            "LogRole",
            assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"),
            description="Lets the Event API write its own log",
        )
        self._api = self._create_api()
        self._add_log_group()
        self._add_namespace(channels.CHATS)
        self._add_namespace(channels.USERS)
        self._add_namespace(
            channels.CALLS, subscribe_source=self._add_data_source("calls", tables.CALLS, CALLS_HANDLER)
        )
        if environment.events.direct_messaging:
            members = self._add_data_source("conversations", tables.CONVERSATION_MEMBERS, CONVERSATIONS_HANDLER)
            self._add_namespace(
                channels.CONVERSATIONS, subscribe_source=members, publish_source=members, publish=_COGNITO
            )
        self._add_outputs()

    @property
    def api_id(self) -> str:
        """Return the Event API's id."""
        return self._api.attr_api_id

    @property
    def http_endpoint(self) -> str:
        """Return the endpoint that functions publish to: AppSync's own host, because IAM signatures contain it."""
        return f"{self.environment_settings.events.endpoint_scheme}://{self._api.attr_dns_http}/event"

    def _create_api(self) -> appsync.CfnApi:
        mode = appsync.CfnApi.AuthModeProperty
        clients = "|".join(self._pool.client_ids)
        return appsync.CfnApi(
            self,
            "EventApi",
            name=self.names.of("Events"),
            event_config=appsync.CfnApi.EventConfigProperty(
                auth_providers=[
                    appsync.CfnApi.AuthProviderProperty(
                        auth_type=_COGNITO,
                        cognito_config=appsync.CfnApi.CognitoConfigProperty(
                            user_pool_id=self._pool.id,
                            aws_region=self._pool.region,
                            app_id_client_regex=f"^({clients})$",
                        ),
                    ),
                    appsync.CfnApi.AuthProviderProperty(auth_type=_IAM),
                ],
                connection_auth_modes=[mode(auth_type=_COGNITO)],
                default_subscribe_auth_modes=[mode(auth_type=_COGNITO)],
                default_publish_auth_modes=[mode(auth_type=_IAM)],
                log_config=appsync.CfnApi.EventLogConfigProperty(
                    log_level=self.environment_settings.events.log_level,
                    cloud_watch_logs_role_arn=self._log_role.role_arn,
                ),
            ),
        )

    def _add_log_group(self) -> None:
        # The name contains the API's id, so the role's policy is a resource of its own that follows the API.
        name = f"/aws/appsync/apis/{self.api_id}"
        create_log_group(self, "Log", name, self.environment_settings)
        policy = iam.Policy(self, "LogPolicy", statements=[allow_log_writes(name)], roles=[self._log_role])
        nag.acknowledge_log_stream_wildcard(policy, "/aws/appsync/apis/<EventApi.ApiId>")

    def _add_data_source(self, name: str, table: tables.Table, permissions: TablePermissions) -> appsync.CfnDataSource:
        role = iam.Role(
            self,
            f"{name.capitalize()}DataRole",
            assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"),
            description=f"Permissions of the handlers of namespace {name}",
            inline_policies={"Tables": iam.PolicyDocument(statements=allow_table_access(self.names, permissions))},
        )
        return appsync.CfnDataSource(
            self,
            f"{name.capitalize()}Data",
            api_id=self.api_id,
            name=name,
            type="AMAZON_DYNAMODB",
            dynamo_db_config=appsync.CfnDataSource.DynamoDBConfigProperty(
                table_name=table.name(self.environment_settings.name), aws_region=Aws.REGION
            ),
            service_role_arn=role.role_arn,
        )

    def _add_namespace(
        self,
        namespace: Namespace,
        *,
        subscribe_source: appsync.CfnDataSource | None = None,
        publish_source: appsync.CfnDataSource | None = None,
        publish: str = _IAM,
    ) -> None:
        used = placeholders(namespace.name)
        names = {table.setting: table.name(self.environment_settings.name) for table in tables.TABLES}
        created = appsync.CfnChannelNamespace(
            self,
            f"{namespace.name.capitalize()}Namespace",
            api_id=self.api_id,
            name=namespace.name,
            code_handlers=render(namespace.name, {name: names[name] for name in used}),
            handler_configs=_handler_configs(subscribe_source, publish_source),
            subscribe_auth_modes=[appsync.CfnChannelNamespace.AuthModeProperty(auth_type=_COGNITO)],
            publish_auth_modes=[appsync.CfnChannelNamespace.AuthModeProperty(auth_type=publish)],
        )
        for source in {subscribe_source, publish_source} - {None}:
            if source is not None:
                created.add_resource_dependency(source)

    @property
    def client_endpoints(self) -> tuple[str, str]:
        """Return the HTTP and the WebSocket endpoint that clients use: on the custom domain, if there is one."""
        events = self.environment_settings.events
        http, realtime = self._api.attr_dns_http, self._api.attr_dns_realtime
        if events.domain is not None:
            http = realtime = events.domain.name
        scheme = events.endpoint_scheme
        return f"{scheme}://{http}/event", f"{re.sub('^http', 'ws', scheme)}://{realtime}/event/realtime"

    def _add_outputs(self) -> None:
        if (domain := self.environment_settings.events.domain) is not None:
            host = appsync.CfnDomainName(
                self, "Domain", domain_name=domain.name, certificate_arn=domain.certificate_arn
            )
            association = appsync.CfnDomainNameApiAssociation(
                self, "DomainApi", domain_name=domain.name, api_id=self.api_id
            )
            association.add_resource_dependency(host)
            self.add_output(outputs.EVENTS_DOMAIN_TARGET, host.attr_app_sync_domain_name)
        self.add_output(outputs.EVENTS_API_ID, self.api_id)
        http, realtime = self.client_endpoints
        self.add_output(outputs.EVENTS_HTTP_ENDPOINT, http)
        self.add_output(outputs.EVENTS_REALTIME_ENDPOINT, realtime)


def _handler_configs(
    subscribe: appsync.CfnDataSource | None, publish: appsync.CfnDataSource | None
) -> appsync.CfnChannelNamespace.HandlerConfigsProperty | None:
    if subscribe is None and publish is None:
        return None
    return appsync.CfnChannelNamespace.HandlerConfigsProperty(
        on_subscribe=_handler_config(subscribe), on_publish=_handler_config(publish)
    )


def _handler_config(source: appsync.CfnDataSource | None) -> appsync.CfnChannelNamespace.HandlerConfigProperty | None:
    if source is None:
        return None
    return appsync.CfnChannelNamespace.HandlerConfigProperty(
        behavior="CODE",
        integration=appsync.CfnChannelNamespace.IntegrationProperty(data_source_name=source.name),
    )
