"""The deployed handlers of the Event API's namespaces, on a test's tables."""

from __future__ import annotations

from appsync_events_local.aws_clients import Credentials
from appsync_events_local.handlers.namespace_handlers import NamespaceHandlers
from appsync_events_local.sources.dynamodb import DynamoDbDataSource

from appsync_js.render import placeholders, render
from contract import tables
from tests.harness.emulator import REGION, AwsResources


def conversation_handlers(aws: AwsResources) -> NamespaceHandlers:
    """Return the deployed handlers of the namespace `conversations`, on the test's tables."""
    names = {table.setting: aws.table(table) for table in tables.TABLES}

    def source(table: tables.Table) -> DynamoDbDataSource:
        return DynamoDbDataSource(
            aws.table(table),
            region=REGION,
            endpoint_url=aws.emulator.endpoint,
            credentials=Credentials("local-test", "local-test"),
        )

    code = render("conversations", {name: names[name] for name in placeholders("conversations")})
    return NamespaceHandlers.load(
        code, on_subscribe=source(tables.CONVERSATION_MEMBERS), on_publish=source(tables.CONVERSATIONS)
    )
