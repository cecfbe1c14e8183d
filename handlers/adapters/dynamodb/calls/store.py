"""The store of calls: the tables Calls, UserCalls and CallLocks, and the transaction of a change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from contract import canary, tables
from handlers.adapters.dynamodb.calls.items import call_item, call_key, call_state
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key
from handlers.adapters.dynamodb.conversations.rows import member_key
from handlers.adapters.dynamodb.due_index import due_items
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.rate_limits import rate_update
from handlers.adapters.dynamodb.reads import batch_get, get_item, query
from handlers.adapters.dynamodb.transactions import CancellationReason, TransactionCancelledError, transact
from handlers.core.calls.ports import CallStore, CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.shared.timestamps import from_iso, to_iso

_ALL_OLD: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_CONFLICT: Final = "TransactionConflict"
_CALL: Final = "call"
_RATE: Final = "rate"
_MEMBER: Final = "member"
_LOCK: Final = "lock of "
_BY_DUE: Final = tables.CALLS.index("ByDue")

Actions = dict[str, dict[str, Any]]
"""The actions of a transaction by name, in their order."""


class CallTables(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the tables; those that only the routes need may be left out."""

    calls: str
    call_locks: str
    outbox: str
    user_calls: str = ""
    rate_limits: str = ""
    conversations: str = ""
    members: str = ""


class DynamoCallStore(CallStore):
    """Reads and writes calls in DynamoDB."""

    def __init__(self, client: Any, tables: CallTables) -> None:
        self._client = client
        self._tables = tables

    def read(self, session_id: str) -> CallState | None:
        item = get_item(self._client, self._tables.calls, {"sessionId": session_id}, "the call")
        return call_state(item) if item else None

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        keys = ({"sessionId": session_id} for session_id in dict.fromkeys(session_ids))
        states = map(call_state, batch_get(self._client, self._tables.calls, keys, "the calls"))
        return {state.session_id: state for state in states}

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        keys = ({"userId": user_id} for user_id in dict.fromkeys(user_ids))
        items = batch_get(self._client, self._tables.call_locks, keys, "the locks of calls")
        return {item["userId"]: item["sessionId"] for item in items}

    def commit(self, write: CallWrite) -> CallWriteResult:
        actions = self._actions(write)
        if list(actions) == [_CALL]:
            return self._put_alone(actions[_CALL]["Put"])
        result = self._transact(actions)
        if result.status is not CallWriteStatus.NOT_MEMBER or write.member is None:
            return result
        return self._transact({**actions, _MEMBER: self._participant_check(*write.member)})

    def _transact(self, actions: Actions) -> CallWriteResult:
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the call")
        except TransactionCancelledError as cancelled:
            return _failure(dict(zip(actions, cancelled.reasons, strict=True)))
        return CallWriteResult(status=CallWriteStatus.COMMITTED)

    def _put_alone(self, put: dict[str, Any]) -> CallWriteResult:
        """Store a change of the call alone with PutItem, which takes half the time and cost of a transaction."""
        written = write_single(lambda: self._client.put_item(**put), "the call")
        return CallWriteResult(status=CallWriteStatus.CONFLICT if written is None else CallWriteStatus.COMMITTED)

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
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
        keys: list[tuple[str, str]] = []
        for item in query(self._client, request, "the list of calls"):
            keys.append((item["callKey"], item["sessionId"]))
            if len(keys) == limit:
                break
        return keys

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        for item in due_items(self._client, _BY_DUE, self._tables.calls, now, "the calls due"):
            yield item["sessionId"], from_iso(item["dueAt"])

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
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
        return write_single(lambda: self._client.update_item(**request), "the call") is not None

    def _actions(self, write: CallWrite) -> Actions:
        actions: Actions = {_CALL: self._call(write)}
        session_id = write.after.session_id
        for user_id, other in write.take_locks.items():
            actions[_LOCK + user_id] = self._take_lock(user_id, session_id, other)
        for user_id in sorted(write.free_locks):
            actions[_LOCK + user_id] = self._free_lock(user_id, session_id)
        expires = canary.expires_at(write.after.conversation_id, write.after.created_at)
        for user_id in write.listed_for:
            item = {"userId": user_id, "callKey": call_key(write.after), "sessionId": session_id, "expiresAt": expires}
            actions[f"list of {user_id}"] = {"Put": {"TableName": self._tables.user_calls, "Item": to_item(item)}}
        for record in write.outbox:
            actions[f"event {record.event_id}"] = outbox_put(self._tables.outbox, record)
        if write.rate_limit is not None:
            user_id, rate = write.rate_limit
            update = rate_update(self._tables.rate_limits, user_id, rate, write.now)
            actions[_RATE] = {"Update": {**update, **_ALL_OLD}}
        if write.member is not None:
            actions[_MEMBER] = self._member_check(*write.member)
        return actions

    def _member_check(self, user_id: str, conversation_id: str) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._tables.members,
                "Key": member_key(user_id, conversation_id),
                "ConditionExpression": "attribute_exists(userId)",
            }
        }

    def _participant_check(self, user_id: str, conversation_id: str) -> dict[str, Any]:
        """Return the check for a group of the old application, which stored no members."""
        return {
            "ConditionCheck": {
                "TableName": self._tables.conversations,
                "Key": conversation_key(conversation_id),
                "ConditionExpression": ("contains(participants, :user) AND attribute_not_exists(hiddenMembers.#user)"),
                "ExpressionAttributeNames": {"#user": user_id},
                "ExpressionAttributeValues": to_item({":user": user_id}),
            }
        }

    def _call(self, write: CallWrite) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._tables.calls, "Item": to_item(call_item(write.after))}
        if write.before is None:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(sessionId)"}}
        return {
            "Put": {
                **put,
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item({":before": write.before.version}),
            }
        }

    def _take_lock(self, user_id: str, session_id: str, other: str | None) -> dict[str, Any]:
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

    def _free_lock(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._tables.call_locks,
                "Key": to_item({"userId": user_id}),
                "ConditionExpression": "attribute_not_exists(userId) OR sessionId = :mine",
                "ExpressionAttributeValues": to_item({":mine": session_id}),
                **_ALL_OLD,
            }
        }


def _failure(reasons: Mapping[str, CancellationReason]) -> CallWriteResult:
    """Return the failed condition; the call takes precedence over the membership, the locks, and the rate limit."""
    if reasons[_CALL].condition_failed or any(reason.code == _CONFLICT for reason in reasons.values()):
        return CallWriteResult(status=CallWriteStatus.CONFLICT)
    if _MEMBER in reasons and reasons[_MEMBER].condition_failed:
        return CallWriteResult(status=CallWriteStatus.NOT_MEMBER)
    locked = {
        name.removeprefix(_LOCK): reason.item
        for name, reason in reasons.items()
        if name.startswith(_LOCK) and reason.condition_failed
    }
    if locked:
        holders = {user_id: item["sessionId"] for user_id, item in locked.items() if item}
        return CallWriteResult(status=CallWriteStatus.LOCKED, locked=holders)
    return CallWriteResult(status=CallWriteStatus.EXHAUSTED)
