"""Decides which restored items may come back, and what changes in them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from contract import tables
from contract.tables import Table
from handlers.adapters.dynamodb.messages.member_keys import member_keys
from ops.data.erasures import ErasureList
from ops.data.restore.numbers import raised
from ops.data.table_access import TableAccess

Changes = dict[str, Any]
_LIVE_CALL: Final = ("RINGING", "ACTIVE")


class Refused(msgspec.Struct, frozen=True):
    """An item stays out; `reason` says why."""

    reason: str


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions are based on.

    Args:
        live: the live tables.
        restored: the restored copies.
        erasures: the list of erased persons.
        planned: nothing is written, so that an item counts as present where it would have been copied before.
    """

    live: TableAccess
    restored: TableAccess
    erasures: ErasureList
    planned: bool = False

    def find(self, table: Table, **key: Any) -> dict[str, Any] | None:
        """Return the item that another one belongs to."""
        found = self.live.get(table, **key)
        return self.restored.get(table, **key) if found is None and self.planned else found


Item = Mapping[str, Any]
Admission = Callable[[Item, Sources], "Changes | Refused"]


def admit(table: Table, item: Item, sources: Sources) -> Changes | Refused:
    """Return what changes in a restored item before it is copied, or why it is not copied.

    A changed attribute that is None is removed.
    """
    return _ADMISSIONS[table.entity](item, sources)


def _always(_: Item, __: Sources) -> Changes:
    return {}


def _user(item: Item, sources: Sources) -> Changes | Refused:
    return Refused("the person was erased") if item["userId"] in sources.erasures else {}


def _search(item: Item, sources: Sources) -> Changes | Refused:
    profile = sources.find(tables.USERS, userId=item["userId"])
    if profile is None or profile.get("fullName") != item["fullName"]:
        return Refused("the profile is missing or has another name")
    return _user(item, sources)


def _conversation(item: Item, sources: Sources) -> Changes:
    changes = raised(sources.live, item)
    if item.get("type") == "GROUP":
        counter = sources.live.get(tables.CONVERSATION_COUNTERS, conversationId=item["conversationId"])
        if counter is not None:
            # The counter was changed with each change of the group: clients must take the restored one for newer.
            changes["version"] = max(item.get("version") or 0, counter.get("version") or 0) + 1
        changes |= _present(item, sources)
    last = changes.get("lastMessage") or item.get("lastMessage")
    if last and last.get("senderId") in sources.erasures:
        kept = {name: value for name, value in last.items() if name != "preview"}
        changes["lastMessage"] = {**kept, "deleted": True}
    return changes


def _present(item: Item, sources: Sources) -> Changes:
    """Return the participants of a group without those who have left since; unchanged where no membership is left."""
    hidden = item.get("hiddenMembers") or {}
    present = [
        user_id
        for user_id in item.get("participants") or ()
        if user_id in hidden or sources.find(tables.CONVERSATION_MEMBERS, userId=user_id, **_id(item))
    ]
    if not set(present) - set(hidden):
        return {}
    admins = [user_id for user_id in item.get("admins") or () if user_id in present]
    return {"participants": present, "admins": admins or present[:1]}


def _counter(item: Item, sources: Sources) -> Changes | Refused:
    conversation = sources.find(tables.CONVERSATIONS, **_id(item))
    if conversation is None:
        return Refused("its conversation is missing")
    return {
        **raised(sources.live, item),
        "version": conversation.get("version") or 0,
        "memberKeys": member_keys(conversation.get("participants") or ()),
        # A member who has left since must not know the channel.
        "channelEpoch": str(uuid.uuid4()),
    }


def _group(item: Item, sources: Sources) -> Changes | Refused:
    conversation = sources.find(tables.CONVERSATIONS, conversationId=item["groupId"])
    if conversation is None:
        return Refused("its conversation is missing")
    return {"memberCount": len(conversation.get("participants") or ())}


def _member(item: Item, sources: Sources) -> Changes | Refused:
    conversation = sources.find(tables.CONVERSATIONS, **_id(item))
    if conversation is None:
        return Refused("its conversation is missing")
    listed = item["userId"] in (conversation.get("participants") or ())
    if not listed or item["userId"] in (conversation.get("hiddenMembers") or {}):
        return Refused("the user is no longer a member")
    role = "ADMIN" if item["userId"] in (conversation.get("admins") or ()) else "MEMBER"
    return {"role": role} if _user(item, sources) == {} else Refused("the person was erased")


def _message(item: Item, sources: Sources) -> Changes | Refused:
    if sources.find(tables.CONVERSATIONS, **_id(item)) is None:
        return Refused("its conversation is missing")
    if item["senderId"] not in sources.erasures:
        return {}
    # The number stays, so that the history has no gap.
    return {"deleted": True, **dict.fromkeys(CONTENT)}


CONTENT: Final = ("content", "mediaUrl", "fileName", "fileSize", "duration", "replyTo", "tempId", "editedAt")
"""The attributes of a message that an erasure removes."""


def _change(item: Item, sources: Sources) -> Changes | Refused:
    if item["expiresAt"] <= time.time():
        return Refused("its time to live is over")
    if sources.find(tables.CONVERSATIONS, **_id(item)) is None:
        return Refused("its conversation is missing")
    return {}


def _block(item: Item, sources: Sources) -> Changes | Refused:
    """Admit a block only where nothing says that it was ended on purpose."""
    if item["blockedUserId"] == "#":
        return {}
    if item["userId"] in sources.erasures:
        return Refused("the person was erased")
    key = {"userId": f"#{item['blockedUserId']}", "blockedUserId": "#"}
    before, now = sources.restored.get(tables.BLOCKS, **key), sources.live.get(tables.BLOCKS, **key)
    if now is not None and now["version"] > (before or {"version": 0})["version"]:
        return Refused("the user's blocks have changed since")
    return {}


def _call(item: Item, _: Sources) -> Changes | Refused:
    if item["status"] in _LIVE_CALL:
        return Refused("the call was in progress")
    return {"shard": None, "dueAt": None}


def _user_call(item: Item, sources: Sources) -> Changes | Refused:
    if sources.find(tables.CALLS, sessionId=item["sessionId"]) is None:
        return Refused("its call is missing")
    return _user(item, sources)


def _id(item: Item) -> dict[str, str]:
    return {"conversationId": item["conversationId"]}


_ADMISSIONS: Final[Mapping[str, Admission]] = {
    tables.ERASURES.entity: _always,
    tables.USERS.entity: _user,
    tables.CONVERSATIONS.entity: _conversation,
    tables.CONVERSATION_COUNTERS.entity: _counter,
    tables.GROUPS.entity: _group,
    tables.BLOCKS.entity: _block,
    tables.CONVERSATION_MEMBERS.entity: _member,
    tables.MESSAGES.entity: _message,
    tables.MESSAGE_CHANGES.entity: _change,
    tables.CALLS.entity: _call,
    tables.USER_CALLS.entity: _user_call,
    tables.USER_SEARCH.entity: _search,
}
