"""Converts conversations, memberships and groups between items and the records of the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from contract import channels
from contract.models import Conversation, LastMessage, Message
from handlers.core.conversations.ports import (
    GroupRecord,
    HiddenMember,
    Membership,
    NewConversation,
    StoredConversation,
)
from handlers.core.messages.rules import StoredMessage, last_message

_OPTIONAL = ("name", "description", "avatar")


def stored_conversation(item: dict[str, Any]) -> StoredConversation:
    """Return the conversation of an item. Items of the old application have no version and numbers; they read as 0."""
    last = item.get("lastMessage")
    conversation = Conversation(
        conversationId=item["conversationId"],
        type=item["type"],
        participants=list(item.get("participants") or ()),
        admins=list(item.get("admins") or ()),
        createdBy=item.get("createdBy") or "",
        createdAt=item.get("createdAt") or "",
        updatedAt=item.get("updatedAt") or "",
        version=item.get("version") or 0,
        latestSeq=item.get("latestSeq") or 0,
        latestChange=item.get("latestChange") or 0,
        lastMessageAt=item.get("lastMessageAt"),
        lastMessage=msgspec.convert(last, LastMessage) if last else None,
        **{name: item.get(name) for name in _OPTIONAL},
    )
    hidden = {
        user_id: HiddenMember(joined_at=each["joinedAt"], last_read_seq=each["lastReadSeq"])
        for user_id, each in (item.get("hiddenMembers") or {}).items()
    }
    return StoredConversation(conversation, frozenset(item.get("blockedBy") or ()), hidden)


def hidden_members_item(hidden: Mapping[str, HiddenMember]) -> dict[str, Any] | None:
    """Return the attribute `hiddenMembers` of a group; None where there are none."""
    items = {
        user_id: {"joinedAt": each.joined_at, "lastReadSeq": each.last_read_seq} for user_id, each in hidden.items()
    }
    return items or None


def with_counter(
    stored: StoredConversation, counter: dict[str, Any], newest: StoredMessage | None
) -> StoredConversation:
    """Return a group with the numbers of its counter and its newest message."""
    at, epoch = counter.get("lastMessageAt"), counter.get("channelEpoch")
    conversation_id = stored.conversation.conversationId
    conversation = replace(
        stored.conversation,
        channel=channels.channel(channels.CONVERSATIONS, conversation_id, epoch) if epoch else None,
        latestSeq=counter["latestSeq"],
        latestChange=counter.get("latestChange", stored.conversation.latestChange),
        lastMessageAt=at or stored.conversation.lastMessageAt,
        updatedAt=max(stored.conversation.updatedAt, at or ""),
        lastMessage=shown_message(newest.message) if newest else stored.conversation.lastMessage,
    )
    return replace(stored, conversation=conversation)


def shown_message(message: Message) -> LastMessage:
    """Return a message, which may be deleted or of the old application, as the conversation list shows it."""
    return replace(last_message(replace(message, seq=message.seq or 0)), deleted=message.deleted)


def conversation_item(creation: NewConversation) -> dict[str, Any]:
    """Return the item of a new conversation. The channel of a group is in its counter."""
    attributes = msgspec.structs.asdict(replace(creation.conversation, channel=None))
    return {
        **{name: value for name, value in attributes.items() if value is not None},
        "blockedBy": creation.blocked_by or None,
        "hiddenMembers": hidden_members_item(creation.hidden_members),
    }


def membership(item: dict[str, Any]) -> Membership:
    """Return the membership of an item."""
    return Membership(
        user_id=item["userId"],
        conversation_id=item["conversationId"],
        role=item.get("role") or "MEMBER",
        type=item.get("type") or "DM",
        joined_at=item.get("joinedAt") or "",
        last_read_seq=item.get("lastReadSeq") or 0,
        hidden=bool(item.get("hidden")),
        has_hidden=bool(item.get("hasHidden")),
    )


def membership_item(member: Membership) -> dict[str, Any]:
    """Return the item of a new membership."""
    return {
        "userId": member.user_id,
        "conversationId": member.conversation_id,
        "role": member.role,
        "type": member.type,
        "joinedAt": member.joined_at,
        "lastReadSeq": member.last_read_seq,
        "hidden": member.hidden or None,
        "hasHidden": member.has_hidden or None,
    }


def group(item: dict[str, Any]) -> GroupRecord:
    """Return the group of an item."""
    settings = item.get("settings") or {}
    return GroupRecord(
        group_id=item["groupId"],
        created_at=item.get("createdAt") or "",
        member_count=item.get("memberCount") or 0,
        class_code=item.get("classCode"),
        semester=item.get("semester"),
        tags=tuple(item.get("tags") or ()),
        is_public=bool(settings.get("isPublic")),
        require_approval=bool(settings.get("requireApproval", True)),
        max_members=settings.get("maxMembers") or 0,
    )


def group_item(record: GroupRecord) -> dict[str, Any]:
    """Return the item of a new group."""
    return {
        "groupId": record.group_id,
        "classCode": record.class_code,
        "semester": record.semester,
        "isClassGroup": record.class_code is not None,
        "tags": list(record.tags),
        "settings": {
            "isPublic": record.is_public,
            "requireApproval": record.require_approval,
            "maxMembers": record.max_members,
        },
        "memberCount": record.member_count,
        "createdAt": record.created_at,
        "updatedAt": record.created_at,
    }
