"""The tables Calls, UserCalls and CallLocks (`handlers.core.calls.ports.Calls`), and the one transaction of a step."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from contract import tables
from handlers.adapters.dynamodb.calls.items import DUE, call_item, call_key, call_state
from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.rate_limits import rate_update
from handlers.adapters.dynamodb.reads import batch_get, get_item, query
from handlers.adapters.dynamodb.transactions import CancellationReason, TransactionCancelledError, transact
from handlers.core.calls.ports import CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.shared.timestamps import from_iso, to_iso

_ALL_OLD: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_BY_DUE: Final = tables.CALLS.indexes[0].name
_CONFLICT: Final = "TransactionConflict"
_CALL: Final = "call"
_RATE: Final = "rate"
_LOCK: Final = "lock of "

Actions = dict[str, dict[str, Any]]
"""The actions of a transaction by name, in their order."""


class CallTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that a step writes; those that only a new call needs may be left out."""

    calls: str
    call_locks: str
    outbox: str
    user_calls: str = ""
    rate_limits: str = ""


class DynamoCalls:
    """Reads and writes calls."""

    def __init__(self, client: Any, tables: CallTables) -> None:
        self._client = client
        self._tables = tables

    def read(self, session_id: str) -> CallState | None:
        """Read one call consistently."""
        item = get_item(self._client, self._tables.calls, {"sessionId": session_id}, "the call")
        return call_state(item) if item else None

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        """Read many calls at once, consistently; those that do not exist are left out."""
        keys = ({"sessionId": session_id} for session_id in dict.fromkeys(session_ids))
        states = map(call_state, batch_get(self._client, self._tables.calls, keys, "the calls"))
        return {state.session_id: state for state in states}

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return, for each of some users who has a lock, the session that holds it, read consistently."""
        keys = ({"userId": user_id} for user_id in dict.fromkeys(user_ids))
        items = batch_get(self._client, self._tables.call_locks, keys, "the calls under way")
        return {item["userId"]: item["sessionId"] for item in items}

    def commit(self, transition: CallWrite) -> CallWriteResult:
        """Store a step with its locks, its rows and its events, or nothing."""
        actions = self._actions(transition)
        if list(actions) == [_CALL]:
            return self._put_alone(actions[_CALL]["Put"])
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the call")
        except TransactionCancelledError as cancelled:
            return _refused(dict(zip(actions, cancelled.reasons, strict=True)))
        return CallWriteResult(verdict=CallWriteStatus.COMMITTED)

    def _put_alone(self, put: dict[str, Any]) -> CallWriteResult:
        """Store a step that is of the call alone, for half of what a transaction costs in time and money."""
        with writing("the call"):
            try:
                self._client.put_item(**put)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return CallWriteResult(verdict=CallWriteStatus.CONFLICT)
        return CallWriteResult(verdict=CallWriteStatus.COMMITTED)

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
        """Return (callKey, session id) of a user's calls, newest first, below a callKey if given, read consistently."""
        request: dict[str, Any] = {
            "TableName": self._tables.user_calls,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": to_item({":user": user_id, ":before": before}),
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit,
        }
        if before is not None:
            request["KeyConditionExpression"] += " AND callKey < :before"
        found: list[tuple[str, str]] = []
        for item in query(self._client, request, "the list of calls"):
            found.append((item["callKey"], item["sessionId"]))
            if len(found) == limit:
                break
        return found

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return (session id, due_at) of every call that the sweep should look at, oldest first."""
        request = {
            "TableName": self._tables.calls,
            "IndexName": _BY_DUE,
            "KeyConditionExpression": "#shard = :due AND dueAt <= :now",
            "ExpressionAttributeNames": {"#shard": "shard"},
            "ExpressionAttributeValues": to_item({":due": DUE, ":now": to_iso(now)}),
        }
        for item in query(self._client, request, "the calls due"):
            yield item["sessionId"], from_iso(item["dueAt"])

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
        """Move the sweep's next look at a call on, or take the call off its list; False if it was moved meanwhile."""
        request: dict[str, Any] = {
            "TableName": self._tables.calls,
            "Key": to_item({"sessionId": session_id}),
            "ConditionExpression": "dueAt = :old",
            "ExpressionAttributeValues": to_item({":old": to_iso(due_at)}),
        }
        if next_due_at is None:
            request |= {"UpdateExpression": "REMOVE #shard, dueAt", "ExpressionAttributeNames": {"#shard": "shard"}}
        else:
            request["UpdateExpression"] = "SET dueAt = :next"
            request["ExpressionAttributeValues"] |= to_item({":next": to_iso(next_due_at)})
        with writing("the call"):
            try:
                self._client.update_item(**request)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def _actions(self, transition: CallWrite) -> Actions:
        actions: Actions = {_CALL: self._call(transition)}
        session_id = transition.after.session_id
        for user_id, other in transition.takes.items():
            actions[_LOCK + user_id] = self._take(user_id, session_id, other)
        for user_id in sorted(transition.frees):
            actions[_LOCK + user_id] = self._free(user_id, session_id)
        for user_id in transition.listed:
            item = {"userId": user_id, "callKey": call_key(transition.after), "sessionId": session_id}
            actions[f"list of {user_id}"] = {"Put": {"TableName": self._tables.user_calls, "Item": to_item(item)}}
        for record in transition.outbox:
            actions[f"event {record.event_id}"] = outbox_put(self._tables.outbox, record)
        if transition.counted is not None:
            user_id, rate = transition.counted
            update = rate_update(self._tables.rate_limits, user_id, rate, transition.now)
            actions[_RATE] = {"Update": {**update, **_ALL_OLD}}
        return actions

    def _call(self, transition: CallWrite) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._tables.calls, "Item": to_item(call_item(transition.after))}
        if transition.before is None:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(sessionId)"}}
        return {
            "Put": {
                **put,
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item({":before": transition.before.version}),
            }
        }

    def _take(self, user_id: str, session_id: str, other: str | None) -> dict[str, Any]:
        over = "" if other is None else " OR sessionId = :other"
        return {
            "Put": {
                "TableName": self._tables.call_locks,
                "Item": to_item({"userId": user_id, "sessionId": session_id}),
                "ConditionExpression": f"attribute_not_exists(userId) OR sessionId = :mine{over}",
                "ExpressionAttributeValues": to_item({":mine": session_id, ":other": other}),
                **_ALL_OLD,
            }
        }

    def _free(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._tables.call_locks,
                "Key": to_item({"userId": user_id}),
                "ConditionExpression": "attribute_not_exists(userId) OR sessionId = :mine",
                "ExpressionAttributeValues": to_item({":mine": session_id}),
                **_ALL_OLD,
            }
        }


def _refused(reasons: Mapping[str, CancellationReason]) -> CallWriteResult:
    """Return what stood in the way, the call itself before the locks before the limit."""
    if reasons[_CALL].condition_failed or any(reason.code == _CONFLICT for reason in reasons.values()):
        return CallWriteResult(verdict=CallWriteStatus.CONFLICT)
    locked = {
        name.removeprefix(_LOCK): reason.item
        for name, reason in reasons.items()
        if name.startswith(_LOCK) and reason.condition_failed
    }
    if locked:
        holders = {user_id: item["sessionId"] for user_id, item in locked.items() if item}
        return CallWriteResult(verdict=CallWriteStatus.LOCKED, locked=holders)
    return CallWriteResult(verdict=CallWriteStatus.EXHAUSTED)
