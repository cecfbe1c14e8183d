"""What each function may do to each table: the one list of DynamoDB actions, table by table.

A transaction needs the actions of its parts (PutItem, UpdateItem, DeleteItem, ConditionCheckItem, GetItem); a
condition on an update needs none of its own. Nobody may scan, and nobody may do anything to a table whose name its
settings do not carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contract import channels, tables
from contract.tables import Index, Table
from handlers import settings

Tables = Mapping[Table, tuple[str, ...]]


@dataclass(frozen=True)
class TablePermissions:
    """Actions by table, by index and on Chime SDK meetings, and the namespaces that events may be published to."""

    tables: Tables
    indexes: tuple[tuple[Table, Index], ...] = ()
    publish: tuple[channels.Namespace, ...] = ()
    meetings: tuple[str, ...] = ()


_OUTBOX_WRITER: Final = ("PutItem", "UpdateItem", "DeleteItem")
_MESSAGE_ID_INDEX: Final = (tables.MESSAGES, tables.MESSAGES.indexes[0])
_BY_DUE: Final = (tables.OUTBOX, tables.OUTBOX.indexes[0])
_CALLS_BY_DUE: Final = (tables.CALLS, tables.CALLS.indexes[0])

FUNCTIONS: Final[Mapping[str, TablePermissions]] = {
    settings.MessagesSettings.function: TablePermissions(
        {
            tables.CONVERSATIONS: ("GetItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("GetItem", "BatchGetItem", "UpdateItem"),
            tables.MESSAGES: ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"),
            tables.MESSAGE_CHANGES: ("Query", "PutItem"),
            tables.IDEMPOTENCY: ("GetItem", "PutItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        indexes=(_MESSAGE_ID_INDEX,),
        publish=(channels.CHATS,),
    ),
    settings.ConversationsSettings.function: TablePermissions(
        {
            tables.USERS: ("BatchGetItem",),
            tables.BLOCKS: ("BatchGetItem", "ConditionCheckItem"),
            tables.CONVERSATIONS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.CONVERSATION_MEMBERS: ("BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"),
            tables.MESSAGES: ("Query",),
            tables.GROUPS: ("GetItem", "PutItem", "UpdateItem"),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        publish=(channels.CHATS,),
    ),
    settings.UsersSettings.function: TablePermissions(
        {
            tables.USERS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.USER_SEARCH: ("Query", "PutItem", "DeleteItem"),
            tables.BLOCKS: ("BatchGetItem", "Query", "PutItem", "DeleteItem"),
            tables.CONVERSATIONS: ("GetItem", "BatchGetItem", "UpdateItem", "ConditionCheckItem"),
            tables.CONVERSATION_MEMBERS: ("BatchGetItem", "Query", "UpdateItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        publish=(channels.CHATS, channels.USERS),
    ),
    settings.CallsSettings.function: TablePermissions(
        {
            tables.USERS: ("BatchGetItem",),
            tables.BLOCKS: ("BatchGetItem",),
            tables.CONVERSATIONS: ("GetItem",),
            tables.CALLS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
            tables.USER_CALLS: ("Query", "PutItem"),
            tables.CALL_LOCKS: ("BatchGetItem", "PutItem", "DeleteItem"),
            tables.RATE_LIMITS: ("UpdateItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        publish=(channels.USERS, channels.CALLS),
        meetings=("CreateMeeting", "CreateAttendee", "BatchCreateAttendee", "DeleteAttendee", "DeleteMeeting"),
    ),
    settings.RingTimeoutSettings.function: TablePermissions(
        {
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        publish=(channels.USERS,),  # nothing that a timeout tells has a copy on the call's channel
        meetings=("CreateMeeting", "DeleteMeeting"),
    ),
    settings.ChimeEventsSettings.function: TablePermissions(
        {
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        publish=(channels.USERS, channels.CALLS),
        meetings=("DeleteAttendee", "DeleteMeeting"),
    ),
    settings.CallSweepSettings.function: TablePermissions(
        {
            tables.USERS: ("BatchGetItem",),
            tables.CONVERSATIONS: ("GetItem",),
            tables.CALLS: ("GetItem", "PutItem", "UpdateItem"),
            tables.CALL_LOCKS: ("DeleteItem",),
            tables.OUTBOX: _OUTBOX_WRITER,
        },
        indexes=(_CALLS_BY_DUE,),
        publish=(channels.USERS, channels.CALLS),
        meetings=("CreateMeeting", "GetMeeting", "DeleteAttendee", "DeleteMeeting"),
    ),
    settings.DeliverSettings.function: TablePermissions(
        {tables.OUTBOX: ("GetItem", "UpdateItem", "DeleteItem")},
        publish=(channels.CHATS, channels.USERS, channels.CALLS),
    ),
    settings.RelaySettings.function: TablePermissions({tables.OUTBOX: ("GetItem",)}),
    settings.SweepSettings.function: TablePermissions({tables.OUTBOX: ("GetItem", "UpdateItem")}, indexes=(_BY_DUE,)),
    settings.ProfileSettings.function: TablePermissions({tables.USERS: ("PutItem",), tables.USER_SEARCH: ("PutItem",)}),
}

CALLS_HANDLER: Final[Tables] = {tables.CALLS: ("GetItem",)}
"""The data source of namespace calls: may this user listen to the call?"""

CONVERSATIONS_HANDLER: Final[Tables] = {
    tables.CONVERSATION_MEMBERS: ("GetItem", "UpdateItem"),
    tables.CONVERSATIONS: ("UpdateItem",),
    tables.MESSAGES: ("PutItem",),
    tables.IDEMPOTENCY: ("PutItem",),
    tables.RATE_LIMITS: ("UpdateItem",),
}
"""The data source of namespace conversations: is this user a member, and store the batch in one transaction."""
