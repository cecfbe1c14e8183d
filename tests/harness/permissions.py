"""Clients that allow only what the function's role allows, so that no test passes with further permissions."""

from __future__ import annotations

from typing import Any

from contract import tables
from stacks.policy.permissions import FUNCTIONS

_SINGLE = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
}
_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


class AccessDeniedError(BaseException):
    """The function's role does not allow the action. No `except Exception` of the code under test may catch it."""


class PermissionCheckedClient:
    """A DynamoDB client that refuses what the role of a function does not allow, as IAM does.

    Args:
        client: the DynamoDB client.
        function: name of the function, as in `stacks.policy.permissions`.
        environment: whose tables are used.
    """

    def __init__(self, client: Any, function: str, environment: str) -> None:
        self._client = client
        permissions = FUNCTIONS[function]
        self._allowed = {
            (table.name(environment), action) for table, actions in permissions.tables.items() for action in actions
        }
        self._allowed |= {(f"{table.name(environment)}/{index.name}", "Query") for table, index in permissions.indexes}
        assert {name for name, _ in self._allowed} >= {table.name(environment) for table in permissions.tables}
        assert set(permissions.tables) <= set(tables.TABLES)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            for table, action in _actions(name, arguments):
                if (table, action) not in self._allowed:
                    raise AccessDeniedError(f"{action} on {table}")
            return method(**arguments)

        return call


class PermissionCheckedMeetings:
    """A Chime SDK Meetings client that refuses what the role of a function does not allow, as IAM does.

    Args:
        client: the client of Chime SDK Meetings.
        function: name of the function, as in `stacks.policy.permissions`.
    """

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._allowed = FUNCTIONS[function].meetings

    def __getattr__(self, name: str) -> Any:
        action = "".join(part.capitalize() for part in name.split("_"))
        if action not in self._allowed:
            raise AccessDeniedError(action)
        return getattr(self._client, name)


def _actions(method: str, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (table or table/index, action) for everything that one call does."""
    if method == "transact_write_items":
        return [
            (content["TableName"], _IN_TRANSACTION[kind])
            for each in arguments["TransactItems"]
            for kind, content in each.items()
        ]
    if method == "batch_get_item":
        return [(table, "BatchGetItem") for table in arguments["RequestItems"]]
    table = arguments["TableName"]
    return [(f"{table}/{arguments['IndexName']}" if "IndexName" in arguments else table, _SINGLE[method])]
