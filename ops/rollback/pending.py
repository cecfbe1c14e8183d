"""What is under way in an environment and would be lost by going back: undelivered events, messages of queues."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from contract import tables
from ops.aws import explained_errors
from ops.change_report.comparison import Template
from ops.deploy.tools import MakeClient

_QUEUE: Final = "AWS::SQS::Queue"
_BATCH: Final = 100
"""Keys in one BatchGetItem (Amazon DynamoDB API reference)."""
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def undelivered(environment: str, types: Set[str], make_client: MakeClient) -> Iterator[str]:
    """Yield why undelivered events forbid going back: the older functions do not know their type.

    The index ByDue holds only the records that are not delivered yet, so that reading all of it is cheap.

    Args:
        environment: name of the environment.
        types: the types that the older revision does not know.
        make_client: creates a botocore client.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    if not types:
        return
    client, table = make_client("dynamodb"), tables.OUTBOX.name(environment)
    with explained_errors():
        counts = Counter(_types(client, table))
    for name in sorted(types & counts.keys()):
        yield (
            f"{counts[name]} events of the type {name} are not delivered yet, and the older functions do not know it: "
            "they would become dead letters. Wait until they are delivered (minutes), then repeat."
        )


def _types(client: Any, table: str) -> Iterator[str]:
    pages = client.get_paginator("scan").paginate(TableName=table, IndexName=tables.OUTBOX.index("ByDue").name)
    keys = [{"eventId": item["eventId"]} for page in pages for item in page["Items"]]
    for start in range(0, len(keys), _BATCH):
        request: Any = {table: {"Keys": keys[start : start + _BATCH], "ProjectionExpression": "event"}}
        while request:
            answer = client.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                if "event" in item:
                    yield json.loads(item["event"]["S"]).get("type", "")
            request = answer.get("UnprocessedKeys")


def removed_queues(
    deployed: Mapping[str, Template], older: Mapping[str, Template], make_client: MakeClient
) -> Iterator[str]:
    """Yield why queues forbid going back: the older revision deletes them with their messages.

    Args:
        deployed: the deployed templates of the stacks that go back, by stack name.
        older: their templates at the older revision.
        make_client: creates a botocore client.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    kept = {name for template in older.values() for name in _queues(template)}
    client = make_client("sqs")
    for name in sorted({each for template in deployed.values() for each in _queues(template)} - kept):
        with explained_errors():
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        count = sum(int(found.get(each, 0)) for each in _COUNTS)
        if count:
            yield (
                f"The older revision has no queue {name}: it would be deleted with its {count} messages. Let them be "
                "processed or redrive them first."
            )


def _queues(template: Template) -> Iterator[str]:
    for resource in template.get("Resources", {}).values():
        name = resource.get("Properties", {}).get("QueueName")
        if resource["Type"] == _QUEUE and isinstance(name, str):
            yield name
