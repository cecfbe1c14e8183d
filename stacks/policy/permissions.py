"""The permissions of each function: DynamoDB actions by table, index queries, namespaces and Chime SDK actions.

A transaction needs the actions of its parts (PutItem, UpdateItem, DeleteItem, ConditionCheckItem, GetItem); a
condition on an update needs no further action. No function may scan. A function has permissions on exactly the tables
that its settings class names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contract import channels, tables
from contract.tables import Index, Table
from handlers import settings

TablePermissions = Mapping[Table, tuple[str, ...]]
"""The DynamoDB actions that are allowed on each table."""


@dataclass(frozen=True)
class FunctionPermissions:
    """The permissions of one function beyond its own log and queues.

    Args:
        tables: DynamoDB actions by table.
        indexes: indexes that it may query.
        publish: namespaces that it may publish to.
        meetings: actions on the account's Chime SDK meetings.
        credentials: whether it may read the canary's credentials in the parameter store.
    """

    tables: TablePermissions
    indexes: tuple[tuple[Table, Index], ...] = ()
    publish: tuple[channels.Namespace, ...] = ()
    meetings: tuple[str, ...] = ()
    credentials: bool = False


def _index(table: Table, name: str) -> tuple[Table, Index]:
    return table, table.index(name)


_WRITE_OUTBOX: Final = ("PutItem", "UpdateItem", "DeleteItem")
_MESSAGES_BY_ID: Final = _index(tables.MESSAGES, "MessageIdIndex")
_OUTBOX_BY_DUE: Final = _index(tables.OUTBOX, "ByDue")
_CALLS_BY_DUE: Final = _index(tables.CALLS, "ByDue")

FUNCTIONS: Final[Mapping[str, FunctionPermissions]] = {
    settings.MessagesSettings.function: FunctionPermissions(
        {
            tables.USERS: ("GetItem",),
            tables.CONVERSATIONS: ("GetItem", "UpdateItem", "ConditionCheckItem"),
            tables.CONVERSATION_COUNTERS: ("GetItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("GetItem", "BatchGetItem", "UpdateItem", "ConditionCheckItem"),
            tables.MESSAGES: ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"),
            tables.MESSAGE_CHANGES: ("Query", "PutItem"),
            tables.IDEMPOTENCY: ("GetItem", "PutItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: ("GetItem", *_WRITE_OUTBOX),
        },
        indexes=(_MESSAGES_BY_ID,),
        publish=(channels.CHATS,),
    ),
    settings.ConversationsSettings.function: FunctionPermissions(
        {
            tables.USERS: ("GetItem", "BatchGetItem"),
            tables.BLOCKS: ("GetItem", "BatchGetItem", "ConditionCheckItem"),
            tables.CONVERSATIONS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.CONVERSATION_COUNTERS: ("BatchGetItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"),
            tables.MESSAGES: ("BatchGetItem", "Query"),
            tables.GROUPS: ("GetItem", "PutItem", "UpdateItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        publish=(channels.CHATS,),
    ),
    settings.UsersSettings.function: FunctionPermissions(
        {
            tables.USERS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.USER_SEARCH: ("Query", "PutItem", "DeleteItem"),
            tables.BLOCKS: ("BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"),
            tables.CONVERSATIONS: ("GetItem", "BatchGetItem", "UpdateItem", "ConditionCheckItem"),
            tables.CONVERSATION_MEMBERS: ("BatchGetItem", "Query", "UpdateItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        publish=(channels.CHATS, channels.USERS),
    ),
    settings.CallsSettings.function: FunctionPermissions(
        {
            tables.USERS: ("GetItem", "BatchGetItem"),
            tables.BLOCKS: ("BatchGetItem",),
            tables.CONVERSATIONS: ("GetItem", "ConditionCheckItem"),
            tables.CONVERSATION_MEMBERS: ("ConditionCheckItem",),
            tables.CALLS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.USER_CALLS: ("Query", "PutItem"),
            tables.CALL_LOCKS: ("BatchGetItem", "PutItem", "DeleteItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        publish=(channels.USERS, channels.CALLS),
        meetings=("CreateMeeting", "CreateAttendee", "BatchCreateAttendee", "DeleteAttendee", "DeleteMeeting"),
    ),
    settings.RingTimeoutSettings.function: FunctionPermissions(
        {
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        publish=(channels.USERS,),  # events of a ring timeout have no copy on the call's channel
        meetings=("CreateMeeting", "DeleteMeeting"),
    ),
    settings.ChimeEventsSettings.function: FunctionPermissions(
        {
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        publish=(channels.USERS, channels.CALLS),
        meetings=("DeleteAttendee", "DeleteMeeting"),
    ),
    settings.CallSweepSettings.function: FunctionPermissions(
        {
            tables.USERS: ("BatchGetItem",),
            tables.CONVERSATIONS: ("GetItem",),
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _WRITE_OUTBOX,
        },
        indexes=(_CALLS_BY_DUE,),
        publish=(channels.USERS, channels.CALLS),
        meetings=("CreateMeeting", "GetMeeting", "DeleteAttendee", "DeleteMeeting"),
    ),
    settings.DeliverSettings.function: FunctionPermissions(
        {
            tables.CONVERSATIONS: ("GetItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("BatchGetItem", "UpdateItem"),
            tables.MESSAGES: ("PutItem", "Query"),
            tables.OUTBOX: ("GetItem", "UpdateItem", "DeleteItem"),
        },
        publish=(channels.CHATS, channels.USERS, channels.CALLS),
    ),
    settings.RelaySettings.function: FunctionPermissions({tables.OUTBOX: ("GetItem",)}),
    settings.SweepSettings.function: FunctionPermissions(
        {tables.OUTBOX: ("GetItem", "UpdateItem")}, indexes=(_OUTBOX_BY_DUE,)
    ),
    settings.BridgeSettings.function: FunctionPermissions(
        {
            tables.CONVERSATIONS: ("GetItem", "UpdateItem", "ConditionCheckItem"),
            tables.CONVERSATION_COUNTERS: ("GetItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("UpdateItem",),
            tables.MESSAGES: ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"),
            tables.OUTBOX: ("PutItem",),
        }
    ),
    settings.ProfileSettings.function: FunctionPermissions(
        {tables.USERS: ("PutItem",), tables.USER_SEARCH: ("PutItem",)}
    ),
    settings.CanarySettings.function: FunctionPermissions({}, credentials=True),
}

CALLS_HANDLER: Final[TablePermissions] = {tables.CALLS: ("GetItem",)}
"""The data source of namespace calls: its handler reads the call to authorise a subscription."""

CONVERSATIONS_HANDLER: Final[TablePermissions] = {
    tables.CONVERSATION_MEMBERS: ("BatchGetItem", "UpdateItem"),
    tables.CONVERSATION_COUNTERS: ("BatchGetItem", "UpdateItem"),
    tables.MESSAGES: ("PutItem",),
    tables.IDEMPOTENCY: ("PutItem",),
    tables.RATE_LIMITS: ("UpdateItem",),
    tables.USERS: ("BatchGetItem", "ConditionCheckItem"),
}
"""The data source of namespace conversations: checks the membership and stores the batch in one transaction."""
