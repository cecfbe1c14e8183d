"""The DynamoDB data source: executes the request objects of handlers against a DynamoDB endpoint.

Request and result shapes follow "AppSync Events: Amazon DynamoDB function reference" and the AppSync JavaScript
resolver reference for DynamoDB, which it refers to.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from local.events.runtime.attributes import item_to_plain, item_to_wire, to_wire
from local.events.runtime.errors import DataSourceError

CONNECT_SECONDS = 2
READ_SECONDS = 5
ATTEMPTS = 2

_Json = dict[str, Any]


@dataclass(frozen=True)
class Credentials:
    """AWS credentials with which a data source signs its calls."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


class DynamoDbDataSource:
    """An ``AMAZON_DYNAMODB`` data source: one table, one endpoint, one set of credentials.

    Args:
        table_name: physical name of the table for the operations that name none.
        region: AWS region of the table.
        endpoint_url: address of DynamoDB; ``None`` is AWS's own.
        credentials: with which calls are signed.
        threads: calls that may be under way at once.
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
        self._client = botocore.session.Session().create_client(
            "dynamodb",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=threads,
            ),
        )
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"dynamodb-{table_name}")
        self._operations: Mapping[str, Callable[[_Json], Any]] = {
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

    async def execute(self, request: _Json) -> Any:
        """Execute one request object.

        Args:
            request: as the functions of ``@aws-appsync/utils/dynamodb`` build it.

        Returns:
            An item or ``None``; ``{items, nextToken, scannedCount}``; ``{data, unprocessedKeys|unprocessedItems}``;
            ``{items}``; or ``{keys}``, depending on the operation.

        Raises:
            DataSourceError: DynamoDB refused it, could not be reached, or the request makes no sense.
        """
        operation = self._operations.get(str(request.get("operation")))
        if operation is None:
            known = ", ".join(self._operations)
            raise DataSourceError(
                "DynamoDB:ValidationException",
                f"operation {request.get('operation')!r} is not one of those imitated here: {known}",
            )
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._guarded, operation, request)

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._threads.shutdown(wait=True)
        self._client.close()

    def _guarded(self, operation: Callable[[_Json], Any], request: _Json) -> Any:
        try:
            return operation(request)
        except ClientError as error:
            raise _refused(error) from error
        except ParamValidationError as error:
            raise DataSourceError("DynamoDB:ValidationException", str(error)) from error
        except BotoCoreError as error:
            raise DataSourceError("DynamoDB:SdkClientException", f"DynamoDB could not be reached: {error}") from error
        except (KeyError, TypeError, AttributeError) as error:
            text = f"the request object is malformed: {type(error).__name__} {error}"
            raise DataSourceError("DynamoDB:ValidationException", text) from error

    def _get_item(self, request: _Json) -> Any:
        answer = self._client.get_item(
            TableName=self.table_name,
            Key=item_to_wire(request["key"]),
            ConsistentRead=bool(request.get("consistentRead", False)),
            **_projection(request),
        )
        return item_to_plain(answer["Item"]) if "Item" in answer else None

    def _put_item(self, request: _Json) -> Any:
        item = _whole_item(request)
        self._client.put_item(TableName=self.table_name, Item=item, **_single_condition(request))
        return item_to_plain(item)

    def _update_item(self, request: _Json) -> Any:
        answer = self._client.update_item(
            TableName=self.table_name,
            Key=item_to_wire(request["key"]),
            ReturnValues="ALL_NEW",
            **_update(request),
            **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if request.get("condition") else {}),
        )
        return item_to_plain(answer["Attributes"])

    def _delete_item(self, request: _Json) -> Any:
        answer = self._client.delete_item(
            TableName=self.table_name,
            Key=item_to_wire(request["key"]),
            ReturnValues="ALL_OLD",
            **_single_condition(request),
        )
        return item_to_plain(answer["Attributes"]) if "Attributes" in answer else None

    def _query(self, request: _Json) -> Any:
        arguments = _page(self.table_name, request, {"KeyConditionExpression": request["query"]})
        if "scanIndexForward" in request:
            arguments["ScanIndexForward"] = bool(request["scanIndexForward"])
        return _listed(self._client.query(**arguments))

    def _scan(self, request: _Json) -> Any:
        arguments = _page(self.table_name, request, {})
        if "totalSegments" in request:
            arguments |= {"TotalSegments": int(request["totalSegments"]), "Segment": int(request.get("segment", 0))}
        return _listed(self._client.scan(**arguments))

    def _batch_get(self, request: _Json) -> Any:
        wanted = {
            table: {
                "Keys": [item_to_wire(key) for key in content["keys"]],
                "ConsistentRead": bool(content.get("consistentRead", False)),
                **_projection(content),
            }
            for table, content in request["tables"].items()
        }
        answer = self._client.batch_get_item(RequestItems=wanted)
        unprocessed = answer.get("UnprocessedKeys", {})
        return {
            "data": {
                table: _in_order_of_keys(content["Keys"], answer["Responses"].get(table, []))
                for table, content in wanted.items()
            },
            "unprocessedKeys": {
                table: [item_to_plain(key) for key in unprocessed.get(table, {}).get("Keys", [])] for table in wanted
            },
        }

    def _batch_put(self, request: _Json) -> Any:
        return self._batch_write(request, lambda item: {"PutRequest": {"Item": item}})

    def _batch_delete(self, request: _Json) -> Any:
        return self._batch_write(request, lambda key: {"DeleteRequest": {"Key": key}})

    def _batch_write(self, request: _Json, entry: Callable[[_Json], _Json]) -> Any:
        written = {table: [item_to_wire(item) for item in items] for table, items in request["tables"].items()}
        answer = self._client.batch_write_item(
            RequestItems={table: [entry(item) for item in items] for table, items in written.items()}
        )
        unprocessed = answer.get("UnprocessedItems", {})
        return {
            "data": {table: [item_to_plain(item) for item in items] for table, items in written.items()},
            "unprocessedItems": {
                table: [item_to_plain(_content(item)) for item in unprocessed.get(table, [])] for table in written
            },
        }

    def _transact_get(self, request: _Json) -> Any:
        answer = self._client.transact_get_items(
            TransactItems=[
                {"Get": {"TableName": item["table"], "Key": item_to_wire(item["key"]), **_projection(item)}}
                for item in request["transactItems"]
            ]
        )
        return {"items": [item_to_plain(one["Item"]) if one.get("Item") else None for one in answer["Responses"]]}

    def _transact_write(self, request: _Json) -> Any:
        self._client.transact_write_items(TransactItems=[_transact_item(item) for item in request["transactItems"]])
        return {"keys": [item_to_plain(item_to_wire(item["key"])) for item in request["transactItems"]]}


def _refused(error: ClientError) -> DataSourceError:
    code = error.response["Error"]["Code"]
    message = error.response["Error"].get("Message", code)
    result = None
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        result = {"keys": None, "cancellationReasons": [_reason(reason) for reason in reasons]}
    elif code == "ConditionalCheckFailedException" and "Item" in error.response:
        result = item_to_plain(error.response["Item"])
    return DataSourceError(f"DynamoDB:{code}", message, result)


def _reason(reason: _Json) -> _Json:
    item = reason.get("Item")
    return {
        "type": reason.get("Code", "None"),
        "message": reason.get("Message"),
        "item": item_to_plain(item) if item else None,
    }


def _expression(parts: Mapping[str, Mapping[str, Any] | None]) -> _Json:
    """Join AppSync's separate expressions to the arguments of one call, which shares names and values."""
    arguments: _Json = {}
    names: _Json = {}
    values: _Json = {}
    for parameter, part in parts.items():
        if not part:
            continue
        arguments[parameter] = part["expression"]
        names |= part.get("expressionNames") or {}
        values |= {name: to_wire(value) for name, value in (part.get("expressionValues") or {}).items()}
    if names:
        arguments["ExpressionAttributeNames"] = names
    if values:
        arguments["ExpressionAttributeValues"] = values
    return arguments


def _projection(request: _Json) -> _Json:
    return _expression({"ProjectionExpression": request.get("projection")})


def _condition(request: _Json) -> _Json:
    condition = request.get("condition") or {}
    for name in ("equalsIgnore", "conditionalCheckFailedHandler"):
        if condition.get(name):
            raise DataSourceError(
                "DynamoDB:ValidationException", f"condition.{name} is not imitated by the local Events service"
            )
    return _expression({"ConditionExpression": condition})


def _single_condition(request: _Json) -> _Json:
    condition = _condition(request)
    return condition | ({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if condition else {})


def _update(request: _Json) -> _Json:
    _condition(request)
    return _expression({"UpdateExpression": request["update"], "ConditionExpression": request.get("condition")})


def _whole_item(request: _Json) -> _Json:
    return item_to_wire(request.get("attributeValues")) | item_to_wire(request["key"])


def _page(table: str, request: _Json, own: Mapping[str, Any]) -> _Json:
    arguments: _Json = {"TableName": table}
    arguments |= _expression(
        {**own, "FilterExpression": request.get("filter"), "ProjectionExpression": request.get("projection")}
    )
    if request.get("index"):
        arguments["IndexName"] = request["index"]
    if request.get("limit"):
        arguments["Limit"] = int(request["limit"])
    if request.get("select"):
        arguments["Select"] = request["select"]
    if request.get("consistentRead"):
        arguments["ConsistentRead"] = True
    if request.get("nextToken"):
        arguments["ExclusiveStartKey"] = _from_token(request["nextToken"])
    return arguments


def _listed(answer: _Json) -> _Json:
    last = answer.get("LastEvaluatedKey")
    return {
        "items": [item_to_plain(item) for item in answer.get("Items", [])],
        "nextToken": _to_token(last) if last else None,
        "scannedCount": answer.get("ScannedCount", 0),
    }


def _to_token(key: _Json) -> str:
    text = json.dumps(key, default=lambda value: {"base64": base64.b64encode(value).decode()})
    return base64.urlsafe_b64encode(text.encode()).decode()


def _from_token(token: str) -> _Json:
    def revive(value: _Json) -> Any:
        return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value

    try:
        key: _Json = json.loads(base64.urlsafe_b64decode(token.encode()), object_hook=revive)
    except (binascii.Error, ValueError) as error:
        raise DataSourceError("DynamoDB:ValidationException", "nextToken is not one that was given out") from error
    return key


def _in_order_of_keys(keys: list[_Json], items: list[_Json]) -> list[Any]:
    """AppSync answers in the order of the keys, with null for what is not there."""

    def matching(key: _Json) -> Any:
        found = next((item for item in items if all(item.get(name) == value for name, value in key.items())), None)
        return None if found is None else item_to_plain(found)

    return [matching(key) for key in keys]


def _content(entry: _Json) -> _Json:
    content: _Json = entry["PutRequest"]["Item"] if "PutRequest" in entry else entry["DeleteRequest"]["Key"]
    return content


def _transact_item(item: _Json) -> _Json:
    target: _Json = {"TableName": item["table"]}
    condition = item.get("condition") or {}
    if condition.get("returnValuesOnConditionCheckFailure"):
        target["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    match item["operation"]:
        case "PutItem":
            return {"Put": target | {"Item": _whole_item(item)} | _condition(item)}
        case "UpdateItem":
            return {"Update": target | {"Key": item_to_wire(item["key"])} | _update(item)}
        case "DeleteItem":
            return {"Delete": target | {"Key": item_to_wire(item["key"])} | _condition(item)}
        case "ConditionCheck":
            return {"ConditionCheck": target | {"Key": item_to_wire(item["key"])} | _condition(item)}
        case other:
            raise DataSourceError("DynamoDB:ValidationException", f"unknown operation {other!r} in a transaction")
