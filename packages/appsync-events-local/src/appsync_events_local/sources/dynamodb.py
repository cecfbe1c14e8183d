"""The DynamoDB data source: executes the request objects of handlers against a DynamoDB endpoint.

Sources of the formats of requests and results: "AppSync Events: Amazon DynamoDB function reference", and the AppSync
JavaScript resolver reference for DynamoDB, to which it refers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from appsync_events_local.aws_clients import Credentials, aws_client
from appsync_events_local.sources.attributes import item_to_plain, item_to_wire
from appsync_events_local.sources.data_source import DataSourceError
from appsync_events_local.sources.deadline import deadline
from appsync_events_local.sources.dynamodb_arguments import (
    Json,
    page,
    projection,
    refuse_conflict_options,
    single_condition,
    transact_item,
    update,
    whole_item,
)
from appsync_events_local.sources.dynamodb_conditions import already_deleted, already_put
from appsync_events_local.sources.dynamodb_results import data_source_error, in_order_of_keys, listed, written_content

READ_SECONDS = 5
ATTEMPTS = 2


class DynamoDbDataSource:
    """An ``AMAZON_DYNAMODB`` data source: one table, one endpoint, one set of credentials.

    Args:
        table_name: physical name of the table for operations that do not name one.
        region: AWS region of the table.
        endpoint_url: address of DynamoDB; ``None`` is AWS's own.
        credentials: used to sign calls.
        threads: maximum number of concurrent calls.
    """

    def __init__(
        self,
        table_name: str,
        *,
        region: str,
        endpoint_url: str | None,
        credentials: Credentials,
        threads: int = 8,
    ) -> None:
        self.table_name = table_name
        self._client = aws_client(
            "dynamodb",
            region=region,
            endpoint_url=endpoint_url,
            credentials=credentials,
            connections=threads,
            read_seconds=READ_SECONDS,
            attempts=ATTEMPTS,
        )
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"dynamodb-{table_name}")
        self._operations: Mapping[str, Callable[[Json], Any]] = {
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "UpdateItem": self._update_item,
            "DeleteItem": self._delete_item,
            "Query": self._query,
            "Scan": self._scan,
            "BatchGetItem": self._batch_get,
            "BatchPutItem": self._batch_put,
            "BatchDeleteItem": self._batch_delete,
            "TransactGetItems": self._transact_get,
            "TransactWriteItems": self._transact_write,
        }

    async def execute(self, request: Json) -> Any:
        """Execute one request object.

        Args:
            request: in the format that the functions of ``@aws-appsync/utils/dynamodb`` build.

        Returns:
            An item or ``None``; ``{items, nextToken, scannedCount}``; ``{data, unprocessedKeys|unprocessedItems}``;
            ``{items}``; or ``{keys}``, depending on the operation.

        Raises:
            DataSourceError: DynamoDB refused the request or could not be reached, or the request is malformed.
        """
        refuse_conflict_options(request)
        operation = self._operations.get(str(request.get("operation")))
        if operation is None:
            known = ", ".join(self._operations)
            raise DataSourceError(
                "DynamoDB:ValidationException",
                f"operation {request.get('operation')!r} is not supported; supported are {known}",
            )
        async with deadline("DynamoDB"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._guarded, operation, request)

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._threads.shutdown(wait=True)
        self._client.close()

    def _guarded(self, operation: Callable[[Json], Any], request: Json) -> Any:
        try:
            return operation(request)
        except ClientError as error:
            raise data_source_error(error) from error
        except ParamValidationError as error:
            raise DataSourceError("DynamoDB:ValidationException", str(error)) from error
        except BotoCoreError as error:
            raise DataSourceError("DynamoDB:SdkClientException", f"DynamoDB could not be reached: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
            text = f"the request object is malformed: {type(error).__name__} {error}"
            raise DataSourceError("DynamoDB:ValidationException", text) from error

    def _get_item(self, request: Json) -> Any:
        answer = self._client.get_item(
            TableName=self.table_name,
            Key=item_to_wire(request["key"]),
            ConsistentRead=bool(request.get("consistentRead", False)),
            **projection(request),
        )
        return item_to_plain(answer["Item"]) if "Item" in answer else None

    def _put_item(self, request: Json) -> Any:
        item = whole_item(request)
        try:
            self._client.put_item(TableName=self.table_name, Item=item, **single_condition(request))
        except ClientError as error:
            return already_put(error, item, request)
        return item_to_plain(item)

    def _update_item(self, request: Json) -> Any:
        answer = self._client.update_item(
            TableName=self.table_name,
            Key=item_to_wire(request["key"]),
            ReturnValues="ALL_NEW",
            **update(request),
            **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if request.get("condition") else {}),
        )
        return item_to_plain(answer["Attributes"])

    def _delete_item(self, request: Json) -> Any:
        try:
            answer = self._client.delete_item(
                TableName=self.table_name,
                Key=item_to_wire(request["key"]),
                ReturnValues="ALL_OLD",
                **single_condition(request),
            )
        except ClientError as error:
            return already_deleted(error)
        return item_to_plain(answer["Attributes"]) if "Attributes" in answer else None

    def _query(self, request: Json) -> Any:
        arguments = page(self.table_name, request, {"KeyConditionExpression": request["query"]})
        if "scanIndexForward" in request:
            arguments["ScanIndexForward"] = bool(request["scanIndexForward"])
        return listed(self._client.query(**arguments))

    def _scan(self, request: Json) -> Any:
        arguments = page(self.table_name, request, {})
        if "totalSegments" in request:
            arguments |= {"TotalSegments": int(request["totalSegments"]), "Segment": int(request.get("segment", 0))}
        return listed(self._client.scan(**arguments))

    def _batch_get(self, request: Json) -> Any:
        wanted = {
            table: {
                "Keys": [item_to_wire(key) for key in content["keys"]],
                "ConsistentRead": bool(content.get("consistentRead", False)),
                **projection(content),
            }
            for table, content in request["tables"].items()
        }
        answer = self._client.batch_get_item(RequestItems=wanted)
        unprocessed = answer.get("UnprocessedKeys", {})
        return {
            "data": {
                table: in_order_of_keys(content["Keys"], answer["Responses"].get(table, []))
                for table, content in wanted.items()
            },
            "unprocessedKeys": {
                table: [item_to_plain(key) for key in unprocessed.get(table, {}).get("Keys", [])] for table in wanted
            },
        }

    def _batch_put(self, request: Json) -> Any:
        return self._batch_write(request, lambda item: {"PutRequest": {"Item": item}})

    def _batch_delete(self, request: Json) -> Any:
        return self._batch_write(request, lambda key: {"DeleteRequest": {"Key": key}})

    def _batch_write(self, request: Json, entry: Callable[[Json], Json]) -> Any:
        written = {table: [item_to_wire(item) for item in items] for table, items in request["tables"].items()}
        answer = self._client.batch_write_item(
            RequestItems={table: [entry(item) for item in items] for table, items in written.items()}
        )
        unprocessed = answer.get("UnprocessedItems", {})
        return {
            "data": {table: [item_to_plain(item) for item in items] for table, items in written.items()},
            "unprocessedItems": {
                table: [item_to_plain(written_content(item)) for item in unprocessed.get(table, [])]
                for table in written
            },
        }

    def _transact_get(self, request: Json) -> Any:
        answer = self._client.transact_get_items(
            TransactItems=[
                {"Get": {"TableName": item["table"], "Key": item_to_wire(item["key"]), **projection(item)}}
                for item in request["transactItems"]
            ]
        )
        return {"items": [item_to_plain(one["Item"]) if one.get("Item") else None for one in answer["Responses"]]}

    def _transact_write(self, request: Json) -> Any:
        self._client.transact_write_items(TransactItems=[transact_item(item) for item in request["transactItems"]])
        return {"keys": [item_to_plain(item_to_wire(item["key"])) for item in request["transactItems"]]}
