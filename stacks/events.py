"""The Events stack: the AppSync Event API, its namespaces with inline handlers, and the data sources these read.

The first level of construct (Cfn…) is used on purpose: all three lists of modes stand here in words, and the log
group is ours, where the second level would add a Lambda function just to set its retention.
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
from stacks.constructs.function import log_writing, table_statements
from stacks.constructs.log_group import log_group_of
from stacks.constructs.stack import EnvironmentStack
from stacks.identity import Pool
from stacks.policy import acknowledgements as reasons
from stacks.policy.permissions import CALLS_HANDLER, CONVERSATIONS_HANDLER, Tables

_COGNITO: Final = "AMAZON_COGNITO_USER_POOLS"
_IAM: Final = "AWS_IAM"


class EventsStack(EnvironmentStack):
    """Signed-in users connect and subscribe; route functions publish with IAM.

    Only in namespace `conversations`, where the environment has it, do users publish themselves.
    """

    def __init__(self, scope: Construct, environment: Environment, pool: Pool) -> None:
        super().__init__(scope, "Events", environment, "realtime channels")
        self._pool = pool
        self._api = self._event_api()
        self._log_group()
        self._namespace(channels.CHATS)
        self._namespace(channels.USERS)
        self._namespace(channels.CALLS, subscribe_source=self._data_source("calls", tables.CALLS, CALLS_HANDLER))
        if environment.events.direct_messaging:
            members = self._data_source("conversations", tables.CONVERSATION_MEMBERS, CONVERSATIONS_HANDLER)
            self._namespace(channels.CONVERSATIONS, subscribe_source=members, publish_source=members, publish=_COGNITO)
        self._outputs()

    @property
    def api_id(self) -> str:
        """Return the Event API's id."""
        return self._api.attr_api_id

    @property
    def http_endpoint(self) -> str:
        """Return the endpoint that functions publish to: always AppSync's own host, which IAM signatures name."""
        return f"{self.environment_settings.events.endpoint_scheme}://{self._api.attr_dns_http}/event"

    def _event_api(self) -> appsync.CfnApi:
        modes = appsync.CfnApi.AuthModeProperty
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
                connection_auth_modes=[modes(auth_type=_COGNITO)],
                default_subscribe_auth_modes=[modes(auth_type=_COGNITO)],
                default_publish_auth_modes=[modes(auth_type=_IAM)],
                log_config=appsync.CfnApi.EventLogConfigProperty(
                    log_level=self.environment_settings.events.log_level,
                    cloud_watch_logs_role_arn=self._log_role().role_arn,
                ),
            ),
        )

    def _log_role(self) -> iam.Role:
        self._writer = iam.Role(
            self,
            "LogRole",
            assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"),
            description="Lets the Event API write its own log",
        )
        return self._writer

    def _log_group(self) -> None:
        name = f"/aws/appsync/apis/{self.api_id}"
        log_group_of(self, "Log", name, self.environment_settings)
        policy = iam.Policy(self, "LogPolicy", statements=[log_writing(name)], roles=[self._writer])
        reasons.log_streams(policy, "/aws/appsync/apis/<EventApi.ApiId>")

    def _data_source(self, name: str, table: tables.Table, rights: Tables) -> appsync.CfnDataSource:
        role = iam.Role(
            self,
            f"{name.capitalize()}DataRole",
            assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"),
            description=f"What the handlers of namespace {name} may do",
            inline_policies={"Tables": iam.PolicyDocument(statements=table_statements(self.names, rights))},
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

    def _namespace(
        self,
        namespace: Namespace,
        *,
        subscribe_source: appsync.CfnDataSource | None = None,
        publish_source: appsync.CfnDataSource | None = None,
        publish: str = _IAM,
    ) -> None:
        wanted = placeholders(namespace.name)
        names = {table.setting: table.name(self.environment_settings.name) for table in tables.TABLES}
        made = appsync.CfnChannelNamespace(
            self,
            f"{namespace.name.capitalize()}Namespace",
            api_id=self.api_id,
            name=namespace.name,
            code_handlers=render(namespace.name, {name: names[name] for name in wanted}),
            handler_configs=_configs(subscribe_source, publish_source),
            subscribe_auth_modes=[appsync.CfnChannelNamespace.AuthModeProperty(auth_type=_COGNITO)],
            publish_auth_modes=[appsync.CfnChannelNamespace.AuthModeProperty(auth_type=publish)],
        )
        for source in {subscribe_source, publish_source} - {None}:
            if source is not None:
                made.add_resource_dependency(source)

    def _outputs(self) -> None:
        scheme = self.environment_settings.events.endpoint_scheme
        http, realtime = self._api.attr_dns_http, self._api.attr_dns_realtime
        if (domain := self.environment_settings.events.domain) is not None:
            http = realtime = domain.name
            host = appsync.CfnDomainName(
                self, "Domain", domain_name=domain.name, certificate_arn=domain.certificate_arn
            )
            joined = appsync.CfnDomainNameApiAssociation(self, "DomainApi", domain_name=domain.name, api_id=self.api_id)
            joined.add_resource_dependency(host)
            self.tell(outputs.EVENTS_DOMAIN_TARGET, host.attr_app_sync_domain_name)
        self.tell(outputs.EVENTS_API_ID, self.api_id)
        self.tell(outputs.EVENTS_HTTP_ENDPOINT, f"{scheme}://{http}/event")
        self.tell(outputs.EVENTS_REALTIME_ENDPOINT, f"{re.sub('^http', 'ws', scheme)}://{realtime}/event/realtime")


def _configs(
    subscribe: appsync.CfnDataSource | None, publish: appsync.CfnDataSource | None
) -> appsync.CfnChannelNamespace.HandlerConfigsProperty | None:
    if subscribe is None and publish is None:
        return None
    return appsync.CfnChannelNamespace.HandlerConfigsProperty(
        on_subscribe=_config(subscribe), on_publish=_config(publish)
    )


def _config(source: appsync.CfnDataSource | None) -> appsync.CfnChannelNamespace.HandlerConfigProperty | None:
    if source is None:
        return None
    return appsync.CfnChannelNamespace.HandlerConfigProperty(
        behavior="CODE",
        integration=appsync.CfnChannelNamespace.IntegrationProperty(data_source_name=source.name),
    )
